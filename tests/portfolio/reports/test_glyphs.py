import pytest

from portfolio.reports.glyphs import displayable
from portfolio.reports.pdf import font_folder

FONTS = font_folder()
BREAK = "\u200b"


def shown(text: str) -> str:
    return displayable(text, FONTS)


@pytest.mark.parametrize("text", ["Plain words, 12 % — “quoted”.", "Zürich, naïve, Łódź, Ελλάδα, Привет", "a\nb\n\nc"])
def test_what_a_font_covers_stays(text: str) -> None:
    assert shown(text) == text


def test_what_no_font_covers_is_spelt_out() -> None:
    assert shown("ok 😀") == "ok [grinning face]"
    assert shown("中") == "[cjk unified ideograph-4e2d]"


def test_hebrew_and_arabic_are_covered() -> None:
    assert shown("שלום مرحبا") == "שלום مرحبا"


def test_control_characters_go_and_line_ends_become_one_kind() -> None:
    assert shown("a\x00b\x07c\x1b[31m") == "abc[31m"
    assert shown("a\r\nb\rc\u2028d\u0085e\tf") == "a\nb\nc\nd\ne f"


def test_nothing_can_turn_the_direction_of_words() -> None:
    assert shown("not \u202eevorppa\u202c \u2066x\u2069") == "not evorppa x"


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


def test_no_break_parts_a_letter_from_its_accent() -> None:
    word = "e\u0301" * 40
    assert all(not part.startswith("\u0301") for part in shown(word).split(BREAK))
    assert shown(word).replace(BREAK, "") == word
