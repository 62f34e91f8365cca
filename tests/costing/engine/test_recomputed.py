"""Three options recomputed month by month in plain Python, from the numbers of the scenario and the catalogue alone."""

import math
from functools import partial

import pytest

from costing.engine.inputs import Choices
from costing.engine.project import project
from costing.engine.results import COMPONENTS
from costing.engine.serving import SERVING
from costing.engine.setting import prepare

from .scenarios import CATALOGUE, certain

MONTHS = 24
DAYS, HOURS = 365.25 / 12, 365.25 / 12 * 24
CHOICES = Choices(
    api_model="openai:gpt-6-sol", reranker="voyage:voyage/rerank-2.5", gpu="H100-SXM", training_gpu="H100-SXM"
)
LIVELY = {
    "requests_per_day": 3_000_000,  # enough for a dozen replicas
    "growth_percent_per_month": 3,
    "calls_per_request": 1.5,
    "peak_to_average": 2.5,
    "input_tokens": 900,
    "instruction_tokens": 600,
    "output_tokens": 200,
    "reasoning_tokens_share": 0.25,
    "tokenizer_factor": 1.1,
    "cached_input_share": 0.2,
    "cached_prompt_tokens": 1500,
    "cache_hit_rate": 0.9,
    "retry_rate": 0.05,
    "batch_share": 0.1,
    "repick_saving_share": 0.3,
    "gpu_price_log_rate_per_year": -0.1,
    "model_retirement_months": 7.5,
    "next_model_retirement_months": 9,
    "requirement_change_months": 5,
    "base_release_months": 4,
    "base_release_gain_percent": 3,
    "value_usd_per_month": 90_000,
    "retraining_months": 6,
    "reembed_every_months": 10,
    "eval_every_months": 4,
    "corpus_documents": 4_000_000,  # above the store's monthly minimum
    "storage_usd_per_gb_month": 0.05,
}


@pytest.fixture(scope="module")
def found():
    spec = certain(months=MONTHS, choices=CHOICES, **LIVELY)
    values = {one.key: one.value for one in spec.inputs}
    phases = {k: v.item() for k, v in prepare(spec, CATALOGUE, draws=1).sample.events.items()}
    return project(spec, CATALOGUE, draws=1), values, phases


# --- the plain recomputation: a dictionary of numbers in, a number out ---


def every(interval, phase, month):
    """Events at phase × interval, then each interval, that fall into the month."""
    return sum(1 for k in range(1000) if month <= (phase + k) * interval < month + 1)


def once(time, month):
    return 1 if math.floor(time) == month else 0


def hour(v, who):
    return v[f"{who}_salary_usd_per_year"] * v["employer_load"] / v["productive_hours_per_year"]


def calls(v, month):
    return v["requests_per_day"] * DAYS * (1 + v["growth_percent_per_month"] / 100) ** month * v["calls_per_request"]


def call_usd(v, prompt, cached, written, row):
    read = (prompt - cached - written) * row.input_usd_per_mtok
    read += cached * row.cached_input_usd_per_mtok + written * row.cache_write_5m_usd_per_mtok
    wrote = v["output_tokens"] * v["tokenizer_factor"] * (1 + v["reasoning_tokens_share"]) * row.output_usd_per_mtok
    half = 1 - v["batch_share"] / 2  # batch costs half
    return (read + wrote) / 1e6 * half * (1 + v["retry_rate"])


def api_path(v, month):
    """Only whoever migrates gets the cheaper price, from the month after."""
    first, second = v["model_retirement_months"], v["model_retirement_months"] + v["next_model_retirement_months"]
    years = (second if month > math.floor(second) else first if month > math.floor(first) else 0) / 12
    return v["repick_price_factor_per_year"] ** (-v["repick_saving_share"] * years)


def evaluation_usd(v, candidate_usd):
    row = CATALOGUE.api_model("", CHOICES.api_model)
    judge = v["judge_input_tokens"] * row.input_usd_per_mtok + v["judge_output_tokens"] * row.output_usd_per_mtok
    people = v["eval_human_share"] * v["eval_review_minutes"] / 60 * hour(v, "expert")
    return v["eval_cases"] * (candidate_usd + judge / 1e6 + people)


