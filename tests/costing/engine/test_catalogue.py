import shutil
from datetime import date

import pytest

from costing.engine import catalogue
from costing.engine.catalogue import Catalogue, load, load_from
from costing.engine.memory import embedding_parameters, linear_shapes
from costing.engine.serving import plan_serving
from costing.engine.training import plan_training


@pytest.fixture
def directory(tmp_path):
    """A copy of the shipped files, to break one of."""
    copy = tmp_path / "data"
    shutil.copytree(catalogue.DATA, copy)
    return copy


def change(directory, name, old, new, count=1):
    path = directory / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def test_every_row_names_its_source_and_day():
    c = load()
    for name in catalogue.FILES:
        for row in getattr(c, name):
            assert row.source != ""
            date.fromisoformat(row.as_of)


def test_it_is_read_once_and_its_rows_are_frozen():
    assert load() is load()
    with pytest.raises(AttributeError):
        load().gpus[0].memory_gib = 1  # type: ignore[misc]


def test_version_is_the_newest_day_and_changes_with_the_files(directory):
    c = load()
    newest = max(row.as_of for name in catalogue.FILES for row in getattr(c, name))
    assert c.version.startswith(f"{newest}+")
    assert len(c.version) == len("2026-01-01+00000000")
    assert load_from(directory).version == c.version
    change(directory, "gpu_prices.csv", "6.88", "6.89")
    assert load_from(directory).version != c.version


def test_lookups_find_rows_by_name_and_by_key():
    c = load()
    assert c.gpu("H100-SXM").memory_gib == 80
    assert c.model("Llama-3-70B").layers == 80
    assert c.api_model("openai", "gpt-6-luna").output_usd_per_mtok == 0.5
    assert c.api_model("", "openai:gpt-6-luna") == c.api_model("openai", "gpt-6-luna")
    assert c.api_model("", "bedrock:amazon.nova-lite-v1:0").provider == "bedrock"
    assert c.training_price("openai", "gpt-4o").training_usd_per_mtok == 25
    assert c.api_model("openai", "gpt-4o").kind == "base"
    assert c.embedding("text-embedding-3-small").usd_per_mtok == 0.02
    assert c.vector_store("weaviate").plan == "Flex"
    assert c.labour_row("data scientist (US)").mode == 112590


def test_a_model_sold_by_several_is_its_makers_when_no_provider_is_given():
    assert load().api_model("", "gpt-4.1").provider == "openai"
    assert load().api_model("azure", "gpt-4.1").retirement_date == "2027-04-14"


def test_a_language_is_found_by_tag_and_by_name():
    german = load().language("de")
    assert load().language("de-CH") is load().language("DE_at") is load().language("German") is german
    # the middle of five tokenizers: 1.263, 1.316, 1.527, 1.575, 1.595
    assert (german.low, german.mode, german.high) == (1.263, 1.527, 1.595)
    assert load().language("en").high == 1


def test_the_cheapest_gpu_a_provider_runs_tuned_models_on():
    price = load().managed_gpu_price("together")
    assert price is not None
    assert (price.gpu, price.usd_per_gpu_hour) == ("H100-SXM", 3.99)
    assert load().managed_gpu_price("openai") is None


@pytest.mark.parametrize(
    ("look_up", "near"),
    [
        (lambda c: c.gpu("H100"), "'H100-SXM'"),
        (lambda c: c.gpu("h100-sxm"), "'H100-SXM'"),
        (lambda c: c.model("llama 3.1 8b"), "'Llama-3.1-8B'"),
        (lambda c: c.api_model("openai", "gpt6-luna"), "'gpt-6-luna'"),
        (lambda c: c.training_price("", "sft_dpo_<=16B"), "'sft_dpo_<=16B_low'"),
        (lambda c: c.embedding("text-embedding-3"), "'text-embedding-3-small'"),
        (lambda c: c.vector_store("pincone"), "'pinecone'"),
        (lambda c: c.language("germa"), "'german'"),
    ],
)
def test_an_unknown_name_offers_the_nearest(look_up, near):
    with pytest.raises(ValueError, match="did you mean") as raised:
        look_up(load())
    assert near in str(raised.value)


def test_cheapest_offer_is_current_dedicated_and_on_demand():
    price = load().gpu_price("H100-SXM")
    # hyperstack 3.20; runpod's Secure Cloud was 3.29 in August and is 3.99 in November; community hosts do not count
    assert (price.provider, price.usd_per_gpu_hour) == ("hyperstack", 3.2)
    assert load().gpu_price("H100-SXM", "runpod").usd_per_gpu_hour == 3.99
    assert load().gpu_price("H100-SXM", "aws").usd_per_gpu_hour == 6.88
    assert load().gpu_price("H100-SXM", "aws", "spot").usd_per_gpu_hour == 1.6828
    assert load().gpu_price("H200-SXM", "fireworks").tenancy == "managed"


