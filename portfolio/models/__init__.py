"""What and why: use cases, assessments with answers per person, requests, evidence, policy, reviews, reports."""

from portfolio.models.evidence import EvaluationAttachment, EvaluationRun
from portfolio.models.policy import PolicyRun, PolicyVersion
from portfolio.models.register import (
    SORTS,
    Answer,
    AnswerRequest,
    AnswerRevision,
    Assessment,
    RecommendationSnapshot,
    Settlement,
    UseCase,
    UseCaseQuerySet,
)
from portfolio.models.reports import Report
from portfolio.models.reviews import Review
from portfolio.models.rules import FiredRule

__all__ = [
    "SORTS",
    "Answer",
    "AnswerRequest",
    "AnswerRevision",
    "Assessment",
    "EvaluationAttachment",
    "EvaluationRun",
    "FiredRule",
    "PolicyRun",
    "PolicyVersion",
    "RecommendationSnapshot",
    "Report",
    "Review",
    "Settlement",
    "UseCase",
    "UseCaseQuerySet",
]