def common(v, phases, month, *, build_hours, fte, releases, minor, candidate_usd, review_factor=1.0):
    """Evaluation, operations and governance, which differ between options by a few numbers only."""
    row = CATALOGUE.api_model("", CHOICES.api_model)
    start = 1 if month == 0 else 0
    changed = every(v["requirement_change_months"], phases["requirement_phase"], month)
    regular = every(v["eval_every_months"], phases["evaluation_phase"], month)
    gold = v["eval_cases"] * v["eval_case_minutes"] / 60 * hour(v, "expert")
    judge = v["judge_input_tokens"] * row.input_usd_per_mtok + v["judge_output_tokens"] * row.output_usd_per_mtok
    watched = v["log_usd_per_million_requests"] / 1e6 + v["judged_traffic_share"] * judge / 1e6
    hours = start * v["governance_initial_hours"] + releases * v["governance_hours_per_release"]
    hours += minor * v["governance_hours_per_release"] * v["minor_review_share"]
    hours += v["governance_hours_per_year"] if month > 0 and month % 12 == 0 else 0
    runs = start + releases + minor + regular
    wages = v["engineer_salary_usd_per_year"] * v["employer_load"] / 12
    return {
        "evaluation": runs * evaluation_usd(v, candidate_usd) + (start + changed * v["eval_upkeep_share"]) * gold,
        "operations": start * build_hours * hour(v, "engineer")
        + fte * wages
        + calls(v, month) / v["calls_per_request"] * watched,
        "governance": hours * review_factor * hour(v, "expert"),
    }


def api_option(v, phases, month, *, retrieval):
    row, t = CATALOGUE.api_model("", CHOICES.api_model), v["tokenizer_factor"]
    own = (v["input_tokens"] + v["instruction_tokens"]) * t
    facts, passages = v["cached_prompt_tokens"] * t, v["retrieved_passages"] * v["passage_tokens"] * t
    start = 1 if month == 0 else 0
    moved = once(v["model_retirement_months"], month)
    moved += once(v["model_retirement_months"] + v["next_model_retirement_months"], month)
    changed = every(v["requirement_change_months"], phases["requirement_phase"], month)
    hit = own * v["cached_input_share"]
    missed = hit * (1 - v["cache_hit_rate"]) / v["cache_hit_rate"]  # written anew
    month_usd = dict.fromkeys(COMPONENTS, 0.0)
    volume = calls(v, month) * api_path(v, month)
    if retrieval:
        month_usd["serving"] = volume * call_usd(v, own, hit, missed, row)
        with_passages = call_usd(v, own + passages, hit, missed, row)
        month_usd["retrieval"] = volume * with_passages - month_usd["serving"] + index_usd(v, month)
        minutes = v["corpus_documents"] * v["preparation_minutes_per_document"]
        again = v["corpus_churn_percent_per_month"] / 100 * v["churn_preparation_share"]
        month_usd["data"] = minutes / 60 * hour(v, "expert") * (start + again)
    else:
        found = facts * v["cache_hit_rate"]
        month_usd["serving"] = volume * call_usd(v, own + facts, hit + found, missed + facts - found, row)
    month_usd["retraining"] = hour(v, "engineer") * (
        moved * v["migration_hours"] + changed * v["requirement_change_hours"]
    )
    month_usd |= common(
        v,
        phases,
        month,
        build_hours=v["build_prompt_hours"] + (v["build_retrieval_hours"] if retrieval else 0),
        fte=v["ops_fte_api"] + (v["ops_fte_retrieval"] if retrieval else 0),
        releases=moved,
        minor=changed,
        candidate_usd=call_usd(v, own + (passages if retrieval else facts), 0, 0, row),
    )
    return month_usd


def index_usd(v, month):
    """Embedding, searches and the store, without the passages' tokens."""
    embedding, reranker = CATALOGUE.embedding("openai:text-embedding-3-small"), CATALOGUE.embedding(CHOICES.reranker)
    store = CATALOGUE.vector_store("pinecone:Standard on-demand")
    share = v["corpus_churn_percent_per_month"] / 100 + (month == 0) + every(v["reembed_every_months"], 1, month)
    chunks = v["corpus_documents"] * v["document_tokens"] / (v["passage_tokens"] * (1 - v["chunk_overlap_share"]))
    searches = calls(v, month) * (1 + v["retry_rate"])
    embedded = share * chunks * v["passage_tokens"] + searches * v["query_tokens"]
    reranked = searches * v["reranked_passages"] * (v["query_tokens"] + v["passage_tokens"])
    record = embedding.dimensions * 4 + v["vector_metadata_bytes"]
    gb = chunks * record / 1e9
    units = searches * max(1, gb) * store.usd_per_million_read_units
    units += share * chunks * math.ceil(record / 1000) * store.usd_per_million_write_units
    stored = max(gb * store.usd_per_gb_month + units / 1e6, store.minimum_usd_per_month)
    return (embedded * embedding.usd_per_mtok + reranked * reranker.usd_per_mtok) / 1e6 + stored


