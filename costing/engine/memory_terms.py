"""What training memory is counted with: methods, optimizers, constants, and a job's software and layout. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from costing.engine.calibration import calibrated, constant
from costing.engine.catalogue import Model
from costing.engine.dimensions import (
    WEIGHT_BYTES,
    linear_shapes,
    lora_parameters,
    routed_expert_parameters,
    weights_bytes,
)
from costing.engine.units import Number

Method = Literal["full", "lora", "qlora"]
METHODS: tuple[Method, ...] = ("full", "lora", "qlora")
CHECKPOINTING = ("none", "selective", "full")

# Optimizer state, bytes per trainable parameter: two fp32 moments; 8-bit moments; one moment; none resident when paged.
OPTIMIZER_BYTES = {
    "adamw": 8.0,
    "adamw8bit": 2.0,
    "lion": 4.0,
    "sgd": 4.0,  # with momentum
    "adafactor": 0.01,  # rows and columns of the second moment only
    "paged_adamw": 0.0,  # spills to host memory
    "paged_adamw8bit": 0.0,
}
WORKING_BYTES = 2.0  # weights and their gradients in bf16
# Mixed precision with whole gradients sums them in fp32 (Megatron-Core's distributed optimizer: 6 + 12/d B/parameter).
SUMMED_BYTES = 4.0
MASTER_BYTES = 4.0  # fp32 copy of the weights in mixed precision
BF16_MOMENTS = 0.5  # pure bf16: moments take the type of the weights, half of fp32; 8-bit ones stay 8-bit
# PyTorch's AdamW for all tensors at once holds intermediates of the size of the parameters (torch.optim, "foreach").
STEP_BYTES = 2.0
# In mixed precision: fp32 gradients for the master weights, or the same intermediates in fp32; shared as the states are
# (Megatron-Core with fp16 gradients: 4 + 16/d bytes a parameter, not 4 + 12/d).
MIXED_STEP_BYTES = 4.0
SCORE_BYTES = 5.0  # of attention scores kept per head and pair of tokens: bf16 twice, dropout mask (arXiv 2205.05198)


@dataclass(frozen=True)
class MemoryConstants:
    """What counting tensors does not give."""

    activation_factor: float = constant(
        1.1,
        spread=0.1,
        why="activations really kept over those counted: residuals, masks, views that keep whole tensors alive",
        source="1.14 on litgpt's LoRA runs with a slightly smaller count (tutorials/resource-tables.md)",
    )
    checkpoint_factor: float = constant(
        1.1,
        spread=0.15,
        why="what full recomputation keeps over one bf16 input per layer",
    )
    logit_bytes: float = constant(
        12.0,
        spread=0.25,
        unit="bytes per logit",
        why="bf16 logits and their gradient, fp32 copy and its gradient: 2 + 2 + 4 + 4",
    )
    chunked_logit_bytes: float = constant(
        2.5,
        spread=0.25,
        unit="bytes per logit",
        why="bf16 logits, and the fp32 work on an eighth of them at a time",
    )
    adapter_bytes: float = constant(
        8.0,
        spread=0.2,
        unit="bytes per adapter parameter",
        why="fp32 weights and gradients of adapters; moments come on top",
        source="ZeRO, arXiv 1910.02054: 4 + 4",
    )
    cached_share: float = constant(
        0.12,
        spread=0.4,
        why="memory the allocator keeps unused, over activations and logits, with batches of one shape: 3–20 %",
    )
    varying_cached_share: float = constant(
        0.7,
        spread=0.35,
        why="of the logits when every batch has another length: the allocator keeps blocks of many sizes, 30–150 %",
    )
    gathered_units: float = constant(
        2.0,
        spread=0.4,
        why="layers or embeddings gathered at once under full sharding: the one in use and the next",
    )
    context_gib: float = constant(
        0.8,
        spread=0.25,
        unit="GiB",
        why="CUDA context, kernels and workspaces",
        source="ml-engineering: 0.55 GiB for kernels; gpu_poor: 0.65",
    )
    communication_gib: float = constant(
        1.5,
        spread=0.3,
        unit="GiB",
        why="communication buffers after the first collective",
        source="ml-engineering",
    )


MEMORY = calibrated(MemoryConstants, "memory")


@dataclass(frozen=True)
class Layout:
    """How a job is split over GPUs; the rest is data parallelism, whose GPUs share by `zero_stage` when sharded.

    Context-parallel GPUs share like data-parallel ones: they hold the same weights. Tensor parallelism splits the
    sequence between its matrices too (sequence parallelism, arXiv 2205.05198), thus all activations. Expert parallelism
    takes its GPUs from the data-, context- and tensor-parallel ones; an expert itself is then not split.
    """

    zero_stage: int = 3  # 1: optimizer states, 2: and gradients, 3: and weights (ZeRO, arXiv 1910.02054; FSDP is 3)
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    context_parallel: int = 1
    expert_parallel: int = 1

    @property
    def holding_gpus(self) -> int:
        """GPUs over which one copy of the weights is split."""
        return self.tensor_parallel * self.pipeline_parallel

    @property
    def model_gpus(self) -> int:
        """GPUs that work on one sequence together."""
        return self.holding_gpus * self.context_parallel


@dataclass(frozen=True)
class Share:
    """A GPU's part of something the model has: before, and after, sharing over the GPUs that hold the same."""

    whole: Number
    shared: Number


