"""Text that every reader can see: characters no available font can draw are spelt out by their Unicode name.

PDF/A forbids missing glyphs, and people write emoji into comments; nothing they wrote may vanish or stop a report.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import typst

from portfolio.reports.fonts import FAMILIES, drawn_by_files, faces

LONGEST_WORD = 24  # characters that fit the narrowest column of words; longer ones may break
CHUNK = 10
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")
_BREAK_BEHIND = frozenset("/._-@&=?:,;")
_ZERO_WIDTH_SPACE, _ZERO_WIDTH_JOINER = "\u200b", "\u200d"
_LINES = {**dict.fromkeys("\r\v\f\u0085\u2028\u2029", "\n"), "\t": " "}
# Marks that could make words read otherwise, and one that PDF/A forbids.
_UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) | {"\n"}
_BREAKS_ANYWHERE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_UNUSUAL = re.compile("[ -~]?[^\n -~]+")
# One that stands, with all that belongs to it: joined signs, tones and marks of emoji; two letters of a flag.
_FLAG = "[\U0001f1e6-\U0001f1ff]"
_TONES = {
    "\U0001f3fb": "light skin",
    "\U0001f3fc": "medium-light skin",
    "\U0001f3fd": "medium skin",
    "\U0001f3fe": "medium-dark skin",
    "\U0001f3ff": "dark skin",
}
_KEYCAP = re.compile("([0-9#*])\ufe0f?\u20e3")  # a box is drawn over the digit, which nobody can read then
_KINDS_OF_LETTER = re.compile(r" (unified|letter|syllable|vowel sign|sign|character|digit)\b")


def displayable(text: str) -> str:
    """`text` with characters no font covers spelt out, control characters removed, very long words breakable.

    Every kind of line end becomes a newline, and more than one empty line becomes one.
    """
    if _PLAIN.issuperset(text):
        shown = text
    else:
        lines = "".join(_LINES.get(c, c) for c in text.replace("\r\n", "\n"))
        shown = _drawn("".join(c for c in lines if c == "\n" or not _is_hidden(c)))
    return _LONG_WORD.sub(_breakable, re.sub(r"\n[ \n]*\n", "\n\n", shown))


def width(text: str) -> int:
    """How many columns of a Latin letter it takes, roughly: East Asian signs take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@lru_cache(maxsize=4096)
def _is_hidden(character: str) -> bool:
    return character in _UNSEEN or unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"}


def _drawn(text: str) -> str:
    """Every run of unusual characters, sign by sign: left as it is where it can be drawn, else spelt out."""
    text = _KEYCAP.sub(r"[keycap \1]", text)
    runs = {run: _signs(run) for run in set(_UNUSUAL.findall(text))}
    signs = {sign for found in runs.values() for sign in found}
    covered = _covered_characters(frozenset("".join(signs)) - _PLAIN)
    whole = {sign for sign in signs if all(c in _PLAIN or c in covered for c in sign)}
    joined = tuple(sorted(sign for sign in whole if len(sign) > 1))
    apart = set(joined) - set(_compiling(joined))
    shown = {run: _written(found, whole - apart, covered) for run, found in runs.items()}
    return _UNUSUAL.sub(lambda run: shown[run[0]], text)


def _signs(run: str) -> tuple[str, ...]:
    """What stands for itself, with the marks, tones and joined signs that belong to it."""
    signs: list[str] = []
    for character in run:
        before = signs[-1] if signs else ""
        is_flag = re.fullmatch(_FLAG, before) and re.fullmatch(_FLAG, character)
        is_mark = unicodedata.category(character).startswith("M") or character == _ZERO_WIDTH_JOINER
        follows = is_mark or character in _TONES or "\U000e0020" <= character <= "\U000e007f"
        if before and (follows or is_flag or before.endswith(_ZERO_WIDTH_JOINER)):
            signs[-1] += character
        else:
            signs.append(character)
    return tuple(signs)


