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
LONGEST_WORD = 24  # characters that fit the narrowest column of words; longer ones may break
CHUNK = 10
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")
_BREAK_BEHIND = frozenset("/._-@&=?:,;")
_ZERO_WIDTH_SPACE, _ZERO_WIDTH_JOINER = "\u200b", "\u200d"
_LINES = {**dict.fromkeys("\r\v\f\u0085\u2028\u2029", "\n"), "\t": " "}
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # could make words read otherwise
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) | {"\n"}


def displayable(text: str, fonts: Path) -> str:
    """`text` with characters no font covers spelt out, control characters removed, very long words breakable.

    Every kind of line end becomes a newline, and more than one empty line becomes one.
    """
    if _PLAIN.issuperset(text):
        shown = text
    else:
        lines = "".join(_LINES.get(c, c) for c in text.replace("\r\n", "\n"))
        shown = _drawn(lines, fonts)
    return _LONG_WORD.sub(_breakable, re.sub(r"\n[ \n]*\n", "\n\n", shown))


def _drawn(text: str, fonts: Path) -> str:
    unusual = frozenset(text) - _PLAIN
    hidden = {c for c in unusual if c in _OVERRIDES or unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"}}
    covered: set[str] = set()
    for block in sorted({ord(c) // BLOCK for c in unusual - hidden}):
        present = "".join(sorted(c for c in unusual - hidden if ord(c) // BLOCK == block))
        covered |= _covered(present, fonts)
    return "".join(c if c in _PLAIN or c in covered else "" if c in hidden else _spelt(c) for c in text)


def _breakable(word: re.Match[str]) -> str:
    """The word with places to break: behind marks such as slashes, else after every few letters."""
    parts: list[str] = []
    since = 0
    for before, character in zip("\0" + word[0], word[0], strict=False):
        is_joined = unicodedata.category(character).startswith("M") or _ZERO_WIDTH_JOINER in (before, character)
        if not is_joined and (since >= CHUNK or (before in _BREAK_BEHIND and since > 2)):
            parts.append(_ZERO_WIDTH_SPACE)
            since = 0
        parts.append(character)
        since += 1
    return "".join(parts)


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
        typst.compile(source.encode(), format="pdf", font_paths=opened(fonts), pdf_standards=["a-2a"])
    except typst.TypstError:
        return False
    return True


@lru_cache(maxsize=1)
def opened(folder: Path) -> typst.Fonts:
    """The typeface in this folder with Typst's own fonts, and none of the machine's."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(folder)])


def _spelt(character: str) -> str:
    return f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]"
