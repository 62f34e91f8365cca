"""The typefaces of reports: the product's own first, then those with the scripts it lacks; and what they can draw.

Packages carry all of them, so that a report looks the same on every machine; the machine's own fonts are not used.
"""

from __future__ import annotations

import atexit
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import typst
from fontTools.ttLib import TTFont

# In the order in which they are asked for a character; the last three are Typst's own.
FAMILIES = (
    "Hanken Grotesk",
    "FiraGO",  # Arabic, Hebrew, Cyrillic, Greek, Devanagari, Thai, Georgian
    "Noto Sans CJK SC",  # Chinese, Japanese, Korean; each language's own forms by the language of the text
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Libertinus Serif",
    "DejaVu Sans Mono",
    "New Computer Modern",
)
PACKED = ("FiraGO_Regular", "FiraGO_Bold", "NotoSansSymbols_Regular", "NotoSansSymbols2_Regular")
EAST_ASIAN = "NotoSansCJK-Regular.ttc"
FIRST_EAST_ASIAN = 0x1100  # Hangul; nothing below it needs the largest of the files


@dataclass(frozen=True)
class Faces:
    """Typst's handle of all fonts, and the files whose coverage can be read."""

    handle: typst.Fonts
    small: tuple[Path, ...]
    east_asian: Path


@cache
def faces() -> Faces:
    """All typefaces, opened once in a process. Raises ModuleNotFoundError naming a package that is missing."""
    own, east_asian = _folder("font_hanken_grotesk") / "files", _folder("noto_cjk_sans_otc")
    unpacked = _unpack()
    handle = typst.Fonts(include_system_fonts=False, font_paths=[str(own), str(east_asian), str(unpacked)])
    small = (own / "HankenGrotesk-Regular.otf", *(unpacked / f"{name}.ttf" for name in PACKED if "Bold" not in name))
    return Faces(handle, small, east_asian / EAST_ASIAN)


def drawn_by_files(code_points: frozenset[int]) -> frozenset[int]:
    """Those of them that a font file has a glyph for; Typst's own fonts are not looked at."""
    found = code_points & _small()
    missing = {point for point in code_points - found if point >= FIRST_EAST_ASIAN}
    return found | (missing & _east_asian()) if missing else found


@cache
def _small() -> frozenset[int]:
    return frozenset(point for path in faces().small for point in _coverage(path))


@cache
def _east_asian() -> frozenset[int]:
    return frozenset(_coverage(faces().east_asian))


def _coverage(path: Path) -> list[int]:
    with TTFont(path, fontNumber=0, lazy=True) as font:
        return list(font.getBestCmap())


def _unpack() -> Path:
    """`pymupdf-fonts` keeps fonts compressed inside modules; Typst reads files."""
    folder = tempfile.TemporaryDirectory(prefix="report-fonts-")
    atexit.register(folder.cleanup)
    for name in PACKED:
        packed = import_module(f"pymupdf_fonts.{name}")
        (Path(folder.name) / f"{name}.ttf").write_bytes(packed.fontbuffer)
    return Path(folder.name)


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed; install the locked set with ./tunewise up")
    return Path(spec.origin).parent