def replica_requests_per_s(v, prompt, cached, output):
    """One H100 with Qwen3-8B in bf16, from the two rows and the additive step model; it has room enough on one GPU."""
    gpu, model = CATALOGUE.gpu("H100-SXM"), CATALOGUE.model("Qwen3-8B")
    h, layers, width, c = model.hidden, model.layers, model.heads * model.head_dim, SERVING
    head = 2 * model.vocab * h  # the input embedding is looked up, the output head multiplied
    flops = 2 * model.params_total - 2 * head
    bandwidth, peak = c.read_hopper * gpu.bandwidth_gb_s * 1e9, gpu.bf16_tflops_dense * 1e12
    compute = c.compute_hopper * peak
    kv = 2 * layers * model.kv_heads * model.head_dim * 2
    weights_s = (2 * model.params_total - 2 * model.vocab * h) / bandwidth
    fixed_s, token_s = c.launch_usual_us * 1e-6 * layers, kv / (c.kv_read * bandwidth)
    sequence_s = (flops + head) / compute + c.sequence_us * 1e-6
    room = ((0.9 * gpu.memory_gib - 2) * 2**30 - 2 * model.params_total) / kv
    fresh = prompt - cached
    square = 2 * layers * width / (c.attention * peak)
    prefill = fresh * flops / (c.prefill * compute) + fresh * (prompt + cached) * square
    context = prompt + output / 2
    first_s = v["latency_target_ms"] / 1000 * v["first_token_share"]
    # the plan's target, for the answer at the medians, which here is the answer itself
    target_s = (v["latency_target_ms"] / 1000 - first_s) / output
    batch = (target_s - fixed_s - weights_s) / (sequence_s + context * token_s + prefill / output)
    batch = math.floor(min(batch, math.floor(room / context), 1024))
    step = fixed_s + weights_s + batch * (sequence_s + context * token_s)
    slack = first_s - 0.010 - prefill - step
    odds = 2 * slack / (math.log(100) * prefill)
    return min(1 / (prefill + output * step / batch), odds / (1 + odds) / prefill)


def following_replicas(v, needed, least):
    """The mean of max(least, load + ½) over a week, and what runs ahead of each rise and after it."""
    if needed <= least:
        return least
    weights_gib = 2 * CATALOGUE.model("Qwen3-8B").params_total / 2**30
    minutes = v["replica_provision_minutes"] + v["replica_image_minutes"] + v["scale_in_delay_minutes"]
    hours = minutes / 60 + (weights_gib / v["weights_load_gib_per_s"] + v["replica_warm_up_s"]) / 3600
    p, edge = v["peak_to_average"], least - 0.5
    busy = 1 - (edge / needed) ** (1 / (p - 1))  # share of the week with more than the minimum
    area = needed * (1 - (1 - busy) ** p) / p - edge * busy
    return least + area + v["load_rises_per_day"] * hours / 24 * (needed - edge)


def gpu_usd(v, month, prompt, cached):
    output = v["output_tokens"] * v["tokenizer_factor"] * (1 + v["reasoning_tokens_share"])
    able = replica_requests_per_s(v, prompt, cached, output) * v["serving_speed_factor"] * v["target_utilisation"]
    mean = calls(v, month) * (1 + v["retry_rate"]) / (HOURS * 3600) / able
    needed, least = mean * v["peak_to_average"], v["minimum_replicas"]
    always = max(math.ceil(needed), least)
    running = always - v["autoscaled_share"] * (always - following_replicas(v, needed, least))
    return running * HOURS * v["gpu_usd_per_hour"] * math.exp(v["gpu_price_log_rate_per_year"] * (month + 0.5) / 12)


