"""Constants of training speed: what a fit on published measurements may move, and what stays as assumed. Pure.

`ordinary` is PyTorch, Hugging Face, FSDP or DeepSpeed as they come; `tuned` is a vendor's recipe (Megatron, NeMo,
MLPerf entries). Utilisations are shares of the *measured* matrix-multiply maximum of a GPU, not of its data sheet.
"""

from __future__ import annotations

from dataclasses import dataclass

from costing.engine.calibration import calibrated, constant

_SCIENCE = "first fit of the additive time model on published rows (llm-foundry, torchtune, Qwen, NVIDIA, MLPerf)"


@dataclass(frozen=True)
class TrainingConstants:
    """Everything the time of a micro-batch is multiplied by. Fields with a spread are fitted; see `throughput`."""

    # --- matrix products
    ordinary_matmul: float = constant(
        0.95, spread=0.25, unit="share", why="matrix maximum reached by an ordinary stack on an A100, wide model"
    )
    tuned_matmul: float = constant(
        0.85, spread=0.25, unit="share", why="the same in a vendor's recipe; its parallel layout is included"
    )
    speed_exponent: float = constant(
        0.145,
        spread=0.3,
        why="GPUs faster than the A100 are used less: (271 TFLOP/s / maximum) ^ this",
        source=_SCIENCE,
    )
    reference_tflops: float = constant(
        271.0, unit="TFLOP/s", why="measured bf16 maximum of the A100", source="stas00/ml-engineering MAMF table"
    )
    narrow_slope: float = constant(
        0.05, spread=0.5, why="narrow matrices are used less: 1 / (1 + this × (4096 / width)²)", source=_SCIENCE
    )
    narrow_width: float = constant(4096.0, why="width from which matrices fill a GPU")
    adapter_matmul: float = constant(
        0.86, spread=0.2, why="LoRA's matrix products against full fine-tuning's, ordinary stack", source=_SCIENCE
    )
    # --- attention
    ordinary_attention: float = constant(
        0.7,
        spread=0.15,
        unit="share",
        why="bf16 matrix maximum reached on an A100 by FlashAttention-2, backward pass included, long sequences",
        source="about 190 TFLOP/s forward and backward, causal, of 271: arXiv 2307.08691",
    )
    older_attention: float = constant(
        0.45,
        spread=0.4,
        unit="share",
        why="the same by the kernels before it, which models with ALiBi needed",
        source="FlashAttention and its Triton form, about half as fast: arXiv 2307.08691",
    )
    attention_half_sequence: float = constant(
        500.0,
        unit="tokens",
        why="sequence whose attention fills half of a GPU",
        source="about 90 TFLOP/s at 512 tokens against 190 at 16,384: arXiv 2307.08691",
    )
    attention_speed_exponent: float = constant(
        0.5,
        spread=0.3,
        why="ordinary attention kernels are not written for newer GPUs: (271 TFLOP/s / maximum) ^ this",
        source="225 TFLOP/s on the A100 and 350 on the H100: arXiv 2307.08691, 2407.08608",
    )
    tuned_attention: float = constant(
        0.55,
        spread=0.3,
        unit="share",
        why="bf16 matrix maximum reached by a vendor's attention kernels",
        source="0.5–0.75 in FlashAttention-3, arXiv 2407.08608",
    )
    attention_backward: float = constant(
        2.5,
        why="backward over forward of fused attention: five products against two",
        source="arXiv 2307.08691",
    )
    # --- element-wise work
    ordinary_traffic: float = constant(
        4.0, spread=0.4, why="bytes moved over bytes of the activations kept, forward and backward", source=_SCIENCE
    )
    tuned_traffic: float = constant(2.0, spread=0.4, why="the same with fused kernels", source=_SCIENCE)
    apart_bytes: float = constant(
        200.0,
        spread=0.4,
        unit="B",
        why="per hidden unit, layer and token: RMSNorm in fp32, rotary positions and gates as kernels of their own, as "
        "ordinary stacks run models with a gated feed-forward part",
    )
    logit_traffic_bytes: float = constant(
        24.0, unit="B", why="moved per logit: written in bf16, copied to fp32, read twice, gradient written and read"
    )
    # --- launches, fixed times
    launch_s: float = constant(
        0.6e-3,
        spread=0.5,
        unit="s",
        why="launching the kernels of one layer in one pass: about 60 of 5–10 µs",
    )
    adapter_launches: float = constant(1.5, spread=0.3, why="launches of a layer with adapters over one without")
    expert_launches: float = constant(
        0.05, why="launches of one expert over those of a layer, ordinary stacks: they loop over experts"
    )
    routing_s: float = constant(
        1.5e-3,
        unit="s",
        why="routed layer in one pass of a tuned recipe: some 100 small kernels, and a host waiting for token counts",
    )
    tuned_step_s: float = constant(
        0.7e-3, spread=0.5, unit="s", why="fixed time of a tuned step, per layer", source=_SCIENCE
    )
    # --- QLoRA
    dequantise_s: float = constant(
        6e-12,
        spread=0.4,
        unit="s",
        why="unpacking one 4-bit parameter once at 2 TB/s, scaled by bandwidth",
        source="litgpt's resource tables 6–7.5 ps, torchtune's README 2.5 ps",
    )
    dequantise_bandwidth_gb_s: float = constant(2000.0, unit="GB/s", why="bandwidth at which that was measured")
    # --- between GPUs
    link_share: float = constant(
        0.4,
        spread=0.3,
        why="collective bandwidth over the link's listed figure for both directions: 80 % of one direction",
    )
    gather_s: float = constant(
        2e-3,
        spread=0.7,
        unit="s",
        why="host time to gather one sharded layer once; counts where the GPU has little to compute",
    )
    scale_slope: float = constant(
        0.01, spread=0.5, why="growth of the work's time with every doubling of GPUs over one node", source=_SCIENCE
    )
    gpus_per_node: float = constant(8.0, why="GPUs that share one machine and its network")
    fabric_share: float = constant(
        1 / 3,
        why="network of a machine with linked GPUs, one direction, over the link's listed figure",
        source="1,600 Gbit/s beside 600 GB/s in llm-foundry's benchmark",
    )
    ethernet_gb_s: float = constant(12.5, unit="GB/s", why="network of a machine with PCIe cards: 100 Gbit/s")
    overlapped_exposed: float = constant(
        0.15, why="share of tensor- and context-parallel communication that a tuned recipe fails to hide"
    )
    virtual_stages: float = constant(4.0, why="model chunks per GPU that interleave a tuned pipeline")
    # --- mixtures of experts
    mixture_matmul: float = constant(
        0.8,
        why="expert products against dense ones: uneven load, grouped kernels",
        source="DeepSeek-V3 trained 1e12 tokens in 180,000 H800-hours, arXiv 2412.19437",
    )
    # --- optimizer
    optimizer_bytes: float = constant(
        28.0, unit="B", why="moved per parameter and step: gradient, fp32 master weights, two fp32 moments (AdamW)"
    )
    pure_bf16_optimizer_bytes: float = constant(14.0, unit="B", why="the same without fp32 copies")
    eight_bit_optimizer_bytes: float = constant(18.0, unit="B", why="the same with 8-bit moments")
    host_memory_gb_s: float = constant(
        25.0, unit="GB/s", why="a GPU's share of host memory when the optimizer's states live there"
    )
    # --- choices that are not stated
    micro_batch_tokens: float = constant(
        16384.0, unit="tokens", why="largest micro-batch an ordinary recipe uses", source=_SCIENCE
    )
    power_exponent: float = constant(
        0.5,
        why="matrix products under a power limit: (limit / usual power) ^ this; power grows with the square",
    )
    checkpoint_free_share: float = constant(
        0.9, why="full fine-tuning recomputes nothing where it fits this share of the memory", source=_SCIENCE
    )
    replicate_share: float = constant(
        0.7, why="adapters leave the base whole on every GPU up to this share of its memory", source=_SCIENCE
    )
    unpacked_tokens: float = constant(
        250.0, unit="tokens", why="an instruction example where sequences are not packed: they end there"
    )
    unpacked_fill: float = constant(0.8, why="tokens that are not padding in a batch of several unpacked examples")
    compiled_traffic: float = constant(
        0.55, why="element-wise traffic of a compiled model over an uncompiled one", source="torchtune's README: +27 %"
    )
    compiled_launches: float = constant(0.4, why="launches of a compiled model over an uncompiled one")
    # --- precisions nobody measured
    fp8_share: float = constant(
        0.95,
        why="fp8 maximum over bf16 maximum, against the ratio of the dense peaks",
        source="0.88–0.99 on H100, H200, GH200, B200, B300, GB200 (ml-engineering MAMF table)",
    )
    fp4_share: float = constant(0.85, why="the same for 4-bit floats, with their finer scales")


TRAINING = calibrated(TrainingConstants, "training")
