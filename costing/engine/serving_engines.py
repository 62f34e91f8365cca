"""What serving speed is made of: fitted constants, serving engines, and the shares of a GPU's peaks that they reach.

Pure. Times are seconds unless the name says µs or ms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from costing.engine.calibration import calibrated, constant
from costing.engine.catalogue import Gpu
from costing.engine.throughput import link_gb_s
from costing.engine.units import FLOPS_PER_TFLOP

# Bytes per weight as read by the kernels (4-bit with its group scales); memory takes the same.
SERVED_PRECISIONS = ("bf16", "fp8", "int8", "int4", "fp4", "mxfp4")
PCIE_LIMIT_GB_S = 128.0  # a listed two-way bandwidth up to this is PCIe
# GDDR with error correction gives up a sixteenth: an L40S of 48 GB shows 46,068 MiB. Workstation cards leave it off.
GDDR_ECC_SHARE = 15.0 / 16.0
# Multi-LoRA: added time per token (Punica, MLSys 2024).
ADAPTER_STEP_S = 0.002

_TABLES = "published tables of TensorRT-LLM, vLLM and SGLang"


@dataclass(frozen=True)
class ServingConstants:
    """The few constants of serving speed; shares are of the GPU's listed peaks."""

    # --- weights and KV cache read from memory
    read_ampere: float = constant(0.82, spread=0.10, unit="of bandwidth", why="weights read, Ampere", source=_TABLES)
    read_gddr: float = constant(0.90, spread=0.10, unit="of bandwidth", why="weights read, GDDR memory", source=_TABLES)
    read_hopper: float = constant(0.82, spread=0.10, unit="of bandwidth", why="weights read, Hopper", source=_TABLES)
    read_blackwell: float = constant(0.75, unit="of bandwidth", why="weights read, Blackwell", source=_TABLES)
    read_cdna: float = constant(0.65, unit="of bandwidth", why="weights read, CDNA")
    read_other: float = constant(0.75, unit="of bandwidth", why="weights read, other architectures")
    int4_read: float = constant(0.96, spread=0.15, unit="of that", why="4-bit weights are unpacked as they are read")
    kv_read: float = constant(0.92, spread=0.15, unit="of that", why="KV cache lies in pages")
    mixture_read: float = constant(
        0.75, unit="of that", why="experts are many narrow matrices with few tokens each, some read later than others"
    )
    # --- matrix products
    compute_ampere: float = constant(0.71, spread=0.12, unit="of bf16 peak", why="products, Ampere", source=_TABLES)
    compute_ada: float = constant(0.46, spread=0.15, unit="of peak", why="products, Ada", source=_TABLES)
    compute_hopper: float = constant(0.60, spread=0.15, unit="of bf16 peak", why="products, Hopper", source=_TABLES)
    compute_hopper_fp8: float = constant(0.525, spread=0.12, unit="of fp8 peak", why="fp8, Hopper", source=_TABLES)
    compute_blackwell: float = constant(0.50, unit="of bf16 peak", why="products, Blackwell", source=_TABLES)
    compute_blackwell_fp8: float = constant(0.40, unit="of fp8 peak", why="fp8, Blackwell", source=_TABLES)
    compute_blackwell_fp4: float = constant(0.38, unit="of fp4 peak", why="fp4, Blackwell", source=_TABLES)
    compute_cdna: float = constant(
        0.35, unit="of peak", why="products, CDNA: measured maxima are 0.51–0.63 of the peak"
    )
    compute_other: float = constant(0.45, unit="of peak", why="products, other architectures")
    slower_peak: float = constant(0.20, unit="exponent", why="slower GPUs of a family reach more of their peak")
    unpacked_compute: float = constant(
        0.62,
        unit="of that",
        why="4-bit weights unpacked to bf16 go through Ampere's instructions, slower than those newer GPUs have",
        source="mma reaches 62.9 % of Hopper's peak on average: arXiv 2402.13499",
    )
    prefill: float = constant(1.10, spread=0.15, unit="of that", why="prompts fill the matrix units better")
    attention: float = constant(0.50, spread=0.25, unit="of bf16 peak", why="attention among a prompt's tokens")
    mixture: float = constant(0.80, unit="of that", why="experts get few tokens each")
    old_compute: float = constant(0.80, spread=0.25, unit="of that", why="products of engines before late 2024")
    # --- time per step
    launch_tensorrt_us: float = constant(42.0, spread=0.25, unit="µs per layer", why="kernels, TensorRT-LLM")
    launch_usual_us: float = constant(60.0, spread=0.25, unit="µs per layer", why="kernels, vLLM ≥ 0.8 and SGLang")
    launch_mixture: float = constant(1.7, unit="× kernels", why="routing, sorting, combining of a mixture's layers")
    launch_latent: float = constant(
        1.35, unit="× kernels", why="latent attention (MLA): about twelve kernels where plain attention has six"
    )
    launch_blackwell: float = constant(
        0.7,
        unit="× kernels",
        why="engines that serve Blackwell fuse norms into all-reduces and start a kernel before the last one ends",
    )
    launch_old_us: float = constant(110.0, spread=0.25, unit="µs per layer", why="kernels and scheduling, older vLLM")
    launch_cpp_us: float = constant(60.0, spread=0.25, unit="µs per layer", why="kernels, llama.cpp")
    sequence_us: float = constant(3.3, spread=0.40, unit="µs per sequence", why="sampling and bookkeeping")
    floor_tensorrt_us: float = constant(400.0, spread=0.25, unit="µs per layer", why="host, TensorRT-LLM before 0.10")
    floor_sequence_us: float = constant(33.0, spread=0.40, unit="µs per sequence", why="host, TensorRT-LLM before 0.10")
    floor_eager_us: float = constant(850.0, spread=0.25, unit="µs per layer", why="host, HF transformers")
    crowded: float = constant(0.72, spread=0.20, unit="of speed", why="a burst beyond what fits, ordinary engines")
    eager_kv: float = constant(1.6, spread=0.40, unit="× traffic", why="copied and repeated KV cache, HF transformers")
    read_cpp_tb_s: float = constant(
        1.0, spread=0.20, unit="TB/s", why="most that llama.cpp's kernels read, one sequence"
    )
    cpp_kv: float = constant(2.2, spread=0.40, unit="× traffic", why="KV cache, llama.cpp")
    hop_ms: float = constant(0.5, spread=0.40, unit="ms", why="from GPU to GPU where layers are split")
    # --- all-reduces
    nvlink_us: float = constant(9.4, spread=0.30, unit="µs", why="an all-reduce over NVLink", source=_TABLES)
    nvlink5_us: float = constant(5.0, unit="µs", why="an all-reduce in one shot over NVLink 5, Blackwell")
    nvlink_share: float = constant(0.65, spread=0.25, unit="of one-way bandwidth", why="NVLink", source=_TABLES)
    pcie_us: float = constant(25.0, spread=0.30, unit="µs", why="an all-reduce over PCIe", source=_TABLES)
    pcie_share: float = constant(0.50, spread=0.25, unit="of one-way bandwidth", why="PCIe", source=_TABLES)


