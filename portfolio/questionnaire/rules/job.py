"""What has to be settled before any layer is chosen. Pure."""

from __future__ import annotations

from portfolio.questionnaire.case import Case


def prohibited(case: Case) -> bool:
    return bool(case.ai_act_class == "unacceptable")


def behaviour_undefined(case: Case) -> bool:
    return bool(case.behaviour_defined == "no")


def failure_undefined(case: Case) -> bool:
    return bool(case.failure_defined == "no")


def undefined(case: Case) -> bool:
    return behaviour_undefined(case) or failure_undefined(case)


def behaviour_partly(case: Case) -> bool:
    return bool(case.behaviour_defined == "partly")


def failure_partly(case: Case) -> bool:
    return bool(case.failure_defined == "partly")
