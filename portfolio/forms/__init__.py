"""What people enter, by page: each form says in its own words what is wrong and what to do."""
