"""From the decision to the money: answers and recommendation → the inputs of a cost projection. Pure.

Each answer that says something about cost becomes an input with a band; what nobody answered is left to the engine's
own wide assumptions. A band `factor` f means P10 = value / f and P90 = value × f: how far such an answer may be off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from costing.public import (
    OPTIONS,
    Catalogue,
    Choices,
    Input,
    Origin,
    Provenance,
    ScenarioSpec,
    Shape,
    input_bounds,
    input_defaults,
)
from portfolio.questionnaire.outcome import Method, Need, Recommendation, Target
from portfolio.questionnaire.workload import AGENT_LOOP
from portfolio.questionnaire.workload_defaults import Assumed, ShapeOfWork, assumed_for, shape_of

TITLE_LENGTH = 300
ENOUGH_EXAMPLES = 500  # fewer good examples than this do not carry a training run: the rest has to be made
BATCH_FROM_MS = 3_600_000  # who can wait an hour can take batch prices
LONGEST_INTERVAL_MONTHS = 120.0  # "never" retrained, "hardly ever" changed: beyond every horizon


@dataclass(frozen=True)
class Estimate:
    """How the number answered to a question becomes an input."""

    question: str
    key: str
    factor: float  # P90 / value; 1 = exact


ESTIMATES = (
    Estimate("requests_per_day", "requests_per_day", 1.5),
    Estimate("peak_to_average", "peak_to_average", 1.3),
    Estimate("output_tokens", "output_tokens", 1.4),
    Estimate("latency_target_ms", "latency_target_ms", 1),
    Estimate("corpus_documents", "corpus_documents", 1.3),
    Estimate("document_tokens", "document_tokens", 1.4),
    Estimate("corpus_churn_per_month", "corpus_churn_percent_per_month", 1.6),
    Estimate("raw_records", "raw_records", 1.2),
    Estimate("hours_per_example", "hours_per_example", 1.5),
)
GROWTH_SPREAD = 0.5  # of the rate answered, at least one point a month either way
INTERVAL_MONTHS = {
    "weekly": 0.25,
    "often": 0.5,
    "monthly": 1.0,
    "quarterly": 3.0,
    "yearly": 12.0,
    "stable": LONGEST_INTERVAL_MONTHS,
    "never": LONGEST_INTERVAL_MONTHS,
}
INTERVAL_FACTOR = 1.5
# share of the training examples that still must be made, by what was said of those at hand: least, likely, most
TO_MAKE = {"clean": (0.0, 0.02, 0.1), "mixed": (0.1, 0.3, 0.6), "poor": (0.5, 0.8, 1.0)}
TO_MAKE_WITH_A_TEACHER = (0.05, 0.2, 0.5)  # approved outputs of a strong model are checked, not written
CACHED_FACTS_TOKENS = {"page": (400.0, 700.0, 1_500.0), "booklet": (5_000.0, 15_000.0, 40_000.0)}
# documents of two pages, where only the size of it all was answered
DOCUMENTS_OF = {"page": (1.0, 1.0, 2.0), "booklet": (10.0, 50.0, 100.0), "shelf": (200.0, 1_000.0, 4_000.0)}
COUNTS_CALLS = "2026-11"  # this version of the questionnaire asked for calls to the model; later ones for requests
# texts in a language that models cover weakly are cut into more tokens than the assumed English
FOREIGN_TOKENS = {"unseen_language": (1.2, 1.8, 3.0), "language_variety": (1.0, 1.25, 1.8)}
MAY_NOT_LEAVE = {
    "on_premises": "the data may only be processed on your own machines",
    "on_device": "the data may only be processed on the user’s device",
}
# question → the inputs that its answer determines, also while it is open
INPUTS_OF = {
    **{estimate.question: (estimate.key,) for estimate in ESTIMATES},
    "growth_per_month": ("growth_percent_per_month",),
    "input_tokens": ("input_tokens", "instruction_tokens"),
    "latency_target_ms": ("latency_target_ms", "batch_share"),
    "corpus_size": ("corpus_documents", "cached_prompt_tokens"),
    "task_type": ("calls_per_request",),
    "workload_shape": ("calls_per_request", "batch_share"),
    "examples_available": ("training_examples", "label_share_paid"),
    "examples_quality": ("label_share_paid",),
    "model_outputs_as_examples": ("label_share_paid",),
    "task_change_rate": ("requirement_change_months", "retraining_months"),
    "retraining_tolerance": ("fastest_retraining_months", "retraining_months"),
    "personal_data": ("scrub_usd_per_1000_records",),
}
BATCHED = (0.5, 0.9, 1.0)
RETRIEVAL_OF = {Target.PROMPTING: "", Target.RAG: "rag", Target.FINE_TUNING: "", Target.HYBRID: "rag"}


def scenario_spec(
    *,
    title: str,
    answers: Mapping[str, Any],
    recommendation: Recommendation | None,
    start: str,
    catalogue: Catalogue,
) -> ScenarioSpec:
    """The inputs of a projection of this use case from `start` ("YYYY-MM").

    `answers` maps question ids to the values that count (open and disputed ones absent). Without a recommendation no
    option is marked as recommended and the cheapest one is headlined.
    """
    return ScenarioSpec(
        title=title.strip()[:TITLE_LENGTH] or "Untitled use case",
        start=start,
        inputs=tuple(_inputs(answers, recommendation)),
        choices=_choices(answers, catalogue),
        recommended_option=recommended_option(recommendation, answers) if recommendation else "",
        excluded=excluded_options(answers),
        questions=tuple(inputs_of_questions(recommendation).items()),
        remarks=tuple(_remarks(answers)),
    )


def inputs_of_questions(recommendation: Recommendation | None) -> dict[str, tuple[str, ...]]:
    """`INPUTS_OF` as the questionnaire behind `recommendation` asks its questions."""
    if _counts_calls(recommendation):
        return {**INPUTS_OF, "requests_per_day": ("requests_per_day", "calls_per_request")}
    return INPUTS_OF


def assumed_inputs(answers: Mapping[str, Any]) -> tuple[Input, ...]:
    """What the way the model is called lets assume of inputs that no answer says; () while it is open."""
    shape = shape_of(answers)
    if shape is None:
        return ()
    rows = assumed_for(shape.key)
    return tuple(_assumed(key, row, f"{row.why} (assumed for {shape.words})") for key, row in rows.items())


def recommended_option(recommendation: Recommendation, answers: Mapping[str, Any]) -> str:
    """The cost option that stands for the recommended target, by where the data may go and who may run the model."""
    target = Target(recommendation.target)
    own = runs_on_own_hardware(answers)
    if target in (Target.PROMPTING, Target.RAG):
        name = "rag" if target is Target.RAG else "prompting"
        return f"self_hosted_{name}" if own else f"{name}_api"
    if not own and not _prefers_own_training(recommendation, answers):
        return "managed_tuning_rag" if target is Target.HYBRID else "managed_tuning"
    if target is Target.HYBRID:
        return "self_hosted_lora_rag"
    return f"self_hosted_{recommendation.method or Method.LORA}"


def runs_on_own_hardware(answers: Mapping[str, Any]) -> bool:
    """Whether no provider's API may be used: the data may not leave, or own GPUs are the only way named."""
    hosting = set(answers.get("hosting") or ())
    where = answers.get("data_location")
    if where in ("on_premises", "on_device"):
        return True
    if where == "own_cloud":
        return "self_host" in hosting and not hosting & {"api", "managed_tuning"}
    return hosting == {"self_host"}


