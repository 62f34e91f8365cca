"""All that `portfolio` may use of `costing` (with the faces of `costing.charts`)."""

from costing.models import Job, JobState

__all__ = ["Job", "JobState"]
