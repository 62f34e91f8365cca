import pytest

from costing.engine import wording
from costing.engine.results import Band, BreakEven


def line(at, below, above):
    return BreakEven("rag_api", "self_hosted_rag", at, (10.0, 1e7), below, above)


@pytest.mark.parametrize(
    ("at", "today", "chosen_own", "sentence"),
    [
        (60_000, 9_000, False, "Own GPUs pay only above about 60,000 requests a day, some 7 times today’s volume."),
        (
            4.38e6,
            450,
            False,
            "Own GPUs pay only above about 4.38 million requests a day, some 9,700 times today’s volume.",
        ),
        (60_000, 50_000, False, "Own GPUs pay only above about 60,000 requests a day."),
        (60_000, 0, False, "Own GPUs pay only above about 60,000 requests a day."),
        (60_000, 90_000, False, "Own GPUs pay from about 60,000 requests a day."),
        (
            60_000,
            9_000,
            True,
            "A provider’s service would cost less below about 60,000 requests a day, some 7 times today’s volume.",
        ),
        (60_000, 90_000, True, "Own GPUs pay from about 60,000 requests a day."),
    ],
)
def test_where_own_gpus_begin_to_pay(at, today, chosen_own, sentence):
    crossing = line(at, (1.0, 1e6), (100.0, 1e5))
    assert wording.own_gpus_sentence(crossing, today, chosen_own=chosen_own) == sentence


def test_lines_that_never_cross():
    dearer, cheaper = line(None, (1.0, 1e4), (100.0, 1e5)), line(None, (100.0, 1e5), (1.0, 1e4))
    assert wording.own_gpus_sentence(dearer, 50) == "Own GPUs do not pay up to 10 million requests a day."
    assert wording.own_gpus_sentence(dearer, 50, chosen_own=True) == (
        "A provider’s service would cost less at any volume up to 10 million requests a day."
    )
    assert wording.own_gpus_sentence(cheaper, 50) == "Own GPUs are cheaper at every volume."
    assert wording.own_gpus_sentence(None, 50) == ""


def test_the_headline_names_the_middle_the_band_and_what_moves_it():
    band = Band(64_000.0, 111_000.0, 206_000.0, 120_000.0)
    driver = wording.mover("build_retrieval_hours", "Work to build retrieval")
    assert wording.headline("RAG on a managed API", band, 24, driver, "") == (
        "RAG on a managed API costs about $111k in the first year, most likely $64k to $206k; "
        "the work of building retrieval moves it most."
    )
    assert wording.mover("epochs", "Passes over the examples") == "“passes over the examples”"


@pytest.mark.parametrize(
    ("number", "words"), [(7.2, "7"), (640, "640"), (9_733, "9,700"), (3_141_593, "3.14 million"), (2e9, "2 billion")]
)
def test_counts_as_spoken_of(number, words):
    assert wording.short_count(number) == words
