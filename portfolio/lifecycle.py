"""Stages of a use case and the transitions allowed between them, as a table. Pure."""

from enum import StrEnum


class Stage(StrEnum):
    IDEA = "idea"
    ASSESSMENT = "assessment"
    APPROVED = "approved"
    BUILDING = "building"
    LIVE = "live"
    RETIRED = "retired"


# Whose bills of providers are expected; before, there is nothing to be billed but what is tried out.
BILLED_STAGES = frozenset({Stage.BUILDING, Stage.LIVE})

STAGE_LABELS: dict[Stage, str] = {
    Stage.IDEA: "Idea",
    Stage.ASSESSMENT: "In assessment",
    Stage.APPROVED: "Approved",
    Stage.BUILDING: "Building",
    Stage.LIVE: "Live",
    Stage.RETIRED: "Retired",
}

# Approval needs a governance review (a later capability), so no transition leads to APPROVED by hand yet.
TRANSITIONS: dict[Stage, frozenset[Stage]] = {
    Stage.IDEA: frozenset({Stage.ASSESSMENT, Stage.RETIRED}),
    Stage.ASSESSMENT: frozenset({Stage.IDEA, Stage.RETIRED}),
    Stage.APPROVED: frozenset({Stage.BUILDING, Stage.RETIRED}),
    Stage.BUILDING: frozenset({Stage.LIVE, Stage.APPROVED, Stage.RETIRED}),
    Stage.LIVE: frozenset({Stage.BUILDING, Stage.RETIRED}),
    Stage.RETIRED: frozenset({Stage.IDEA}),
}


def may_move(current: str, target: str) -> bool:
    """Whether a use case may go from stage `current` to stage `target`. Raises ValueError for an unknown stage."""
    return Stage(target) in TRANSITIONS[Stage(current)]
