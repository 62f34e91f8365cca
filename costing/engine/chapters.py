"""The chapters of the methods in reading order: what each is about, where it holds, what it was taken from. Pure data.

Modules are named in reading order; what their public functions compute is the chapter's contents (see `methods`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A publication or page a chapter's methods were taken from."""

    what: str
    where: str


@dataclass(frozen=True)
class Outline:
    key: str
    title: str
    summary: str
    valid: str
    modules: tuple[str, ...]  # of costing.engine
    sources: tuple[Source, ...] = ()


def arxiv(what: str, number: str) -> Source:
    return Source(what, f"arXiv {number}")


CHAPTERS: tuple[Outline, ...] = (
    Outline(
        "volume-and-tokens",
        "Volume and tokens",
        "How many requests come, how many model calls and tokens they make.",
        "Volumes grow by a constant rate; hours of the day and seasons enter through the busiest hour only.",
        ("units", "options.world", "tokens"),
        (Source("Prices and tiers of hosted models", "the vendors’ pricing pages, read into the price rows"),),
    ),
    Outline(
        "training-compute",
        "Training: operations, speed, memory",
        "Floating-point operations of a token, the time a GPU takes for them, and what has to lie in its memory.",
        "Transformers of 0.5 to 700 billion parameters, dense or mixture of experts, in bf16 or fp8, sequences up to "
        "64k tokens, up to 512 GPUs. Multi-node runs without a fast network are slower than said.",
        (
            "dimensions",
            "training_constants",
            "training_flops",
            "gpu_speeds",
            "micro_batch",
            "throughput",
            "memory_terms",
            "memory",
            "memory_fit",
            "training",
        ),
        (
            arxiv("Kaplan et al., Scaling laws for neural language models (6ND)", "2001.08361"),
            arxiv("Hoffmann et al., Training compute-optimal large language models (Chinchilla)", "2203.15556"),
            arxiv("Korthikanti et al., Reducing activation recomputation in large transformer models", "2205.05198"),
            arxiv("Rajbhandari et al., ZeRO: memory optimizations toward trillion parameter models", "1910.02054"),
            arxiv("Dettmers et al., QLoRA: efficient finetuning of quantized LLMs", "2305.14314"),
            Source("EleutherAI cookbook, FLOPs and memory of transformers", "github.com/EleutherAI/cookbook"),
            Source("Bekman, Machine learning engineering: training performance", "github.com/stas00/ml-engineering"),
            Source("NVIDIA, performance summary (LoRA counted as 4N)", "github.com/NVIDIA-NeMo/Megatron-Bridge"),
        ),
    ),
    Outline(
        "serving",
        "Serving on own GPUs",
        "How fast a replica answers, how many requests fit it, and how many replicas a load needs.",
        "Continuous batching with paged KV cache, one model per replica of 1 to 8 GPUs of one machine. Bursts on "
        "ordinary engines are less certain than steady load.",
        ("serving_engines", "serving_step", "serving", "options.sizing", "options.fleet", "fit"),
        (
            arxiv("Kwon et al., Efficient memory management for LLM serving with PagedAttention (vLLM)", "2309.06180"),
            arxiv("Ainslie et al., GQA: grouped-query attention", "2305.13245"),
            arxiv("Leviathan et al., Fast inference from transformers via speculative decoding", "2211.17192"),
            Source("Chen et al., Punica: multi-tenant LoRA serving", "MLSys 2024"),
            Source("Little’s law: requests in the system = arrival rate × time spent", "Little 1961"),
        ),
    ),
    Outline(
        "scaling",
        "Scaling with the load",
        "How many replicas run over a week, what starting one costs, and what queues for a place.",
        "Arrivals at random within an hour. Queueing is used for the number of places only: service slows with "
        "occupancy, which M/M/c does not know.",
        ("scaling",),
        (Source("Erlang’s delay formula for M/M/c queues", "Erlang 1917"),),
    ),
    Outline(
        "retrieval",
        "Retrieval",
        "What the index, the store, the searches and the passages in the prompts cost.",
        "Fixed-size passages with overlap, one vector for each; hosted stores billed by storage, reads and writes.",
        ("retrieval", "reindexing"),
        (
            arxiv("Malkov, Yashunin, Hierarchical navigable small world graphs", "1603.09320"),
            Source("Qdrant, capacity planning (memory = vectors × dimensions × 4 × 1.5)", "qdrant.tech/documentation"),
            Source("Pinecone, understanding cost (read and write units)", "docs.pinecone.io"),
        ),
    ),
    Outline(
        "people",
        "People, data, evaluation, governance",
        "What hours of work cost, what examples, evaluations and reviews take.",
        "Wages are those of the price book or the organisation’s own; hours are assumptions with wide bands until "
        "somebody knows better.",
        ("people", "screening"),
        (Source("Wages: occupational employment and wage statistics", "US Bureau of Labor Statistics, 2024"),),
    ),
    Outline(
        "cadence",
        "Cadence",
        "When a model is trained again or replaced: drift, changed requirements, new and retired base models.",
        "Losses grow steadily between retrainings; changes and releases come independently of them. The optimum is "
        "flat: half or one and a half times the interval costs 8 to 25 % more.",
        ("staleness", "cadence", "options.schedule", "policies", "retraining"),
        (
            Source("The economic order quantity, sqrt(2K/c)", "Harris 1913"),
            Source("Age replacement", "Barlow and Proschan, Mathematical Theory of Reliability, 1965"),
            Source("Temporal quality degradation in AI models", "Vela et al., Scientific Reports 12, 2022"),
        ),
    ),
    Outline(
        "money",
        "Money over time",
        "Price paths, discounting, bands, and the one place where amounts are rounded.",
        "Real prices in US dollars; one discount rate over the horizon of at most 36 months.",
        ("finance", "options.bill", "options.outcome"),
    ),
    Outline(
        "uncertainty",
        "Uncertainty and what drives it",
        "How inputs are drawn together, and which of them matter: to the amount, and to the choice of option.",
        "Shares of variance take inputs as independent; correlated ones share what they explain together.",
        ("distributions", "uncertainty", "sensitivity", "insight", "project"),
        (
            Source("Sobol sequences with scrambling", "Owen 1998; scipy.stats.qmc"),
            Source("Total-effect index from three samples", "Jansen 1999; Saltelli et al. 2010"),
            Source("Expected value of (partial) perfect information", "Howard 1966"),
        ),
    ),
)

