"""The acts of the register: keyword-only, `by=` who did it, atomic, the audit row in the same transaction."""

from portfolio.actions.answers import (
    Given,
    InvalidAnswerError,
    Saved,
    ensure_snapshot,
    reopen_dispute,
    restore_answer,
    save_answer,
    save_answers,
    settle_dispute,
    withdraw_answer,
)
from portfolio.actions.requests import ask_for_section, withdraw_request
from portfolio.actions.use_cases import ChangedMeanwhileError, change_use_case, move_use_case, register_use_case

__all__ = [
    "ChangedMeanwhileError",
    "Given",
    "InvalidAnswerError",
    "Saved",
    "ask_for_section",
    "change_use_case",
    "ensure_snapshot",
    "move_use_case",
    "register_use_case",
    "reopen_dispute",
    "restore_answer",
    "save_answer",
    "save_answers",
    "settle_dispute",
    "withdraw_answer",
    "withdraw_request",
]
