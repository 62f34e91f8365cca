"""The bands by the way the model is called: each can be drawn from, and an agent's differ from a chat's by much."""

import pytest

from costing.engine.assumptions import table
from costing.engine.inputs import Input, Origin, Provenance, check_input
from portfolio.questionnaire.codes import CODES
from portfolio.questionnaire.workload_defaults import SHAPE_WORDS, TABLE, ShapeOfWork, assumed_for, shape_of


def test_every_shape_of_the_questionnaire_has_words_and_rows() -> None:
    assert set(CODES["workload_shape"]) == set(TABLE) == set(SHAPE_WORDS)


@pytest.mark.parametrize(("shape", "key"), [(shape, key) for shape, rows in TABLE.items() for key in rows])
def test_every_row_is_an_input_the_engine_can_draw_from(shape: str, key: str) -> None:
    row, known = TABLE[shape][key], table()[key]
    assert known.least <= row.low <= row.value <= row.high <= known.most
    provenance = Provenance(Origin.ASSUMPTION, row.why)
    check_input(Input(key, "", "", "", row.value, row.low, row.high, known.shape, provenance))


def test_one_request_of_an_agent_reads_fifty_times_what_a_classification_reads() -> None:
    read = {
        shape: (rows["input_tokens"].value + rows.get("instruction_tokens", rows["input_tokens"]).value)
        * rows["calls_per_request"].value
        for shape, rows in TABLE.items()
    }
    assert read["agent_loop"] == 60_000  # (8,000 + 2,000) × 6
    assert read["agent_loop"] / read["classification"] == 50  # 1,200 × 1


def test_the_shape_follows_from_the_task_until_it_is_answered() -> None:
    assert shape_of({}) is None
    assert shape_of({"task_type": "drafting"}) is None  # done in several ways
    assert shape_of({"task_type": "search", "second_task_type": "agent"}) == ShapeOfWork(
        "agent_loop", "second_task_type", answered=False
    )
    assert shape_of({"task_type": "agent", "workload_shape": "chat"}) == ShapeOfWork(
        "chat", "workload_shape", answered=True
    )
    assert assumed_for("chat")["output_tokens"].value == 200
