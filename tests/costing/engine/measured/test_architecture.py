from dataclasses import fields

import pytest

from costing.engine.catalogue import load
from costing.engine.measured.architecture import FURTHER, NEEDED, model_of
from costing.engine.measured.cells import CellError, Cells

CATALOGUE = load()
LLAMA = {
    "params": "8030261248",
    "layers": "32",
    "hidden": "4096",
    "heads": "32",
    "kv_heads": "8",
    "head_dim": "128",
    "intermediate": "14336",
    "vocab": "128256",
}


def test_a_known_name_alone_is_enough():
    assert model_of(Cells({"model": "Llama-3.1-8B"}), CATALOGUE) == CATALOGUE.model("Llama-3.1-8B")


@pytest.mark.parametrize("row", CATALOGUE.models, ids=lambda row: row.model_id)
def test_by_name_or_by_dimensions_is_the_same_model(row):
    """Every model of the catalogue, given by its own dimensions under its own name and under a name nobody knows."""
    cells = {}
    for column, field in {**NEEDED, **FURTHER}.items():
        value = getattr(row, field)
        if value is not None:
            cells[column] = f"{value:.0f}"
    named = model_of(Cells({"model": row.model_id, **cells}), CATALOGUE)
    unnamed = model_of(Cells({"model": "somebody's", **cells}), CATALOGUE)
    told = {"params_method", "family", "source", "as_of", "note", "model_id"}
    for each in fields(row):
        if each.name in told or each.name == "context":
            continue
        assert getattr(named, each.name) == getattr(row, each.name), each.name
        if each.name not in ("mlp", "tied_embeddings", "attention", "intermediate"):
            assert getattr(unnamed, each.name) == getattr(row, each.name), each.name


def test_plain_and_gated_layers_are_told_apart_by_the_parameters():
    mpt = {
        "params": "6649000000",
        "layers": "32",
        "hidden": "4096",
        "heads": "32",
        "intermediate": "16384",
        "vocab": "50368",
    }
    assert model_of(Cells({"model": "MPT-7B", **mpt}), CATALOGUE).mlp == "plain"
    assert model_of(Cells({"model": "some", **LLAMA}), CATALOGUE).mlp == "gated"


def test_tied_embeddings_are_told_by_the_parameters():
    small = {**LLAMA, "params": "3212749824", "layers": "28", "hidden": "3072", "heads": "24", "intermediate": "8192"}
    assert model_of(Cells({"model": "some 3B", **small}), CATALOGUE).tied_embeddings
    assert not model_of(Cells({"model": "some 8B", **LLAMA}), CATALOGUE).tied_embeddings


def test_columns_win_over_the_catalogue_and_another_shape_takes_nothing_from_it():
    longer = model_of(Cells({"model": "Llama-3.1-8B", "vocab": "128000"}), CATALOGUE)
    assert longer.vocab == 128000
    assert longer.intermediate == 14336
    other = model_of(Cells({**LLAMA, "model": "Llama-3.1-8B", "layers": "16", "params": "4000000000"}), CATALOGUE)
    assert other.layers == 16
    assert other.params_total == 4e9


def test_latent_attention_s_rope_part_is_64_where_only_its_rank_is_stated():
    latent = {**LLAMA, "kv_heads": LLAMA["heads"], "kv_lora_rank": "512"}
    assert model_of(Cells(latent), CATALOGUE) == model_of(Cells({**latent, "qk_rope_head_dim": "64"}), CATALOGUE)


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ({"model": "Llama-3.1-9B"}, "model", "did you mean 'Llama-3.1-8B'"),
        ({}, "params", "no known model's name stands for it"),
        ({"model": "mine", **{k: v for k, v in LLAMA.items() if k != "layers"}}, "model", "unknown open model 'mine'"),
        ({**LLAMA, "kv_heads": "5"}, "kv_heads", "5 does not divide heads 32"),
        ({**LLAMA, "layers": "-1"}, "layers", "must be above 0"),
        ({**LLAMA, "params_active": "9e9"}, "params_active", "is more than params"),
        ({**LLAMA, "n_experts": "8", "moe_intermediate": "512"}, "experts_per_token", "needed with n_experts"),
        ({**LLAMA, "n_experts": "8", "experts_per_token": "2"}, "moe_intermediate", "the width of one expert"),
        ({"model": "Llama-3.1-8B", "layers": "99"}, "params", "Llama-3.1-8B has other layers, hidden or heads"),
        ({**LLAMA, "layers": "1e7"}, "layers", "largest value that makes sense"),
        ({**LLAMA, "layers": "5000"}, "params", "5000 such layers make"),
        ({**LLAMA, "vocab": "5000000"}, "params", "of embeddings"),
        ({**LLAMA, "hidden": "8", "head_dim": "1", "intermediate": "32"}, "params", "is too many"),
        ({**LLAMA, "sliding_layers": "40", "sliding_window": "512"}, "sliding_layers", "is more than layers"),
    ],
)
def test_faults_name_their_column(cells, column, message):
    with pytest.raises(CellError, match=message) as caught:
        model_of(Cells(cells), CATALOGUE)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "spelt",
    ["llama-3.1-8b", "meta-llama/Llama-3.1-8B-Instruct", "Meta-Llama-3.1-8B", "Llama 3.1 8B", "Llama-3.1-8B-FP8"],
)
def test_a_model_is_known_however_it_is_spelt(spelt):
    assert model_of(Cells({"model": spelt}), CATALOGUE).model_id == "Llama-3.1-8B"


@pytest.mark.parametrize("row", [row for row in CATALOGUE.models if row.is_mixture], ids=lambda row: row.model_id)
def test_what_works_on_a_token_follows_from_the_experts(row):
    """Left blank, the active parameters come from the dimensions: near what the makers publish."""
    cells = {}
    for column, field in {**NEEDED, **FURTHER}.items():
        value = getattr(row, field)
        if value is not None and column != "params_active":
            cells[column] = f"{value:.0f}"
    found = model_of(Cells({"model": "somebody's", **cells}), CATALOGUE)
    looked_up = row.vocab * row.hidden  # some count the input embedding, of which a token reads one line
    assert found.params_active == pytest.approx(row.params_active, abs=0.12 * row.params_active + looked_up)
