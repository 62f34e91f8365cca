import csv
from dataclasses import replace

import pytest

from costing.engine.catalogue import load
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.published import DATA, published
from costing.engine.measured.score import score
from costing.engine.measured.training import PART, circumstance, left_out, predict, read
from costing.engine.training_constants import TRAINING, TrainingConstants

JOB = {"model": "Llama-3.1-8B", "method": "full", "gpu": "A100-SXM", "gpu_count": "8"}


def case(**cells):
    return read(Cells({**JOB, **cells}), load())


def speed(constants=TRAINING, **cells):
    return predict(case(**cells), constants)["predicted_tokens_per_s_per_gpu"]


def published_row(case_id, **more):
    with (DATA / PART.file).open(encoding="utf-8", newline="") as file:
        row = next(line for line in csv.DictReader(file) if line["case_id"] == case_id)
    ratio = predict(read(Cells({**row, **more}), load()), TRAINING)["predicted_tokens_per_s_per_gpu"]
    return ratio / float(row[PART.measured])


def test_blank_columns_take_the_documented_defaults():
    plain = case(gpu_count="")
    assert (plain.gpus, plain.sequence, plain.precision, plain.stack) == (1, 2048, "bf16", "ordinary")
    assert (plain.micro_batch, plain.global_batch, plain.rank, plain.packing) == (1, 1, 16, 1)
    assert not plain.compiled
    assert not plain.host_optimizer
    assert plain.checkpointing == "full"  # 8 B × 16 bytes do not fit 80 GiB
    assert case().checkpointing == "none"  # an eighth of them does
    assert case(method="lora").checkpointing == "full"
    assert case(stack="tuned", gpu_count="").checkpointing == "none"
    assert case(global_batch="512").micro_batch == 8  # 64 each, 16,384 tokens at most
    assert case(global_batch="512", stack="tuned").micro_batch == 1
    assert case(micro_batch="4").global_batch == 32
    assert case(micro_batch="4", tensor_parallel="2").global_batch == 16


@pytest.mark.parametrize(
    ("column", "words", "meant"),
    [
        ("method", ("full", "Full fine-tuning", "SFT", "pretraining", ""), "full"),
        ("method", ("LoRA", "DoRA", "lora (emb)", "rsLoRA"), "lora"),
        ("method", ("QLoRA", "Q-LoRA", "LoRA 4-bit"), "qlora"),
        ("precision", ("bf16", "FP16", "amp bf16", "int8", "anything else"), "bf16"),
        ("precision", ("fp8", "FP8-CS", "MXFP8", "fp8_mx"), "fp8"),
        ("precision", ("NVFP4", "mxfp4", "FP4"), "fp4"),
        ("precision", ("fp32",), "fp32"),
        ("precision", ("bf16 with fp32 master weights", "16-bit"), "bf16"),
        ("precision", ("hybrid",), "fp8"),
        ("precision", ("TF32",), "tf32"),
        ("checkpointing", ("none", "No", "off", "0"), "none"),
        ("checkpointing", ("full", "yes (recipe default)", "True", "recompute 4 layers", "block"), "full"),
        ("checkpointing", ("selective", "core attention only"), "selective"),
        ("stack", ("tuned", "NeMo 24.07", "Megatron-Bridge", "MLPerf", "Megatron-SWIFT"), "tuned"),
        ("stack", ("NeMo AutoModel (Transformer Engine, DeepEP)", "Megatron FSDP", "MaxText"), "tuned"),
        ("stack", ("ordinary", "HF Trainer", "axolotl", "", "PyTorch FSDP", "ordinary (DeepSpeed)"), "ordinary"),
        ("stack", ("NeMo AutoModel (no kernel optimizations)", "Megatron, not tuned", "NeMo AutoModel"), "ordinary"),
    ],
)
def test_words_are_read_by_their_meaning(column, words, meant):
    assert {getattr(case(**{column: word}), column) for word in words} == {meant}


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"method": "prayer"}, "method"),
        ({"gpu": "H1000"}, "gpu"),
        ({"gpu_count": "-8"}, "gpu_count"),
        ({"gpu_count": "2.5"}, "gpu_count"),
        ({"seq_len": "0"}, "seq_len"),
        ({"seq_len": "0.5"}, "seq_len"),
        ({"tokens": "1e20"}, "tokens"),
        ({"micro_batch": "many"}, "micro_batch"),
        ({"tensor_parallel": "16"}, "tensor_parallel"),
        ({"tensor_parallel": "2", "pipeline_parallel": "8"}, "pipeline_parallel"),
        ({"nodes": "9"}, "nodes"),
        ({"expert_parallel": "16"}, "expert_parallel"),
        ({"packed": "maybe"}, "packed"),
        ({"model": "Llama-9"}, "params"),
    ],
)
def test_faults_name_their_column(cells, column):
    with pytest.raises(CellError, match=f"column '{column}'|unknown open model") as fault:
        case(**cells)
    assert fault.value.column in (column, "model")


