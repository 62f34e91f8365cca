"""A job is a row: its state, lease and heartbeat are in the database; the broker only wakes a worker.

`Job` is the abstract row shared by projections and reports. The functions here are the only writers of its state.
"""
