"""The colours of the PDF are those of the light theme, and words keep a contrast of 4.5:1 in both themes."""

import re
from pathlib import Path

import pytest

from costing.charts.palette import PRINT, word_token

CSS = Path("static/css/tokens.css").read_text(encoding="utf-8")
TOKENS = {m[1]: (m[2], m[3]) for m in re.finditer(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", CSS)}
WORDS = (
    "ink",
    "ink-2",
    "ink-3",
    "accent",
    "good",
    "warn",
    "bad",
    "prompting-text",
    "rag-text",
    "tuned-text",
    "hybrid-text",
)
GROUNDS = ("bg", "surface", "sunken")


def luminance(colour):
    """Relative luminance after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_formula_knows_black_on_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_the_pdf_has_the_colours_of_the_light_theme():
    assert {token: TOKENS[token][0] for token in PRINT} == PRINT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("word", WORDS)
def test_words_are_legible(word, ground, theme):
    assert contrast(TOKENS[word][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("tone", ["good", "warn", "bad", "accent"])
def test_status_words_are_legible_on_their_ground(tone, theme):
    assert contrast(TOKENS[tone][theme], TOKENS[f"{tone}-soft"][theme]) >= 4.5
    assert contrast(TOKENS["ink-2"][theme], TOKENS[f"{tone}-soft"][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edges_of_controls_are_visible(theme):
    assert contrast(TOKENS["control"][theme], TOKENS["surface"][theme]) >= 3


def test_words_in_an_approachs_colour_use_its_darker_variant():
    assert [word_token(t) for t in ("rag", "tuned", "ink", "component-data")] == [
        "rag-text",
        "tuned-text",
        "ink",
        "ink-2",
    ]
