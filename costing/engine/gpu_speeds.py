"""What GPUs reach: matrix products by precision, links between them; shares where nobody measured. Pure."""

from __future__ import annotations

from costing.engine.catalogue import Gpu
from costing.engine.training_constants import TRAINING, TrainingConstants

# Measured matrix-multiply maximum over the dense peak, for GPUs nobody measured: mean of the measured GPUs of the
# architecture (ml-engineering's MAMF table); 0.8 elsewhere (assumption).
MATMUL_SHARE = {"Ampere": 0.87, "Ada": 0.80, "Hopper": 0.80, "Blackwell": 0.77, "CDNA3": 0.56, "CDNA4": 0.63}
USUAL_MATMUL_SHARE = 0.8
# Speed of other precisions over bf16's: TF32 runs at half; FP32 without tensor cores at a sixteenth (A100: 19.5 of
# 312 TFLOP/s, H100: 67 of 989).
SLOWER_PRECISIONS = {"tf32": 1 / 2, "fp32": 1 / 16}
PRECISIONS = ("bf16", "fp8", "fp4", *SLOWER_PRECISIONS)
# Links where the catalogue lists none, GB/s in both directions: siblings' NVLink, else PCIe 4.0 x16 (assumptions).
SIBLING_LINK_GB_S = {"Ampere": 600.0, "Hopper": 900.0, "Blackwell": 1800.0, "CDNA3": 896.0, "CDNA4": 1075.0}
PCIE_GB_S = 64.0
# GPUs that one link joins: a machine's, or a whole rack's (GB200 NVL72: 72 GPUs on one NVLink switch fabric).
MACHINE_GPUS, RACK_GPUS = 8, 72
RACK_SCALE = ("GB200", "GB300")


def matmul_tflops(gpu: Gpu, precision: str = "bf16", constants: TrainingConstants = TRAINING) -> float:
    """The highest TFLOP/s matrix products reach: measured, else the dense peak × the architecture's usual share.

    fp8 and fp4 nobody measured: bf16's maximum × ratio of the peaks × a share below one. A precision the GPU does not
    have runs at the next wider one. Raises ValueError for an unknown precision.
    """
    _check_precision(precision)
    bf16 = gpu.measured_bf16_max_tflops or MATMUL_SHARE.get(gpu.arch, USUAL_MATMUL_SHARE) * gpu.bf16_tflops_dense
    if precision in SLOWER_PRECISIONS:
        return bf16 * SLOWER_PRECISIONS[precision]
    if precision == "fp4" and gpu.fp4_tflops_dense:
        return bf16 * constants.fp4_share * gpu.fp4_tflops_dense / gpu.bf16_tflops_dense
    if precision != "bf16" and gpu.fp8_tflops_dense:
        reached = bf16 * constants.fp8_share * gpu.fp8_tflops_dense / gpu.bf16_tflops_dense
        return gpu.measured_fp8_max_tflops or reached
    return bf16


def peak_tflops(gpu: Gpu, precision: str = "bf16") -> float:
    """The dense peak the utilisation is counted against. Raises ValueError for an unknown precision."""
    _check_precision(precision)
    fp8 = gpu.fp8_tflops_dense or gpu.bf16_tflops_dense
    if precision in ("fp8", "fp4"):
        return fp8 if precision == "fp8" else gpu.fp4_tflops_dense or fp8
    return gpu.bf16_tflops_dense * SLOWER_PRECISIONS.get(precision, 1.0)


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is unknown; training runs in one of {', '.join(PRECISIONS)}")


def is_linked(gpu: Gpu) -> bool:
    """Whether the GPUs of a machine have a link of their own (NVLink, Infinity Fabric) rather than PCIe."""
    if gpu.interconnect_gb_s_per_gpu:
        return gpu.interconnect_gb_s_per_gpu > 2 * PCIE_GB_S
    return "SXM" in gpu.name or gpu.arch.startswith("CDNA") or gpu.name.startswith(("GB", "GH"))


def link_gb_s(gpu: Gpu) -> float:
    """GB/s between GPUs of a node, both directions: listed, else the sibling's for linked forms, else PCIe 4.0 x16."""
    if gpu.interconnect_gb_s_per_gpu:
        return gpu.interconnect_gb_s_per_gpu
    return SIBLING_LINK_GB_S.get(gpu.arch, PCIE_GB_S) if is_linked(gpu) else PCIE_GB_S


def linked_gpus(gpu: Gpu) -> int:
    """How many GPUs one link joins without a network: 72 of a rack-scale GPU, else the eight of a machine."""
    return RACK_GPUS if gpu.name.startswith(RACK_SCALE) else MACHINE_GPUS