def test_a_missing_price_says_what_is_priced():
    with pytest.raises(ValueError, match=r"no spot price of 'L40S'.*nebius on_demand"):
        load().gpu_price("L40S", pricing="spot")
    with pytest.raises(ValueError, match="enter your own rate"):
        load().gpu_price("MI300X")


def test_price_band_spans_providers_in_order():
    for gpu in ("H100-SXM", "H200-SXM", "A100-SXM", "L40S"):
        p10, p50, p90 = load().gpu_price_band(gpu)
        assert 0 < p10 <= p50 <= p90
    assert load().gpu_price_band("A10") == (1.29, 1.29, 1.29)  # one provider
    assert 3 < load().gpu_price_band("H100-SXM")[1] < 4.5  # published median of 16 providers: 3.64


def test_an_assumption_stays_one():
    assert load().labour_row("governance review per release").origin == "assumption"
    assert load().labour_row("crowd label").origin == "catalogue"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("gpus.csv", "name,vendor", "name,colour", "gpus.csv, row 1, column 'colour': unknown column"),
        ("gpus.csv", "bandwidth_gb_s,", "note2,", "gpus.csv, row 1, column 'note2': unknown"),
        ("gpus.csv", "80,HBM3,3350", "80,HBM3,0", "gpus.csv, row 2, column 'bandwidth_gb_s': 0 must be above 0"),
        ("gpus.csv", "80,HBM3,3350", ",HBM3,3350", "gpus.csv, row 2, column 'memory_gib': the value is missing"),
        ("gpus.csv", "80,HBM3,3350", "80,HBM3,fast", "column 'bandwidth_gb_s': 'fast' is not a number"),
        ("gpus.csv", "80,HBM3,3350", "80,HBM3,inf", "column 'bandwidth_gb_s': 'inf' is not a finite number"),
        ("gpu_prices.csv", "2.036", "-2.036", "gpu_prices.csv, row 2, column 'usd_per_gpu_hour': -2.036 must be above"),
        ("gpu_prices.csv", "aws,A10G", "aws,A10H", "column 'gpu': 'A10H' of 'aws' is not in gpus.csv"),
        ("gpu_prices.csv", "on_demand", "on_request", "column 'pricing': 'on_request' is not one of on_demand"),
        ("models.csv", "6738415616,6738415616", "6738415616,6738415617", "row 2, column 'params_active'"),
        ("models.csv", ",32,4096,32,32,", ",32,4096,32,33,", "models.csv, row 2, column 'kv_heads': 33 is more than"),
        ("models.csv", "4096,0,", "4096,no,", "models.csv, row 2, column 'tied_embeddings': 'no' is not 0 or 1"),
        ("api_models.csv", "base,10,50,1,", "base,10,50,11,", "row 2, column 'cached_input_usd_per_mtok'"),
        ("api_models.csv", "base,10,50,1,", "base,,50,,", "row 2, column 'input_usd_per_mtok': the value is missing"),
        ("api_models.csv", "272000,20,75", "272000,20,", "row 2, column 'long_context_threshold_tok'"),
        (
            "api_models.csv",
            ",5,25,272000",
            ",5,,272000",
            "row 2, column 'batch_output_usd_per_mtok': batch",
        ),
        # row 2 costs 10 and 50, cached 1, written 12.5, in the batch 5 and 25, above 272,000 tokens 20 and 75
        ("api_models.csv", ",12.5,,5,", ",9.5,,5,", "row 2, column 'cache_write_5m_usd_per_mtok': a token written"),
        ("api_models.csv", ",12.5,,5,", ",12.5,12,5,", "row 2, column 'cache_write_1h_usd_per_mtok': an hour"),
        (
            "api_models.csv",
            "10,50,1,12.5",
            "10,50,,12.5",
            "row 2, column 'cached_input_usd_per_mtok': cache writes are",
        ),
        ("api_models.csv", ",5,25,272000", ",10.5,25,272000", "row 2, column 'batch_input_usd_per_mtok': waiting"),
        ("api_models.csv", ",5,25,272000", ",5,50.5,272000", "row 2, column 'batch_output_usd_per_mtok': waiting"),
        ("api_models.csv", "272000,20,75", "272000,9,75", "row 2, column 'long_input_usd_per_mtok': a longer prompt"),
        ("api_models.csv", "272000,20,75", "272000,20,49", "row 2, column 'long_output_usd_per_mtok': a longer prompt"),
        ("api_models.csv", "272000,20,75", "922000,20,75", "row 2, column 'long_context_threshold_tok': no prompt"),
        ("api_models.csv", "20,75,,922000,", "20,75,3,922000,", "row 2, column 'training_usd_per_mtok': it belongs"),
        ("api_models.csv", "low,training,,", "low,training,1,", "column 'input_usd_per_mtok': a price per request"),
        (
            "api_models.csv",
            ",dedicated,",
            ",elsewhere,",
            "column 'tuned_hosting': 'elsewhere' is not one of serverless",
        ),
        ("languages.csv", "de,German,Latin,1.263", "de,German,Latin,1.6", "column 'mode': low, mode and high"),
        ("api_models.csv", "2026-10-21", "yesterday", "row 2, column 'as_of': 'yesterday' is not a day"),
        ("api_models.csv", "gpt-6-sol", "gpt-6-astra", "a second row for 'openai:gpt-6-astra'"),
        ("embedding_models.csv", "8191,0.02,", "8191,,", "row 2, column 'usd_per_mtok': a price is missing"),
        ("labour.csv", "USD/label", "", "column 'unit': the value is missing"),
        ("labour.csv", "63650,112590", "113650,112590", "labour.csv, row 2, column 'mode': low, mode and high"),
        ("lifetimes.csv", "2025-08-05,2027-01-08", "2027-08-05,2027-01-08", "column 'retirement_date'"),
    ],
)
def test_a_broken_file_is_refused_naming_file_row_and_column(directory, name, old, new, message):
    change(directory, name, old, new)
    with pytest.raises(ValueError, match="csv") as raised:
        load_from(directory)
    assert message in str(raised.value)


