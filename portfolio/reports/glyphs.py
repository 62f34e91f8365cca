"""Text that every reader can see: characters no available font can draw are spelt out by their Unicode name.

PDF/A forbids missing glyphs, and people write emoji into comments; nothing they wrote may vanish or stop a report.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import typst

BLOCK = 128  # code points decided together: scripts come in blocks of about this size
FONTS = ("Hanken Grotesk", "Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")
_LONG_WORD = re.compile(r"\S{40,}")  # addresses and the like would run out of a table's column
_ZERO_WIDTH_SPACE = "\u200b"
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) | {"\n"}


def displayable(text: str, fonts: Path) -> str:
    """`text` with characters no font covers spelt out, control characters removed, very long words breakable."""
    unusual = frozenset(text) - _PLAIN
    hidden = {c for c in unusual if unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"}}
    covered: set[str] = set()
    for block in sorted({ord(c) // BLOCK for c in unusual - hidden}):
        present = "".join(sorted(c for c in unusual - hidden if ord(c) // BLOCK == block))
        covered |= _covered(present, fonts)
    shown = "".join(c if c in _PLAIN or c in covered else "" if c in hidden else _spelt(c) for c in text)
    return _LONG_WORD.sub(lambda word: _ZERO_WIDTH_SPACE.join(re.findall(r".{1,24}", word[0])), shown)


@lru_cache(maxsize=4096)
def _covered(characters: str, fonts: Path) -> frozenset[str]:
    """Those of `characters` that can be drawn: all at once when possible, else one by one."""
    if _compiles(characters, fonts):
        return frozenset(characters)
    if len(characters) == 1:
        return frozenset()
    half = len(characters) // 2
    return _covered(characters[:half], fonts) | _covered(characters[half:], fonts)


def _compiles(characters: str, fonts: Path) -> bool:
    listed = ",".join(f'"{f}"' for f in FONTS)
    codes = "".join(f"\\u{{{ord(c):x}}}" for c in characters)
    source = f'#set document(title: "t")\n#set text(font: ({listed}), lang: "en")\n#"{codes}"'
    try:
        typst.compile(
            source.encode(), format="pdf", font_paths=[str(fonts)], ignore_system_fonts=True, pdf_standards=["a-2a"]
        )
    except typst.TypstError:
        return False
    return True


def _spelt(character: str) -> str:
    return f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]"
