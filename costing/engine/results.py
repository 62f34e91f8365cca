"""What a projection answers, for every option side by side. Pure, frozen; `to_dict`/`from_dict` for storage.

All money is US dollars. Arrays are tuples over months unless said.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

COMPONENTS = ("training", "retraining", "serving", "retrieval", "data", "evaluation", "operations", "governance")
RUNNING = ("serving", "retrieval")  # what providers bill while a use case runs: no people's work is in them

# option key → (label, approach); the order is the order on the page
OPTIONS: dict[str, tuple[str, str]] = {
    "prompting_api": ("Prompting on a managed API", "prompting"),
    "rag_api": ("RAG on a managed API", "rag"),
    "managed_tuning": ("Managed fine-tuning", "fine_tuning"),
    "managed_tuning_rag": ("Managed fine-tuning + RAG", "hybrid"),
    "self_hosted_lora": ("LoRA on dedicated GPUs", "fine_tuning"),
    "self_hosted_lora_shared": ("LoRA on a shared base model", "fine_tuning"),
    "self_hosted_qlora": ("QLoRA on dedicated GPUs", "fine_tuning"),
    "self_hosted_full": ("Full fine-tuning on dedicated GPUs", "fine_tuning"),
    "self_hosted_lora_rag": ("LoRA on dedicated GPUs + RAG", "hybrid"),
    "self_hosted_prompting": ("Prompting on own GPUs", "prompting"),
    "self_hosted_rag": ("RAG on own GPUs", "rag"),
}


@dataclass(frozen=True)
class Band:
    p10: float
    p50: float
    p90: float
    mean: float


@dataclass(frozen=True)
class OptionResult:
    key: str
    label: str
    approach: str
    feasible: bool
    why_not: str  # why it cannot be built, "" when feasible
    total_usd: Band  # whole horizon
    annual_usd: Band  # first twelve months (or the horizon when shorter)
    npv_usd: Band
    run_rate_usd_per_month: Band  # mean of the last three months
    usd_per_1000_requests: Band | None  # None at zero volume
    probability_cheapest: float  # among feasible options
    regret_usd: float  # expected extra cost over always choosing the cheapest
    monthly_p10_usd: tuple[float, ...]
    monthly_p50_usd: tuple[float, ...]
    monthly_p90_usd: tuple[float, ...]
    monthly_mean_usd: tuple[float, ...]
    components_mean_usd: dict[str, tuple[float, ...]]  # COMPONENTS → expected value by month; sums to monthly_mean_usd
    cumulative_p10_usd: tuple[float, ...]
    cumulative_p50_usd: tuple[float, ...]
    cumulative_p90_usd: tuple[float, ...]
    events: tuple[Event, ...]  # end dates, migrations, retrainings worth naming
    facts: dict[str, str]  # what was sized, in words: replicas, GPUs, hours per run …


@dataclass(frozen=True)
class Event:
    month: int  # 0 = first
    kind: str  # "end_of_service" | "migration" | "retraining" | "reindex"
    text: str


@dataclass(frozen=True)
class AppliedInput:
    """One row of the assumption table: the input as it was used."""

    key: str
    label: str
    unit: str
    group: str
    value: float
    p10: float
    p50: float
    p90: float
    shape: str
    origin: str
    detail: str
    source: str
    as_of: str


@dataclass(frozen=True)
class PriceRow:
    """One catalogue row that was multiplied by."""

    catalogue: str
    row: str
    what: str
    value: float
    unit: str
    source: str
    as_of: str


@dataclass(frozen=True)
class TornadoBar:
    key: str
    label: str
    origin: str
    low_usd: float  # annual P50 of the headline option with the input at its P10
    high_usd: float  # … at its P90


@dataclass(frozen=True)
class BreakEven:
    """Requests per day above which `below` stops being cheaper than `above`; None when they never cross."""

    below: str
    above: str
    requests_per_day: float | None
    curve_requests_per_day: tuple[float, ...]
    below_usd_per_month: tuple[float, ...]
    above_usd_per_month: tuple[float, ...]
    # share of a replica's capacity from which a request on it costs less than from the provider, rent only; above 1:
    # never; None when neither or both run on own GPUs
    utilisation: float | None = None
    utilisation_today: float | None = None  # that the replicas reach on average at today's volume
    probability_above_cheaper: float | None = None  # in the first year at today's volume, the rest as drawn
    probability_above_cheaper_at_ten_times: float | None = None


@dataclass(frozen=True)
class GpuFit:
    gpu: str
    job: str  # "training lora" | "training qlora" | "training full" | "serving"
    count: int | None  # None: does not fit
    needed_gib_per_gpu: float
    usable_gib_per_gpu: float
    hours: float | None  # of one training run
    usd: float | None  # of one training run, or per month of serving
    reason: str  # why it does not fit, or what fills it


@dataclass(frozen=True)
class Driver:
    """How much one uncertain input matters to the headline option's first year, and to the choice between options."""

    key: str
    label: str
    origin: str
    share_of_variance: float  # of ln(cost), first-order: what knowing it alone would remove, 0 … 1
    total_effect: float  # with its interactions (Jansen), 0 … 1
    value_of_knowing_usd: float  # expected regret over the horizon that knowing it would remove
    together_with: tuple[str, ...] = ()  # labels of correlated inputs, whose total effect this is too


