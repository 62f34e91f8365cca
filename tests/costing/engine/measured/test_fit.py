"""Fits are judged on rows made from known constants: they must be found again, outliers and priors notwithstanding."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from costing.engine.calibration import constant
from costing.engine.measured.fit import Row, fit
from costing.engine.measured.part import Part, document, publisher


@dataclass(frozen=True)
class Line:
    slope: float = constant(1.0, spread=1.0, why="per unit")
    offset: float = constant(1.0, spread=1.0, why="fixed")
    power: float = constant(1.0, why="never fitted")


PART = Part(
    name="line",
    title="A line",
    file="",
    columns=(),
    predicts=("y",),
    measured="y",
    read=lambda cells, catalogue: None,
    predict=lambda x, line: {"y": line.offset + line.slope * x**line.power},
    constants=Line(),
    priors=Line(),
    left_out=lambda cells: "",
    method=lambda cells: "",
)


def rows(slope: float, offset: float, source: str = "a", noise: float = 0.0, n: int = 40) -> list[Row[float]]:
    draw = np.random.default_rng(3)
    xs = np.geomspace(0.01, 100, n)
    return [Row(str(x), x, (offset + slope * x) * math.exp(noise * draw.normal()), source) for x in xs]


def test_constants_are_found_again():
    found = fit(PART, rows(2.5, 0.4))
    assert found.slope == pytest.approx(2.5, rel=0.02)
    assert found.offset == pytest.approx(0.4, rel=0.02)
    assert found.power == 1.0


def test_a_few_wild_rows_move_little():
    honest = rows(2.5, 0.4, noise=0.05)
    wild = [Row(r.case_id, r.case, r.measured * 5, r.source) for r in honest[::10]]
    found = fit(PART, [r for i, r in enumerate(honest) if i % 10] + wild)
    assert found.slope == pytest.approx(2.5, rel=0.12)


def test_without_rows_to_say_otherwise_the_prior_stands():
    found = fit(PART, [Row("1", 100.0, 251.0, "a")])  # says nothing about the offset
    assert found.offset == pytest.approx(1.0, rel=0.1)
    assert found.slope == pytest.approx(2.5, rel=0.05)


def test_a_long_table_does_not_decide_alone():
    long, short = rows(1.0, 1.0, "long", n=400), rows(1.5, 1.0, "short", n=4)
    found = fit(PART, long + short)
    alone = fit(PART, long)
    assert found.slope > alone.slope * 1.01


def test_documents_and_publishers():
    table = "mosaicml/llm-foundry@8c8dd48 scripts/train/benchmarking/README.md [H100 80GB BF16]"
    other = "mosaicml/llm-foundry@8c8dd48 scripts/train/benchmarking/README.md [A100 80GB with 1600 Gbps]"
    assert document(table) == document(other) == "mosaicml/llm-foundry@8c8dd48 scripts/train/benchmarking/README.md"
    assert publisher(table) == "mosaicml/llm-foundry"
    run = "mlcommons/training_results_v5.0:Dell/results/x/llama2_70b_lora"
    assert document(run) == document(run.replace(":", " ")) == publisher(run) == "mlcommons/training_results_v5.0"
    files = ("rank32.json", "rank64.json")
    assert {document(f"huggingface/peft@5d602fd results/{name}") for name in files} == {
        "huggingface/peft@5d602fd results"
    }