SERVING = calibrated(ServingConstants, "serving")


@dataclass(frozen=True)
class Engine:
    """A serving engine: which constants its time per step follows, and what it does with memory.

    `launch` adds to the GPU's time; `floor` is host work beside it, so that a step takes whichever is longer. Both name
    a field of `ServingConstants` in µs per layer; "" is nothing.
    """

    name: str
    launch: str
    memory_share: float = 0.90  # of the GPU's memory it uses
    reserve_gib: float = 2.0  # of that, for activations and graphs
    batch_large: int = 1024  # sequences at once on Hopper, Blackwell and CDNA
    batch_small: int = 256  # elsewhere
    output_resident_share: float = 0.5  # of a sequence's output tokens, held on average
    # KV cache in fp8 when the weights are quantised to 8 bits or less; MXFP4 checkpoints quantise experts alone
    quantised_kv: bool = False
    floor: str = ""
    floor_sequence: str = ""  # µs per sequence
    compute: str = ""  # factor on the share of the peak
    read_limit: str = ""  # most that one GPU reads, TB/s
    kv_traffic: str = ""  # factor on the KV bytes read
    crowded: str = "crowded"  # factor on the speed of a burst larger than what fits: evictions, uneven batches
    repeats_kv: bool = False  # copies the cache and repeats it for every query head
    reads_apart: bool = False  # prompts in passes of their own, while nothing is written
    windows: bool = True  # keeps to a model's attention windows by itself
    split_layers: bool = False  # several GPUs hold layers in turn: more memory, no more speed