def test_gpu_hours_follow_from_tokens():
    without = predict(case(), TRAINING)
    given = predict(case(tokens="1e9"), TRAINING)
    assert without["predicted_gpu_hours"] is None
    assert given["predicted_gpu_hours"] == pytest.approx(1e9 / given["predicted_tokens_per_s_per_gpu"] / 3600)
    assert set(given) == set(PART.predicts)
    # 6N with causal attention over the A100's 312 TFLOP/s
    llama = load().model("Llama-3.1-8B")
    flops = 6 * (llama.params_total - llama.vocab * llama.hidden) + 6 * 32 * 4096 * 2048
    assert given["predicted_mfu"] == pytest.approx(given["predicted_tokens_per_s_per_gpu"] * flops / 312e12)


def test_columns_change_speeds_the_way_physics_says():
    common = {"micro_batch": "2", "checkpointing": "full"}
    plain = speed(**common)
    assert speed(compiled="yes", **common) > plain
    assert speed(packed="no", **common) < 0.8 * plain
    assert speed(cpu_offload="yes", **common) < plain
    assert speed(optimizer="adamw (CPU offload)", **common) == speed(cpu_offload="yes", **common)
    assert speed(optimizer="PagedAdamW8bit", **common) > plain
    assert speed(optimizer_precision="bf16", **common) > speed(optimizer="adamw 8-bit", **common)
    assert speed(nodes="8", **common) < plain
    assert speed(precision="fp8", gpu="H100-SXM", **common) > speed(gpu="H100-SXM", **common)
    assert speed(method="lora", adapter_rank="256", **common) < speed(method="lora", **common)
    full, selective, none = (speed(checkpointing=how, micro_batch="2") for how in ("full", "selective", "none"))
    assert full < selective < none


def test_attention_kernels_are_said_or_told_by_the_model():
    """ALiBi kept MPT and BLOOM on kernels before FlashAttention-2."""
    mpt = {"model": "MPT-7B", "params": "6.7e9", "layers": "32", "hidden": "4096", "heads": "32", "vocab": "50368"}
    assert case(**mpt).kernels == "older"
    assert case(attention="Triton").kernels == case(attention="FlashAttention").kernels == "older"
    for words in ("", "FlashAttention-2", "flash_attn v3", "fa2", "sdpa", "never heard of"):
        assert case(attention=words).kernels == "current"
    assert case(attention="FA3", **mpt).kernels == "current"
    long = {"seq_len": "65536", "micro_batch": "1", "checkpointing": "full"}
    before = TrainingConstants()
    assert speed(before, attention="triton", **long) < 0.8 * speed(before, **long)
    assert speed(before, attention="triton", seq_len="512") > 0.93 * speed(before, seq_len="512")


def test_weights_on_every_gpu_are_not_gathered():
    ddp = {"gpu": "H100-SXM", "gpu_count": "64", "micro_batch": "1", "seq_len": "1024"}
    for words in ({"sharding": "ZeRO-1"}, {"sharding": "DDP"}, {"stack": "ordinary (InternEvo, ZeRO-2)"}):
        assert case(**words).parallelism.replicated
    assert not case(sharding="ZeRO-3").parallelism.replicated
    assert speed(sharding="ZeRO-1", global_batch="1024", **ddp) > speed(global_batch="1024", **ddp)
    # gradients are exchanged once a step: more micro-batches in it hide more of that
    assert speed(sharding="ZeRO-1", global_batch="1024", **ddp) > speed(sharding="ZeRO-1", global_batch="64", **ddp)