# Names people use, where the function's own reads badly.
TITLES = {
    "api_usd_per_request": "Price of an API request",
    "inference_prices": "Prices a row leaves blank",
    "history_tokens": "Tokens of earlier turns",
    "managed_training_usd": "Price of managed fine-tuning",
    "matmul_parameters": "Parameters a token is multiplied with",
    "weights_bytes": "Bytes of the weights",
    "kv_bytes": "KV cache of a sequence",
    "kv_bytes_per_token": "KV cache of a token",
    "lora_parameters": "Parameters of an adapter",
    "forward_matmul_flops": "FLOPs of the matrices, forward",
    "forward_attention_flops": "FLOPs of attention, forward",
    "training_flops_per_token": "FLOPs of a trained token",
    "matmul_tflops": "Highest speed of matrix products",
    "link_gb_s": "Bandwidth between GPUs",
    "usual_micro_batch": "The usual micro-batch",
    "usual_checkpointing": "When activations are recomputed",
    "shards_base": "When the base is sharded",
    "tokens_per_s_per_gpu": "Training speed",
    "training_memory_gib": "Memory of a training step",
    "usable_gib": "Memory a plan may use",
    "smallest_fit": "The fewest GPUs that hold a training",
    "run_gpu_hours": "GPU-hours of a run",
    "expected_runs": "Runs until a good one",
    "plan_training": "A training planned",
    "compute_share": "Share of the peak that decoding reaches",
    "prefill_s": "Time to read a prompt",
    "decode_step_s": "Time of a decode step",
    "token_interval_s": "Time between tokens",
    "kv_batch": "Sequences whose KV cache fits",
    "batch_under_targets": "Sequences within the latency target",
    "capacity_requests_per_s": "Requests a replica serves",
    "plan_serving": "A replica planned",
    "replicas": "Replicas a load needs",
    "speculative_speedup": "Gain of speculative decoding",
    "plan_for_gpu": "A training planned for one kind of GPU",
    "gpus_at_peak": "GPUs of the busiest hour",
    "serving_usd_per_month": "Rent for a month",
    "rent_usd": "Rent of a fleet",
    "gpu_fit": "Which GPUs hold the jobs",
    "erlang_c": "Chance of waiting (Erlang C)",
    "autoscaled_replicas": "Replicas that follow the load",
    "cold_start_hours": "Time a new replica takes to start",
    "break_even_requests_per_month": "Volume from which own GPUs pay",
    "break_even_utilisation": "Utilisation from which own GPUs pay",
    "chunk_count": "Vectors of a corpus",
    "ingest_tokens": "Tokens to index a corpus",
    "stored_bytes": "Bytes a store holds",
    "embedding_usd": "Price of embedding",
    "rerank_usd_per_query": "Price of reranking",
    "extra_prompt_tokens": "Tokens that passages add to a prompt",
    "store_usd_per_month": "Price of a hosted store",
    "loaded_usd_per_hour": "An hour of work",
    "fte_usd_per_month": "People who run it",
    "example_making_usd": "Making training examples",
    "evaluation_run_usd": "An evaluation run",
    "monthly_api_bill_usd": "A first look at an API bill",
    "adapter_fits_16_bit": "A first look at whether LoRA fits",
    "economic_interval_months": "The economic retraining interval",
    "interval_with_forced_months": "Retraining with forced events",
    "renewals": "Events that come again and again",
    "happens": "An event at a time",
    "since": "What holds after an event",
    "schedule": "When an option changes",
    "adoption_interval_months": "When a newer base model pays",
    "value_lost_usd": "Value lost on an older base model",
    "price_path": "Prices over time",
    "discount_factors": "Discounting",
    "npv_usd": "Net present value",
    "band": "Bands: P10, P50, P90",
    "quantiles": "Quantiles over the futures",
    "bill": "The bill of an option",
    "quantile": "Values of an input",
    "lognormal_parameters": "A lognormal from P10 and P90",
    "rounded_draws": "How many futures",
    "scores": "Correlated Sobol draws",
    "to_sample": "Inputs from their draws",
    "nearest_correlation": "The nearest valid correlations",
    "variance_shares": "First-order share of the variance",
    "values_of_knowing": "Value of knowing an input",
    "value_of_knowing_together": "Value of an answer",
    "perfect_information_usd": "Value of knowing everything",
    "total_effects": "Total effects (Jansen)",
    "curve": "Cost over the volume",
    "crossing": "Where two curves cross",
    "project": "The whole projection",
    "written_share": "Share of a prompt written into the cache",
    "prompt_tokens": "Tokens of a prompt",
    "embedding_parameters": "Parameters of the embeddings",
    "routed_expert_parameters": "Parameters of the routed experts",
    "activation_bytes_per_token": "Activations of a token",
    "kept_bytes_per_token": "What checkpointing keeps of a token",
    "selectively_kept_bytes_per_token": "What selective checkpointing keeps of a token",
    "routed_layers": "Layers with experts",
    "expert_parameters": "Parameters of one expert",
    "adapter_flops": "FLOPs of an adapter",
    "gpu_speeds.peak_tflops": "Peak speed of a GPU, in training",
    "is_linked": "Whether GPUs have a fast link",
    "linked_gpus": "GPUs behind one fast link",
    "micro_batch.utilisation": "Utilisation of a training step",
    "attention_share": "Speed of attention against the matrices",
    "recomputed": "What checkpointing computes twice",
    "parts_seconds": "Parts of a training step’s time",
    "share": "How much of a model a GPU holds",
    "weights_share": "How much of the weights a GPU holds",
    "adapters_share": "How much of the adapters a GPU holds",
    "largest_matrix": "The largest matrix of a model",
    "trained_tokens": "Tokens of a training",
    "serving_engines.peak_tflops": "Peak speed of a GPU, in serving",
    "flops_per_s": "Speed of decoding",
    "read_bytes_per_s": "Speed of reading memory",
    "visible_gib": "Memory a serving engine sees",
    "all_reduce": "Latency and speed between GPUs",
    "expert_bytes": "Bytes of the routed experts",
    "coefficients": "Constants of a serving engine",
    "factor": "A constant an engine names",
    "resident_tokens": "Tokens held in memory",
    "windowed_tokens": "Tokens a sliding window keeps",
    "sequence_step_s": "Time a sequence adds to a step",
    "serving_targets": "Latency targets of serving",
    "median_tokens": "Tokens of a median call",
    "serving_sizes": "Sizes of GPU groups that hold a model",
    "cheapest_serving": "The cheapest way to serve",
    "dedicated_fleet": "Replicas of one’s own",
    "shared_fleet": "Replicas shared with other use cases",
    "fleet.utilisation": "Load of a fleet",
    "request_of": "Request a replica is sized for",
    "replica_of": "Replica a fleet is made of",
    "peak_replicas": "Replicas of the busiest hour",
    "waits_longer": "Chance of waiting too long",
    "slots_needed": "Places that keep waiting short",
    "committed_usd": "Rent under a commitment",
    "read_units": "Read units of a hosted store",
    "write_units": "Write units of a hosted store",
    "store_fits": "Whether a store holds an index",
    "refreshing_usd_per_month": "Cost of refreshing an index",
    "best_refresh_months": "The best interval between refreshes",
    "reindexing": "How often to refresh an index",
    "trigger_months": "Time until quality has fallen by the trigger",
    "triggered_interval_months": "Interval of retraining on a trigger",
    "flat_region_months": "Intervals that cost little more than the best",
    "mean_time": "Mean time until the next renewal",
    "policy_costs": "The base-model policies priced",
    "cadence": "The cadence of retraining",
    "mid_months": "The middle of each month",
    "by_class": "Figures by classes of an input",
    "tornado": "The tornado: one input at a time",
}
# Where one method holds less widely than its chapter, or needs to be read with care.
NOTES = {
    "economic_interval_months": "Loss that grows in proportion to time; retraining takes effect at once.",
    "speculative_speedup": "Small batches only: where decoding is limited by compute, nothing is gained.",
    "erlang_c": "Steady load below the number of places.",
}

