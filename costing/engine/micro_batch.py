"""Seconds of one micro-batch on one GPU, part by part: what `throughput` adds up. Pure.

Parts that grow with the tokens: matrix products, attention, element-wise work. Parts that do not: kernel launches,
dequantisation, communication, and the optimizer's share. Constants and their sources: `training_constants`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from costing.engine.catalogue import Gpu, Model
from costing.engine.gpu_speeds import SLOWER_PRECISIONS, is_linked, link_gb_s, linked_gpus, matmul_tflops
from costing.engine.memory import (
    Method,
    activation_bytes_per_token,
    embedding_parameters,
    lora_parameters,
    matmul_parameters,
    weights_bytes,
)
from costing.engine.training_constants import TRAINING, TrainingConstants
from costing.engine.training_flops import (
    adapter_flops,
    expert_parameters,
    forward_attention_flops,
    routed_layers,
)
from costing.engine.units import BYTES_PER_GB, BYTES_PER_GIB, FLOPS_PER_TFLOP, Number

Stack = Literal["ordinary", "tuned"]
STACKS: tuple[Stack, ...] = ("ordinary", "tuned")
# Attention kernels of an ordinary stack: FlashAttention-2 and what came after it, or those before it.
Kernels = Literal["current", "older"]
KERNELS: tuple[Kernels, ...] = ("current", "older")


@dataclass(frozen=True)
class Parallelism:
    """How one copy of the model is spread: GPUs per tensor, pipeline and context group, experts' group, machines.

    0 stands for the usual: experts over the GPUs that one link joins (tuned) or none, as many machines as the GPUs
    fill, the network that goes with the GPU. `network_gb_s` is a machine's, one direction. `replicated`: every GPU
    keeps all weights (DDP, ZeRO-1 and -2), so gradients are exchanged once per step instead of weights all the time.
    """

    tensor: float = 1
    pipeline: float = 1
    context: float = 1
    expert: float = 0
    nodes: float = 0
    network_gb_s: float = 0
    replicated: bool = False

    @property
    def model_gpus(self) -> float:
        """GPUs that work on the same tokens."""
        return self.tensor * self.pipeline * self.context


DATA_PARALLEL = Parallelism()


def utilisation(
    model: Model, gpu: Gpu, method: Method, precision: str, stack: Stack, constants: TrainingConstants = TRAINING
) -> float:
    """Share of the measured matrix maximum reached = u × min(1, 271 / P)^ρ / (1 + ν × (4096 / h)²)."""
    k = constants
    adapters = k.adapter_matmul if method != "full" else 1.0
    base = k.tuned_matmul if stack == "tuned" else k.ordinary_matmul * adapters
    speed = _slower(matmul_tflops(gpu, precision, k), k.speed_exponent, k)
    return base * speed / (1.0 + k.narrow_slope * (k.narrow_width / model.hidden) ** 2)


def _slower(tflops: float, exponent: float, k: TrainingConstants) -> float:
    speed: float = min(1.0, k.reference_tflops / tflops) ** exponent
    return speed


def attention_share(
    gpu: Gpu, sequence: Number, stack: Stack, kernels: Kernels = "current", constants: TrainingConstants = TRAINING
) -> Number:
    """Share of the measured bf16 matrix maximum that attention reaches, backward pass included.

        tuned     u × s / (s + s½)
        ordinary  u × min(1, 271 / P)^ρ × s / (s + s½), u of FlashAttention-2 or of the kernels before it

    Long sequences have more tiles than a GPU has processors; those of s½ tokens fill half of it.
    """
    k = constants
    filled = sequence / (sequence + k.attention_half_sequence)
    if stack == "tuned":
        return k.tuned_attention * filled
    share = k.older_attention if kernels == "older" else k.ordinary_attention
    return share * _slower(matmul_tflops(gpu, "bf16", k), k.attention_speed_exponent, k) * filled


def shards_base(model: Model, gpu: Gpu, method: Method, gpus: float, constants: TrainingConstants = TRAINING) -> bool:
    """Full fine-tuning shards over all GPUs; adapters only when the frozen base passes 70 % of the memory."""
    if gpus <= 1:
        return False
    if method == "full":
        return True
    base = weights_bytes(model, "nf4" if method == "qlora" else "bf16")
    return base / BYTES_PER_GIB > constants.replicate_share * gpu.memory_gib


@dataclass(frozen=True)
class Job:
    """One training job as the time model sees it; `tokens` and times are of one GPU and micro-batch."""

    model: Model
    gpu: Gpu
    method: Method
    gpus: Number
    sequence: Number
    rank: Number
    stack: Stack
    precision: str
    compiled: bool
    parallelism: Parallelism
    tokens: Number
    steps: Number  # micro-batches per optimizer step
    again: float  # forward passes of matrix products that are recomputed
    attended_again: float  # forward passes of attention that are recomputed
    optimizer_bytes: float
    host_optimizer: bool
    kernels: Kernels
    k: TrainingConstants

    @property
    def tuned(self) -> bool:
        return self.stack == "tuned"

    @property
    def passes(self) -> float:
        return (3.0 if self.method == "full" else 2.0) + self.again

    @property
    def nodes(self) -> Number:
        return self.parallelism.nodes or np.ceil(self.gpus / self.k.gpus_per_node)

    @property
    def island(self) -> Number:
        """GPUs joined by one link: a rack's or a machine's; fewer where the machines are stated and hold fewer."""
        joined = float(linked_gpus(self.gpu))
        if not self.parallelism.nodes or joined > self.k.gpus_per_node:
            return joined
        result: Number = np.minimum(np.maximum(self.gpus / self.parallelism.nodes, 1.0), joined)
        return result

    @property
    def experts_spread(self) -> Number:
        """GPUs over which experts are spread: stated, else those of a link in a tuned recipe and one in an ordinary."""
        if self.parallelism.expert or not (self.tuned and self.model.is_mixture):
            return self.parallelism.expert or 1.0
        result: Number = np.minimum(np.minimum(self.gpus, self.island), float(self.model.n_experts or 1))
        return result

    @property
    def layers_held(self) -> float:
        """Layers one GPU works on: a pipeline shares them out."""
        return self.model.layers / self.parallelism.pipeline


def recomputed(checkpointing: str, stack: Stack) -> tuple[float, float]:
    """Forward passes computed again: (matrix products, attention).

    Selective checkpointing of a vendor's recipe recomputes attention only; that of an ordinary stack keeps every
    second matrix product, and attention (torchtitan's per-operator policy), or every second layer.
    """
    if checkpointing == "full":
        return 1.0, 1.0
    if checkpointing != "selective":
        return 0.0, 0.0
    return (0.0, 1.0) if stack == "tuned" else (0.5, 0.0)


def parts_seconds(job: Job) -> dict[str, Number]:
    """Seconds of a micro-batch by part; their sum is its time.

    `waiting`: gathering sharded layers one by one takes turns with the host, hidden where the GPU has long to compute:
    √(core² + w²) − core.
    """
    grown = _growth(job)
    parts = {name: seconds * grown for name, seconds in _work_seconds(job).items()} | _fixed_seconds(job)
    core = sum(parts.values(), 0.0)
    parts["waiting"] = np.sqrt(core**2 + _gather_wait_seconds(job) ** 2) - core
    return parts | {"step": _step_seconds(job)}


def _growth(job: Job) -> Number:
    """1 + γ × log2(nodes), and the idle share of a pipeline: (stages − 1) / (micro-batches × virtual stages)."""
    growth = 1.0 + job.k.scale_slope * np.log2(np.maximum(job.nodes, 1.0))
    if job.parallelism.pipeline <= 1:
        return growth
    chunks = job.k.virtual_stages if job.tuned else 1.0
    result: Number = growth * (1.0 + (job.parallelism.pipeline - 1.0) / (job.steps * chunks))
    return result


def _work_seconds(job: Job) -> dict[str, Number]:
    """Seconds of a micro-batch that grow with its tokens."""
    model, k = job.model, job.k
    bf16 = matmul_tflops(job.gpu, "bf16", k) * FLOPS_PER_TFLOP
    share = attention_share(job.gpu, job.sequence, job.stack, job.kernels, k)
    attention = forward_attention_flops(model, job.sequence) * (1.0 + k.attention_backward + job.attended_again)
    traffic = k.tuned_traffic if job.tuned else k.ordinary_traffic
    if job.compiled and not job.tuned:
        traffic *= k.compiled_traffic
    kept = model.layers * activation_bytes_per_token(model) * (1.0 + job.again / 3.0)
    moved = traffic * kept + k.logit_traffic_bytes * model.vocab
    if model.mlp == "gated" and not job.tuned:
        apart = k.compiled_traffic if job.compiled else 1.0
        moved += apart * k.apart_bytes * model.hidden * model.layers * (1.0 + job.again / 3.0)
    return {
        "matmul": job.tokens * _matmul_seconds_per_token(job, bf16),
        "attention": job.tokens * attention / (bf16 * share),
        "elementwise": job.tokens * moved / (job.gpu.bandwidth_gb_s * BYTES_PER_GB),
    }


def _matmul_seconds_per_token(job: Job, bf16: float) -> Number:
    """Layers at the precision, routed experts slower, the output head and the adapters in bf16."""
    model, k = job.model, job.k
    head, experts = float(model.vocab * model.hidden), expert_parameters(model)
    dense = matmul_parameters(model) - head - experts
    speed = matmul_tflops(job.gpu, job.precision, k) * FLOPS_PER_TFLOP
    speed *= utilisation(model, job.gpu, job.method, job.precision, job.stack, k)
    wide = bf16 if job.precision in ("fp8", "fp4") else bf16 * SLOWER_PRECISIONS.get(job.precision, 1.0)
    wide *= utilisation(model, job.gpu, job.method, "bf16", job.stack, k)
    layers = job.passes * dense / speed
    if experts:
        layers += job.passes * experts / (speed * k.mixture_matmul * _expert_narrowness(model, k))
    trained = 0.0 if job.method == "full" else adapter_flops(model, job.rank)
    return 2.0 * (layers + (job.passes - job.again) * head / wide) + trained / wide


def _expert_narrowness(model: Model, k: TrainingConstants) -> float:
    """Utilisation at the experts' width over that at the model's."""
    width = min(model.moe_intermediate or model.hidden, model.hidden)
    wide, narrow = (1.0 + k.narrow_slope * (k.narrow_width / each) ** 2 for each in (model.hidden, width))
    return wide / narrow


def _fixed_seconds(job: Job) -> dict[str, Number]:
    """Seconds of a micro-batch for launches, dequantisation and communication, whatever its tokens."""
    model, k = job.model, job.k
    parts: dict[str, Number] = {"launch": _launch_seconds(job)}
    slower = k.dequantise_bandwidth_gb_s / job.gpu.bandwidth_gb_s
    quantised = model.params_total - embedding_parameters(model)
    parts["dequantise"] = k.dequantise_s * quantised * job.passes * slower if job.method == "qlora" else 0.0
    parts["sharding"] = _sharding_seconds(job)
    parts["parallel"] = _parallel_seconds(job)
    return parts


def _step_seconds(job: Job) -> Number:
    """The micro-batch's share of a step's own time: the optimizer, and what a tuned recipe spends per layer."""
    fixed = job.k.tuned_step_s * job.model.layers if job.tuned else 0.0
    return (fixed + _optimizer_seconds(job) + _exchange_seconds(job)) / job.steps


def _launch_seconds(job: Job) -> float:
    """Kernels of the layers a GPU holds. Tuned recipes hide them, but for a mixture's: its host waits for routing."""
    k = job.k
    if job.tuned:
        return k.routing_s * routed_layers(job.model) / job.parallelism.pipeline * job.passes
    seconds = k.launch_s * job.layers_held * job.passes
    seconds *= 1.0 if job.method == "full" else k.adapter_launches
    seconds *= k.compiled_launches if job.compiled else 1.0
    return seconds * (1.0 + k.expert_launches * (job.model.n_experts or 0))


def _network_gb_s(job: Job) -> float:
    """GB/s of a machine's network, one direction: stated, else what usually goes with the GPU."""
    usual = job.k.fabric_share * link_gb_s(job.gpu) if is_linked(job.gpu) else job.k.ethernet_gb_s
    return job.parallelism.network_gb_s or usual


def _collective_bytes_s(job: Job) -> Number:
    """Bytes per second of a ring over all GPUs: the link's, or the machines' network where that is slower."""
    inside = job.k.link_share * link_gb_s(job.gpu)
    outside = min(inside, _network_gb_s(job))
    result: Number = np.where(np.greater(job.gpus, job.island), outside, inside)[()] * BYTES_PER_GB
    return result


def _peer_bytes_s(job: Job, group: Number) -> Number:
    """Bytes per second from one GPU to the others of a group: the link's, or its share of the machine's network."""
    inside = job.k.link_share * link_gb_s(job.gpu)
    outside = min(inside, _network_gb_s(job) / job.k.gpus_per_node)
    result: Number = np.where(np.greater(group, job.island), outside, inside)[()] * BYTES_PER_GB
    return result


def _gathers(job: Job) -> bool:
    """Whether weights lie sharded and are gathered layer by layer; tuned recipes do not wait for it."""
    if job.tuned or job.parallelism.replicated:
        return False
    return shards_base(job.model, job.gpu, job.method, largest(job.gpus), job.k)


def _gather_wait_seconds(job: Job) -> float:
    """Gathers of a micro-batch: forward, backward, and for full fine-tuning the gradients' scattering."""
    rounds = 3.0 if job.method == "full" else 2.0
    return job.k.gather_s * job.layers_held * rounds if _gathers(job) else 0.0


def _sharding_seconds(job: Job) -> Number:
    """Weights gathered forward and backward and gradients scattered = 3 × 2 B × N × (G − 1)/G per micro-batch.

    Adapters gather the frozen base twice. Tuned recipes overlap it with the computation. Experts that are spread stay
    where they are.
    """
    model = job.model
    if not _gathers(job):
        return 0.0
    gathered = 1.0
    if job.parallelism.expert > 1:
        all_experts = expert_parameters(model) * (model.n_experts or 1) / (model.experts_per_token or 1)
        gathered = 1.0 - min(all_experts / model.params_total, 1.0) * (1.0 - 1.0 / job.parallelism.expert)
    base = "nf4" if job.method == "qlora" else "bf16"
    moved = 6.0 * model.params_total if job.method == "full" else 2.0 * weights_bytes(model, base)
    moved *= gathered / (job.parallelism.tensor * job.parallelism.pipeline)
    return moved * (job.gpus - 1.0) / job.gpus / _collective_bytes_s(job)


def _exchange_seconds(job: Job) -> Number:
    """Gradients of replicated weights reduced and parameters sent back, once a step = 2 × 2 B × N × (G − 1)/G."""
    if job.tuned or job.method != "full" or not job.parallelism.replicated:
        return 0.0
    moved = 4.0 * job.model.params_total / (job.parallelism.tensor * job.parallelism.pipeline)
    return moved * (job.gpus - 1.0) / job.gpus / _collective_bytes_s(job)


def _parallel_seconds(job: Job) -> Number:
    """What a model spread over GPUs exchanges per micro-batch: tensor, context and expert parallelism.

    tensor   4 all-reduces of hidden per layer and token (two more with recomputation), 2·(t − 1)/t × 2h B each
    context  keys and values to the other members, forward and twice backward
    experts  see `_dispatch_seconds`
    """
    model, parallelism = job.model, job.parallelism
    exposed = job.k.overlapped_exposed if job.tuned else 1.0
    reduces = 4.0 + 2.0 * job.again
    tensor = reduces * 4.0 * model.hidden * (parallelism.tensor - 1.0) * model.layers
    context = 12.0 * model.kv_heads * model.head_dim * (parallelism.context - 1.0) * model.layers
    seconds: Number = tensor / _peer_bytes_s(job, parallelism.tensor)
    seconds += context / _peer_bytes_s(job, parallelism.tensor * parallelism.context)
    seconds *= job.tokens * exposed
    return seconds + _dispatch_seconds(job) if model.is_mixture else seconds


def _dispatch_seconds(job: Job) -> Number:
    """Tokens sent to their experts and back, forward and backward: 4 × copies × 2h B for each routed layer.

    A token is sent to each of its experts on another GPU. Beyond the GPUs that one link joins it crosses the network:
    in a tuned recipe once for every other machine with one of its experts, (m − 1) × [1 − (1 − 1/m)^k] in the mean of
    m machines and k experts, and is handed on there over the link (DeepEP); in an ordinary one for every expert there.
    """
    model, spread, chosen = job.model, job.experts_spread, float(job.model.experts_per_token or 1)
    each = 8.0 * model.hidden * routed_layers(model) * (1.0 + job.again / 2.0) * job.tokens
    machines = np.maximum(spread / job.island, 1.0)
    across = chosen * (1.0 - 1.0 / machines)
    if job.tuned:
        across = (machines - 1.0) * (1.0 - (1.0 - 1.0 / machines) ** chosen)
    inside = each * chosen * (spread - 1.0) / spread / _peer_bytes_s(job, 1.0)
    result: Number = np.maximum(inside, each * across / _peer_bytes_s(job, np.inf))
    return result


def _optimizer_seconds(job: Job) -> Number:
    """Bytes of parameters, gradients and states over memory bandwidth; full fine-tuning shares them among the GPUs.

    Replicated adapters add the all-reduce of their fp32 gradients.
    """
    bandwidth = (job.k.host_memory_gb_s if job.host_optimizer else job.gpu.bandwidth_gb_s) * BYTES_PER_GB
    if job.method == "full":
        return job.model.params_total * job.optimizer_bytes / job.gpus / bandwidth
    trained = lora_parameters(job.model, job.rank)
    reduced = 8.0 * trained * (job.gpus - 1.0) / job.gpus / _collective_bytes_s(job)
    return trained * job.optimizer_bytes / bandwidth + (0.0 if job.tuned else reduced)


def largest(value: Number) -> float:
    """The largest entry as a plain number."""
    return value if isinstance(value, float) else float(np.max(value))
