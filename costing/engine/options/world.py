"""What all options share in one evaluation: demand, prices, events and the price of an hour of work. Pure.

Arrays have shape (rows, 1) or (rows, months); rows are draws, or draws × variations for the sensitivities.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from costing.engine.cadence import happens, interval_with_forced_months, renewals, since
from costing.engine.finance import discount_factors, price_path
from costing.engine.people import evaluation_run_usd, fte_usd_per_month, loaded_usd_per_hour
from costing.engine.rates import Rates
from costing.engine.retrieval import (
    StoreUse,
    chunk_count,
    dimensions_of,
    extra_prompt_tokens,
    ingest_tokens,
    stored_bytes,
)
from costing.engine.tokens import api_usd_per_request, history_tokens, prompt_tokens
from costing.engine.uncertainty import Sample
from costing.engine.units import DAYS_PER_MONTH, MONTHS_PER_YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """One evaluation: draws, horizon and catalogue rows; derived arrays are computed once, when asked for."""

    sample: Sample
    months: int
    rates: Rates
    built: bool = False  # it runs already: nothing is built, collected, trained or approved for a start
    _memo: dict[Hashable, Array] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, compute: Callable[[], Array]) -> Array:
        """The array of this key, computed when first asked for: several options share it."""
        if key not in self._memo:
            self._memo[key] = compute()
        return self._memo[key]

    def __getitem__(self, key: str) -> Array:
        return self.sample[key]

    # --- demand -------------------------------------------------------------------------------------------------

    @cached_property
    def requests(self) -> Array:
        """Requests by month: per day × days a month × (1 + growth)^month; the first month has no growth yet."""
        growth = np.log1p(self["growth_percent_per_month"] / 100)
        return self["requests_per_day"] * DAYS_PER_MONTH * np.exp(growth * np.arange(self.months)[None, :])

    @cached_property
    def calls(self) -> Array:
        """Model calls by month, without calls made again."""
        return self.requests * self["calls_per_request"]

    # --- tokens of one call, as the model counts them -------------------------------------------------------------

    @cached_property
    def token_factor(self) -> Array:
        """Tokens of a text of the use case, against the estimate for English text."""
        return self["tokenizer_factor"] * self["language_token_factor"]

    def counted_tokens(self, key: str) -> Array:
        """A length as the model counts it: a measured one is in its tokens already."""
        return self[key] if key in self.rates.counted else self[key] * self.token_factor

    def worded_tokens(self, key: str) -> Array:
        """A length as a usual tokenizer counts it: text in another language takes more tokens than English."""
        return self[key] if key in self.rates.counted else self[key] * self["language_token_factor"]

    @cached_property
    def output_tokens(self) -> Array:
        return self.counted_tokens("output_tokens")

    @cached_property
    def reasoning_tokens(self) -> Array:
        return self.output_tokens * self["reasoning_tokens_share"]

    def own_prompt_tokens(self, tuned: bool) -> Array:
        """Request, instructions and what was said before; a tuned model needs only a share of the instructions."""
        share = self["tuned_instruction_share"] if tuned else 1.0
        asked = self.counted_tokens("input_tokens")
        said = history_tokens(self["conversation_turns"], asked, self.output_tokens)
        return np.asarray(prompt_tokens(self.counted_tokens("instruction_tokens") * share, asked, said))

    @cached_property
    def example_tokens(self) -> Array:
        """Tokens of a training example."""
        return self.counted_tokens("tokens_per_example")

    @cached_property
    def fact_tokens(self) -> Array:
        """Facts carried in every prompt where nothing is retrieved."""
        return self.counted_tokens("cached_prompt_tokens")

    @cached_property
    def passage_tokens(self) -> Array:
        """Tokens of the retrieved passages in one prompt: cut to a number of tokens, whatever the language."""
        passages = extra_prompt_tokens(self["retrieved_passages"], self["passage_tokens"])
        return np.asarray(passages * self["tokenizer_factor"])

    # --- work ---------------------------------------------------------------------------------------------------

    @cached_property
    def engineer_usd_per_hour(self) -> Array:
        return self._per_hour("engineer_salary_usd_per_year")

    @cached_property
    def expert_usd_per_hour(self) -> Array:
        return self._per_hour("expert_salary_usd_per_year")

    def _per_hour(self, salary: str) -> Array:
        return loaded_usd_per_hour(self[salary], self["employer_load"], self["productive_hours_per_year"])

    def staff_usd_per_month(self, fte: Array) -> Array:
        return fte_usd_per_month(self["engineer_salary_usd_per_year"], self["employer_load"], fte)

    # --- prices -------------------------------------------------------------------------------------------------

    @cached_property
    def gpu_path(self) -> Array:
        """Factor on GPU rents by month."""
        return price_path(self["gpu_price_log_rate_per_year"], self.months)

    @cached_property
    def _api_jump(self) -> Array:
        """The rare change of an unchanged model's price: factor after an exponential time, never at a rate of 0."""
        rate = self["api_price_jumps_per_year"] / MONTHS_PER_YEAR
        hazard = -np.log1p(-self.sample.events["api_price_jump_time"])
        with np.errstate(over="ignore"):  # once in longer than a float can say is never
            time = np.where(rate > 0, hazard / np.where(rate > 0, rate, 1.0), np.inf)
        return 1 + since(time, self.months) * (self["api_price_jump_factor"] - 1)

    @cached_property
    def api_path(self) -> Array:
        """Factor on the API model's prices by month."""
        return self._hosted_path("model_retirement_months")

    @cached_property
    def tuned_path(self) -> Array:
        """Factor on the managed tuned model's prices by month."""
        return self._hosted_path("tuned_model_retirement_months")

    def _hosted_path(self, retirement: str) -> Array:
        """Flat but for a rare jump; a model picked anew at a migration is cheaper by factor^(−share × years).

        Capability gets cheaper only for whoever migrates, and the migration is charged.
        """
        first = self[retirement]
        gap = self["next_model_retirement_months"]
        moved = since(first, self.months) * first + since(first + gap, self.months) * gap
        falls = self["repick_saving_share"] * np.log(self["repick_price_factor_per_year"]) / MONTHS_PER_YEAR
        return self._api_jump * np.exp(-falls * moved)

    # --- events -------------------------------------------------------------------------------------------------

    @cached_property
    def at_start(self) -> Array:
        """1 in the first month, shape (1, months); nowhere where the use case runs already."""
        return np.zeros((1, self.months)) if self.built else np.eye(1, self.months)

    @cached_property
    def always(self) -> Array:
        """1 in every month, shape (1, months)."""
        return np.ones((1, self.months))

    @cached_property
    def discount(self) -> Array:
        """Present value of a dollar by month, shape (rows, months)."""
        return discount_factors(self["discount_rate_percent_per_year"], self.months)

    @cached_property
    def yearly(self) -> Array:
        """1 in every twelfth month after the start, shape (1, months)."""
        month = np.arange(self.months)
        return np.asarray(((month % 12 == 0) & (month > 0))[None, :], dtype=np.float64)

    def forced_migrations(self, retirement: str) -> Array:
        """Moves because the hosted model is retired, then its successor."""
        first = self[retirement]
        second = first + self["next_model_retirement_months"]
        return np.asarray(happens(first, self.months) + happens(second, self.months))

    @cached_property
    def retraining_interval_months(self) -> Array:
        """The planned interval, the clock reset by changes of the requirements, but no faster than the team can."""
        every = interval_with_forced_months(self["retraining_months"], self["requirement_change_months"])
        return np.maximum(every, self["fastest_retraining_months"])

    @cached_property
    def paced_retrainings(self) -> Array:
        """Retrainings on the same base model, counting those that a move to another one makes superfluous."""
        return renewals(self.retraining_interval_months, 1.0, self.months)

    @cached_property
    def provider_retrainings(self) -> Array:
        """The same at a provider: none between the last job its tuning service takes and the move its models force."""
        closing = self["tuning_closing_months"]
        before = renewals(self.retraining_interval_months, 1.0, self.months, until=closing)
        after = self.paced_retrainings * since(self["tuned_model_retirement_months"], self.months)
        return np.maximum(before, after)

    @cached_property
    def requirement_changes(self) -> Array:
        return renewals(self["requirement_change_months"], self.sample.events["requirement_phase"], self.months)

    @cached_property
    def regular_evaluations(self) -> Array:
        return renewals(self["eval_every_months"], self.sample.events["evaluation_phase"], self.months)

    @cached_property
    def reembeddings(self) -> Array:
        return renewals(self["reembed_every_months"], 1.0, self.months)

    # --- evaluation and corpus, the same for several options --------------------------------------------------------

    @cached_property
    def judge_usd(self) -> Array:
        """One verdict of the judge model (the chosen API model)."""
        tokens = self["judge_input_tokens"], self["judge_output_tokens"]
        return np.asarray(api_usd_per_request(self.rates.api, *tokens))

    @cached_property
    def monitoring_usd(self) -> Array:
        """Logs of every request and a judged sample, by month."""
        each = self["log_usd_per_million_requests"] / 1e6 + self["judged_traffic_share"] * self.judge_usd
        return self.requests * each

    def evaluation_usd(self, candidate_usd: Array) -> Array:
        """One evaluation run whose candidate costs this much per case."""
        return evaluation_run_usd(
            self["eval_cases"],
            candidate_usd,
            self.judge_usd,
            self["eval_human_share"],
            self["eval_review_minutes"],
            self.expert_usd_per_hour,
        )

    @cached_property
    def gold_set_usd(self) -> Array:
        """Making the evaluation cases."""
        return self["eval_cases"] * self["eval_case_minutes"] / 60 * self.expert_usd_per_hour

    @cached_property
    def corpus_tokens(self) -> Array:
        return self["corpus_documents"] * self.worded_tokens("document_tokens")

    @cached_property
    def overlap_tokens(self) -> Array:
        return self["passage_tokens"] * self["chunk_overlap_share"]

    @cached_property
    def vectors(self) -> Array:
        return np.asarray(chunk_count(self.corpus_tokens, self["passage_tokens"], self.overlap_tokens))

    @cached_property
    def churn(self) -> Array:
        """Share of the corpus that is new or changed in a month."""
        return self["corpus_churn_percent_per_month"] / 100

    @cached_property
    def searches(self) -> Array:
        """Searches by month: one for every call, also one made again."""
        return self.calls * (1 + self["retry_rate"])

    @cached_property
    def store_use(self) -> StoreUse:
        """What the vector store holds, is asked and is written by month."""
        dimensions, metadata = dimensions_of(self.rates.embedding), self["vector_metadata_bytes"]
        return StoreUse(
            vectors=self.vectors,
            dimensions=dimensions,
            stored_bytes=stored_bytes(self.vectors, dimensions, metadata_bytes=metadata),
            queries=self.searches,
            writes=self.vectors * (self.at_start + self.churn + self.reembeddings),
            record_bytes=stored_bytes(1.0, dimensions, metadata_bytes=metadata),
        )

    @cached_property
    def ingested_tokens(self) -> Array:
        """Tokens embedded to index the corpus once."""
        return np.asarray(ingest_tokens(self.corpus_tokens, self["passage_tokens"], self.overlap_tokens))


def by_month(world: World, *terms: tuple[Array, Array | float]) -> Array:
    """Σ counts × amount, shape (rows, months): counts (rows or 1, months), amounts (rows or 1, 1).

    Counts common to all draws, such as the start's, touch only the months in which something happens.
    """
    dense = [(counts, amount) for counts, amount in terms if len(counts) > 1]
    total = dense[0][0] * dense[0][1] if dense else np.zeros((world.sample.rows, world.months))
    one = np.empty_like(total) if len(dense) > 1 else total
    for counts, amount in dense[1:]:
        total += np.multiply(counts, amount, out=one)
    for counts, amount in terms:
        if len(counts) > 1:
            continue
        busy = np.flatnonzero(counts[0])
        if busy.size > world.months // 2:
            total += counts * amount
        else:
            for month in busy:
                total[:, month : month + 1] += counts[0, month] * amount
    return total
