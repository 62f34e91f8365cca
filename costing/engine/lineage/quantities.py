"""What the components are made of: every named quantity of an option as a formula over inputs, prices, quantities.

A quantity without a formula is found by a search or a simulation of hardware; it names what it rests on. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from costing.engine.lineage.formula import Formula
from costing.engine.options.blueprints import Blueprint
from costing.engine.tokens import CACHE_MINUTES
from costing.engine.units import DAYS_PER_MONTH, HOURS_PER_MONTH


@dataclass(frozen=True)
class Quantity:
    """One named step on the way to a component; `rests_on` only where it has no formula."""

    label: str
    unit: str
    formula: Formula | None
    methods: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()


def quantity(label: str, unit: str, formula: str, *methods: str) -> Quantity:
    return Quantity(label, unit, Formula(formula), methods)


EMPLOYER = "* employer_load / productive_hours_per_year"
COMMON = {
    "engineer_hour": quantity(
        "an engineer’s hour", "USD", f"engineer_salary_usd_per_year {EMPLOYER}", "loaded_usd_per_hour"
    ),
    "expert_hour": quantity("an expert’s hour", "USD", f"expert_salary_usd_per_year {EMPLOYER}", "loaded_usd_per_hour"),
    "requests_month": quantity("requests a month", "requests", f"requests_per_day * {DAYS_PER_MONTH}"),
    "calls_month": quantity("model calls a month", "calls", "requests_month * calls_per_request"),
    "token_factor": quantity("tokens, against English", "", "tokenizer_factor * language_token_factor"),
    "reasoning": quantity("reasoning tokens", "tokens", "answer * reasoning_tokens_share"),
    "passages": quantity(
        "passages in the prompt",
        "tokens",
        "retrieved_passages * passage_tokens * tokenizer_factor",
        "extra_prompt_tokens",
    ),
    "judge": quantity(
        "price of a judge’s verdict",
        "USD",
        "(judge_input_tokens * api_input + judge_output_tokens * api_output) / 1000000",
        "api_usd_per_request",
    ),
    "gold_set": quantity("making the evaluation cases", "USD", "eval_cases * eval_case_minutes / 60 * expert_hour"),
    "again_share": quantity("tokens of a retraining, against the first run", "", "replay_share + new_examples_share"),
    "vectors": quantity(
        "vectors in the index",
        "vectors",
        "max(corpus_tokens / (passage_tokens * (1 - chunk_overlap_share)), 1)",
        "chunk_count",
    ),
    "searches_month": quantity("searches a month", "searches", "calls_month * (1 + retry_rate)"),
    "churn": quantity("share of the corpus that changes in a month", "", "corpus_churn_percent_per_month / 100"),
}


def quantities(plan: Blueprint, priced: Collection[str], counted: Collection[str] = ()) -> dict[str, Quantity]:
    """All named quantities of an option: `priced` are the names of the prices its rows have, `counted` the inputs whose
    lengths were measured in the model's own tokens.
    """
    found = _lengths(counted) | COMMON | _prompts(plan, counted) | _people(plan) | _evaluation(plan) | _changes(plan)
    if plan.own_gpus:
        found |= _own_gpus(plan)
    else:
        found |= _call("plain", plan, "own_prompt" if plan.retrieval else "prompt", priced, facts=not plan.retrieval)
        if plan.retrieval:
            found |= _passages(plan, priced)
        found |= _call("candidate", plan, "prompt", priced, facts=False, cached=False)
    if plan.tuned:
        found |= _training(plan)
    if plan.retrieval:
        found |= _searching(priced)
    return found


def _tokens(key: str, counted: Collection[str], factor: str = "token_factor") -> str:
    """A length as the model counts it: a measured one is in its tokens already."""
    return key if key in counted else f"{key} * {factor}"


def _lengths(counted: Collection[str]) -> dict[str, Quantity]:
    documents = _tokens("document_tokens", counted, "language_token_factor")
    return {
        "answer": quantity("tokens of an answer", "tokens", _tokens("output_tokens", counted)),
        "facts": quantity("facts in the prompt", "tokens", _tokens("cached_prompt_tokens", counted)),
        "trained_tokens": quantity(
            "tokens trained in the first run",
            "tokens",
            f"training_examples * {_tokens('tokens_per_example', counted)} * epochs",
            "trained_tokens",
        ),
        "corpus_tokens": quantity("tokens of the documents", "tokens", f"corpus_documents * {documents}"),
        "asked": quantity("tokens of a search", "tokens", _tokens("query_tokens", counted, "language_token_factor")),
    }


def _prompts(plan: Blueprint, counted: Collection[str]) -> dict[str, Quantity]:
    share = " * tuned_instruction_share" if plan.tuned else ""
    beside = "passages" if plan.retrieval else "facts"
    return {
        "asked_now": quantity("tokens of a request", "tokens", _tokens("input_tokens", counted)),
        "said_before": quantity(
            "earlier turns in the prompt",
            "tokens",
            "max(conversation_turns - 1, 0) / 2 * (asked_now + answer)",
            "history_tokens",
        ),
        "own_prompt": quantity(
            "request and instructions",
            "tokens",
            f"asked_now + said_before + {_tokens('instruction_tokens', counted)}{share}",
        ),
        "prompt": quantity("tokens of a prompt", "tokens", f"own_prompt + {beside}", "prompt_tokens"),
    }


def _call(
    name: str, plan: Blueprint, prompt: str, priced: Collection[str], *, facts: bool, cached: bool = True
) -> dict[str, Quantity]:
    """A call of a hosted model, by the prices its row has: a price it lacks gives no discount."""
    row = "api" if plan.hosting == "api" else "tuned"
    paid_in, paid_out = f"{row}_input", f"{row}_output"
    tokens_in = f"{prompt} * {paid_in}"
    if cached and f"{row}_cached" in priced:
        held = "own_prompt * cached_input_share" + (" + facts * cache_hit_rate" if facts else "")
        tokens_in += f" - ({held}) * ({row}_input - {row}_cached)"
    if cached and f"{row}_write" in priced:
        missed = "own_prompt * min(cached_input_share * (1 - cache_hit_rate) / cache_hit_rate, 1 - cached_input_share)"
        missed += " + facts * (1 - cache_hit_rate)" if facts else ""
        write = f"{row}_write"
        if f"{row}_write_hour" in priced:
            write = f"above(cache_lifetime_minutes, {CACHE_MINUTES:g}, {row}_write_hour, {row}_write)"
        tokens_in += f" + ({missed}) * ({write} - {row}_input)"
    tokens_out = f"(answer + reasoning) * {paid_out}"
    found = {}
    for side, tokens, label in (("in", tokens_in, "price of the prompt"), ("out", tokens_out, "price of the answer")):
        whole = "input" if side == "in" else "output"
        text = f"({tokens})"
        if f"{row}_batch_{whole}" in priced:
            text += f" * (1 - batch_share * (1 - {row}_batch_{whole} / {row}_{whole}))"
        if f"{row}_long_{whole}" in priced:
            text += f" * above({prompt}, {row}_long_threshold, {row}_long_{whole} / {row}_{whole}, 1)"
        found[f"{name}_{side}"] = quantity(label, "USD", f"{text} / 1000000", "inference_prices")
    surcharge = " * tuned_inference_surcharge" if plan.hosting == "managed" else ""
    label = {"plain": "price of a call", "full": "price with its passages", "candidate": "price of an answer"}[name]
    found[f"{name}_call"] = quantity(
        label, "USD", f"(1 + retry_rate) * ({name}_in + {name}_out){surcharge}", "api_usd_per_request"
    )
    return found


def _passages(plan: Blueprint, priced: Collection[str]) -> dict[str, Quantity]:
    """What passages add to a call: their tokens, unless a long prompt is priced otherwise as a whole."""
    row = "api" if plan.hosting == "api" else "tuned"
    if plan.hosting == "managed":  # the endpoint's rent is a floor under each of the two
        return _call("full", plan, "prompt", priced, facts=False)
    if f"{row}_long_input" in priced or f"{row}_long_output" in priced:
        added = quantity("what the passages add to a call", "USD", "full_call - plain_call")
        return _call("full", plan, "prompt", priced, facts=False) | {"passages_call": added}
    batch = f" * (1 - batch_share * (1 - {row}_batch_input / {row}_input))" if f"{row}_batch_input" in priced else ""
    text = f"(1 + retry_rate) * passages * {row}_input{batch} / 1000000"
    return {"passages_call": quantity("what the passages add to a call", "USD", text, "api_usd_per_request")}


SIZED_BY = ("latency_target_ms", "first_token_share", "latency_stretch", "serving_speed_factor", "target_utilisation")
LOAD = ("requests_per_day", "calls_per_request", "retry_rate", "peak_to_average", "minimum_replicas")
ANSWERED = (
    "input_tokens",
    "instruction_tokens",
    "output_tokens",
    "reasoning_tokens_share",
    "conversation_turns",
    "tokenizer_factor",
    "language_token_factor",
)
COLD_START = (  # what replicas that follow the load cost while they start and before they stop
    "replica_provision_minutes",
    "replica_image_minutes",
    "weights_load_gib_per_s",
    "replica_warm_up_s",
    "load_rises_per_day",
    "scale_in_delay_minutes",
)
SERVING_METHODS = (
    "capacity_requests_per_s",
    "decode_step_s",
    "prefill_s",
    "kv_batch",
    "replicas",
)


def _own_gpus(plan: Blueprint) -> dict[str, Quantity]:
    """GPUs paid for: replicas by the busiest hour, latency targets and KV room."""
    tuned = ("tuned_instruction_share",) if plan.tuned else ()
    shared = ("shared_minimum_share", "multi_adapter_slowdown") if plan.shared else COLD_START
    base = (*LOAD, *ANSWERED, *SIZED_BY, *tuned, *shared, "autoscaled_share", "cached_input_share")
    facts = () if plan.retrieval else ("cached_prompt_tokens", "cache_hit_rate")
    read = ("retrieved_passages", "passage_tokens") if plan.retrieval else ()
    label = "GPUs without the passages" if plan.retrieval else "GPUs"
    rent = f"* {HOURS_PER_MONTH} * gpu_usd_per_hour"
    return {
        # the replica sizes are chosen for the whole prompt, passages included
        "gpus": Quantity(
            label,
            "GPUs",
            None,
            SERVING_METHODS,
            (*base, *facts, *read),
        ),
        "gpus_with_passages": Quantity("GPUs with the passages", "GPUs", None, SERVING_METHODS, (*base, *read)),
        "rent": quantity("rent of these GPUs for a month", "USD", f"gpus {rent}", "rent_usd"),
        "rent_with_passages": quantity("rent with the passages", "USD", f"gpus_with_passages {rent}"),
    }


RUN_SHAPE = ("training_examples", "tokens_per_example", "epochs", "run_fixed_hours", "longest_run_hours")
RUN_METHODS = ("tokens_per_s_per_gpu", "training_memory_gib", "plan_training")


def _training(plan: Blueprint) -> dict[str, Quantity]:
    if plan.method == "managed":
        price = "* (billed_padding_factor + validation_share) * managed_training_usd_per_mtok / 1000000"
        runs = {
            "first": f"(sweep_runs + 1) * trained_tokens {price}",
            "again": f"(sweep_runs * resweep_share + 1) * trained_tokens * again_share {price}",
            "moved": f"(sweep_runs + 1) * trained_tokens * max(again_share, 1) {price}",
        }
        methods: tuple[str, ...] = ("managed_training_usd",)
        hardware: dict[str, Quantity] = {}
    else:
        shape = RUN_SHAPE if plan.method == "full" else (*RUN_SHAPE, "adapter_rank")
        hardware = {
            "gpu_hours_per_token": Quantity("GPU-hours per trained token", "GPU-hours", None, RUN_METHODS, shape),
            "training_gpus": Quantity("GPUs of a run", "GPUs", None, RUN_METHODS, shape),
        }
        tries = "1 / (1 - run_failure_rate)"
        each = "(trained_tokens{share} * gpu_hours_per_token * training_time_factor + run_fixed_hours * training_gpus)"
        end = f"* {each} * training_gpu_usd_per_hour"
        runs = {
            "first": f"(sweep_runs + {tries}) {end.format(share='')}",
            "again": f"(sweep_runs * resweep_share + {tries}) {end.format(share=' * again_share')}",
            "moved": f"(sweep_runs + {tries}) {end.format(share=' * max(again_share, 1)')}",
        }
        methods = ("run_gpu_hours", "expected_runs")
        if plan.method == "full":
            hardware["version_gb"] = Quantity("one kept version, all weights", "GB", None, ("weights_bytes",))
        else:
            kept = Quantity("one kept version, adapter weights", "GB", None, ("lora_parameters",), ("adapter_rank",))
            hardware["version_gb"] = kept
    labels = {
        "first": "the runs of the first training",
        "again": "the runs of a retraining",
        "moved": "the runs on another base model",
    }
    return hardware | {f"{key}_runs": quantity(labels[key], "USD", text, *methods) for key, text in runs.items()}


def _people(plan: Blueprint) -> dict[str, Quantity]:
    fte, hours = "ops_fte_api", "build_prompt_hours"
    whole = " * full_tuning_work_factor" if plan.method == "full" else ""
    shared = " * shared_ops_share" if plan.shared else ""
    if plan.own_gpus:
        fte, hours = f"{fte} + ops_fte_self_hosted{shared}", f"{hours} + build_serving_hours{shared}"
    if plan.tuned:
        fte, hours = f"{fte} + ops_fte_tuning", f"{hours} + build_tuning_hours{whole}"
    if plan.retrieval:
        fte, hours = f"{fte} + ops_fte_retrieval", f"{hours} + build_retrieval_hours"
    found = {
        "staff": quantity("people who run it", "full-time", fte),
        "building": quantity("engineers’ work before the start", "hours", hours),
        "review_hour": quantity(
            "an hour of review", "USD", "expert_hour" + (" * tuning_governance_factor" if plan.tuned else "")
        ),
        "approval": quantity("approval of a new version", "USD", "governance_hours_per_release * review_hour"),
    }
    if plan.tuned:
        found["retraining_work"] = quantity("engineers’ work on a retraining", "hours", f"retraining_hours{whole}")
    return found


def _evaluation(plan: Blueprint) -> dict[str, Quantity]:
    """One run; on own GPUs the candidate answers on replicas that are paid for already."""
    candidate = "" if plan.own_gpus else "candidate_call + "
    more = " * (1 + full_regression_share)" if plan.method == "full" else ""
    read = "eval_human_share * eval_review_minutes / 60 * expert_hour"
    return {
        "evaluation_run": quantity(
            "price of an evaluation run", "USD", f"eval_cases * ({candidate}judge + {read}){more}", "evaluation_run_usd"
        )
    }


def _changes(plan: Blueprint) -> dict[str, Quantity]:
    """What one retraining or one move to another model costs with all it entails."""
    if not plan.tuned:
        return {
            "migration": quantity(
                "a move to another model",
                "USD",
                "migration_hours * engineer_hour + evaluation_run + approval",
            )
        }
    examples = (
        "training_examples * {share}label_share_paid * hours_per_example * rework_factor * expert_hour"
        " + raw_records / 1000 * scrub_usd_per_1000_records{tail}"
    )
    work = "retraining_work * engineer_hour"
    return {
        "examples": quantity(
            "the examples, made and masked",
            "USD",
            examples.format(share="", tail=""),
            "example_making_usd",
        ),
        "new_examples": quantity("new examples for a new version", "USD", "examples * new_examples_share"),
        "retraining_step": quantity(
            "a retraining with all it entails",
            "USD",
            f"again_runs + {work} + new_examples + evaluation_run + approval",
        ),
        "migration": quantity(
            "a move to another model",
            "USD",
            f"moved_runs + migration_hours * engineer_hour + {work} + new_examples + evaluation_run + approval",
        ),
    }


def _searching(priced: Collection[str]) -> dict[str, Quantity]:
    query = "asked * embedding_tokens / 1000000"
    if "reranking_queries" in priced:
        query += " + up(max(reranked_passages, 1) / 100) * reranking_queries / 1000"
    elif "reranking_tokens" in priced:
        query += " + reranked_passages * (asked + passage_tokens) * reranking_tokens / 1000000"
    meters = {
        "store_gb": "stored_gb * store_gb",
        "store_gib": "stored_gb * 1000000000 / 1073741824 * store_gib",
        "store_dimensions": "vectors * embedding_dimensions / 1000000 * store_dimensions",
        "store_reads": "searches_month * max(1, stored_gb) / 1000000 * store_reads",
        "store_writes": "vectors * {written} * up(record_bytes / 1000) / 1000000 * store_writes",
    }
    text = " + ".join(meter for name, meter in meters.items() if name in priced) or "0"
    if "store_minimum" in priced:
        text = f"max({text}, store_minimum)"
    return {
        "ingestion": quantity(
            "embedding the whole corpus",
            "USD",
            "vectors * passage_tokens * embedding_tokens / 1000000",
            "ingest_tokens",
            "embedding_usd",
        ),
        "query": quantity("price of a search", "USD", query, "embedding_usd", "rerank_usd_per_query"),
        "record_bytes": quantity("a vector’s size", "bytes", "embedding_dimensions * 4 + vector_metadata_bytes"),
        "stored_gb": quantity("stored vectors", "GB", "vectors * record_bytes / 1000000000", "stored_bytes"),
        "store": quantity(
            "the store in its first month",
            "USD",
            text.format(written="(1 + churn)"),
            "store_usd_per_month",
        ),
    }
