"""What a report is made of: frozen blocks in reading order, plain text only. Pure; `pdf.render` lays them out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Paragraph:
    text: str
    style: str = "body"  # "body" | "lede" | "note"
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True)
class Table:
    """`columns` are (heading, width, numeric); widths are Typst's: "auto", "1fr", "24mm"."""

    caption: str
    columns: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Figure:
    title: str
    reading: str  # one sentence: what it shows; also the alternative text
    svg: str
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Layers:
    """`layers` are (name, approach, need, responsibility)."""

    layers: tuple[tuple[str, str, str, str], ...]
    kind: str = field(default="layers", init=False)


@dataclass(frozen=True)
class Heading:
    text: str
    kind: str = field(default="heading", init=False)


Block = Paragraph | Table | Figure | Layers | Heading


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]
    appendix: bool = False


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
    made_at: str  # ISO date and time, UTC
    versions: tuple[tuple[str, str], ...]  # (what, version)
    sections: tuple[Section, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def sha256(self) -> str:
        """The seal: SHA-256 over the canonical JSON of everything shown."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