def lora_option(v, phases, month, *, run_usd):
    """`run_usd` of the first run, fixed part and part that grows with the tokens."""
    t = v["tokenizer_factor"]
    own = (v["input_tokens"] + v["instruction_tokens"] * v["tuned_instruction_share"]) * t
    facts = v["cached_prompt_tokens"] * t
    cached = own * v["cached_input_share"] + facts * v["cache_hit_rate"]
    start = 1 if month == 0 else 0
    fixed_usd, tokens_usd = run_usd
    tries = 1 / (1 - v["run_failure_rate"])
    share = v["replay_share"] + v["new_examples_share"]
    first = (v["sweep_runs"] + tries) * (fixed_usd + tokens_usd)
    again = (v["sweep_runs"] * v["resweep_share"] + tries) * (fixed_usd + tokens_usd * share)
    moved_usd = (v["sweep_runs"] + tries) * (fixed_usd + tokens_usd * max(share, 1))
    making = v["training_examples"] * v["label_share_paid"] * v["hours_per_example"] * v["rework_factor"]
    examples = making * hour(v, "expert") + v["raw_records"] / 1000 * v["scrub_usd_per_1000_records"]
    approval = v["governance_hours_per_release"] * v["tuning_governance_factor"] * hour(v, "expert")
    hours = v["migration_hours"] + v["retraining_hours"]
    one_move = moved_usd + hours * hour(v, "engineer") + examples * v["new_examples_share"]
    one_move += evaluation_usd(v, 0) + approval
    growth = v["value_usd_per_month"] * v["base_release_gain_percent"] / 100 / v["base_release_months"]
    pays = math.sqrt(2 * one_move / growth)
    adopted = v["base_release_months"] * max(math.ceil(pays / v["base_release_months"]), 1)
    moved = every(adopted, phases["base_release_phase"], month)
    between = v["requirement_change_months"] * (1 - math.exp(-v["retraining_months"] / v["requirement_change_months"]))
    between = max(between, v["fastest_retraining_months"])
    retrained = max(every(between, 1, month) - moved, 0)
    rent = math.exp(v["gpu_price_log_rate_per_year"] * (month + 0.5) / 12)
    model = CATALOGUE.model("Qwen3-8B")
    h, q, kv = model.hidden, model.heads * model.head_dim, model.kv_heads * model.head_dim
    sides = (h + q) + 2 * (h + kv) + (q + h) + 3 * (h + model.intermediate)
    adapter_gb = 2 * v["adapter_rank"] * model.layers * sides / 1e9
    month_usd = dict.fromkeys(COMPONENTS, 0.0)
    month_usd["training"] = start * first * rent
    month_usd["retraining"] = (retrained * again + moved * moved_usd) * rent
    month_usd["retraining"] += (retrained * v["retraining_hours"] + moved * hours) * hour(v, "engineer")
    month_usd["serving"] = gpu_usd(v, month, own + facts, cached)
    month_usd["data"] = examples * (start + (retrained + moved) * v["new_examples_share"])
    month_usd["data"] += start * v["guideline_hours"] * hour(v, "expert")
    month_usd |= common(
        v,
        phases,
        month,
        build_hours=v["build_prompt_hours"] + v["build_tuning_hours"] + v["build_serving_hours"],
        fte=v["ops_fte_api"] + v["ops_fte_self_hosted"] + v["ops_fte_tuning"],
        releases=retrained + moved,
        minor=0,
        candidate_usd=0,
        review_factor=v["tuning_governance_factor"],
    )
    month_usd["operations"] += adapter_gb * v["kept_versions"] * v["storage_usd_per_gb_month"]
    return month_usd


# --- the comparison ---


def assert_same(option, recomputed):
    for month in range(MONTHS):
        expected = recomputed(month)
        for key in COMPONENTS:
            got = option.components_mean_usd[key][month]
            # a part may be rounded up to a cent away, so that the parts add up to the month
            assert got == pytest.approx(expected[key], rel=1e-9, abs=0.0101), (key, month)
        assert option.monthly_mean_usd[month] == pytest.approx(sum(expected.values()), rel=1e-9, abs=0.0051)


@pytest.mark.parametrize(("key", "retrieval"), [("prompting_api", False), ("rag_api", True)])
def test_an_option_on_an_api_by_another_road(found, key, retrieval):
    result, v, phases = found
    assert_same(result.option(key), partial(api_option, v, phases, retrieval=retrieval))


def test_an_adapter_on_own_gpus_by_another_road(found):
    result, v, phases = found
    # the training speed is proved elsewhere; here the fit table's price of one run is enough
    run = next(row for row in result.gpu_fit if (row.gpu, row.job) == ("H100-SXM", "training lora"))
    fixed_usd = v["run_fixed_hours"] * run.count * v["training_gpu_usd_per_hour"]
    tokens_usd = (run.usd - fixed_usd) * v["training_time_factor"]
    option = result.option("self_hosted_lora")
    assert option.facts["Replicas at the start"].endswith(" replicas of H100-SXM")
    assert_same(option, partial(lora_option, v, phases, run_usd=(fixed_usd, tokens_usd)))


def test_discounting_the_months_gives_the_net_present_value(found):
    result, v, _ = found
    for option in result.options:
        months = enumerate(option.monthly_mean_usd)
        rate = 1 + v["discount_rate_percent_per_year"] / 100
        expected = sum(usd / rate ** ((month + 0.5) / 12) for month, usd in months)
        assert option.npv_usd.mean == pytest.approx(expected, abs=0.2)