def _written(signs: Sequence[str], drawn: set[str], covered: frozenset[str]) -> str:
    """The run with what cannot be drawn in brackets; neighbours of one script share theirs."""
    parts: list[str] = []
    script = ""
    for sign in signs:
        if sign in drawn or sign in _PLAIN:
            parts.append(sign)
            script = ""
            continue
        if sign[0] in covered or sign[0] in _PLAIN:  # only what is written above or below it is missing
            parts.append("".join(c if c in covered or c in _PLAIN else _named([c]) for c in _visible(sign)))
            script = ""
            continue
        words, of = _named(_visible(sign)), _script(sign)
        if of and of == script:
            parts[-1] = f"{parts[-1][:-1]} {words[1:].removeprefix(f'{of} ')}"
        else:
            parts.append(words)
        script = of
    return "".join(parts)


def _visible(sign: str) -> list[str]:
    """Its characters without joiners, selectors and tags; one at least."""
    unseen = ("ZERO WIDTH", "VARIATION SELECTOR", "TAG ", "CANCEL TAG")
    return [c for c in sign if not unicodedata.name(c, "").startswith(unseen)] or [sign[0]]


def _script(sign: str) -> str:
    """The first word of a letter's name; nothing for a picture."""
    is_letter = unicodedata.category(sign[0])[0] in "LMN"
    return unicodedata.name(sign[0], "").split(" ")[0].lower() if is_letter else ""


def _named(characters: Sequence[str]) -> str:
    """ "[grinning face]", "[woman, medium skin, personal computer]", "[flag FR]", "[bengali ba aa]"."""
    if all(re.fullmatch(_FLAG, c) for c in characters):
        return f"[flag {''.join(chr(ord(c) - 0x1F1E6 + ord('A')) for c in characters)}]"
    names = [_TONES.get(c) or unicodedata.name(c, f"U+{ord(c):04X}").lower() for c in characters]
    if not _script(characters[0]):
        return f"[{', '.join(names)}]"
    script = _script(characters[0])
    bare = [_KINDS_OF_LETTER.sub("", name).removeprefix(f"{script} ") for name in names]
    return f"[{' '.join([script, *bare])}]"


def _breakable(word: re.Match[str]) -> str:
    """The word with places to break: behind marks such as slashes, else after every few letters."""
    parts: list[str] = []
    since = 0
    for before, character in zip("\0" + word[0], word[0], strict=False):
        is_joined = unicodedata.category(character).startswith("M") or _ZERO_WIDTH_JOINER in (before, character)
        if _BREAKS_ANYWHERE.match(character):
            since = 0
        elif not is_joined and (since >= CHUNK or (before in _BREAK_BEHIND and since > 2)):
            parts.append(_ZERO_WIDTH_SPACE)
            since = 0
        parts.append(character)
        since += 1
    return "".join(parts)


@lru_cache(maxsize=256)
def _covered_characters(characters: frozenset[str]) -> frozenset[str]:
    """Those that some font can draw: by the tables of the files, and the rest by trying Typst's own fonts."""
    known = drawn_by_files(frozenset(map(ord, characters)))
    unknown = tuple(sorted(c for c in characters if ord(c) not in known))
    return frozenset(map(chr, known)) | frozenset(_compiling(unknown))


def _compiling(signs: tuple[str, ...]) -> Iterator[str]:
    """Those of `signs` that can be drawn: all at once when possible, else half by half."""
    if not signs:
        return
    if _compiles(signs):
        yield from signs
    elif len(signs) > 1:
        half = len(signs) // 2
        yield from _compiling(signs[:half])
        yield from _compiling(signs[half:])


@lru_cache(maxsize=4096)
def _compiles(signs: tuple[str, ...]) -> bool:
    listed = ",".join(f'"{family}"' for family in FAMILIES)
    codes = " ".join("".join(f"\\u{{{ord(c):x}}}" for c in sign) for sign in signs)
    source = f'#set document(title: "t")\n#set text(font: ({listed}), lang: "en")\n#"{codes}"'
    try:
        typst.compile(source.encode(), format="pdf", font_paths=faces().handle, pdf_standards=["a-2a"])
    except typst.TypstError:
        return False
    return True