def share(
    gpus: Number,
    layout: Layout,
    *,
    sharded: bool,
    experts: float = 0.0,
    embedding: float = 0.0,
    tied: bool = False,
) -> Share:
    """A GPU's share of bytes of which `experts` lie in routed experts and `embedding` in each of two embeddings.

        whole    others: (1 − experts) / (tensor × pipeline); experts: / (expert × pipeline)
        shared   others: whole / (GPUs / (tensor × pipeline)); experts: whole / (GPUs / (expert × pipeline))

    Layers are spread evenly over a pipeline; its first and last stage have an embedding each besides, also a tied one.
    """
    stages = layout.pipeline_parallel
    others = 1.0 - experts
    if stages > 1:
        others = (others - embedding * (1.0 if tied else 2.0)) / stages + embedding
    others /= layout.tensor_parallel
    routed = experts / (stages * (layout.expert_parallel if layout.expert_parallel > 1 else layout.tensor_parallel))
    if not sharded:
        return Share(others + routed, others + routed)
    copies = np.maximum(gpus / layout.holding_gpus, 1.0)
    of_experts = copies
    if layout.expert_parallel > 1:
        of_experts = np.maximum(gpus / (layout.expert_parallel * stages), 1.0)
    return Share(others + routed, (others / copies + routed / of_experts)[()])


def weights_share(model: Model, precision: str, gpus: Number, layout: Layout, *, sharded: bool) -> Share:
    """A GPU's share of the bytes of all weights at a precision."""
    total, each = weights_bytes(model, precision), WEIGHT_BYTES[precision]
    return share(
        gpus,
        layout,
        sharded=sharded,
        experts=min(routed_expert_parameters(model) * each / total, 1.0),
        embedding=max(each, WEIGHT_BYTES["bf16"]) * model.vocab * model.hidden / total,
        tied=model.tied_embeddings,
    )


def adapters_share(model: Model, targets: str, gpus: Number, layout: Layout, *, sharded: bool) -> Share:
    """A GPU's share of the adapters' bytes: those of routed experts lie where their experts do."""
    experts = 0.0
    if model.is_mixture:
        routed = (model.n_experts or 0) / ((model.n_experts or 0) + (model.shared_experts or 0))
        attention = lora_parameters(model, 1, "attention")
        every = lora_parameters(model, 1, targets)
        experts = routed * max(float(every - attention), 0.0) / float(every) if targets == "all-linear" else 0.0
        experts = routed if targets == "mlp" else experts
    return share(gpus, layout, sharded=sharded, experts=experts)


def largest_matrix(model: Model) -> float:
    """Parameters of the largest linear module: what a 4-bit layer unpacks at once."""
    return float(max(inputs * outputs for _, inputs, outputs in linear_shapes(model).values()))


@dataclass(frozen=True)
class Software:
    """What the training program does that changes memory; the defaults are those of an ordinary PyTorch script."""

    chunked_cross_entropy: bool = False
    compiled: bool = False
    fused_attention: bool = True
    varying_lengths: float = 0.0  # share of batches with a length of their own: 0 packed or padded, 1 as they come
    embeddings_trained: bool = False  # with adapters: input embedding and output head too
    accumulates: bool = False  # gradients of earlier micro-batches are there at the loss
    optimizer_in_backward: bool = False  # a gradient is used and freed as soon as it is there
    fused_optimizer: bool = False  # no intermediates in the optimizer's step
    offloads_optimizer: bool = False  # moments and master weights in host memory
    offloads_weights: bool = False  # sharded weights and gradients too
    offloads_activations: bool = False  # checkpoints in host memory


ORDINARY = Software()
DATA_PARALLEL = Layout()
