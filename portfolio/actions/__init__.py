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
from portfolio.actions.requests import (
    PEACE,
    Asked,
    ask,
    change_due_date,
    decline,
    remind,
    renew_link,
    take_up,
    withdraw_request,
)
from portfolio.actions.use_cases import (
    BillingTagTakenError,
    ChangedMeanwhileError,
    change_use_case,
    move_use_case,
    register_use_case,
)

__all__ = [
    "PEACE",
    "Asked",
    "BillingTagTakenError",
    "ChangedMeanwhileError",
    "Given",
    "InvalidAnswerError",
    "Saved",
    "ask",
    "change_due_date",
    "change_use_case",
    "decline",
    "ensure_snapshot",
    "move_use_case",
    "register_use_case",
    "remind",
    "renew_link",
    "reopen_dispute",
    "restore_answer",
    "save_answer",
    "save_answers",
    "settle_dispute",
    "take_up",
    "withdraw_answer",
    "withdraw_request",
]
