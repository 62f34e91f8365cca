"""The strokes of `svg`: text, lines, rectangles with colours from a palette, and how wide words are. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from costing.charts.chart import Series
from costing.charts.palette import Palette

SIZE = 12.0  # of the letters, in px
ADVANCE = 0.56  # mean width of a letter, in sizes


def number(value: float) -> str:
    """A coordinate: two decimals at most, no trailing zeros, so that equal charts are equal bytes."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_width(text: str, size: float = SIZE) -> float:
    """About how wide `text` is, in px."""
    return len(text) * size * ADVANCE


def wrapped(words: str, room: float) -> list[str]:
    """`words` in at most two lines of `room` px, the second cut with an ellipsis if it must."""
    if text_width(words) <= room:
        return [words]
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > 2:
        lines = [lines[0], " ".join(lines[1:])]
    fit = max(int(room / (SIZE * ADVANCE)), 2)
    return [line if len(line) <= fit else line[: fit - 1].rstrip() + "…" for line in lines]


def in_two(words: str) -> list[str]:
    """`words` in two lines, after a colon if there is one, else where they come out most even; one word stays one."""
    head, colon, tail = words.partition(": ")
    if colon:
        return [f"{head}:", tail]
    parts = words.split()
    if len(parts) < 2:
        return [words]
    halves = [[" ".join(parts[:i]), " ".join(parts[i:])] for i in range(1, len(parts))]
    return min(halves, key=lambda half: max(map(len, half)))


@dataclass(frozen=True)
class Pen:
    palette: Palette

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        token: str = "ink-3",
        anchor: str = "start",
        weight: int = 400,
        halo: bool = False,
    ) -> str:
        rim = f' paint-order="stroke" stroke="{self.palette["surface"]}" stroke-width="4"' if halo else ""
        bold = f' font-weight="{weight}"' if weight != 400 else ""
        where = f' text-anchor="{anchor}"' if anchor != "start" else ""
        fill = self.palette[token]
        return f'<text x="{number(x)}" y="{number(y)}" fill="{fill}"{where}{bold}{rim}>{escape(words)}</text>'

    def line(
        self, path: str, token: str, width: float = 1, *, dash: str = "", cap: str = "butt", opacity: float = 1
    ) -> str:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        ends = f' stroke-linecap="{cap}"' if cap != "butt" else ""
        pale = f' stroke-opacity="{number(opacity)}"' if opacity < 1 else ""
        return (
            f'<path d="{path}" fill="none" stroke="{self.palette[token]}" stroke-width="{number(width)}"'
            f' stroke-linejoin="round"{dashes}{ends}{pale}/>'
        )

    def rect(
        self, x: float, y: float, width: float, height: float, token: str, *, opacity: float = 1, radius: float = 0
    ) -> str:
        pale = f' fill-opacity="{number(opacity)}"' if opacity < 1 else ""
        round_ = f' rx="{number(radius)}"' if radius else ""
        return (
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
            f' fill="{self.palette[token]}"{pale}{round_}/>'
        )

    def group(self, series: Series, parts: Iterable[str]) -> str:
        return f'<g data-series="{escape(series.key)}" data-mark="{series.mark.value}">{"".join(parts)}</g>'
