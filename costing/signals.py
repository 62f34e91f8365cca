"""What other apps may wait for. `costing` does not know who listens."""

from django.dispatch import Signal

# Sent with `projection` (the stored row) and `result` (ProjectionResult), inside the transaction that stores them.
projection_finished = Signal()
