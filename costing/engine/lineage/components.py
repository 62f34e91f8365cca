"""Which inputs, prices and methods each component of an option rests on, and by which formulas. Pure data.

A component is a sum of terms; a term is an amount (a formula) and when it falls due (a pace). What a component rests on
is read from its terms, so it cannot say anything else than its formulas do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from costing.engine import assumptions
from costing.engine.lineage.formula import Formula
from costing.engine.lineage.quantities import Quantity, quantities
from costing.engine.options.blueprints import Blueprint
from costing.engine.results import COMPONENTS

ROW_NUMBERS = frozenset({"embedding_dimensions", "api_long_threshold", "tuned_long_threshold"})  # of catalogue rows


@dataclass(frozen=True)
class Pace:
    """When an amount falls due, and the inputs and quantities that decide it."""

    words: str
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """An amount in US dollars and when it falls due; `growing` moves it from month to month."""

    formula: Formula
    pace: Pace
    growing: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


START = Pace("once, at the start")
MONTHLY = Pace("every month")
MINOR = Pace("at each change of the requirements", ("requirement_change_months",), ("renewals",))
EVALUATED = Pace("at regular times", ("eval_every_months",), ("renewals",))
YEARLY = Pace("every twelfth month after the start")
GROWTH = ("growth_percent_per_month",)
REPRICED = (
    "api_price_jumps_per_year",
    "api_price_jump_factor",
    "repick_saving_share",
    "repick_price_factor_per_year",
    "next_model_retirement_months",
)
RENTS = ("gpu_price_log_rate_per_year",)
ADOPTION = ("base_release_months", "base_release_gain_percent", "value_usd_per_month", "move_decided")


@dataclass(frozen=True)
class Lineage:
    """The formulas of one option under a base-model policy, with the prices its rows have."""

    plan: Blueprint
    policy: str
    priced: frozenset[str]
    counted: frozenset[str] = frozenset()

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        return quantities(self.plan, self.priced, self.counted)

    @cached_property
    def components(self) -> dict[str, tuple[Term, ...]]:
        """Component → its terms; an option that does without a component has none."""
        return {key: tuple(getattr(self, f"_{key}")()) for key in COMPONENTS}

    def names(self, *parts: str) -> tuple[str, ...]:
        """Inputs and prices that a component, a quantity or a name rests on, in order of appearance, once.

        What a move to another model costs decides when one is chosen, in whole releases; it stands apart: `by_moves`.
        """
        found: dict[str, None] = {}
        for part in parts:
            terms = self.components[part] if part in COMPONENTS else ()
            start = [name for term in terms for name in _of_term(term)] if part in COMPONENTS else [part]
            for name in start:
                found |= dict.fromkeys(self._resolved(name))
        return tuple(found)

    def inputs(self, *parts: str) -> tuple[str, ...]:
        return tuple(name for name in self.names(*parts) if name in assumptions.table())

    def prices(self, *parts: str) -> tuple[str, ...]:
        return tuple(name for name in self.names(*parts) if name in self.priced)

    def by_moves(self, part: str) -> tuple[str, ...]:
        """Inputs that reach a component only by deciding when a move to another model pays."""
        chosen = any("move_decided" in term.pace.names for term in self.components[part])
        direct = self.inputs(part)
        return tuple(key for key in self.inputs("migration") if key not in direct) if chosen else ()

    def methods(self, *parts: str) -> tuple[str, ...]:
        """Keys of the methods its formulas use, in order of appearance, once."""
        found: dict[str, None] = {}
        for part in parts:
            if part in COMPONENTS:
                for term in self.components[part]:
                    found |= dict.fromkeys((*term.methods, *term.pace.methods))
                    for name in _of_term(term):
                        found |= dict.fromkeys(self._methods_of(name))
            else:
                found |= dict.fromkeys(self._methods_of(part))
        return tuple(found)

    def steps(self, formula: Formula) -> tuple[str, ...]:
        """Quantities a formula is made of, each after the formula that first uses it."""
        found: dict[str, None] = {}
        todo = list(formula.names)
        while todo:
            name = todo.pop(0)
            if name in found or name not in self.quantities:
                continue
            found[name] = None
            inner = self.quantities[name].formula
            todo = [*(inner.names if inner else ()), *todo]
        return tuple(found)

    def _resolved(self, name: str) -> Iterator[str]:
        one = self.quantities.get(name)
        if one is None:
            if name not in ROW_NUMBERS and name != "move_decided":
                yield name
            return
        for inner in one.formula.names if one.formula else one.rests_on:
            yield from self._resolved(inner)

    def _methods_of(self, name: str) -> Iterator[str]:
        one = self.quantities.get(name)
        if one is not None:
            yield from one.methods
            for inner in one.formula.names if one.formula else ():
                yield from self._methods_of(inner)

    # --- when -------------------------------------------------------------------------------------------------------

    @property
    def _adopts(self) -> bool:
        """Whether a newer base model is chosen where that pays."""
        return self.policy != "stay_behind" and self.plan.hosting != "api"

    @cached_property
    def _moves(self) -> Pace | None:
        """Moves to another model: forced by its retirement, chosen where a newer one pays."""
        names: tuple[str, ...] = ()
        words = []
        if not self.plan.own_gpus:
            names += (self._retirement, "next_model_retirement_months")
            words.append("at each retirement of the hosted model")
        if self._adopts:
            names += ADOPTION
            words.append("whenever a newer base model pays for the move")
        methods = ("schedule", "adoption_interval_months") if self._adopts else ("schedule",)
        return Pace(" and ".join(words), names, methods) if words else None

    @property
    def _retirement(self) -> str:
        return "model_retirement_months" if self.plan.hosting == "api" else "tuned_model_retirement_months"

    @cached_property
    def _retrainings(self) -> Pace:
        names: tuple[str, ...] = ("retraining_months", "requirement_change_months", "fastest_retraining_months")
        methods = ("interval_with_forced_months", "renewals")
        words = "at each retraining"
        if self.plan.hosting == "managed":
            names = (*names, "tuning_closing_months")
            words += " while the provider takes training jobs"
        if self._moves:  # a move makes the retraining of its month superfluous
            return Pace(f"{words} that no move replaces", (*names, *self._moves.names), methods)
        return Pace(words, names, methods)

    def _releases(self) -> Iterator[Pace]:
        """New versions after the first: retrainings of a tuned model, moves to another one."""
        if self.plan.tuned:
            yield self._retrainings
        if self._moves:
            yield self._moves

    def _second_branch(self, formula: str, growing: tuple[str, ...] = ()) -> Iterator[Term]:
        if self.policy == "two_branches" and self._adopts:
            names = (*ADOPTION, "overlap_months")
            pace = Pace("while the old and the new base model run side by side", names, ("schedule",))
            yield Term(Formula(f"{formula} * overlap_cost_share"), pace, growing)

    # --- components ---------------------------------------------------------------------------------------------------

    def _training(self) -> Iterator[Term]:
        if self.plan.tuned:
            yield Term(Formula("first_runs"), START, self._run_prices)

    @property
    def _run_prices(self) -> tuple[str, ...]:
        return () if self.plan.method == "managed" else RENTS

    def _retraining(self) -> Iterator[Term]:
        tuned = self.plan.tuned
        if tuned:
            yield Term(Formula("again_runs + retraining_work * engineer_hour"), self._retrainings, self._run_prices)
        if self._moves:
            work = "moved_runs + (migration_hours + retraining_work) * engineer_hour" if tuned else ""
            growing = self._run_prices if tuned else ()
            yield Term(Formula(work or "migration_hours * engineer_hour"), self._moves, growing)
        if not tuned:
            yield Term(Formula("requirement_change_hours * engineer_hour"), MINOR)

    @property
    def _inference_path(self) -> tuple[str, ...]:
        if self.plan.own_gpus:
            return (*GROWTH, *RENTS)
        rents = RENTS if self.plan.hosting == "managed" else ()
        return (*GROWTH, *REPRICED, self._retirement, *rents)

    def _paid(self, call: str) -> str:
        """A month's calls; of a tuned model at least the GPUs that its provider keeps for it."""
        text = f"calls_month * {call}"
        return f"max({text}, tuned_endpoint_usd_per_month)" if self.plan.hosting == "managed" else text

    def _serving(self) -> Iterator[Term]:
        text = "rent" if self.plan.own_gpus else self._paid("plain_call")
        methods = ("price_path",) if self.plan.own_gpus else ()
        yield Term(Formula(text), MONTHLY, self._inference_path, methods)
        yield from self._second_branch(text, self._inference_path)

    def _retrieval(self) -> Iterator[Term]:
        if not self.plan.retrieval:
            return
        yield Term(Formula("ingestion"), START)
        again = Pace("each time the embedding model changes", ("reembed_every_months",), ("renewals",))
        yield Term(Formula("ingestion"), again)
        yield Term(Formula("ingestion * churn"), MONTHLY)
        yield Term(Formula("searches_month * query + store"), MONTHLY, (*GROWTH, "reembed_every_months"))
        text = "calls_month * passages_call"
        if self.plan.own_gpus:
            text = "rent_with_passages - rent"
        elif self.plan.hosting == "managed":
            text = f"{self._paid('full_call')} - {self._paid('plain_call')}"
        yield Term(Formula(text), MONTHLY, self._inference_path)
        yield from self._second_branch(f"({text})", self._inference_path)

    def _data(self) -> Iterator[Term]:
        if self.plan.tuned:
            yield Term(Formula("examples + guideline_hours * expert_hour"), START)
            for pace in self._releases():
                yield Term(Formula("new_examples"), pace)
        if self.plan.retrieval:
            prepared = "corpus_documents * preparation_minutes_per_document / 60 * expert_hour"
            yield Term(Formula(prepared), START)
            yield Term(Formula(f"{prepared} * churn * churn_preparation_share"), MONTHLY)

    def _evaluation(self) -> Iterator[Term]:
        yield Term(Formula("evaluation_run + gold_set"), START)
        for pace in self._releases():
            yield Term(Formula("evaluation_run"), pace)
        if not self.plan.tuned:
            yield Term(Formula("evaluation_run"), MINOR)
        yield Term(Formula("evaluation_run"), EVALUATED)
        yield Term(Formula("eval_upkeep_share * gold_set"), MINOR)

    def _operations(self) -> Iterator[Term]:
        yield Term(Formula("building * engineer_hour"), START)
        staff = "staff * engineer_salary_usd_per_year * employer_load / 12"
        yield Term(Formula(staff), MONTHLY, methods=("fte_usd_per_month",))
        yield from self._second_branch(staff)
        each = "(log_usd_per_million_requests / 1000000 + judged_traffic_share * judge)"
        yield Term(Formula(f"requests_month * {each}"), MONTHLY, GROWTH)
        if self.plan.own_gpus and self.plan.tuned:
            stored = "version_gb * kept_versions * storage_usd_per_gb_month"
            yield Term(Formula(stored), MONTHLY)

    def _governance(self) -> Iterator[Term]:
        yield Term(Formula("governance_initial_hours * review_hour"), START)
        for pace in self._releases():
            yield Term(Formula("approval"), pace)
        if not self.plan.tuned:
            yield Term(Formula("approval * minor_review_share"), MINOR)
        yield Term(Formula("governance_hours_per_year * review_hour"), YEARLY)


def _of_term(term: Term) -> tuple[str, ...]:
    return (*term.formula.names, *term.pace.names, *term.growing)


def lineage(plan: Blueprint, policy: str, priced: Collection[str], counted: Collection[str] = ()) -> Lineage:
    """The formulas of an option; `priced` are the names (`prices.named_prices`) of the prices its rows have, `counted`
    the inputs whose lengths were measured in the model's own tokens.
    """
    return Lineage(plan, policy, frozenset(priced), frozenset(counted))
