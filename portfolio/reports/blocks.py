"""What a report is made of: frozen blocks in reading order, plain text only. Pure; `pdf.render` lays them out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

Cell = str | tuple[str, str]  # the words, or (the words, smaller words below them)


@dataclass(frozen=True)
class Paragraph:
    text: str
    style: str = "body"  # "body" | "lede" | "note"
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]
    kind: str = field(default="bullets", init=False)


@dataclass(frozen=True)
class Table:
    """`columns` are (heading, width, numeric); widths are Typst's: "auto", "1fr", "24mm"."""

    caption: str
    columns: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: tuple[int, ...] = ()  # rows that stand out: the recommended option, a total
    dense: bool = False  # many narrow columns
    struck: tuple[int, ...] = ()  # rows that no longer count
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Figure:
    title: str  # shown only in a pair; else a heading stands above
    reading: str  # one sentence: what it shows; with the title the alternative text
    svg: str
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Pair:
    """Two narrow figures beside each other."""

    figures: tuple[Figure, Figure]
    kind: str = field(default="pair", init=False)


@dataclass(frozen=True)
class Layers:
    """`layers` are (name, approach, need, responsibility)."""

    layers: tuple[tuple[str, str, str, str], ...]
    kind: str = field(default="layers", init=False)


@dataclass(frozen=True)
class Terms:
    """What words mean: (term, meaning)."""

    terms: tuple[tuple[str, str], ...]
    kind: str = field(default="terms", init=False)


@dataclass(frozen=True)
class Heading:
    text: str
    kind: str = field(default="heading", init=False)


Block = Paragraph | Bullets | Table | Figure | Pair | Layers | Terms | Heading


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]
    starts_page: bool = False  # otherwise it starts one only where little of the current page is left
    is_appendix: bool = False  # its headings are bookmarks, but not in the contents


@dataclass(frozen=True)
class ReportContents:
    """Everything a report shows. The same contents give the same bytes."""

    title: str
    organisation: str
    unit: str
    owner: str
    is_demo: bool
    verdict: str
    approach: str  # a Target, for the colour of the verdict
    key_figures: tuple[tuple[str, str, str], ...]  # (label, figure, note)
    layers: tuple[tuple[str, str, str, str], ...]  # (name, approach, need, responsibility), as on the cover
    made_at: str  # ISO date and time, UTC
    versions: tuple[tuple[str, str], ...]  # (what, version)
    sections: tuple[Section, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def sha256(self) -> str:
        """The seal: SHA-256 over the canonical JSON of everything shown. Lone surrogates count as what they are."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()