def test_a_row_with_a_cell_too_many_is_refused(directory):
    with (directory / "labour.csv").open("a", encoding="utf-8") as file:
        file.write("label,extra,1,2,3,USD,somewhere,2026-01-01,note,one more\n")
    with pytest.raises(ValueError, match="not as many cells"):
        load_from(directory)


def test_an_empty_file_is_refused(directory):
    header = (directory / "labour.csv").read_text(encoding="utf-8").splitlines()[0]
    (directory / "labour.csv").write_text(header + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"labour\.csv: it has no rows"):
        load_from(directory)


def test_all_models_have_the_parameters_their_dimensions_give():
    """Counted from the dimensions, dense models of plain attention agree with the listed parameters within 2 %."""
    for model in load().models:
        if model.is_mixture:
            continue
        counted = embedding_parameters(model) + sum(n * a * b for n, a, b in linear_shapes(model).values())
        assert counted == pytest.approx(model.params_total, rel=0.02), model.model_id


@pytest.mark.parametrize(
    ("model_id", "total_b", "active_b"),
    [
        ("GLM-4.5", 355, 32),  # as published
        ("GLM-4.7-Flash", 30, 3),
        ("GLM-5", 744, 40),
        ("Kimi-K2-Instruct", 1000, 32),
        ("Llama-4-Scout-17B-16E", 109, 17),
        ("Llama-4-Maverick-17B-128E", 400, 17),
        ("DeepSeek-R1", 671, 37),
        ("gpt-oss-20b", 21, 3.6),
    ],
)
def test_mixtures_have_about_the_parameters_their_makers_publish(model_id, total_b, active_b):
    """The smallest of them is rounded by a third of a billion in its name; the routers and towers are not counted."""
    model = load().model(model_id)
    assert model.params_total == pytest.approx(total_b * 1e9, rel=0.03)
    assert model.params_active == pytest.approx(active_b * 1e9, rel=0.06 if active_b > 10 else 0.3)


def test_every_gpu_can_be_planned_for():
    """Serving and training give finite positive figures on every GPU, also of architectures without own constants."""
    c = load()
    small = c.model("Llama-3.2-1B")
    for gpu in c.gpus:
        plan = plan_serving(small, gpu, "bf16", 500, 100)
        assert plan.feasible, (gpu.name, plan.why_not)
        assert 0 < float(plan.requests_per_s_per_replica) < 1e4
        job = plan_training(small, gpu, "qlora", 1e7, 1024)
        assert job.feasible, (gpu.name, job.why_not)
        assert 0 < float(job.wall_hours) < 1000


def test_catalogue_type_is_public():
    assert isinstance(load(), Catalogue)