@dataclass(frozen=True)
class AnswerValue:
    """What it is worth to know all inputs that one question asks for, for the choice between the options."""

    question: str  # its id
    inputs: tuple[str, ...]  # their keys, those that are uncertain
    is_open: bool  # the question has no answer yet, and some of them are assumed
    value_usd: float  # expected regret over the horizon that knowing them exactly would remove: at most this


@dataclass(frozen=True)
class PolicyCost:
    """One base-model policy over the horizon, on the same draws as the others."""

    policy: str  # retrain | stay_behind | two_branches
    chosen: bool
    spend_usd: Band
    value_lost_usd: float  # expected value lost by an older base model and by switches that go wrong
    probability_best: float  # the lowest present value of the three; where several are equally low, shared by them
    npv_usd: Band | None = None  # present value of spend plus value lost; None in results stored before
    forced_moves: float = 0.0  # expected over the horizon, because the provider retires the model
    chosen_moves: float = 0.0  # expected, because a newer base model pays


@dataclass(frozen=True)
class RetrainingWay:
    """One way to decide when to retrain: as planned, by one best interval, or when an evaluation shows a fall."""

    key: str  # planned | calendar | trigger
    interval_months: float  # between planned retrainings, median; what is forced comes in between
    usd_per_month: float  # retraining and staleness (and evaluations, where they decide), expected over the draws
    p10_usd_per_month: float
    p90_usd_per_month: float
    probability_best: float  # equal ones share


@dataclass(frozen=True)
class Cadence:
    """How often to retrain: the long-run cost of retraining plus the loss from staleness, over the interval T.

    The curve, optimum and flat region are those of `staleness.Staleness` at the middle values given here. Intervals of
    1,200 months stand for "never". Fields with a default are missing in results stored before.
    """

    option: str
    retraining_usd: float  # K: one retraining with data, evaluation and approval, median
    loss_growth_usd_per_month: float  # c: by how much the monthly loss of a fresh model grows each month, median
    optimum_months: float
    exponential_optimum_months: float | None  # if quality decays exponentially; None when never retraining is cheaper
    planned_months: float  # as planned and as changes of the requirements force it, median
    flat_from_months: float  # between these the cost is within 10 % of the optimum
    flat_to_months: float
    curve_months: tuple[float, ...]
    curve_usd_per_month: tuple[float, ...]
    policies: tuple[PolicyCost, ...]
    policies_option: str = ""  # the option the policies are worked for; "" = the cadence's
    drift: str = "linear"  # linear | exponential: how quality falls
    linear_optimum_months: float | None = None  # if quality falls in a straight line; None when never
    value_usd_per_month: float = 0.0
    decay_percent_per_month: float = 0.0
    release_delay_months: float = 0.0  # how old the data are when a model is released
    requirement_changes_per_month: float = 0.0  # each forces a retraining, at the same cost
    moves_per_month: float = 0.0  # to another base model, forced or chosen; each renews the model, billed by itself
    fastest_months: float = 0.0  # the team cannot retrain more often
    optimum_usd_per_month: float = 0.0
    planned_interval_months: float = 0.0  # as planned, without what is forced
    planned_usd_per_month: float = 0.0
    never_usd_per_month: float = 0.0  # retraining only when forced
    ways: tuple[RetrainingWay, ...] = ()
    trigger_percent: float = 0.0  # fall of quality that starts a retraining where evaluation decides
    trigger_months: float | None = None  # age at which quality has fallen so far; None: never
    evaluation_every_months: float = 0.0
    evaluation_usd: float = 0.0  # one evaluation, median


