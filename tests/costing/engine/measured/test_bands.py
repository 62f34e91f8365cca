import math

import numpy as np
import pytest

from costing.engine.bands import ALL
from costing.engine.measured.bands import bands, coverage, next_document
from costing.engine.measured.calibrate import Residual


def residuals(ratios: dict[str, list[float]], *, circumstance: str = "usual", part: str = "memory") -> list[Residual]:
    return [
        Residual(part, f"{name}{i}", name, name, "full", circumstance, ratio * 7, 7.0, 7.0, 7.0, "")
        for name, each in ratios.items()
        for i, ratio in enumerate(each)
    ]


def spread(sd: float, seed: int, n: int = 200) -> list[float]:
    return list(np.exp(sd * np.random.default_rng(seed).normal(size=n)))


def test_documents_alike_in_the_middle_leave_the_spread_of_their_rows():
    logs = [np.random.default_rng(seed).normal(0.1, 0.2, size=2000) for seed in range(40)]
    middle, half = next_document(logs)
    assert middle == pytest.approx(0.1, abs=0.01)
    assert half == pytest.approx(1.2816 * 0.2, rel=0.02)


def test_documents_that_differ_widen_the_band_by_how_they_differ():
    """Rows that agree within a document, documents that do not: only the difference between documents is left."""
    offsets = np.random.default_rng(7).normal(0, 0.3, size=12)
    _, half = next_document([np.full(5, offset) for offset in offsets])
    assert half == pytest.approx(1.28155 * math.sqrt(offsets.var(ddof=1) * (1 + 1 / 12)), rel=1e-4)


def test_four_fifths_of_new_documents_rows_lie_inside():
    """By drawing worlds: documents with an offset of their own, a band from six, a row of a seventh."""
    draw = np.random.default_rng(5)
    hits = []
    for _ in range(1500):
        offsets = draw.normal(0, 0.2, size=7)
        logs = [draw.normal(offset, 0.15, size=10) for offset in offsets]
        middle, half = next_document(logs[:6])
        hits.append(abs(logs[6][0] - middle) <= half)
    assert np.mean(hits) == pytest.approx(0.78, abs=0.04)  # a little less: how documents differ is itself a guess


def test_one_document_says_nothing_about_another():
    with pytest.raises(ValueError, match="one document says nothing"):
        next_document([np.zeros(9)])


def test_a_long_table_does_not_make_the_band_its_own():
    few = {"a": spread(0.1, 1, n=20), "b": [1.5 * r for r in spread(0.1, 2, n=20)], "c": spread(0.1, 3, n=20)}
    many = {**few, "a": spread(0.1, 1, n=2000)}
    assert bands(residuals(many))[0].p90 == pytest.approx(bands(residuals(few))[0].p90, rel=0.1)


def test_a_circumstance_of_few_documents_has_no_band_of_its_own_and_rows_set_aside_make_none():
    usual = residuals({name: spread(0.1, seed) for seed, name in enumerate("abce")})
    rare = residuals({"a": [1.0] * 30, "d": [1.1] * 30}, circumstance="rare")
    found = bands(usual + rare)
    assert [(band.circumstance, band.sources) for band in found] == [(ALL, 5), ("usual", 4)]
    wild = residuals({"c": [50.0] * 300})
    aside = [Residual(**{**vars(row), "set_aside": "why"}) for row in wild]
    assert bands(usual + rare + aside) == found


def test_four_fifths_are_covered_where_sources_are_alike_and_an_odd_one_is_not():
    alike = {name: spread(0.2, seed) for seed, name in enumerate("abcdefgh")}
    assert coverage(residuals(alike))["memory"] == pytest.approx(0.83, abs=0.05)  # a little more: t against normal
    odd = {**alike, "odd": [3.0] * 200}
    # the band made without the odd one does not hold it; the others, wider by it, hold nearly all of theirs
    assert coverage(residuals(odd))["memory"] == pytest.approx(8 / 9, abs=0.03)
