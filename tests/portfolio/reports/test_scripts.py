"""Any script and any size: nothing is lost, nothing leaves the page, right-to-left text runs from the right."""

import re
from typing import Any

import pytest

from portfolio.reports.contents import gather
from portfolio.reports.pdf import render
from portfolio.reports.record import Record
from tests.portfolio.reports.material import QUESTIONNAIRE, a_material, plain, reader, statement, words_in

HEBREW = "התשובה נמדדה ביומן של אוקטובר ונבדקה פעם שנייה"
ARABIC = "تم قياس الإجابة في سجل أكتوبر وتمت مراجعتها"
LEFT, RIGHT = 22 * 72 / 25.4, (210 - 22) * 72 / 25.4  # of the text, in points


def _pdf(*spoken: Any, **changes: Any) -> bytes:
    return render(gather(a_material(Record(spoken, ()), figures=None, **changes)))


def _fragments(pdf: bytes) -> list[tuple[str, float]]:
    """Every piece of text with its left edge in points."""
    found: list[tuple[str, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: Any) -> None:
        if text.strip():
            found.append((text.strip(), tm[4] * cm[0] + tm[5] * cm[2] + cm[4]))

    for page in reader(pdf).pages:
        page.extract_text(visitor_text=visit)
    return found


def _languages(pdf: bytes) -> set[str]:
    """Of all marked pieces of the pages."""
    streams = [page.get_contents() for page in reader(pdf).pages]
    drawn = b"".join(stream.get_data() for stream in streams if stream is not None).decode("latin-1")
    return set(re.findall(r"/Lang\((\w+)\)", drawn))


@pytest.mark.parametrize("comment", [HEBREW, ARABIC])
def test_a_comment_from_right_to_left_is_whole_and_set_from_the_right(comment: str) -> None:
    pdf = _pdf(statement("task_type", "search", comment=comment))
    words = words_in(pdf)
    for word in comment.split():
        assert word in words or word[::-1] in words
    pieces = _fragments(pdf)
    label = next(x for text, x in pieces if text.startswith("Comment:"))
    own = [x for text, x in pieces if any(c in comment for c in text if c.isalpha())]
    assert own
    assert min(own) > label + 3  # the line ends at the right of its cell; from the left it would begin at the label


def test_east_asian_and_indic_letters_are_drawn_as_letters() -> None:
    told = "この回答は測定、统计数据、기록에서、हिन्दी、ไทย、ქართული"
    words = words_in(_pdf(statement("task_type", "search", comment=told)))
    for part in ("この回答は測定", "统计数据", "기록에서", "ไทย", "ქართული"):
        assert part in words


def test_languages_are_told_to_readers_who_listen() -> None:
    spoken = [statement("task_type", "search", n, comment=c) for n, c in enumerate((HEBREW, ARABIC, "答え、テスト"), 1)]
    assert {"he", "ar", "ja"} <= _languages(_pdf(*spoken))


def test_a_huge_record_stays_inside_its_pages_and_loses_nothing() -> None:
    scripts = (
        "Words and https://example.org/a/b ",
        f"{HEBREW} ",
        "この回答は測定されました。",
        "😀🚀 ",
        "w" * 90 + " ",
    )
    questions = [q for q in QUESTIONNAIRE.questions if q.options][:2]
    spoken = [
        statement(
            question.id,
            question.options[number % 2].code,
            number,
            person=f"Person {number} {'W' * 60}",
            comment=(scripts[number % 5] * 10_000)[:20_000]
            if question is questions[0] and number < 5
            else f"No {number}.",
        )
        for question in questions
        for number in range(50)
    ]
    title = ("Très long *title* כותרת 標題 #panic[x] " * 12)[:300]
    pdf = _pdf(*spoken, title=title, organisation="O" * 200, owner="田中" * 60)
    words = words_in(pdf)
    for mark, sentence in (("rocket", scripts[3]), ("測", scripts[2]), ("Words", scripts[0]), ("w" * 10, scripts[4])):
        assert words.count(mark) >= 20_000 // len(sentence)  # counted by what no end of a page parts
    for number in range(5, 50):
        assert words.count(f"Comment:No{number}.") == 1 + 1
    assert plain("#panic[x]") in words_in(pdf, slice(0, 1))
    edges = [x for _, x in _fragments(pdf)]
    assert min(edges) >= LEFT - 1
    assert max(edges) <= RIGHT
