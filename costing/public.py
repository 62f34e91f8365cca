"""All that `portfolio` may use of `costing` (with the faces of `costing.charts`)."""

from costing import jobs
from costing.engine.results import COMPONENTS, OPTIONS, ProjectionResult
from costing.models import Job, JobState

__all__ = ["COMPONENTS", "OPTIONS", "Job", "JobState", "ProjectionResult", "jobs"]