def _tensorrt(name: str, **changes: str | bool) -> Engine:
    """Reserves a sequence's whole length ahead, with what memory is left after the weights."""
    return Engine(
        name,
        memory_share=0.97,
        reserve_gib=0.0,
        batch_large=2048,
        batch_small=2048,
        output_resident_share=1.0,
        quantised_kv=True,
        crowded="",  # admits a sequence only when its whole length fits
        **changes,  # type: ignore[arg-type]
    )


ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("vllm", "launch_usual_us"),
        Engine("sglang", "launch_usual_us", reads_apart=True),
        Engine("vllm-0.6", "launch_old_us", compute="old_compute"),
        _tensorrt("tensorrt-llm", launch="launch_usual_us"),
        _tensorrt("tensorrt-llm-0.10", launch="launch_tensorrt_us", windows=False),
        _tensorrt(
            "tensorrt-llm-0.9", launch="", floor="floor_tensorrt_us", floor_sequence="floor_sequence_us", windows=False
        ),
        Engine("lmdeploy", "launch_tensorrt_us"),
        Engine("tgi", "launch_old_us", compute="old_compute"),
        Engine(
            "transformers",
            "",
            reserve_gib=1.0,
            floor="floor_eager_us",
            compute="old_compute",
            kv_traffic="eager_kv",
            repeats_kv=True,
            split_layers=True,
        ),
        Engine(
            "llama.cpp",
            "launch_cpp_us",
            reserve_gib=1.0,
            compute="old_compute",
            read_limit="read_cpp_tb_s",
            kv_traffic="cpp_kv",
            split_layers=True,
        ),
    )
}
USUAL_ENGINE = "vllm"
# What a text must contain, the more telling first → engine by the version it starts with, the newest first.
_SPOKEN: tuple[tuple[str, tuple[tuple[tuple[int, int], str], ...]], ...] = (
    (r"llama[._ -]?cpp|llama-bench|gguf|ollama|llamafile|koboldcpp|lm ?studio", (((0, 0), "llama.cpp"),)),
    (
        r"tensorrt|trt-?llm|\bnim\b",
        (((1, 0), "tensorrt-llm"), ((0, 10), "tensorrt-llm-0.10"), ((0, 0), "tensorrt-llm-0.9")),
    ),
    (r"sglang", (((0, 0), "sglang"),)),
    (r"vllm", (((0, 8), "vllm"), ((0, 0), "vllm-0.6"))),
    (r"lmdeploy|turbomind", (((0, 0), "lmdeploy"),)),
    (r"\btgi\b|text-generation-inference|deepspeed|\bmii\b|fastgen|lightllm", (((0, 0), "tgi"),)),
    (r"transformers|hugging ?face|\bhf\b|pytorch|eager", (((0, 0), "transformers"),)),
)
_VERSION = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)")


def engine_named(text: str) -> Engine:
    """The engine a text such as `vLLM 0.6.3` means, versions told apart; the newest without one.

    A name nobody knows means the usual engine.
    """
    spoken = text.casefold()
    for pattern, versions in _SPOKEN:
        if found := re.search(pattern, spoken):
            given = _VERSION.search(spoken[found.end() :])
            if given is None:
                return ENGINES[versions[0][1]]
            number = (int(given[1]), int(given[2]))
            return ENGINES[next(name for since, name in versions if number >= since)]
    return ENGINES[USUAL_ENGINE]


_READ = {
    "Ampere": "read_ampere",
    "Hopper": "read_hopper",
    "Blackwell": "read_blackwell",
    "CDNA2": "read_cdna",
    "CDNA3": "read_cdna",
    "CDNA4": "read_cdna",
}
_COMPUTE = {
    ("Ampere", "bf16"): "compute_ampere",
    ("Ampere", "int8"): "compute_ampere",
    ("Ada", "bf16"): "compute_ada",
    ("Ada", "fp8"): "compute_ada",
    ("Ada", "int8"): "compute_ada",
    ("Hopper", "bf16"): "compute_hopper",
    ("Hopper", "fp8"): "compute_hopper_fp8",
    ("Hopper", "int8"): "compute_hopper_fp8",
    ("Blackwell", "bf16"): "compute_blackwell",
    ("Blackwell", "fp8"): "compute_blackwell_fp8",
    ("Blackwell", "int8"): "compute_blackwell_fp8",
    ("Blackwell", "fp4"): "compute_blackwell_fp4",
    **{(arch, runs): "compute_cdna" for arch in ("CDNA2", "CDNA3", "CDNA4") for runs in ("bf16", "fp8", "int8", "fp4")},
}
# What matrix products run at: 4-bit integers are unpacked to bf16; MX weights meet 8-bit activations where the GPU has
# 4-bit units, else bf16.
_UNPACKED = frozenset({"int4", "mxfp4"})
_RUNS_AT = {"bf16": "bf16", "fp8": "fp8", "int8": "int8", "int4": "bf16", "fp4": "fp4", "mxfp4": "fp8"}
# Dense bf16 peak of each architecture's largest GPU, TFLOP/s, and how other precisions multiply it.
LARGEST_TFLOPS = {"Ampere": 312.0, "Ada": 362.0, "Hopper": 989.0, "Blackwell": 2250.0}
_TIMES_BF16 = {"bf16": 1.0, "fp8": 2.0, "int8": 2.0, "fp4": 4.0}
# Architectures whose full speed needs instructions of their own (wgmma, tcgen05).
_OWN_INSTRUCTIONS = frozenset({"Hopper", "Blackwell"})
MOST_COMPUTE = 0.85  # measured matrix maxima of a square product are at most 0.87 of the peak
LARGE_ARCHITECTURES = frozenset({"Hopper", "Blackwell", "CDNA3", "CDNA4"})


