"""The page docs/questionnaire.md: every version, section by section, and what changed from one to the next."""

from itertools import pairwise

from rules_page import table

from portfolio.questionnaire.loading import load, versions
from portfolio.questionnaire.mapping import load_step
from portfolio.questionnaire.spec import Condition, Kind, Question, Questionnaire

KINDS = {
    Kind.CHOICE: "one of",
    Kind.MULTIPLE: "any of, or none of these",
    Kind.RANKED: "ranked, the first counts most, or none of these",
    Kind.NUMBER: "number",
    Kind.TEXT: "text",
    Kind.METRIC: "a metric’s name, and whether higher is better",
}
NOW_QUICK = "now quick"  # told once for all questions of which nothing else is new
LEGEND = """\
# The questionnaire

Every released version, the newest first; released ones never change. Ids and codes are a contract: stored answers,
rules, exports and the command line use them. Every question allows “don’t know yet”.

* **decisive**: can move the recommended target · **quick**: asked in the quick mode · **filled in**: follows from other
  answers while it is open · **optional**: there may be nothing to say
"""


def questionnaire_page() -> str:
    known = [load(version) for version in versions()]
    changes = [_changes(old, new) for old, new in pairwise(known)]
    return "\n".join([LEGEND, *reversed(changes), *(_version(one) for one in reversed(known))]).rstrip() + "\n"


def _changes(old: Questionnaire, new: Questionnaire) -> str:
    before, after = ({q.id: q for q in one.questions} for one in (old, new))
    rows = [(f"`{key}`", "new", f"{after[key].text}") for key in after if key not in before]
    rows += [(f"`{key}`", "no longer asked", before[key].text) for key in before if key not in after]
    for key in (key for key in after if key in before):
        if told := _differences(before[key], after[key]):
            rows.append((f"`{key}`", "changed", "; ".join(told)))
    quick = [row[0] for row in rows if row[2] == NOW_QUICK]
    entries = load_step(old.version, new.version).entries
    notes = {f"`{entry.id}`": entry.dropped or entry.note for entry in entries.values()}
    told_rows = [(*row, notes.get(row[0], "")) for row in rows if row[2] != NOW_QUICK or notes.get(row[0])]
    quick_mode = ["The quick mode now asks " + ", ".join(quick) + ".", ""] if quick else []
    header = ("question", "what", "how", "answers that carry over")
    return "\n".join([f"## From {old.version} to {new.version}", "", *quick_mode, table(header, told_rows)])


def _differences(before: Question, after: Question) -> list[str]:
    """What differs in what is asked and stored; in words."""
    told = []
    if before.section != after.section:
        told.append(f"moved from `{before.section}` to `{after.section}`")
    if before.text != after.text:
        told.append(f"asked as “{after.text}” instead of “{before.text}”")
    if (before.kind, before.unit) != (after.kind, after.unit):
        told.append(f"{_kind(before)} → {_kind(after)}")
    codes = [{option.code for option in question.options} for question in (before, after)]
    told += [f"answer `{code}` is new" for code in sorted(codes[1] - codes[0])]
    told += [f"answer `{code}` is gone" for code in sorted(codes[0] - codes[1])]
    if before.shown_when != after.shown_when:
        told.append(f"asked {_condition(after) or 'always'}")
    if gained := [mark for mark in _marks(after) if mark not in _marks(before)]:
        told.append(f"now {', '.join(gained)}")
    if lost := [mark for mark in _marks(before) if mark not in _marks(after)]:
        told.append(f"no longer {', '.join(lost)}")
    return told + (["hint reworded"] if not told and _words(before) != _words(after) else [])


def _words(question: Question) -> tuple[object, ...]:
    return question.why, question.help, question.examples, question.options, question.sources


def _version(loaded: Questionnaire) -> str:
    decisive = sum(question.decisive for question in loaded.questions)
    lines = [
        f"## Version {loaded.version}",
        "",
        f"{loaded.title} Released {loaded.released}: {len(loaded.questions)} questions in {len(loaded.sections)} "
        f"sections, {decisive} of them decisive.",
        "",
    ]
    for section in loaded.sections:
        lines += [f"### {section.title}", "", f"`{section.id}` · for: {section.audience}. {section.intro}", ""]
        for question in section.questions:
            lines += _question(question, loaded)
    return "\n".join([*lines, "### Sources", "", *(f"* {key}: {title}" for key, title in loaded.sources), ""])


def _question(question: Question, loaded: Questionnaire) -> list[str]:
    marks = ", ".join(_marks(question))
    told = f" · **{marks}**" if marks else ""
    lines = [
        f"#### `{question.id}` {question.text}",
        "",
        f"{question.why} ({', '.join(question.sources)})",
        "",
        f"* {_kind(question)}{told}",
    ]
    if condition := _condition(question, loaded):
        lines.append(f"* asked {condition}")
    lines += [f"* `{o.code}` – {o.label}{f': {o.example}' if o.example else ''}" for o in question.options]
    return [*lines, ""]


def _marks(question: Question) -> list[str]:
    named = {
        "decisive": question.decisive,
        "quick": question.quick,
        "filled in": question.derivable,
        "optional": question.optional,
    }
    return [name for name, holds in named.items() if holds]


def _kind(question: Question) -> str:
    words = KINDS[question.kind]
    if question.kind is not Kind.NUMBER:
        return words
    whole = "whole number" if question.integer else words
    unit = f", {question.unit}" if question.unit else ""
    low, high = question.minimum, question.maximum
    if low is not None and high is not None:
        bounds = f", {low:,g} to {high:,g}"
    else:
        bounds = f", at least {low:,g}" if low is not None else ""
    other = ", ".join(unit.names[0] for unit in question.units if unit.factor != 1)
    return f"{whole}{unit}{bounds}" + (f" (also in {other})" if other else "")


def _condition(question: Question, loaded: Questionnaire | None = None) -> str:
    """When it is asked, in words; empty for always."""
    groups = [" and ".join(_one(condition, loaded) for condition in group) for group in question.shown_when]
    told = [f"when {', or when '.join(groups)}"] if groups else []
    if question.only_while_tuning_in_play:
        told.append("while fine-tuning is in play")
    return ", ".join(told)


def _one(condition: Condition, loaded: Questionnaire | None) -> str:
    named = f"`{condition.question}`"
    if condition.answered:
        words = f"{named} is answered"
    elif condition.at_least is not None:
        words = f"{named} is at least {condition.at_least:g}"
    else:
        options = loaded.question(condition.question).options if loaded else ()
        labels = {option.code: f"“{option.label}”" for option in options}
        *others, last = [labels.get(code, f"`{code}`") for code in condition.codes]
        words = f"{named} is {', '.join(others)}{' or ' if others else ''}{last}"
    return f"{words} (or still open)" if condition.or_open else words