@dataclass(frozen=True)
class Reindexing:
    """How often to refresh the index of an option with retrieval: work and embedding against stale passages.

    Cost of refreshing every T months = (K + V·u + Q·λ·(T − u/ρ))/T, u = 1 − e^(−ρT): the share of documents changed.
    """

    option: str
    refresh_usd: float  # K: people's work on one refresh, median
    changed_usd: float  # V: preparing, embedding and writing all documents again, were all changed; median
    churn_percent_per_month: float  # ρ
    value_usd_per_month: float  # Q
    stale_answer_loss_share: float  # λ
    optimum_months: float | None  # None: refreshing costs more than stale passages do; 0: as changes come
    optimum_usd_per_month: float
    flat_from_months: float
    flat_to_months: float | None  # None: however long
    stale_share: float  # mean share of documents out of date at the optimum
    monthly_usd_per_month: float  # refreshed every month
    new_model_usd: float  # embedding and writing the whole corpus with another embedding model, median
    new_model_every_months: float
    new_model_times: float  # expected over the horizon
    evaluation_usd: float  # one evaluation, due after such a change, median
    curve_months: tuple[float, ...]
    curve_usd_per_month: tuple[float, ...]


@dataclass(frozen=True)
class ProjectionResult:
    engine_version: str
    catalogue_version: str
    seed: int
    draws: int
    start: str
    months: int
    headline_option: str
    reading: str  # the headline sentence
    options: tuple[OptionResult, ...]
    inputs: tuple[AppliedInput, ...]
    prices: tuple[PriceRow, ...]
    tornado: tuple[TornadoBar, ...]
    break_even: tuple[BreakEven, ...]
    gpu_fit: tuple[GpuFit, ...]
    notices: tuple[str, ...]
    drivers: tuple[Driver, ...] = ()  # the most important first
    cadence: Cadence | None = None  # None when no tuned option can be built
    reindexing: Reindexing | None = None  # None without retrieval
    constants: tuple[PriceRow, ...] = ()  # what else was multiplied by: GPU and model rows, constants of the methods
    # expected regret over the horizon that knowing every input would remove; None in results stored before it was said
    value_of_perfect_information_usd: float | None = None
    answers: tuple[AnswerValue, ...] = ()  # the most valuable first

    def option(self, key: str) -> OptionResult:
        """The option with this key. Raises KeyError naming it."""
        for option in self.options:
            if option.key == key:
                return option
        raise KeyError(f"unknown option {key!r}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ProjectionResult:
        """The inverse of `to_dict`, also after a trip through JSON."""
        return cls(
            **{
                **data,
                "options": tuple(_option(o) for o in data["options"]),
                "inputs": tuple(AppliedInput(**x) for x in data["inputs"]),
                "prices": tuple(PriceRow(**x) for x in data["prices"]),
                "tornado": tuple(TornadoBar(**x) for x in data["tornado"]),
                "break_even": tuple(BreakEven(**_tuples(x)) for x in data["break_even"]),
                "gpu_fit": tuple(GpuFit(**x) for x in data["gpu_fit"]),
                "notices": tuple(data["notices"]),
                "drivers": tuple(Driver(**_tuples(x)) for x in data.get("drivers", ())),
                "answers": tuple(AnswerValue(**_tuples(x)) for x in data.get("answers", ())),
                "cadence": _cadence(data["cadence"]) if data.get("cadence") else None,
                "reindexing": Reindexing(**_tuples(data["reindexing"])) if data.get("reindexing") else None,
                "constants": tuple(PriceRow(**x) for x in data.get("constants", ())),
            }
        )


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}


def _cadence(row: dict[str, Any]) -> Cadence:
    ways = tuple(RetrainingWay(**way) for way in row.get("ways", ()))
    return Cadence(**{**_tuples(row), "policies": tuple(_policy(p) for p in row["policies"]), "ways": ways})


def _policy(row: dict[str, Any]) -> PolicyCost:
    npv = Band(**row["npv_usd"]) if row.get("npv_usd") else None
    return PolicyCost(**{**row, "spend_usd": Band(**row["spend_usd"]), "npv_usd": npv})


def _option(row: dict[str, Any]) -> OptionResult:
    bands = {
        k: Band(**row[k]) if row[k] else None
        for k in ("total_usd", "annual_usd", "npv_usd", "run_rate_usd_per_month", "usd_per_1000_requests")
    }
    components = {k: tuple(v) for k, v in row["components_mean_usd"].items()}
    events = tuple(Event(**e) for e in row["events"])
    return OptionResult(**{**_tuples(row), **bands, "components_mean_usd": components, "events": events})
