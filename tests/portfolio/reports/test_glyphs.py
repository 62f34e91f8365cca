import unicodedata

import pytest

from portfolio.reports.fonts import drawn_by_files
from portfolio.reports.glyphs import displayable as shown
from portfolio.reports.glyphs import width

BREAK = "\u200b"


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, 12 % — “quoted”.",
        "Zürich, naïve, Łódź, Ελλάδα, Привет",
        "שלום, שָׁלוֹם",
        "مرحبا",
        "中文、日本語、한국어。",
        "हिन्दी क्षत्रिय, ภาษาไทย, ქართული",
        "☎️ → ∀ ½",
        "a\nb\n\nc",
    ],
)
def test_what_a_font_covers_stays(text: str) -> None:
    assert shown(text) == text


def test_what_no_font_covers_is_spelt_out() -> None:
    assert shown("ok 😀🚀") == "ok [grinning face][rocket]"
    assert shown("𠮷\U0002a6a5") == "𠮷[cjk ideograph-2a6a5]"


def test_signs_made_of_several_are_named_once() -> None:
    assert shown("👩🏽\u200d💻") == "[woman, medium skin, personal computer]"
    assert shown("1️⃣") == "[keycap 1]"
    assert shown("🇫🇷🇩🇪") == "[flag FR][flag DE]"


def test_a_script_without_a_font_is_read_out_letter_by_letter() -> None:
    assert shown("বাংলা") == "[bengali ba aa anusvara la aa]"
    assert shown("ሰላም, ok") == "[ethiopic sa laa me], ok"


def test_a_mark_on_a_letter_of_another_font_keeps_the_letter() -> None:
    assert shown("ש\u0cbe") == "ש[kannada aa]"


def test_the_tables_of_the_files_know_what_they_draw() -> None:
    signs = frozenset(map(ord, "aשبก中あ한"))
    assert drawn_by_files(signs | {ord("😀"), ord("ব")}) == signs


def test_east_asian_signs_take_two_columns() -> None:
    assert (width("abc"), width("中文"), width("ﾊﾟ")) == (3, 4, 2)
    assert unicodedata.east_asian_width("中") == "W"


def test_control_characters_go_and_line_ends_become_one_kind() -> None:
    assert shown("a\x00b\x07c\x1b[31m") == "abc[31m"
    assert shown("a\r\nb\rc\u2028d\u0085e\tf") == "a\nb\nc\nd\ne f"


def test_nothing_can_turn_the_direction_of_words() -> None:
    assert shown("not \u202eevorppa\u202c \u2066x\u2069\ufeff") == "not evorppa x"


def test_private_and_unassigned_characters_and_lone_surrogates_go() -> None:
    assert shown("a\ue000b\U0010ffffc\ud800d") == "abcd"


def test_many_empty_lines_become_one() -> None:
    assert shown("a" + "\n" * 50 + "b\n \n \nc") == "a\n\nb\n\nc"


def test_words_up_to_24_letters_stay_whole_and_longer_ones_may_break() -> None:
    assert shown("w" * 24) == "w" * 24
    assert shown("w" * 25) == BREAK.join(["w" * 10, "w" * 10, "w" * 5])


def test_addresses_break_behind_their_marks() -> None:
    address = "https://example.org/policies/returns"
    assert shown(address) == BREAK.join(["https:", "//example.", "org/", "policies/", "returns"])


def test_east_asian_text_breaks_by_its_own_rules() -> None:
    assert shown("直骨" * 40) == "直骨" * 40


def test_no_break_parts_a_letter_from_its_accent() -> None:
    word = "e\u0301" * 40
    assert all(not part.startswith("\u0301") for part in shown(word).split(BREAK))
    assert shown(word).replace(BREAK, "") == word