def _runs_at(gpu: Gpu, precision: str) -> tuple[str, float]:
    """(precision products run at on this GPU, its dense peak in TFLOP/s)."""
    runs = _RUNS_AT[precision]
    if precision == "mxfp4" and not gpu.fp4_tflops_dense:
        runs = "bf16"
    listed = {"fp8": gpu.fp8_tflops_dense, "int8": gpu.int8_tops_dense, "fp4": gpu.fp4_tflops_dense}.get(runs)
    return (runs, listed) if listed else ("bf16", gpu.bf16_tflops_dense)


def peak_tflops(gpu: Gpu, precision: str) -> float:
    """Dense peak of the precision products run at: fp8, int8 and fp4 where the GPU has them, else bf16."""
    return _runs_at(gpu, precision)[1]


def compute_share(gpu: Gpu, precision: str, constants: ServingConstants = SERVING) -> float:
    """Share of that peak decoding reaches = share of the architecture × (its largest GPU's peak / peak)^exponent.

    Slower members of a family are easier to keep busy: power and memory were made for the largest. Weights unpacked to
    bf16 reach less of it where full speed needs newer instructions than the unpacking kernels use.
    """
    runs, peak = _runs_at(gpu, precision)
    share = float(getattr(constants, _COMPUTE.get((gpu.arch, runs), "compute_other")))
    slower = max(LARGEST_TFLOPS.get(gpu.arch, peak) * _TIMES_BF16[runs] / peak, 1.0)
    reached = min(share * float(slower**constants.slower_peak), MOST_COMPUTE)
    unpacked = precision in _UNPACKED and runs == "bf16" and gpu.arch in _OWN_INSTRUCTIONS
    return reached * (constants.unpacked_compute if unpacked else 1.0)


def flops_per_s(gpu: Gpu, precision: str, constants: ServingConstants = SERVING) -> float:
    """FLOP/s one GPU's matrix products reach in decoding."""
    return compute_share(gpu, precision, constants) * peak_tflops(gpu, precision) * FLOPS_PER_TFLOP


def read_bytes_per_s(gpu: Gpu, constants: ServingConstants = SERVING, engine: Engine | None = None) -> float:
    """Bytes of weights one GPU reads per second, as far as the engine's kernels can."""
    name = "read_gddr" if _has_gddr(gpu) else _READ.get(gpu.arch, "read_other")
    reached = float(getattr(constants, name)) * gpu.bandwidth_gb_s * 1e9
    return min(reached, 1e12 * getattr(constants, engine.read_limit)) if engine and engine.read_limit else reached


def _has_gddr(gpu: Gpu) -> bool:
    return gpu.memory_type.startswith("GDDR")


def visible_gib(gpu: Gpu) -> float:
    """Memory a program sees, GiB."""
    corrected = _has_gddr(gpu) and not gpu.name.startswith("RTX")
    return gpu.memory_gib * (GDDR_ECC_SHARE if corrected else 1.0)


def all_reduce(gpu: Gpu, constants: ServingConstants = SERVING) -> tuple[float, float]:
    """(latency in s, one-way bytes per s a ring of all-reduces reaches) between GPUs of one node."""
    listed = link_gb_s(gpu)
    if listed <= PCIE_LIMIT_GB_S:
        return constants.pcie_us * 1e-6, constants.pcie_share * listed / 2.0 * 1e9
    latency = constants.nvlink5_us if gpu.arch == "Blackwell" else constants.nvlink_us
    return latency * 1e-6, constants.nvlink_share * listed / 2.0 * 1e9
