"""A small projection result with round figures, for tests of what is shown of one.

12 months from December 2026. `rag_api` costs 300 a month expected (200 serving, 100 retrieval), 1,200 in month 0 on top
for data; `self_hosted_lora` 2,000 a month; `self_hosted_full` cannot be built.
"""

from dataclasses import replace

from costing.engine.results import (
    COMPONENTS,
    AppliedInput,
    Band,
    BreakEven,
    Cadence,
    Event,
    GpuFit,
    OptionResult,
    PriceRow,
    ProjectionResult,
    Reindexing,
    RetrainingWay,
    TornadoBar,
)

MONTHS = 12

RAG = {"serving": 200.0, "retrieval": 100.0}
LORA = {"serving": 2000.0}
FULL_LABEL = "Full fine-tuning on dedicated GPUs"


CADENCE = Cadence(
    option="self_hosted_lora",
    retraining_usd=5_000.0,
    loss_growth_usd_per_month=919.0,
    optimum_months=4.2,
    exponential_optimum_months=4.2,
    planned_months=7.5,
    flat_from_months=2.1,
    flat_to_months=9.4,
    curve_months=(1.0, 2.5, 4.2, 9.0, 36.0),
    curve_usd_per_month=(5459.5, 3300.0, 3031.5, 3300.0, 5930.7),
    policies=(),
    drift="exponential",
    linear_optimum_months=3.6,
    decay_percent_per_month=0.7746,
    release_delay_months=1.1,
    requirement_changes_per_month=1 / 6,
    moves_per_month=0.05,
    optimum_usd_per_month=3031.5,
    planned_interval_months=12.0,
    planned_usd_per_month=3500.0,
    ways=(RetrainingWay("trigger", 8.0, 3600.0, 1000.0, 9000.0, 0.2),),
    trigger_percent=5.0,
    trigger_months=6.62,
    evaluation_every_months=5.2,
    evaluation_usd=480.0,
)
REFRESHED = Reindexing(
    option="rag_api",
    refresh_usd=34.0,
    changed_usd=140.0,
    churn_percent_per_month=4.0,
    value_usd_per_month=6000.0,
    stale_answer_loss_share=0.3,
    optimum_months=0.9,
    optimum_usd_per_month=82.0,
    flat_from_months=0.5,
    flat_to_months=1.4,
    stale_share=0.017,
    monthly_usd_per_month=83.0,
    new_model_usd=1.0,
    new_model_every_months=17.0,
    new_model_times=1.0,
    evaluation_usd=484.0,
    curve_months=(0.033, 0.6, 0.9, 1.3, 12.0),
    curve_usd_per_month=(1000.0, 88.0, 82.0, 88.0, 390.0),
)


def a_result(**changes: object) -> ProjectionResult:
    result = ProjectionResult(
        engine_version="1",
        catalogue_version="2026-11-01+abcdef12",
        seed=1,
        draws=256,
        start="2026-12",
        months=MONTHS,
        headline_option="rag_api",
        reading="RAG on a managed API costs about $4.8k in the first year.",
        options=_options(),
        inputs=_inputs(),
        prices=(
            PriceRow(
                "api_models", "openai:gpt-6-luna", "API model, input", 0.1, "USD/million tokens", "a page", "2026-10-21"
            ),
        ),
        tornado=(
            TornadoBar("cached_input_share", "Share read from the cache", "assumption", 5000.0, 4500.0),
            TornadoBar("requests_per_day", "Requests per day", "answer", 3600.0, 7200.0),
        ),
        break_even=(
            BreakEven(
                below="rag_api",
                above="self_hosted_lora",
                requests_per_day=60_000.0,
                curve_requests_per_day=(1_000.0, 10_000.0, 100_000.0),
                below_usd_per_month=(100.0, 300.0, 3_000.0),
                above_usd_per_month=(2_000.0, 2_000.0, 2_500.0),
            ),
        ),
        gpu_fit=(
            GpuFit("L40S", "training lora", 1, 30.0, 43.0, 2.5, 4.0, "activations fill it"),
            GpuFit("T4", "training lora", None, 30.0, 14.0, None, None, "the weights alone need 16 GiB"),
            GpuFit("H100-SXM", "serving", 2, 60.0, 74.0, None, 3500.0, "the peak needs two replicas"),
        ),
        notices=("The API model is retired in month 9; a migration is charged.",),
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def _options() -> tuple[OptionResult, ...]:
    full = an_option("self_hosted_full", FULL_LABEL, "fine_tuning", {})
    return (
        an_option("rag_api", "RAG on a managed API", "rag", RAG, first=1200.0, share=0.9),
        an_option("self_hosted_lora", "LoRA on dedicated GPUs", "fine_tuning", LORA, share=0.1),
        replace(full, feasible=False, why_not="no GPU of the catalogue holds it"),
    )


def _inputs() -> tuple[AppliedInput, ...]:
    return (
        an_input("requests_per_day", "Requests per day", "requests/day", "volume", (6000, 9000, 14000), "answer"),
        an_input("cached_input_share", "Share read from the cache", "share", "tokens", (0.1, 0.3, 0.6), "assumption"),
        an_input("discount_rate_percent_per_year", "Discount rate", "percent/year", "money", (8, 8, 8), "organisation"),
    )


def an_option(
    key: str, label: str, approach: str, monthly: dict[str, float], *, first: float = 0.0, share: float = 0.0
) -> OptionResult:
    """`monthly` by component in every month, `first` more for data in month 0; P10 and P90 are half and double."""
    components = {name: tuple([monthly.get(name, 0.0)] * MONTHS) for name in COMPONENTS}
    components["data"] = (first, *([0.0] * (MONTHS - 1)))
    mean = tuple(sum(components[name][m] for name in COMPONENTS) for m in range(MONTHS))
    cumulative = tuple(sum(mean[: m + 1]) for m in range(MONTHS))
    total = sum(mean)

    def scaled(values: tuple[float, ...], factor: float) -> tuple[float, ...]:
        return tuple(factor * v for v in values)

    def band(value: float) -> Band:
        return Band(value / 2, value, value * 2, value)

    return OptionResult(
        key=key,
        label=label,
        approach=approach,
        feasible=True,
        why_not="",
        total_usd=band(total),
        annual_usd=band(total),
        npv_usd=band(total * 0.9),
        run_rate_usd_per_month=band(mean[-1]),
        usd_per_1000_requests=band(1.5),
        probability_cheapest=share,
        regret_usd=0.0,
        monthly_p10_usd=scaled(mean, 0.5),
        monthly_p50_usd=mean,
        monthly_p90_usd=scaled(mean, 2),
        monthly_mean_usd=mean,
        components_mean_usd=components,
        cumulative_p10_usd=scaled(cumulative, 0.5),
        cumulative_p50_usd=cumulative,
        cumulative_p90_usd=scaled(cumulative, 2),
        events=(Event(8, "migration", "The API model is retired; the prompt moves to its successor"),),
        facts={"Tokens a month": "120 million"},
    )


def an_input(
    key: str, label: str, unit: str, group: str, band: tuple[float, float, float], origin: str
) -> AppliedInput:
    """P10, value and P90 as given; the detail of an answer is its question's id, here the same as the key."""
    p10, value, p90 = band
    return AppliedInput(key, label, unit, group, value, p10, value, p90, "lognormal", origin, key, "", "2026-10-21")
