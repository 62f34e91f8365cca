"""What and why: use cases, assessments with answers per person, requests, evidence, policy, reviews, reports, money."""

from portfolio.models.actuals import ActualImport, ActualLine, TagRule
from portfolio.models.evidence import EvaluationAttachment, EvaluationRun
from portfolio.models.imports import RegisterImport
from portfolio.models.money import Budget, CostRevision, CostScenario, SavedView
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
from portfolio.models.spend import PortfolioBlock, PortfolioCell, PortfolioEvent, PortfolioRun, PortfolioShare

__all__ = [
    "SORTS",
    "ActualImport",
    "ActualLine",
    "Answer",
    "AnswerRequest",
    "AnswerRevision",
    "Assessment",
    "Budget",
    "CostRevision",
    "CostScenario",
    "EvaluationAttachment",
    "EvaluationRun",
    "FiredRule",
    "PolicyRun",
    "PolicyVersion",
    "PortfolioBlock",
    "PortfolioCell",
    "PortfolioEvent",
    "PortfolioRun",
    "PortfolioShare",
    "RecommendationSnapshot",
    "RegisterImport",
    "Report",
    "Review",
    "SavedView",
    "Settlement",
    "TagRule",
    "UseCase",
    "UseCaseQuerySet",
]
