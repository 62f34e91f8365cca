"""The page docs/rules.md: every rule with its weight, questions, thresholds and sources, and how rules combine."""

from collections.abc import Iterable, Sequence

from portfolio.questionnaire.loading import load
from portfolio.questionnaire.policy import DEFAULTS, GROUPS, THRESHOLDS, Threshold
from portfolio.questionnaire.recommend import RULES_VERSION
from portfolio.questionnaire.rules import explained
from portfolio.questionnaire.rules.explained import Explained, LayerRules

INTRODUCTION = """\
# Rules

Version {version}. {count} rules, read as a table: what each looks at, what it speaks for or against, how strongly, why,
and where that comes from. The same list stands in the product under “Rules”, with the organisation’s own thresholds and
with how often each rule fires there. Conditions: `portfolio/questionnaire/rules/`; how they combine:
`portfolio/questionnaire/decide.py`.
"""
RULE_HEADER = ("rule", "effect", "weight", "because", "questions", "thresholds", "sources")


def rules_page() -> str:
    layers = explained.layers()
    return "\n".join(
        [
            INTRODUCTION.format(version=RULES_VERSION, count=sum(len(layer.rules) for layer in layers)),
            *(_layer(layer) for layer in layers),
            _derived(),
            _combination(),
            _status(),
            _sketch(),
            _thresholds(),
            _sources(),
        ]
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows), ""])


def _layer(layer: LayerRules) -> str:
    return "\n".join([f"## {layer.title}", "", layer.summary, "", table(RULE_HEADER, map(_rule, layer.rules))])


def _rule(known: Explained) -> tuple[str, ...]:
    rule = known.rule
    return (
        f"`{rule.id}`",
        f"{known.direction}: {known.effect}",
        f"{rule.weight:g}",
        rule.text,
        _codes(rule.looks_at),
        _codes(threshold.name for threshold in known.thresholds),
        ", ".join(rule.sources),
    )


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _derived() -> str:
    rows = [
        (f"`{row.question_id}`", f"`{row.becomes}`", row.when, _codes(row.looks_at), _codes(row.thresholds))
        for row in explained.DERIVED
    ]
    text = "While a question is open, two answers follow from others. An answer overrules them."
    readings = [f"* {reading}" for reading in explained.READINGS]
    header = ("question", "becomes", "when", "questions", "thresholds")
    return "\n".join(["## Answers that are filled in", "", text, "", table(header, rows), *readings, ""])


def _combination() -> str:
    cases = [(row.case, row.proven, row.alone, row.beside_retrieval) for row in explained.combinations()]
    header = ("case", "proven", "to be proven, alone", "to be proven, retrieval required")
    targets = [(target.value, retrieval, tuned) for retrieval, tuned, target in explained.targets()]
    return "\n".join(
        [
            "## How cases and layers combine",
            "",
            "When a case puts a tuned layer into the target:",
            "",
            table(header, cases),
            "And then the target:",
            "",
            table(("target", "retrieval required", "tuned layer in the target"), targets),
        ]
    )


def _status() -> str:
    rows = [f"{n}. `{status.value}`: {words}" for n, (status, words) in enumerate(explained.STATUS_ORDER, 1)]
    return "\n".join(["## Status", "", "The first that holds, from the top:", "", *rows, ""])


def _sketch() -> str:
    rows = [(row.given, row.sketch, row.here, row.why) for row in explained.SKETCH_DIFFERENCES]
    text = (
        f"Source S4 ends in four lines called `choose_approach`: {explained.SKETCH}. "
        "The rules agree with it but for two differences, on purpose."
    )
    header = ("given", "the sketch says", "here", "why")
    return "\n".join(["## Differences from the sketch", "", text, "", table(header, rows)])


def _thresholds() -> str:
    header = ("threshold", "product’s own", "allowed", "what it does", "rules", "source")
    lines = ["## Thresholds", "", "What an organisation may set for itself, in versions (“Policy”).", ""]
    for key, (title, summary) in GROUPS.items():
        rows = [_threshold(threshold) for threshold in THRESHOLDS if threshold.group == key]
        lines += [f"### {title}", "", summary, "", table(header, rows)]
    return "\n".join(lines)


def _threshold(threshold: Threshold) -> tuple[str, ...]:
    what = f"{threshold.title}. {threshold.help} {threshold.bears_on}".strip()
    return (
        f"`{threshold.name}`",
        threshold.words(threshold.of(DEFAULTS)),
        f"{threshold.minimum:,g} to {threshold.maximum:,.0f} {threshold.unit}",
        what,
        _codes(threshold.rules),
        threshold.source,
    )


def _sources() -> str:
    used = sorted({key for layer in explained.layers() for known in layer.rules for key in known.rule.sources})
    titles = dict(load().sources)
    return "\n".join(["## Sources", "", *(f"* {key}: {titles[key]}" for key in used), ""])
