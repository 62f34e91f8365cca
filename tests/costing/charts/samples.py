"""Small charts of every kind, with figures easy to check by hand."""

from costing.charts.chart import Chart, Mark, Rule, Series

MONTHS = ("Jan 27", "Feb 27", "Mar 27")


def stacked() -> Chart:
    return Chart(
        key="monthly",
        title="Month by month",
        reading="Serving carries most.",
        x_title="Month",
        y_title="US dollars a month",
        unit="usd",
        series=(
            Series("serving", "Serving", Mark.BAR, "component-serving", MONTHS, (100.0, 200.0, 300.0)),
            Series("data", "Data", Mark.BAR, "component-data", MONTHS, (50.0, 0.0, 100.0)),
            Series(
                "band",
                "Total, P50",
                Mark.WHISKER,
                "ink",
                MONTHS,
                (140.0, 190.0, 390.0),
                (90.0, 150.0, 300.0),
                (200.0, 250.0, 500.0),
            ),
        ),
    )


def cumulative() -> Chart:
    return Chart(
        "cumulative",
        "Spent",
        "It grows.",
        "Month",
        "US dollars",
        "usd",
        (
            Series(
                "band", "P10–P90", Mark.BAND, "rag", MONTHS, (10.0, 20.0, 30.0), (5.0, 12.0, 20.0), (15.0, 30.0, 45.0)
            ),
            Series("p50", "P50", Mark.LINE, "rag", MONTHS, (10.0, 20.0, 30.0)),
        ),
    )


def options() -> Chart:
    return Chart(
        "options",
        "Options",
        "RAG is cheapest.",
        "Option",
        "US dollars",
        "usd",
        (
            Series("rag", "RAG", Mark.INTERVAL, "rag", ("RAG on a managed API",), (58e3,), (41e3,), (96e3,)),
            Series(
                "tuned", "Fine-tuning", Mark.INTERVAL, "tuned", ("Managed <fine-tuning>",), (121e3,), (74e3,), (230e3,)
            ),
        ),
    )


def tornado() -> Chart:
    return Chart(
        "tornado",
        "What drives it",
        "Volume does.",
        "Input",
        "US dollars",
        "usd",
        (Series("swing", "P50", Mark.INTERVAL, "rag", ("Volume", "Cache"), (58e3, 58e3), (41e3, 50e3), (84e3, 64e3)),),
    )


def break_even() -> Chart:
    return Chart(
        "even",
        "API or own GPUs",
        "They cross.",
        "Requests a day",
        "US dollars a month",
        "usd",
        (
            Series("api", "Managed API", Mark.LINE, "rag", (1e3, 1e4, 1e5, 1e6), (100.0, 1e3, 1e4, 1e5)),
            Series("own", "Own GPUs", Mark.LINE, "ink", (1e3, 1e4, 1e5, 1e6), (5e3, 5e3, 5e3, 1e4)),
            Series("today", "today", Mark.POINT, "rag", (1e4,), (1e3,)),
        ),
        (Rule(5e4, "even at 50k a day"),),
        x_scale="log",
        y_scale="log",
    )


def every() -> tuple[Chart, ...]:
    return stacked(), cumulative(), options(), tornado(), break_even()
