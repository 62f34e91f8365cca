"""The model of a case: its dimensions by columns, what is blank from the catalogue's row of its name. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from costing.engine.catalogue import Catalogue, Model
from costing.engine.dimensions import embedding_parameters, linear_shapes
from costing.engine.measured.cells import CellError, Cells

# column of a case → field of a model; the first block is needed where the name is not in the catalogue
NEEDED = {
    "params": "params_total",
    "layers": "layers",
    "hidden": "hidden",
    "heads": "heads",
    "vocab": "vocab",
}
FURTHER = {
    "kv_heads": "kv_heads",
    "head_dim": "head_dim",
    "intermediate": "intermediate",
    "params_active": "params_active",
    "n_experts": "n_experts",
    "experts_per_token": "experts_per_token",
    "moe_intermediate": "moe_intermediate",
    "shared_experts": "shared_experts",
    "dense_layers": "dense_layers",
    "kv_lora_rank": "kv_lora_rank",
    "qk_rope_head_dim": "qk_rope_head_dim",
    "sliding_window": "sliding_window",
    "sliding_layers": "sliding_layers",
    "context": "context",
}
COLUMNS = ("model", *NEEDED, *FURTHER)
# Words in a model's name that do not change its dimensions.
_SAME_SHAPE = frozenset({"hf", "instruct", "chat", "base", "it", "meta", "awq", "gptq", "fp8", "nvfp4", "bf16", "(v1)"})
_ANY_SIZE = frozenset({"params", "params_active"})
_MAY_BE_ZERO = frozenset({"shared_experts", "dense_layers"})
MOST_PARAMETERS = 1e14
# The largest dimensions that make sense, far beyond any model there is.
MOST = {"layers": 1e4, "hidden": 1e6, "heads": 1e5, "head_dim": 1e5, "vocab": 1e7, "n_experts": 1e5}
MOST_ELSEWHERE = 1e9
LATENT_ROPE_DIM = 64  # of every released model with latent attention; where only its rank is stated
# How often more parameters the layers may count than are stated: a mixture's active ones may have been given as all.
MOST_OVERCOUNT = 10.0
# How often fewer: a mixture whose experts no column names counts as one dense model of an expert's width.
MOST_UNDERCOUNT = 1000.0


def model_of(cells: Cells, catalogue: Catalogue) -> Model:
    """The model a case describes. Columns win over the catalogue; an unknown name is fine when dimensions are given.

    Raises CellError naming the column: an unknown model without dimensions (nearest names offered), or dimensions that
    contradict each other.
    """
    given = _given(cells)
    name = cells.text("model")
    known = _known(name, catalogue)
    if known is not None and not _contradicts(known, given):
        return _checked(_all_active(replace(known, **given), given))  # type: ignore[arg-type]
    missing = [column for column, field in NEEDED.items() if field not in given]
    if missing:
        if known is None and name:
            cells.looked_up("model", catalogue.model)
        if known is not None:
            raise CellError(missing[0], f"the value is missing, and {known.model_id} has other layers, hidden or heads")
        raise CellError(missing[0], "the value is missing, and no known model's name stands for it")
    return _checked(_from_dimensions(name or "unnamed", given))


def _known(name: str, catalogue: Catalogue) -> Model | None:
    """The catalogue's row of this name, however it is spelt: `meta-llama/Llama-3.1-8B-Instruct` is `Llama-3.1-8B`."""
    exact = next((row for row in catalogue.models if row.model_id.casefold() == name.casefold()), None)
    if exact is not None or not name:
        return exact
    return next((row for row in catalogue.models if _plain(row.model_id) == _plain(name)), None)


def _plain(name: str) -> str:
    """A model's name without its maker, its tuning, its file format, and without signs between the words."""
    last = name.casefold().rsplit("/", 1)[-1]
    words = [word for word in re.split(r"[-_ ]+", last) if word not in _SAME_SHAPE]
    return "".join(words)


def _all_active(model: Model, given: dict[str, float | int]) -> Model:
    """A dense model's stated size is what works on a token too, also where it is rounded otherwise than the row's."""
    if "params_active" in given or model.is_mixture:
        return model
    return replace(model, params_active=model.params_total)


def _given(cells: Cells) -> dict[str, float | int]:
    found: dict[str, float | int] = {}
    for column, field in {**NEEDED, **FURTHER}.items():
        if column in _ANY_SIZE:
            value: float | int | None = cells.number(column, most=MOST_PARAMETERS)
        else:
            value = cells.whole(
                column, at_least=0 if column in _MAY_BE_ZERO else 1, most=MOST.get(column, MOST_ELSEWHERE)
            )
        if value is not None:
            found[field] = value
    return found


