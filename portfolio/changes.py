"""What one answer changed, in a sentence: compares two recommendations. Pure."""

from __future__ import annotations

from portfolio.questionnaire.outcome import Layer, Need, Recommendation, Robustness, Status, Target
from portfolio.questionnaire.wording import listed

TARGET_WORDS = {
    Target.PROMPTING: "prompting",
    Target.RAG: "retrieval",
    Target.FINE_TUNING: "fine-tuning",
    Target.HYBRID: "fine-tuning with retrieval",
}
STATUS_WORDS = {
    Status.STOP: "stop: this use is prohibited",
    Status.DEFINE_THE_JOB: "define the job first",
    Status.START_SIMPLE: "start simple and measure",
    Status.NOT_READY: "not ready to train yet",
    Status.READY: "ready to build",
}
LAYER_WORDS = {"prompting": "prompting", "retrieval": "retrieval", "fine_tuning": "fine-tuning"}
NEED_LABELS = {
    Need.REQUIRED: "Required",
    Need.HELPFUL: "Helpful",
    Need.NOT_NEEDED: "Not needed",
    Need.RULED_OUT: "Ruled out",
}
NEED_WORDS = {
    Need.REQUIRED: "makes {layer} required",
    Need.HELPFUL: "makes {layer} helpful",
    Need.NOT_NEEDED: "makes {layer} unnecessary",
    Need.RULED_OUT: "rules {layer} out",
}


def just_changed(said: str, before: Recommendation | None, after: Recommendation) -> str:
    """One sentence on what the answer `said` (in words) changed; the weightiest change first."""
    opening = f"“{_short(said)}”"
    if before is None:
        return f"{opening} is the first answer: it points to {TARGET_WORDS[Target(after.target)]}."
    if before.target != after.target:
        old, new = TARGET_WORDS[Target(before.target)], TARGET_WORDS[Target(after.target)]
        return f"{opening} moves the answer from {old} to {new}."
    moved = _layers_moved(before.layers, after.layers)
    if moved:
        return f"{opening} {listed(moved)}."
    if before.status != after.status:
        return f"{opening} changes the status: {STATUS_WORDS[Status(after.status)]}."
    old_share, new_share = round(before.robustness.share * 100), round(after.robustness.share * 100)
    if old_share != new_share:
        way = "firmer" if new_share > old_share else "less firm"
        return f"{opening} makes it {way}: it holds in {new_share} % of all open ways, before {old_share} %."
    return f"{opening} leaves the answer as it is."


def robustness_in_words(robustness: Robustness) -> str:
    """How firm the target is, as pages say it."""
    n = len(robustness.open_questions)
    if n == 0:
        return "Every question that could move it is answered"
    share = "all" if robustness.share >= 1 else f"{_percent(robustness.share)} %"
    about = "" if robustness.exact else "about "
    questions = "the open question" if n == 1 else f"the {n} open questions"
    return f"Holds in {about}{share} of the ways to answer {questions}"


def firmness_note(robustness: Robustness) -> str:
    """What a full meter does not say: firm against what is open is not firm against every change; empty below that."""
    if robustness.share < 1:
        return ""
    return f"{'No open question can change it; a' if robustness.open_questions else 'A'} changed answer still could."


def _percent(share: float) -> str:
    """Whole per cent, but never 100 before it is all and never 0 before it is none."""
    whole = min(99, max(1, round(share * 100))) if share > 0 else 0
    return str(whole)


def _layers_moved(before: tuple[Layer, ...], after: tuple[Layer, ...]) -> list[str]:
    old = {layer.key: layer.need for layer in before}
    return [
        NEED_WORDS[Need(layer.need)].format(layer=LAYER_WORDS.get(layer.key, layer.key))
        for layer in after
        if old.get(layer.key) != layer.need
    ]


def _short(said: str) -> str:
    return said if len(said) <= 60 else f"{said[:59].rstrip()}…"
