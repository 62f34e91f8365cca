"""Report contents to PDF bytes with Typst: tagged, PDF/A-2a and PDF/UA-1, the same bytes for the same contents."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from portfolio.reports.blocks import ReportContents
from portfolio.reports.fonts import FAMILIES, faces
from portfolio.reports.glyphs import displayable, width

LAYOUT = Path(__file__).parent / "report.typ"
RUNNING_TITLE, RUNNING_ORGANISATION = 56, 34  # characters of them in the header
VERSIONS_IN_FOOTER = {"Questionnaire": "questionnaire", "Rules": "rules", "Cost engine": "engine"}


def render(contents: ReportContents) -> bytes:
    """The PDF of these contents. Raises typst.TypstError when the layout itself is broken."""
    data = _displayable(contents.to_dict())
    made = datetime.fromisoformat(contents.made_at).replace(tzinfo=UTC)
    data |= {
        "seal": contents.sha256(),
        "fonts": list(FAMILIES),
        "made_on": f"{made:%-d %B %Y, %H:%M} UTC",
        "running_title": _running(contents.title, RUNNING_TITLE),
        "running_organisation": _running(contents.organisation, RUNNING_ORGANISATION),
        "footer": _footer(contents),
    }
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        root = Path(folder)
        for index, figure in enumerate(_figures(data)):
            figure["index"] = index
            (root / f"figure-{index}.svg").write_text(figure.pop("svg"), encoding="utf-8")
        (root / "data.json").write_text(json.dumps(data), encoding="utf-8")
        (root / "report.typ").write_bytes(LAYOUT.read_bytes())
        pdf: bytes = typst.compile(
            str(root / "report.typ"),
            root=folder,
            font_paths=faces().handle,
            pdf_standards=["a-2a", "ua-1"],
            timestamp=made,
        )
    return pdf


def page_count(pdf: bytes) -> int:
    """How many pages Typst's PDF has: the largest count among its page tree's nodes."""
    return max((int(n) for n in re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", pdf)), default=0)


def _figures(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every figure in reading order, those in pairs too."""
    for section in data["sections"]:
        for block in section["blocks"]:
            if block["kind"] == "figure":
                yield block
            elif block["kind"] == "pair":
                yield from block["figures"]


def _running(words: str, longest: int) -> str:
    """One line of it for the header."""
    line = " ".join(displayable(words).split())
    if width(line) <= longest:
        return line
    while width(line) >= longest:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _footer(contents: ReportContents) -> str:
    words = [f"{VERSIONS_IN_FOOTER[k]} {v.split(',')[0]}" for k, v in contents.versions if k in VERSIONS_IN_FOOTER]
    return " · ".join(words).capitalize()


def _displayable(value: Any) -> Any:
    """A copy of JSON-like data with all its texts made displayable; drawings are left alone."""
    if isinstance(value, str):
        return displayable(value)
    if isinstance(value, dict):
        return {key: item if key == "svg" else _displayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_displayable(item) for item in value]
    return value