def excluded_options(answers: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The options a provider would have to serve, with the reason, where no provider may."""
    if not runs_on_own_hardware(answers):
        return ()
    where = str(answers.get("data_location"))
    reason = MAY_NOT_LEAVE.get(where, "only own or rented GPUs were named as a way to run the model")
    return tuple((key, reason) for key in OPTIONS if not key.startswith("self_hosted"))


def _remarks(answers: Mapping[str, Any]) -> Iterator[str]:
    """Where the priced options only stand in for what the answers describe."""
    where = answers.get("data_location")
    if where == "on_device":
        yield "The model is to run on the users’ devices; rented GPUs of that memory stand in for them here."
    if where in MAY_NOT_LEAVE:
        yield "Embedding, search and the judge are priced at hosted rates as a stand-in for running them oneself."
    elif where == "own_cloud" and not runs_on_own_hardware(answers):
        yield "Prices of an API assume that its provider serves the model inside your own cloud account."


def fingerprint(spec: ScenarioSpec) -> ScenarioSpec:
    """`spec` without its title, first month and questions: what tells whether the answers behind two of them differ."""
    return replace(spec, title="-", start="2000-01", questions=())


def _prefers_own_training(recommendation: Recommendation, answers: Mapping[str, Any]) -> bool:
    """Own training where no managed service is open to the team, or where the whole model is to be trained."""
    hosting = set(answers.get("hosting") or ())
    if "self_host" not in hosting:
        return False
    return "managed_tuning" not in hosting or recommendation.method == Method.FULL


def _inputs(answers: Mapping[str, Any], recommendation: Recommendation | None) -> Iterator[Input]:
    known = list(_answered(answers, recommendation))
    keys = {one.key for one in known}
    yield from known
    yield from (one for one in assumed_inputs(answers) if one.key not in keys)


def _answered(answers: Mapping[str, Any], recommendation: Recommendation | None) -> Iterator[Input]:
    for estimate in ESTIMATES:
        if (number := _number(answers, estimate.question)) is not None:
            yield _around(estimate.key, number, estimate.factor, estimate.question)
    yield from _growth(answers)
    yield from _documents(answers)
    yield from _prompt(answers)
    yield from _facts_in_the_prompt(answers, recommendation)
    yield from _calls(answers, recommendation)
    yield from _examples(answers)
    yield from _intervals(answers)
    yield from _language(answers)
    if answers.get("personal_data") == "none":
        yield _fixed("scrub_usd_per_1000_records", 0.0, "personal_data")


def _growth(answers: Mapping[str, Any]) -> Iterator[Input]:
    if (rate := _number(answers, "growth_per_month")) is not None:
        spread = max(1.0, abs(rate) * GROWTH_SPREAD)
        yield _input("growth_percent_per_month", rate, rate - spread, rate + spread, Shape.NORMAL, "growth_per_month")


def _documents(answers: Mapping[str, Any]) -> Iterator[Input]:
    if _number(answers, "corpus_documents") is None and (sizes := DOCUMENTS_OF.get(str(answers.get("corpus_size")))):
        yield _pert("corpus_documents", sizes, "corpus_size")


def _prompt(answers: Mapping[str, Any]) -> Iterator[Input]:
    """The question asks for instructions and text together; they are split as assumed of both, instructions capped."""
    whole = _number(answers, "input_tokens")
    if whole is None:
        return
    usual = {key: input_defaults()[key].value for key in ("input_tokens", "instruction_tokens")}
    usual |= {one.key: one.value for one in assumed_inputs(answers) if one.key in usual}
    text, instructions = usual["input_tokens"], usual["instruction_tokens"]
    mine = min(instructions, whole * instructions / (text + instructions))
    yield _around("instruction_tokens", mine, 1.4, "input_tokens")
    yield _around("input_tokens", whole - mine, 1.4, "input_tokens")


def _facts_in_the_prompt(answers: Mapping[str, Any], recommendation: Recommendation | None) -> Iterator[Input]:
    """Facts that fit a prompt and are helpful but not retrieved are carried, cached, in every prompt."""
    if recommendation is None or RETRIEVAL_OF[Target(recommendation.target)]:
        return
    helpful = any(layer.key == "retrieval" and layer.need == Need.HELPFUL for layer in recommendation.layers)
    tokens = CACHED_FACTS_TOKENS.get(str(answers.get("corpus_size")))
    if helpful and tokens:
        yield _pert("cached_prompt_tokens", tokens, "corpus_size")


def _calls(answers: Mapping[str, Any], recommendation: Recommendation | None) -> Iterator[Input]:
    """Calls for each request: by the shape that was answered, for agents also while it only follows from the task."""
    shape = shape_of(answers)
    if shape is not None and (shape.answered or shape.key == AGENT_LOOP):
        yield _by_shape("calls_per_request", shape)
    elif _counts_calls(recommendation) and _number(answers, "requests_per_day") is not None:
        yield _fixed("calls_per_request", 1.0, "requests_per_day")
    latency_ms = _number(answers, "latency_target_ms")
    if latency_ms is not None and latency_ms >= BATCH_FROM_MS:
        yield _pert("batch_share", BATCHED, "latency_target_ms")
    elif shape is not None and shape.answered and "batch_share" in assumed_for(shape.key):
        yield _by_shape("batch_share", shape)


def _by_shape(key: str, shape: ShapeOfWork) -> Input:
    row = assumed_for(shape.key)[key]
    return _pert(key, (row.low, row.value, row.high), shape.question)


def _counts_calls(recommendation: Recommendation | None) -> bool:
    return recommendation is not None and recommendation.questionnaire_version == COUNTS_CALLS


def _examples(answers: Mapping[str, Any]) -> Iterator[Input]:
    at_hand = _number(answers, "examples_available")
    if at_hand is not None and at_hand >= ENOUGH_EXAMPLES:
        yield _around("training_examples", at_hand, 1.2, "examples_available")
    if answers.get("model_outputs_as_examples") == "yes":
        yield _pert("label_share_paid", TO_MAKE_WITH_A_TEACHER, "model_outputs_as_examples")
    elif at_hand is not None and at_hand < ENOUGH_EXAMPLES:
        needed = input_defaults()["training_examples"].value
        share = 1 - at_hand / needed
        yield _pert("label_share_paid", (share * 0.7, share, 1.0), "examples_available")
    elif at_hand is not None and (shares := TO_MAKE.get(str(answers.get("examples_quality")))):
        yield _pert("label_share_paid", shares, "examples_quality")


def _intervals(answers: Mapping[str, Any]) -> Iterator[Input]:
    """How often the task changes, how fast the team can retrain, and the routine retraining beside that.

    The engine retrains a tuned model at every change of the task, as fast as the team can keep up. Beside that the
    planned interval is a routine: yearly once the pace of the task is known, else the economic optimum.
    """
    change = INTERVAL_MONTHS.get(str(answers.get("task_change_rate")))
    fastest = INTERVAL_MONTHS.get(str(answers.get("retraining_tolerance")))
    if change is not None:
        yield _around("requirement_change_months", change, INTERVAL_FACTOR, "task_change_rate", Shape.EVENT_TIME)
    if fastest is None:
        return
    yield _fixed("fastest_retraining_months", fastest, "retraining_tolerance")
    if change is not None or fastest >= INTERVAL_MONTHS["yearly"]:
        routine = max(fastest, INTERVAL_MONTHS["yearly"])
        yield _around("retraining_months", routine, 1.25, "retraining_tolerance")


def _language(answers: Mapping[str, Any]) -> Iterator[Input]:
    """Nobody answered how many tokens such a language takes: an assumption that follows from an answer."""
    needs = set(answers.get("behaviour_needs") or ())
    for need, (low, likely, high) in FOREIGN_TOKENS.items():
        if need in needs:
            why = "models cut a language they hardly know into more tokens than English (follows from behaviour_needs)"
            provenance = Provenance(Origin.ASSUMPTION, why)
            yield Input("tokenizer_factor", "", "", "", likely, low, high, Shape.PERT, provenance)
            return


def _choices(answers: Mapping[str, Any], catalogue: Catalogue) -> Choices:
    gpu = _gpu_of(_number(answers, "gpu_memory_gib"), catalogue)
    policy = str(answers.get("base_model_policy") or "")
    return Choices(
        gpu=gpu,
        training_gpu=gpu,
        base_model_policy=policy if policy in ("retrain", "stay_behind", "two_branches") else "retrain",
    )


def _gpu_of(memory_gib: float | None, catalogue: Catalogue) -> str:
    """The priced GPU whose memory comes nearest to what the team has; "" when nobody said."""
    if memory_gib is None:
        return ""
    priced = {row.gpu for row in catalogue.gpu_prices if row.tenancy == "dedicated" and row.pricing == "on_demand"}
    gpus = sorted((gpu for gpu in catalogue.gpus if gpu.name in priced), key=lambda g: (-g.bf16_tflops_dense, g.name))
    return min(gpus, key=lambda g: abs(g.memory_gib - memory_gib)).name


def _number(answers: Mapping[str, Any], question: str) -> float | None:
    value = answers.get(question)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _around(key: str, value: float, factor: float, question: str, shape: Shape = Shape.LOGNORMAL) -> Input:
    if factor == 1 or value <= 0:
        return _fixed(key, value, question)
    return _input(key, value, value / factor, value * factor, shape, question)


def _fixed(key: str, value: float, question: str) -> Input:
    return _input(key, value, value, value, Shape.FIXED, question)


def _pert(key: str, low_likely_high: tuple[float, float, float], question: str) -> Input:
    low, likely, high = low_likely_high
    return _input(key, likely, low, high, Shape.PERT, question)


def _assumed(key: str, row: Assumed, why: str) -> Input:
    """An input that nobody answered, with the distribution the engine reads its band by."""
    provenance = Provenance(Origin.ASSUMPTION, why, row.source)
    return Input(key, "", "", "", row.value, row.low, row.high, input_defaults()[key].shape, provenance)


def _input(key: str, value: float, low: float, high: float, shape: Shape, question: str) -> Input:
    """An input known from an answer, kept inside the engine's physical limits; label, unit, group are the engine's."""
    least, most = input_bounds()[key]
    value, low, high = (min(max(number, least), most) for number in (value, low, high))
    if shape is not Shape.FIXED and low == high:
        shape = Shape.FIXED
    return Input(key, "", "", "", value, low, high, shape, Provenance(Origin.ANSWER, question))
