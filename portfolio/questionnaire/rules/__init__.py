"""The decision's rules: conditions by layer (`job`, `retrieval`, `tuning`) and the table that lists them all. Pure."""
