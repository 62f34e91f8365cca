"""The decision's rules: conditions by layer (`job`, `retrieval`, `tuning`) and the one table that lists them (`table`). Pure."""