def test_a_slow_network_is_slow_between_machines_only():
    apart = {"gpu_count": "16", "micro_batch": "1"}
    assert speed(network_gb_s="10", **apart) < 0.6 * speed(**apart)
    assert speed(network_gb_s="200", **apart) == pytest.approx(speed(**apart))  # a third of NVLink's 600 GB/s
    assert speed(network_gb_s="10") == speed()
    with pytest.raises(CellError, match="network_gb_s"):
        case(network_gb_s="0")


def test_a_power_limit_slows_computation():
    half, whole, more = (speed(power_limit_w=watts, gpu_count="1", micro_batch="8") for watts in ("200", "400", "500"))
    assert 0.5**0.5 < half / whole < 0.8
    assert whole == more == speed(gpu_count="1", micro_batch="8")


def test_a_name_and_its_dimensions_give_the_same_speed():
    llama = load().model("Llama-3.1-8B")
    dimensions = {
        "params": llama.params_total, "layers": llama.layers, "hidden": llama.hidden, "heads": llama.heads,
        "kv_heads": llama.kv_heads, "head_dim": llama.head_dim, "intermediate": llama.intermediate,
        "vocab": llama.vocab,
    }  # fmt: skip
    cells = {name: str(value) for name, value in dimensions.items()}
    assert speed(model="of our own", **cells) == pytest.approx(speed(), rel=1e-6)
    assert speed(**cells) == pytest.approx(speed(), rel=1e-6)


def test_small_models_are_outside_the_claim():
    assert "billion" in left_out(Cells({"params": "760e6"}))
    assert left_out(Cells({"params": "1.3e9"})) == ""
    assert left_out(Cells({})) == ""


def test_circumstances():
    assert circumstance(case(stack="tuned", method="lora")) == "tuned"
    assert circumstance(case(method="qlora")) == "ordinary"
    assert circumstance(case()) == "ordinary"
    assert circumstance(case(model="Qwen3-30B-A3B", stack="tuned")) == "mixture"


def test_rows_set_aside_lack_exactly_what_their_reason_says():
    """With the missing input given in a column, the prediction comes out where it was far off before."""
    assert published_row("TT0469") > 1.5
    assert published_row("TT0469", cpu_offload="yes") == pytest.approx(1, abs=0.15)
    assert published_row("TT0472") > 2.5
    assert published_row("TT0472", packed="no") < 2
    assert published_row("TT0610") > 2
    assert published_row("TT0610", packed="no") == pytest.approx(1, abs=0.25)
    for case_id in ("TT0474", "TT0475"):
        assert published_row(case_id) < 0.85
        lacking = {"compiled": "yes", "checkpointing": "none", "optimizer_precision": "bf16"}
        assert published_row(case_id, **lacking) == pytest.approx(1, abs=0.15)


def test_few_rows_are_set_aside_and_each_exists():
    rows = published(PART, load())
    aside = [row for row in rows if row.set_aside]
    with (DATA / "training_set_aside.csv").open(encoding="utf-8", newline="") as file:
        assert {line["case_id"] for line in csv.DictReader(file)} == {row.row.case_id for row in aside}
    assert len(rows) == 253
    assert len(aside) < 0.06 * len(rows)


def test_priors_alone_already_come_near():
    """Nothing fitted: physics, literature and first experience against the published rows."""
    rows = [row.row for row in published(PART, load()) if not row.set_aside]
    guess = [predict(row.case, TrainingConstants())["predicted_tokens_per_s_per_gpu"] for row in rows]
    reached = score(guess, [row.measured for row in rows])
    assert reached.median_error < 0.10
    assert reached.within_25 > 0.85
    assert reached.rank > 0.98


def test_constants_of_the_prediction_are_the_caller_s():
    job = case(micro_batch="2")
    faster = replace(TRAINING, ordinary_matmul=1.2 * TRAINING.ordinary_matmul)
    one, other = (predict(job, k)["predicted_tokens_per_s_per_gpu"] for k in (TRAINING, faster))
    assert 1.05 < other / one < 1.2
