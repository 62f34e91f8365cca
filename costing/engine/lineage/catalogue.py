"""The figures of a projection besides the components: what each is, in words, and what it rests on. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from costing.engine.lineage.quantities import ANSWERED, LOAD, RUN_SHAPE, SIZED_BY
from costing.engine.results import COMPONENTS


@dataclass(frozen=True)
class Kind:
    """A kind of figure; `parts` are components, quantities and inputs of the option it is about."""

    title: str
    sentence: str
    formula: str
    parts: tuple[str, ...]
    methods: tuple[str, ...]
    every_option: bool = False  # rests on all options that can be built, not on one
    sized: bool = False  # what was sized belongs to it


SUM = "in every simulated future; P10, P50 and P90 are read from these sums"
BANDS = ("quantiles", "band", "scores", "to_sample")
NPV = ("npv_usd", "discount_factors")
VALUE = (
    "value_usd_per_month",
    "base_release_gain_percent",
    "base_release_months",
    "switch_loss_share",
    "release_delay_months",
)
SERVED = (*ANSWERED, *SIZED_BY, *LOAD, "gpu_usd_per_hour")

KINDS: dict[str, Kind] = {
    "annual": Kind(
        "The first twelve months",
        "What the option costs from the first month on, all components together.",
        f"Σ of the eight components over the first twelve months, {SUM}",
        COMPONENTS,
        BANDS,
    ),
    "start": Kind(
        "The first month",
        "What is spent once, to build, approve and measure, and the first month’s running cost.",
        f"Σ of the eight components in the first month, {SUM}",
        COMPONENTS,
        BANDS,
    ),
    "run-rate": Kind(
        "A month, later",
        "What a month costs once it runs.",
        f"Σ of the eight components over the last three months / 3, {SUM}",
        COMPONENTS,
        BANDS,
    ),
    "total": Kind(
        "The whole horizon",
        "What the option costs over all months.",
        f"Σ of the eight components over all months, {SUM}",
        COMPONENTS,
        BANDS,
    ),
    "monthly": Kind(
        "Month by month",
        "Expected cost by component, and the band of the month’s total.",
        "a month = Σ of the eight components; the mean over the simulated futures, rounded so that the parts add up",
        COMPONENTS,
        BANDS,
    ),
    "cumulative": Kind(
        "All that is spent so far",
        "The sum from the start to each month.",
        f"Σ of the months up to this one, {SUM}",
        COMPONENTS,
        BANDS,
    ),
    "per-1000": Kind(
        "1,000 requests",
        "All that is spent over the horizon, people’s work included, for each 1,000 requests served.",
        "Σ of all months / Σ of the requests of all months × 1,000, in every simulated future",
        (*COMPONENTS, "requests_month", "growth_percent_per_month"),
        BANDS,
    ),
    "cheapest": Kind(
        "Cheapest in",
        "In how many of the simulated futures this option costs least.",
        "futures in which the option’s net present value is the lowest / all futures; "
        "net present value = Σ of month m / (1 + discount rate)^((m + ½) / 12)",
        (*COMPONENTS, "discount_rate_percent_per_year"),
        NPV,
        every_option=True,
    ),
    "regret": Kind(
        "Regret",
        "What choosing this option costs more, on average, than always choosing the cheapest.",
        "mean over the futures of (the option’s net present value − the lowest of all options)",
        (*COMPONENTS, "discount_rate_percent_per_year"),
        NPV,
        every_option=True,
    ),
    "tornado": Kind(
        "What moves the cost",
        "The first year with one input at its P10 and at its P90, the others as drawn.",
        "median of the first twelve months over 256 futures, once with the input at its P10, once at its P90",
        COMPONENTS,
        ("tornado", "variance_shares"),
    ),
    "knowing": Kind(
        "What knowing an input would save",
        "The expected saving from choosing the option after finding the input out, instead of before.",
        "lowest expected cost of any option now − expected lowest cost once the input is known",
        (*COMPONENTS, "discount_rate_percent_per_year"),
        ("values_of_knowing", "value_of_knowing_together", "by_class", "total_effects"),
        every_option=True,
    ),
    "break-even": Kind(
        "Where another option becomes cheaper",
        "Two options over the number of requests a day: where their lines cross, the cheaper one changes.",
        "median cost a month of the first year at each volume, without growth, all else as drawn; "
        "the crossing is read between the points on a logarithmic scale",
        COMPONENTS,
        ("curve", "sensitivity.crossing"),
        every_option=True,
    ),
    "cadence": Kind(
        "How often to retrain",
        "Retraining often costs runs and work, retraining seldom costs quality: the sum is lowest in between.",
        "(K + loss expected until the next renewal) / time expected until it, by the planned interval T; "
        "with steady loss K / T + c × T / 2 a month, lowest at T* = √(2K / c). K: one retraining with all it entails, "
        "c: value at stake × quality lost per month",
        (
            "retraining_step",
            "value_usd_per_month",
            "quality_decay_percent_per_month",
            "retraining_months",
            "requirement_change_months",
            "fastest_retraining_months",
            "release_delay_months",
            "retraining_trigger_percent",
            "eval_every_months",
        ),
        (
            "economic_interval_months",
            "flat_region_months",
            "interval_with_forced_months",
            "trigger_months",
            "triggered_interval_months",
        ),
    ),
    "reindexing": Kind(
        "How often to refresh the index",
        "Refreshing costs work and embedding, waiting costs answers from stale passages.",
        "work and embedding of a refresh / interval + value × loss by a stale answer × share of stale passages",
        (
            "ingestion",
            "evaluation_run",
            "expert_hour",
            "engineer_hour",
            "value_usd_per_month",
            "stale_answer_loss_share",
            "refresh_hours",
            "corpus_churn_percent_per_month",
            "preparation_minutes_per_document",
            "churn_preparation_share",
            "reembed_every_months",
        ),
        ("refreshing_usd_per_month", "best_refresh_months"),
    ),
    "policies": Kind(
        "When the base model gets a new version",
        "What each way of following new base models costs, and what is lost by working with an older one.",
        "Σ of all months under the policy + Σ of value × gain per release × releases not adopted yet",
        (*COMPONENTS, *VALUE),
        ("adoption_interval_months", "value_lost_usd"),
    ),
    "gpus-training": Kind(
        "Which GPUs hold the training",
        "The fewest GPUs of each kind whose memory holds a training step, and how long a run takes on them.",
        "fits where weights + gradients + optimizer states + activations + logits + adapters ≤ usable memory; "
        "hours = tokens / (tokens per second and GPU) / 3,600 + start-up; price = hours × rent",
        (*RUN_SHAPE, "adapter_rank", "training_gpu_usd_per_hour"),
        ("training_memory_gib", "usable_gib", "smallest_fit", "tokens_per_s_per_gpu", "run_gpu_hours", "gpu_fit"),
        sized=True,
    ),
    "gpus-serving": Kind(
        "Which GPUs hold the service",
        "The GPUs of each kind that serve the busiest hour within the answering time.",
        "GPUs = replicas × GPUs of a replica; replicas = ⌈busiest hour / (capacity × planned share)⌉, at least the "
        "minimum; price = GPUs × 730.5 hours × rent",
        (*SERVED, "prompt"),
        ("capacity_requests_per_s", "decode_step_s", "prefill_s", "kv_batch", "gpus_at_peak", "gpu_fit"),
        sized=True,
    ),
}
COMPONENT_SENTENCES = {
    "training": "The runs of the first training, until one is good.",
    "retraining": "What changes later: runs made again, moves to another model, adapted prompts.",
    "serving": "The model’s answers, without what retrieved passages add.",
    "retrieval": "Indexing, the store, searches, and the passages in the prompts.",
    "data": "Examples to train on, documents made ready for search.",
    "evaluation": "The evaluation cases, and every run of them.",
    "operations": "Building it, the people who run it, stored versions, logs.",
    "governance": "Approvals and audits.",
}
