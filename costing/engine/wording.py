"""Sentences about a projection: the headline, events, facts and notices in plain words with figures. Pure."""

from __future__ import annotations

from costing.engine.results import Band, BreakEven

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# What moves the cost, said as people say it; other inputs are named by their label.
_MOVERS = {
    "requests_per_day": "how many requests come",
    "growth_percent_per_month": "how fast the volume grows",
    "calls_per_request": "how many model calls one request takes",
    "peak_to_average": "how high the busiest hour is",
    "input_tokens": "how long the requests are",
    "output_tokens": "how long the answers are",
    "reasoning_tokens_share": "how much the model reasons before it answers",
    "retrieved_passages": "how many passages go into the prompt",
    "corpus_documents": "how many documents there are",
    "preparation_minutes_per_document": "the work of preparing a document for search",
    "training_examples": "how many training examples are needed",
    "hours_per_example": "the time to make one example",
    "rework_factor": "how often examples must be made again",
    "engineer_salary_usd_per_year": "what an engineer costs",
    "expert_salary_usd_per_year": "what the experts cost",
    "ops_fte_self_hosted": "how many people run the GPUs",
    "ops_fte_retrieval": "how many people run retrieval",
    "ops_fte_tuning": "how many people look after the tuned model",
    "ops_fte_api": "how many people run the service",
    "build_tuning_hours": "the work of building the training pipeline",
    "build_serving_hours": "the work of building own serving",
    "governance_initial_hours": "how long the first approval takes",
    "retraining_hours": "the work of a retraining",
    "migration_hours": "the work of moving to another model",
    "passage_tokens": "how long the passages in the prompt are",
    "instruction_tokens": "how long the instructions in the prompt are",
    "target_utilisation": "how full the GPUs run",
    "serving_speed_factor": "how fast the GPUs really answer",
    "autoscaled_share": "how much autoscaling saves",
    "label_share_paid": "how many examples must still be made",
    "tokens_per_example": "how long a training example is",
    "gpu_usd_per_hour": "what a GPU costs",
    "requirement_change_months": "how often the requirements change",
    "retraining_months": "how often the model is retrained",
    "build_retrieval_hours": "the work of building retrieval",
    "build_prompt_hours": "the work of building it",
    "governance_hours_per_release": "how long an approval takes",
    "eval_cases": "how many cases an evaluation has",
    "eval_case_minutes": "how long an evaluation case takes to make",
}


def short_percent(share: float) -> str:
    """A share as spoken of, its sign on the same line: 0.816 → "82 %"."""
    return f"{share * 100:.0f}\u00a0%"


def short_usd(amount: float) -> str:
    """An amount as spoken of: $640, $12.4k, $58k, $1.2M."""
    sign, size = ("−" if amount < 0 else ""), abs(amount)
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= limit * 0.9995:
            scaled = size / limit
            return (
                f"{sign}${scaled:.1f}{unit}"
                if scaled < 19.95 and f"{scaled:.1f}"[-1] != "0"
                else f"{sign}${scaled:.0f}{unit}"
            )
    return f"{sign}${size:.0f}"


def short_count(number: float) -> str:
    """A count as spoken of: 640, 9,200, 240,000, 3.1 million, 2 billion."""
    if number >= 1e9:
        return f"{number / 1e9:,.3g} billion"
    if number >= 1e6:
        return f"{number / 1e6:.3g} million"
    digits = 2 if number >= 100 else 1
    power = 10 ** max(len(f"{number:.0f}") - digits, 0)
    return f"{round(number / power) * power:,.0f}"


def month_name(start: str, month: int) -> str:
    """The calendar month of a month index, e.g. Jan 2027."""
    year, first = int(start[:4]), int(start[5:])
    index = first - 1 + month
    return f"{_MONTHS[index % 12]} {year + index // 12}"


def mover(key: str, label: str) -> str:
    """What moves the cost, as the subject of a sentence."""
    return _MOVERS.get(key) or f"“{label[:1].lower()}{label[1:]}”"


def headline(label: str, annual: Band, months: int, driver: str, break_even: str) -> str:
    """What the option costs (P50), how sure (P10 to P90), what moves it most, and from where own GPUs pay."""
    span = "in the first year" if months >= 12 else f"in {months} month{'s' if months > 1 else ''}"
    cost = f"{label} costs about {short_usd(annual.p50)} {span}"
    if short_usd(annual.p10) != short_usd(annual.p90):
        cost += f", most likely {short_usd(annual.p10)} to {short_usd(annual.p90)}"
    decided = f"; {driver} moves it most." if driver else "."
    return f"{cost}{decided}{f' {break_even}' if break_even else ''}"


def own_gpus_sentence(line: BreakEven | None, today: float, *, chosen_own: bool = False) -> str:
    """From which volume own GPUs pay, and how far that is from today's; "" when it cannot be said.

    Where the option shown runs on own GPUs (`chosen_own`), the same said of what a provider would cost.
    """
    if line is None or not line.curve_requests_per_day:
        return ""
    if line.requests_per_day is None:
        last = short_count(line.curve_requests_per_day[-1])
        if line.above_usd_per_month[-1] < line.below_usd_per_month[-1]:
            return "Own GPUs are cheaper at every volume."
        if chosen_own:
            return f"A provider’s service would cost less at any volume up to {last} requests a day."
        return f"Own GPUs do not pay up to {last} requests a day."
    at = line.requests_per_day
    if today > at:
        return f"Own GPUs pay from about {short_count(at)} requests a day."
    ratio = at / today if today > 0 else 0.0
    times = f", some {short_count(ratio)} times today’s volume" if ratio >= 1.5 else ""
    if chosen_own:
        return f"A provider’s service would cost less below about {short_count(at)} requests a day{times}."
    return f"Own GPUs pay only above about {short_count(at)} requests a day{times}."


def hours_words(hours: float) -> str:
    """A duration: 12 minutes, 3.4 hours, 2.1 days."""
    if hours < 1:
        return f"{max(hours * 60, 1):.0f} minutes"
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"


def count_words(number: float, one: str) -> str:
    """A counted noun: 1 replica, 2 replicas, 2.4 replicas."""
    text = f"{number:.0f}" if abs(number - round(number)) < 0.05 else f"{number:.1f}"
    return f"{text} {one}" if text == "1" else f"{text} {one}s"
