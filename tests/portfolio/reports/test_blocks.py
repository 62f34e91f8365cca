from dataclasses import replace

from portfolio.reports.contents import gather
from tests.portfolio.reports.material import a_material


def test_the_seal_is_of_everything_shown() -> None:
    contents = gather(a_material())
    assert contents.sha256() == gather(a_material()).sha256()
    others = {
        replace(contents, title="Another").sha256(),
        replace(contents, made_at="2026-11-22T00:00:00").sha256(),
        replace(contents, sections=contents.sections[:-1]).sha256(),
        contents.sha256(),
    }
    assert len(others) == 4


def test_a_seal_can_be_made_of_any_text() -> None:
    lone_surrogate = "\ud800"
    assert len(replace(gather(a_material()), title=f"x{lone_surrogate}").sha256()) == 64
