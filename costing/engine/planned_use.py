"""How much of a model a scenario plans to use in a month, to hold what was really used against it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from costing.engine.catalogue import Catalogue
from costing.engine.defaults import complete
from costing.engine.inputs import Origin, ScenarioSpec
from costing.engine.lineage.components import lineage
from costing.engine.lineage.wording import evaluated
from costing.engine.options.blueprints import BLUEPRINTS
from costing.engine.preview import median_of
from costing.engine.rates import filled
from costing.engine.units import DAYS_PER_MONTH


@dataclass(frozen=True)
class PlannedUse:
    """Each at the middle of its inputs; tokens are those of one call, as the model counts them."""

    model: str  # the catalogue's name of the model that answers
    calls: float  # in the month, calls made again among them
    calls_per_request: float  # calls made again among them
    requests_per_day: float  # in the scenario's first month
    prompt_tokens: float  # all that is sent: request, instructions, what was said before, facts or passages
    beside_tokens: float  # of it all but the request itself and what was said before
    facts_tokens: float  # of it facts carried in every prompt
    history_factor: float  # a prompt carries the request this many times more, as earlier turns
    answer_tokens: float  # without reasoning
    reasoning_share: float  # reasoning tokens per token of the answer; billed as output
    turns: float

    @property
    def output_tokens(self) -> float:
        """Tokens billed as output, per call."""
        return self.answer_tokens * (1 + self.reasoning_share)

    @property
    def tokens(self) -> float:
        """All tokens of the month."""
        return self.calls * (self.prompt_tokens + self.output_tokens)


def planned_use(spec: ScenarioSpec, option: str, month: int, catalogue: Catalogue) -> PlannedUse:
    """What `option` plans to use in the scenario's month number `month` (0: its first).

    Raises KeyError for an unknown option and ValueError for a scenario that cannot be computed.
    """
    plan = BLUEPRINTS[option]
    inputs = complete(spec, catalogue)
    counted = [one.key for one in inputs if one.provenance.origin is Origin.MEASURED]
    values = evaluated(
        lineage(plan, spec.choices.base_model_policy, (), counted), {i.key: median_of(i) for i in inputs}
    )
    choices = filled(spec.choices)
    model = {"api": choices.api_model, "managed": choices.tuning_model}.get(plan.hosting, choices.open_model)
    again = values["calls_per_request"] * (1 + values["retry_rate"])
    growth = (1 + values["growth_percent_per_month"] / 100) ** month
    return PlannedUse(
        model=model,
        calls=values["requests_per_day"] * DAYS_PER_MONTH * growth * again,
        calls_per_request=again,
        requests_per_day=values["requests_per_day"],
        prompt_tokens=values["prompt"],
        beside_tokens=values["prompt"] - values["asked_now"] - values["said_before"],
        facts_tokens=0.0 if plan.retrieval else values["facts"],
        history_factor=max(values["conversation_turns"] - 1, 0) / 2,
        answer_tokens=values["answer"],
        reasoning_share=values["reasoning_tokens_share"],
        turns=values["conversation_turns"],
    )