# Public functions that compute no quantity of their own, and why.
PLUMBING = {
    **dict.fromkeys(("gib", "gb", "per_token"), "converts a unit"),
    **dict.fromkeys(("cents", "money", "rounded_parts"), "rounds"),
    **dict.fromkeys(("by_month", "joined", "infeasible", "outcome"), "gathers"),
    **dict.fromkeys(("facts", "events", "summarise"), "puts into words"),
    **dict.fromkeys(("insights", "annual_usd", "own_gpus_line", "simulate", "size"), "composes other methods"),
    **dict.fromkeys(("dimensions_of", "engine_named"), "looks a row up"),
    **dict.fromkeys(("linear_shapes", "is_uncertain", "together"), "sorts"),
    **dict.fromkeys(("first_true", "shares_of_lowest", "curve_points", "largest"), "counts"),
}
# Modules of the engine that hold no methods, and why.
NOT_METHODS = {
    "assumptions": "reads the table of assumptions",
    "calibration": "reads fitted constants",
    "bands": "reads the bands of measured over predicted",
    "catalogue": "reads the price book",
    "rows": "reads the price book",
    "constants": "lists constants",
    "defaults": "completes a scenario",
    "inputs": "describes a scenario",
    "rates": "looks up the rows a scenario names",
    "results": "describes a result",
    "setting": "prepares a scenario",
    "notices": "writes sentences",
    "wording": "writes sentences",
    "presets": "describes two published claims",
    "chapters": "these chapters",
    "methods": "reads these chapters",
    "months": "counts months of the calendar",
    "method_constants": "lists constants",
    "options.blueprints": "describes the options",
}