def _contradicts(known: Model, given: dict[str, float | int]) -> bool:
    """A row of another shape only shares the name: then its dimensions count and nothing of the catalogue's."""
    return any(getattr(known, field) != given[field] for field in ("layers", "hidden", "heads") if field in given)


def _from_dimensions(name: str, given: dict[str, float | int]) -> Model:
    heads, hidden = int(given["heads"]), int(given["hidden"])
    kv_heads = int(given.get("kv_heads", heads))
    latent = "kv_lora_rank" in given
    filled: dict[str, float | int] = {
        "kv_heads": kv_heads,
        "head_dim": max(hidden // heads, 1),
        "params_active": given["params_total"],
        **({"qk_rope_head_dim": LATENT_ROPE_DIM} if latent else {}),
        **given,
    }
    model = Model(
        model_id=name,
        attention="MLA" if latent else "MHA" if kv_heads == heads else "MQA" if kv_heads == 1 else "GQA",
        **filled,  # type: ignore[arg-type]
    )
    if model.intermediate is None and not model.is_mixture:
        model = replace(model, intermediate=4 * hidden)
    model = replace(model, mlp=_mlp(model), tied_embeddings=_tied(model))
    if model.is_mixture and "params_active" not in given:
        return replace(model, params_active=_active(model))
    return model


def _active(model: Model) -> float:
    """Parameters a token passes: all less the routed experts it is not sent to; at least the experts it is sent to."""
    each = 3.0 * model.hidden * (model.moe_intermediate or 0)
    layers = model.layers - (model.dense_layers or 0)
    idle = (model.n_experts or 0) - (model.experts_per_token or 0)
    working = layers * (model.experts_per_token or 0) * each
    return min(max(model.params_total - layers * idle * each, working), model.params_total)


def _layers_parameters(model: Model, matrices: int) -> float:
    attention = (2 * model.heads + 2 * model.kv_heads) * model.head_dim * model.hidden
    return model.layers * (attention + matrices * model.hidden * (model.intermediate or 0))


def _mlp(model: Model) -> str:
    """Two or three feed-forward matrices: whichever counts nearer to the stated parameters."""
    if model.is_mixture:
        return "gated"
    embeddings = 1.5 * model.vocab * model.hidden  # tied or not is decided afterwards
    plain, gated = (abs(_layers_parameters(model, n) + embeddings - model.params_total) for n in (2, 3))
    return "plain" if plain < gated else "gated"


def _tied(model: Model) -> bool:
    """One embedding or two: whichever counts nearer to the stated parameters."""
    if model.is_mixture:
        return False
    layers = _layers_parameters(model, 2 if model.mlp == "plain" else 3)
    one, two = (abs(layers + n * model.vocab * model.hidden - model.params_total) for n in (1, 2))
    return one < two


def _checked(model: Model) -> Model:
    if model.kv_heads > model.heads or model.heads % model.kv_heads:
        raise CellError("kv_heads", f"{model.kv_heads} does not divide heads {model.heads}")
    if model.params_active > model.params_total:
        raise CellError("params_active", f"{model.params_active:g} is more than params {model.params_total:g}")
    if model.n_experts is not None and model.moe_intermediate is None:
        raise CellError("moe_intermediate", "needed with n_experts: the width of one expert")
    if model.n_experts is not None and not 1 <= (model.experts_per_token or 0) <= model.n_experts:
        raise CellError("experts_per_token", f"needed with n_experts, between 1 and {model.n_experts}")
    for column in ("sliding_layers", "dense_layers"):
        if (getattr(model, column) or 0) > model.layers:
            raise CellError(column, f"{getattr(model, column)} is more than layers {model.layers}")
    _check_size(model)
    return model


def _check_size(model: Model) -> None:
    """Raises CellError where the stated parameters cannot be those of a model with these dimensions."""
    embeddings = embedding_parameters(model)
    for column, stated in (("params", model.params_total), ("params_active", model.params_active)):
        if stated <= embeddings:
            raise CellError(column, f"{stated:g} is too few: vocab × hidden alone makes {embeddings:,} of embeddings")
    counted = sum(blocks * inputs * outputs for blocks, inputs, outputs in linear_shapes(model).values())
    if counted > MOST_OVERCOUNT * model.params_total:
        raise CellError("params", f"{model.params_total:g} is too few: {model.layers} such layers make {counted:.3g}")
    if counted + embeddings < model.params_total / MOST_UNDERCOUNT:
        raise CellError("params", f"{model.params_total:g} is too many: {model.layers} such layers make {counted:.3g}")
