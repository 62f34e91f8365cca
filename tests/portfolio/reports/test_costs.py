"""The money section: condensed, but never at the price of a figure somebody needs."""

from dataclasses import replace

from costing.engine.results import Band, Event, GpuFit, PolicyCost, ProjectionResult
from portfolio.reports import costs, sizing
from portfolio.reports.blocks import Bullets, Figure, Heading, Pair, Paragraph, Table
from tests.costing.results import CADENCE, REFRESHED, a_result


def _table(result: ProjectionResult, first_heading: str) -> Table:
    tables = [b for b in costs.section(result) if isinstance(b, Table) and b.columns[0][0] == first_heading]
    return tables[0]


def test_options_come_cheapest_first_with_the_recommended_one_marked() -> None:
    table = _table(a_result(), "Option")
    assert table.rows[0] == (
        ("RAG on a managed API", "Recommended"),
        "$4.8k",
        "$2.4–9.6k",
        "$300",
        "$4.32k",
        "90\u00a0%",
    )
    assert table.rows[1][:2] == ("LoRA on dedicated GPUs", "$24k")
    why_not = "Cannot be built: no GPU of the catalogue holds it"
    assert table.rows[2] == (("Full fine-tuning on dedicated GPUs", why_not), "–", "–", "–", "–", "–")
    assert table.marked == (0,)


def test_months_add_up_across_and_down() -> None:
    table = _table(a_result(), "Month")
    assert [name for name, _, _ in table.columns] == [
        "Month",
        "API tokens",
        "Retrieval",
        "Data",
        "Expected",
        "P10 – P90",
    ]
    # serving 200, retrieval 100 every month, data 1,200 once
    assert table.rows[0][:5] == ("Dec\u00a026", "200", "100", "1,200", "1,500")
    assert table.rows[1][:5] == ("Jan\u00a027", "200", "100", "0", "300")
    assert table.rows[-1][:5] == ("Total", "2,400", "1,200", "1,200", "4,800")
    assert (len(table.rows), table.marked) == (13, (12,))


def test_every_chart_stands_under_its_own_heading_or_beside_another() -> None:
    blocks = costs.section(a_result())
    alone = [i for i, b in enumerate(blocks) if isinstance(b, Figure)]
    assert all(isinstance(blocks[i - 1], Heading) for i in alone)
    two = replace(a_result(), break_even=a_result().break_even * 2)
    pair = next(b for b in costs.section(two) if isinstance(b, Pair))
    assert all('viewBox="0 0 312' in figure.svg for figure in pair.figures)


def test_a_single_option_or_driver_still_makes_legible_charts() -> None:
    result = a_result()
    alone = replace(result, options=result.options[:1], tornado=result.tornado[:1], break_even=())
    assert sum(isinstance(b, Figure) for b in costs.section(alone)) == 4


def test_nothing_that_can_be_built_still_makes_a_section() -> None:
    result = a_result()
    none = tuple(replace(o, feasible=False, why_not="no GPU holds it") for o in result.options)
    blocks = costs.section(replace(result, options=none, tornado=(), break_even=(), gpu_fit=(), notices=()))
    assert any(isinstance(b, Table) and b.columns[0][0] == "Option" for b in blocks)


def test_the_cadence_stands_with_what_it_follows_from() -> None:
    result = a_result(cadence=CADENCE, reindexing=REFRESHED)
    blocks = costs.section(result)
    ways = _table(result, "When to retrain")
    assert ways.rows == (("When an evaluation finds quality 5 % lower", "8 months", "$3.6k", "$1–9k", "20\u00a0%"),)
    said = [item for block in blocks if isinstance(block, Bullets) for item in block.items]
    shape = "0.77 % a month of what is left (an assumed shape); in a straight line, 3.6 months would cost least"
    assert f"How quality falls: {shape}." in said
    assert "Documents that change: 4\u00a0% a month." in said
    titles = [block.text for block in blocks if isinstance(block, Heading)]
    assert titles.index("How often to retrain") < titles.index("How often to refresh the index")


def test_a_cadence_stored_before_there_were_ways_keeps_its_chart_and_policies() -> None:
    band = Band(100.0, 200.0, 300.0, 200.0)
    policy = PolicyCost("retrain", True, band, 50.0, 1.0)
    result = a_result(cadence=replace(CADENCE, ways=(), policies=(policy,)))
    tables = [b.columns[0][0] for b in costs.section(result) if isinstance(b, Table)]
    assert "When to retrain" not in tables
    row = _table(result, "When the base model gets a new version").rows[0]
    assert row[1:] == ("$200", "$100–300", "$50", "–", "100\u00a0%")


def test_notices_are_listed() -> None:
    bullets = next(b for b in costs.section(a_result()) if isinstance(b, Bullets))
    assert bullets.items == a_result().notices


def test_sizes_are_those_of_the_recommended_the_cheapest_and_the_cheapest_on_own_gpus() -> None:
    table = next(b for b in sizing.blocks(a_result()) if isinstance(b, Table))
    assert [name for name, _, _ in table.columns] == ["What", "RAG on a managed API", "LoRA on dedicated GPUs"]


def _with_events(*events: tuple[str, int, str]) -> ProjectionResult:
    result = a_result()
    options = tuple(
        replace(o, events=tuple(Event(month, "retraining", text) for key, month, text in events if key == o.key))
        for o in result.options
    )
    return replace(result, options=options)


def test_equal_events_share_a_row_with_all_their_months_and_options() -> None:
    result = _with_events(
        ("rag_api", 5, "The model is retired"),
        ("self_hosted_lora", 5, "The model is retired"),
        ("self_hosted_lora", 9, "Retraining"),
        ("self_hosted_lora", 3, "Retraining"),
    )
    table = next(b for b in sizing.blocks(result) if isinstance(b, Table) and b.columns[0][0] == "When")
    assert table.rows == (
        ("Mar 27, Sep 27", "Retraining", "LoRA on dedicated GPUs"),
        ("May 27", "The model is retired", "RAG on a managed API, LoRA on dedicated GPUs"),
    )


def test_an_event_behind_the_horizon_is_named_at_its_end() -> None:
    table = next(
        b
        for b in sizing.blocks(_with_events(("rag_api", 12, "The model is retired")))
        if isinstance(b, Table) and b.columns[0][0] == "When"
    )
    assert table.rows[0][0] == "Nov 27"


def test_only_the_cheapest_gpus_are_shown_and_the_others_counted_or_explained() -> None:
    fits = tuple(
        GpuFit(f"GPU-{n}", "serving", 1, 10.0, 20.0, None, 1_000.0 * (6 - n), "weights fill it") for n in range(5)
    )
    small = tuple(
        GpuFit(name, "serving", None, 30.0, 14.0, None, None, "the weights alone need 16 GiB") for name in "AB"
    )
    blocks = sizing.blocks(replace(a_result(), gpu_fit=fits + small))
    table = next(b for b in blocks if isinstance(b, Table) and b.columns[0][0] == "Job")
    assert [(row[1], row[4]) for row in table.rows] == [
        ("1 × GPU-4", "$2k"),
        ("1 × GPU-3", "$3k"),
        ("1 × GPU-2", "$4k"),
    ]
    assert table.caption.endswith("More kinds of GPU hold it at a higher price: 2 for serving.")
    note = next(b for b in blocks if isinstance(b, Paragraph))
    assert note.text == "Serving: not held by A, B: the weights alone need 16 GiB."
