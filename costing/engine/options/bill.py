"""The eight components of one option, month by month: composition only, every formula is a named function. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from costing.engine.options.blueprints import Blueprint
from costing.engine.options.fleet import rent_usd
from costing.engine.options.schedule import Schedule, schedule
from costing.engine.options.sizing import Sizing
from costing.engine.options.world import World, by_month
from costing.engine.people import example_making_usd
from costing.engine.results import COMPONENTS
from costing.engine.retrieval import embedding_usd, rerank_usd_per_query, store_usd_per_month
from costing.engine.tokens import CACHE_MINUTES, api_usd_per_request, managed_training_usd, written_share
from costing.engine.training import expected_runs, trained_tokens
from costing.engine.units import BYTES_PER_GB

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bill:
    """Cost by component; arrays broadcast to (rows, months), US dollars."""

    rows: int
    months: int
    components: dict[str, Array]
    passages_usd: Array  # the part of retrieval that the passages add to the prompts, by month
    schedule: Schedule
    retraining_usd: Array  # one retraining with all it entails, (rows, 1)
    migration_usd: Array  # one move to another model with all it entails, (rows, 1)
    evaluation_usd: Array  # one evaluation run, (rows, 1)
    building_hours: Array  # engineers' work before the start, (rows, 1)
    building_usd: Array
    staff_fte: Array  # people who run it, (rows, 1)
    first_runs_usd: Array  # all runs of the first training, (rows, 1)

    @property
    def total(self) -> Array:
        """Sum of the components by month, shape (rows, months)."""
        total = np.zeros((self.rows, self.months))
        for key in COMPONENTS:
            total += self.components[key]
        return total

    def means(self) -> Array:
        """Expected value of every component by month, shape (components, months)."""
        return np.stack([np.broadcast_to(self.components[key].mean(axis=0), (self.months,)) for key in COMPONENTS])


def bill(plan: Blueprint, world: World, sizing: Sizing, policy: str) -> Bill:
    """What one option costs in every draw and month."""
    works = _Works(plan, world, sizing)
    when = schedule(plan, world, policy, works.migration_usd)
    own, passages = works.inference
    components = {
        "training": works.training(),
        "retraining": works.retraining(when),
        "serving": works.with_second_branch(own, when),
        "retrieval": works.retrieval() + works.with_second_branch(passages, when),
        "data": works.data(when),
        "evaluation": works.evaluation(when),
        "operations": works.operations(when),
        "governance": works.governance(when),
    }
    return Bill(
        rows=world.sample.rows,
        months=world.months,
        components=components,
        passages_usd=passages,
        schedule=when,
        retraining_usd=works.retraining_usd,
        migration_usd=works.migration_usd,
        evaluation_usd=works.evaluation_usd,
        building_hours=works.building_hours,
        building_usd=works.building_hours * world.engineer_usd_per_hour,
        staff_fte=works.staff_fte,
        first_runs_usd=works.first_runs_usd,
    )


@dataclass(frozen=True)
class _Works:
    plan: Blueprint
    world: World
    sizing: Sizing

    def with_second_branch(self, usd: Array, when: Schedule) -> Array:
        """The amount, and its share for the branch that runs beside it where there is one."""
        if not when.overlap.any():
            return usd
        return usd * (1 + when.overlap * self.world["overlap_cost_share"])

    # --- serving ------------------------------------------------------------------------------------------------

    @cached_property
    def inference(self) -> tuple[Array, Array]:
        """US dollars by month: the model without retrieved passages, and what the passages add."""
        plain = self._inference_usd(self.world.fact_tokens if not self.plan.retrieval else None)
        if not self.plan.retrieval:
            return plain, np.zeros((1, 1))
        return plain, self._inference_usd(None, self.world.passage_tokens) - plain

    def _inference_usd(self, facts: Array | None, passages: Array | None = None) -> Array:
        """One way of prompting; options that prompt and host alike share the figure."""
        plan = self.plan
        size = self.sizing.plans(plan) if plan.own_gpus else None
        key = (plan.hosting, plan.tuned, plan.shared, size, facts is None, passages is None)
        return self.world.once(key, lambda: self._prompted_usd(facts, passages))

    def _prompted_usd(self, facts: Array | None, passages: Array | None) -> Array:
        world = self.world
        none = np.zeros((1, 1))
        own = world.own_prompt_tokens(self.plan.tuned)
        facts = none if facts is None else facts
        prompt = own + facts + (none if passages is None else passages)
        cached = (own * world["cached_input_share"] + facts * world["cache_hit_rate"]) / np.maximum(prompt, 1e-9)
        if self.plan.own_gpus:
            return self._gpu_usd(prompt, cached)
        missed = facts * (1 - world["cache_hit_rate"])
        missed = missed + own * written_share(world["cached_input_share"], world["cache_hit_rate"])
        written = np.minimum(missed / np.maximum(prompt, 1e-9), 1.0)
        each = self._call_usd(prompt, np.minimum(cached, 1 - written), written)
        if self.plan.hosting == "api":
            return world.calls * each * world.api_path
        # GPUs that a provider rents out for the tuned model are paid whether it is asked or not
        return np.maximum(world.calls * each * world.tuned_path, world["tuned_endpoint_usd_per_month"] * world.gpu_path)

    def _call_usd(self, prompt: Array, cached: Array, written: Array) -> Array:
        """One call at today's prices, with calls made again and the batch share."""
        world, hosted = self.world, self.sizing.rates.tuning.hosted
        row = self.sizing.rates.api if self.plan.hosting == "api" or hosted is None else hosted
        each = api_usd_per_request(
            row,
            prompt,
            world.output_tokens,
            cached_share=cached,
            reasoning_tokens=world.reasoning_tokens,
            batch_share=world["batch_share"],
            retry_rate=world["retry_rate"],
            cache_write_share=written,
            cache_hours=bool(np.median(world["cache_lifetime_minutes"]) > CACHE_MINUTES),
        )
        return np.asarray(each * world["tuned_inference_surcharge"] if self.plan.hosting == "managed" else each)

    def _gpu_usd(self, prompt: Array, cached: Array) -> Array:
        """Own replicas by month: GPUs × hours × rent."""
        world = self.world
        output = np.maximum(world.output_tokens + world.reasoning_tokens, 1.0)  # even an empty answer is one step
        fleets = self.sizing.fleets(self.plan, world, prompt, output, cached)
        return np.asarray(np.minimum.reduce([rent_usd(fleet, world) for fleet in fleets]))

    # --- training -----------------------------------------------------------------------------------------------

    @cached_property
    def _first_tokens(self) -> Array:
        world = self.world
        return np.asarray(trained_tokens(world["training_examples"], world.example_tokens, world["epochs"]))

    def _runs_usd(self, tokens: Array, trials: Array) -> Array:
        """The runs until a good one at today's prices: trials + 1/(1 − p_fail) runs on own GPUs, trials + 1 managed."""
        world = self.world
        if not self.plan.tuned:
            return np.zeros((1, 1))
        if self.plan.method == "managed":
            usd = managed_training_usd(
                world["managed_training_usd_per_mtok"],
                tokens / world["epochs"],
                world["epochs"],
                validation_tokens=tokens / world["epochs"] * world["validation_share"],
                evaluations=world["epochs"],  # the held-out examples are read after every pass
                padding=world["billed_padding_factor"],
                minimum_usd=self.sizing.rates.tuning.minimum_usd,
                runs=trials + 1,
            )
            return np.asarray(usd)
        size = self.sizing.training[self.plan.method]
        hours = tokens * size.gpu_hours_per_token * world["training_time_factor"]
        fixed = world["run_fixed_hours"] * size.gpus
        if self.sizing.rates.choices.gpu_pricing == "spot":
            hours = hours * world["spot_interruption_factor"]
        runs = expected_runs(trials, world["run_failure_rate"])
        return np.asarray(runs * (hours + fixed) * world["training_gpu_usd_per_hour"])

    @cached_property
    def _training_path(self) -> Array:
        return np.ones((1, 1)) if self.plan.method == "managed" else self.world.gpu_path

    @cached_property
    def first_runs_usd(self) -> Array:
        return self._runs_usd(self._first_tokens, self.world["sweep_runs"])

    @cached_property
    def _again_share(self) -> Array:
        """Tokens of a retraining against those of the first run: replayed and new examples."""
        return self.world["replay_share"] + self.world["new_examples_share"]

    @cached_property
    def _again_runs_usd(self) -> Array:
        trials = self.world["sweep_runs"] * self.world["resweep_share"]
        return self._runs_usd(self._first_tokens * self._again_share, trials)

    @cached_property
    def _moved_runs_usd(self) -> Array:
        """On another base model everything is trained, with all trial runs."""
        return self._runs_usd(self._first_tokens * np.maximum(self._again_share, 1.0), self.world["sweep_runs"])

    @cached_property
    def _moving_hours(self) -> Array:
        """A move of a tuned model is a retraining and more."""
        return self.world["migration_hours"] + (self._retraining_hours if self.plan.tuned else 0.0)

    def training(self) -> Array:
        if not self.plan.tuned:
            return np.zeros((1, 1))
        return by_month(self.world, (self.world.at_start, self.first_runs_usd * self._training_path[:, :1]))

    def retraining(self, when: Schedule) -> Array:
        """Upkeep over time: runs made again, the engineers who make them, moves to another model, adapted prompts."""
        world = self.world
        rate = world.engineer_usd_per_hour
        runs = by_month(world, (when.retrainings, self._again_runs_usd), (when.migrations, self._moved_runs_usd))
        people = by_month(
            world,
            (when.retrainings, self._retraining_hours * rate),
            (when.migrations, self._moving_hours * rate),
            (when.minor, world["requirement_change_hours"] * rate),
        )
        return runs * self._training_path + people if self.plan.tuned else people

    # --- retrieval ----------------------------------------------------------------------------------------------

    def retrieval(self) -> Array:
        """Index, store and search, without the tokens that the passages add: the same wherever the model runs."""
        if not self.plan.retrieval:
            return np.zeros((1, 1))
        return self.world.once("retrieval", self._searched_usd)

    def _searched_usd(self) -> Array:
        world, rates = self.world, self.sizing.rates
        ingest = embedding_usd(rates.embedding, world.ingested_tokens)
        asked = world.worded_tokens("query_tokens")
        query = embedding_usd(rates.embedding, asked)
        if rates.reranker is not None:
            passages = world["reranked_passages"]
            query = query + rerank_usd_per_query(rates.reranker, asked, passages, world["passage_tokens"])
        indexing = ingest * (world.at_start + world.churn + world.reembeddings)
        return indexing + world.searches * query + store_usd_per_month(rates.store, world.store_use)

    # --- data ---------------------------------------------------------------------------------------------------

    def _examples_usd(self, share: Array | float) -> Array:
        """Making this share of the examples, and masking the records they come from."""
        world = self.world
        scrub = world["raw_records"] / 1000 * world["scrub_usd_per_1000_records"] * share
        making = example_making_usd(
            world["training_examples"] * share,
            world["label_share_paid"],
            world["hours_per_example"],
            world["rework_factor"],
            world.expert_usd_per_hour,
        )
        return np.asarray(making + scrub)

    @cached_property
    def _new_examples_usd(self) -> Array:
        return self._examples_usd(self.world["new_examples_share"])

    def data(self, when: Schedule) -> Array:
        """Examples with their guideline and masking; documents made ready for retrieval."""
        world = self.world
        terms: list[tuple[Array, Array | float]] = []
        if self.plan.tuned:
            guideline = world["guideline_hours"] * world.expert_usd_per_hour
            terms += [(world.at_start, self._examples_usd(1.0) + guideline), (when.releases, self._new_examples_usd)]
        if self.plan.retrieval:
            minutes = world["corpus_documents"] * world["preparation_minutes_per_document"]
            prepared = minutes / 60 * world.expert_usd_per_hour
            changed = world.churn * world["churn_preparation_share"]
            terms += [(world.at_start, prepared), (world.always, prepared * changed)]
        return by_month(world, *terms) if terms else np.zeros((1, 1))

    # --- evaluation, operations, governance -----------------------------------------------------------------------

    @cached_property
    def evaluation_usd(self) -> Array:
        """One run; on own GPUs the candidate answers on replicas that are paid for already."""
        if self.plan.own_gpus:
            extra = self.world["full_regression_share"] if self.plan.method == "full" else 0.0
            return self.world.evaluation_usd(np.zeros((1, 1))) * (1 + extra)
        prompt = self.world.own_prompt_tokens(self.plan.tuned)
        prompt = prompt + (self.world.passage_tokens if self.plan.retrieval else self.world.fact_tokens)
        none = np.zeros((1, 1))
        return self.world.evaluation_usd(self._call_usd(prompt, none, none))

    def evaluation(self, when: Schedule) -> Array:
        """The gold set, its upkeep, and a run at the start, per release, per small change and at regular times."""
        world = self.world
        one = self.evaluation_usd
        return by_month(
            world,
            (world.at_start, one + world.gold_set_usd),
            (when.releases, one),
            (when.minor, one),
            (world.regular_evaluations, one),
            (world.requirement_changes, world["eval_upkeep_share"] * world.gold_set_usd),
        )

    @cached_property
    def staff_fte(self) -> Array:
        world = self.world
        fte = world["ops_fte_api"]
        if self.plan.own_gpus:
            fte = fte + world["ops_fte_self_hosted"] * (world["shared_ops_share"] if self.plan.shared else 1.0)
        if self.plan.tuned:
            fte = fte + world["ops_fte_tuning"]
        if self.plan.retrieval:
            fte = fte + world["ops_fte_retrieval"]
        return fte

    @cached_property
    def building_hours(self) -> Array:
        """Engineers' work before the start."""
        world = self.world
        hours = world["build_prompt_hours"]
        if self.plan.retrieval:
            hours = hours + world["build_retrieval_hours"]
        if self.plan.tuned:
            hours = hours + world["build_tuning_hours"] * self._training_work
        if self.plan.own_gpus:
            hours = hours + world["build_serving_hours"] * (world["shared_ops_share"] if self.plan.shared else 1.0)
        return hours

    @property
    def _training_work(self) -> Array | float:
        """Engineers' work on training against that on an adapter."""
        return self.world["full_tuning_work_factor"] if self.plan.method == "full" else 1.0

    @cached_property
    def _retraining_hours(self) -> Array:
        return np.asarray(self.world["retraining_hours"] * self._training_work)

    def operations(self, when: Schedule) -> Array:
        """Building it, the people who run it, stored model versions, logs and the judged sample."""
        world = self.world
        staff = self.with_second_branch(world.staff_usd_per_month(self.staff_fte), when)
        stored = self.sizing.stored_bytes(self.plan, world) * world["kept_versions"] / BYTES_PER_GB
        storage = stored * world["storage_usd_per_gb_month"]
        built = by_month(world, (world.at_start, self.building_hours * world.engineer_usd_per_hour))
        return built + (staff + storage) + world.monitoring_usd

    @cached_property
    def _review_factor(self) -> Array | float:
        return self.world["tuning_governance_factor"] if self.plan.tuned else 1.0

    def governance(self, when: Schedule) -> Array:
        """First approval, approval per release, short review per small change, a yearly audit."""
        world = self.world
        rate = self._review_factor * world.expert_usd_per_hour
        release = world["governance_hours_per_release"] * rate
        return by_month(
            world,
            (world.at_start, world["governance_initial_hours"] * rate),
            (when.releases, release),
            (when.minor, release * world["minor_review_share"]),
            (world.yearly, world["governance_hours_per_year"] * rate),
        )

    # --- one change, with all it entails ----------------------------------------------------------------------------

    @cached_property
    def _approval_usd(self) -> Array:
        world = self.world
        return world["governance_hours_per_release"] * self._review_factor * world.expert_usd_per_hour

    @cached_property
    def retraining_usd(self) -> Array:
        """Runs, engineers, new examples, evaluation and approval of one retraining, at today's prices."""
        world = self.world
        if not self.plan.tuned:
            return np.zeros((1, 1))
        people = self._retraining_hours * world.engineer_usd_per_hour
        return self._again_runs_usd + people + self._new_examples_usd + self.evaluation_usd + self._approval_usd

    @cached_property
    def migration_usd(self) -> Array:
        """The same of one move to another model, with its trial runs."""
        world = self.world
        people = self._moving_hours * world.engineer_usd_per_hour
        examples = self._new_examples_usd if self.plan.tuned else 0.0
        return self._moved_runs_usd + people + examples + self.evaluation_usd + self._approval_usd
