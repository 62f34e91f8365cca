"""What the evidence page shows: the ladder with its runs, the picture, who said what from which run; and the CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from costing.charts import scores as picture
from costing.charts.palette import PAGE
from costing.charts.svg import PAGE_FONT
from portfolio.actions.evidence import ANSWER_OF, run_of
from portfolio.governance import score_words
from portfolio.governance.ladder import Goal, Ladder, Run, Step, effect_of_retrieval, in_scale, ladder
from portfolio.governance.scores import Score, Standing, interval_of
from portfolio.models import Answer, EvaluationRun, UseCase
from portfolio.questionnaire.answers import describe
from portfolio.questionnaire.spec import Question
from portfolio.views.overview import Standing as Assessed

DRAWN_PX = {"narrow": 360, "half": 560, "wide": 1000}  # as `charts.css` chooses between them
COLOURS = {"prompting": "prompting", "retrieval": "rag", "fine_tuning": "tuned", "retrieval_on_tuned": "hybrid"}
CHIPS = {
    Standing.MET: ("good", "check", "Reaches the target"),
    Standing.SHORT: ("bad", "x-mark", "Misses the target"),
    Standing.UNSURE: ("warn", "question-mark-circle", "Not yet sure"),
}
MEASURED, UNMEASURED = ("info", "", "Measured"), ("", "", "Not measured")
RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


@dataclass(frozen=True)
class Stand:
    """One rung as the page shows it."""

    step: Step
    colour: str
    tone: str
    sign: str
    chip: str
    said: str  # what the questionnaire says about it, in a sentence; empty while nothing was measured
    question: Question
    may_use: bool  # the counting run says something else than the questionnaire

    @property
    def run(self) -> Run | None:
        return self.step.run


@dataclass(frozen=True)
class Line:
    """One run of the list."""

    row: EvaluationRun
    score: str
    interval: str  # empty without one
    counts: bool
    colour: str


@dataclass(frozen=True)
class Board:
    ladder: Ladder
    stands: tuple[Stand, ...]
    lines: tuple[Line, ...]
    disputed: tuple[Question, ...]  # of those that a run answers
    stale: tuple[tuple[Answer, Question, int], ...]  # answers that still rest on a withdrawn run, and its key
    drawings: tuple[tuple[str, SafeString], ...]
    reading: str  # of the picture

    @property
    def current(self) -> Step:
        return self.ladder.current


def runs_of(use_case: UseCase) -> list[EvaluationRun]:
    """All runs, the newest first, without the bytes of their files and without their notes; one query."""
    rows = EvaluationRun.objects.for_list(use_case).select_related("attachment")
    return list(rows.defer("attachment__content", "note"))


def ladder_of(now: Assessed, runs: Iterable[EvaluationRun]) -> Ladder:
    """The ladder of the runs that were not withdrawn, held against what the answers agree on."""
    counting = [run.as_run for run in runs if run.withdrawn_at is None]
    return ladder(counting, now.recommendation, Goal.of(now.inputs.effective.answers))


def headline_of(use_case: UseCase, now: Assessed) -> str:
    """The sentence that the overview shows; empty while nothing was measured. One query."""
    runs = EvaluationRun.objects.counting().filter(use_case=use_case).defer("note")
    found = ladder_of(now, runs)
    return found.headline if any(step.run for step in found.steps) else ""


def board(use_case: UseCase, now: Assessed) -> Board:
    """Two queries besides those of `now`."""
    rows = runs_of(use_case)
    found = ladder_of(now, rows)
    runs = [row.as_run for row in rows if row.withdrawn_at is None]
    counting = {step.run.key for step in found.steps if step.run}
    questions = now.questions
    keys = ("metric", "metric_target", *ANSWER_OF.values())
    disputed = tuple(questions[key] for key in keys if key in now.inputs.effective.disputed)
    drawn = _picture(found, runs)
    return Board(
        ladder=found,
        stands=tuple(_stand(step, now, runs) for step in found.steps),
        lines=tuple(_line(row, counting) for row in rows),
        disputed=disputed,
        stale=_stale(now, {row.pk for row in rows if row.withdrawn_at is not None}),
        drawings=() if drawn is None else tuple((name, _drawn(drawn, px)) for name, px in DRAWN_PX.items()),
        reading="" if drawn is None else drawn.reading,
    )


def _stand(step: Step, now: Assessed, runs: Sequence[Run]) -> Stand:
    question = now.questions[ANSWER_OF[step.approach]]
    said, may_use = _said(step, question, now, runs)
    tone, sign, chip = CHIPS[step.standing] if step.standing else MEASURED if step.run else UNMEASURED
    return Stand(step, COLOURS[step.approach], tone, sign, chip, said, question, may_use)


def _said(step: Step, question: Question, now: Assessed, runs: Sequence[Run]) -> tuple[str, bool]:
    """What the questionnaire says about this rung, and whether the counting run could be put in its place."""
    if step.run is None:
        return "", False
    wanted = step.run.score.value if step.approach != "retrieval_on_tuned" else effect_of_retrieval(step.run, runs)
    if wanted is None:
        return "The tuned model alone was not measured on the same data, so no answer follows from it.", False
    effective = now.inputs.effective
    if question.id in effective.disputed:
        return "People disagree about it in the questionnaire.", False
    if question.id not in effective.answers:
        return "It does not stand in the questionnaire yet.", True
    if effective.answers[question.id] == wanted:
        return "It stands in the questionnaire, and the recommendation rests on it.", False
    return f"The questionnaire says {describe(question, effective.answers[question.id])}.", True


def _stale(now: Assessed, withdrawn: set[int]) -> tuple[tuple[Answer, Question, int], ...]:
    """Answers that somebody gave from a run that was withdrawn since."""
    answers = now.assessment.answers.speaking().filter(question_id__in=ANSWER_OF.values())
    found = []
    for answer in answers.select_related("respondent").order_by("pk"):
        run = run_of(answer.comment)
        if run in withdrawn:
            found.append((answer, now.questions[answer.question_id], run))
    return tuple(found)


def _line(row: EvaluationRun, counting: set[int]) -> Line:
    score = row.measured
    around = interval_of(score)
    interval = "" if around is None else score_words.span(around, score)
    return Line(row, score_words.amount(score.value, score), interval, row.pk in counting, COLOURS[row.rung])


# --- the picture --------------------------------------------------------------------------------------------------


def _picture(found: Ladder, runs: Sequence[Run]) -> picture.Scores | None:
    """Each measured rung with its interval, and pale the runs it had before; None while nothing was measured."""
    counting = [(step, step.run) for step in found.steps if step.run]
    if not counting or len({run.score.whole is None for _, run in counting}) > 1:
        return None
    first = counting[0][1].score
    rows = tuple(_row(step, run, runs) for step, run in counting)
    target = None
    if found.goal.target is not None:
        value = in_scale(found.goal.target, first)
        word = "wanted" if found.goal.higher_is_better else "allowed"
        target = picture.Target(_shown(value, first), f"{score_words.amount(value, first)} {word}")
    return picture.Scores(
        title="Scores with their 95 % intervals",
        reading=picture.described(rows, target),
        axis_title=found.goal.metric if len(found.goal.metric) <= 60 else f"{found.goal.metric[:59]}…",
        unit="count" if first.whole is None else "percent",
        rows=rows,
        target=target,
    )


def _row(step: Step, run: Run, runs: Sequence[Run]) -> picture.Row:
    score = run.score
    around = interval_of(score)
    low, high = (None, None) if around is None else (_shown(around.low, score), _shown(around.high, score))
    same = [r for r in runs if r.rung == run.rung and r.measure == run.measure and r.key != run.key]
    before = tuple(_shown(r.score.value, r.score) for r in same if (r.score.whole is None) == (score.whole is None))
    said = score_words.with_interval(score)
    return picture.Row(step.name, COLOURS[step.approach], _shown(score.value, score), low, high, said, before)


def _shown(value: float, score: Score) -> float:
    """A value as the picture places it: per cent for shares."""
    return value if score.whole is None else 100 * value / score.whole


def _drawn(drawn: picture.Scores, width: float) -> SafeString:
    return mark_safe(picture.draw(drawn, width, palette=PAGE, font=PAGE_FONT))  # words are escaped there


# --- the table for spreadsheets -----------------------------------------------------------------------------------

HEADER = (
    "run", "day", "rung", "tried", "data set", "version", "metric", "better", "kind", "score", "95 % from", "95 % to",
    "cases", "standard deviation", "target", "cost USD", "recorded by", "recorded at", "file", "SHA-256",
    "withdrawn at", "withdrawn by", "reason", "note",
)  # fmt: skip


def runs_csv(use_case: UseCase) -> str:
    """All runs, withdrawn ones included, one row each; numbers with a decimal point, in the scale they were given."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    rows = EvaluationRun.objects.for_list(use_case).select_related("attachment").defer("attachment__content")
    for row in rows:
        writer.writerow([_safe(cell) if isinstance(cell, str) else cell for cell in _cells(row)])
    return out.getvalue()


def _cells(row: EvaluationRun) -> list[str | float | None]:
    """Words as str, which a spreadsheet may take for a formula; numbers as numbers, which it may not."""
    score, file = row.measured, getattr(row, "attachment", None)
    around = interval_of(score)
    return [
        row.pk,
        row.ran_on.isoformat(),
        row.get_rung_display(),
        row.title,
        row.dataset,
        row.dataset_version,
        row.metric,
        "higher" if row.higher_is_better else "lower",
        "average" if score.whole is None else "share",
        row.score,
        None if around is None else around.low,
        None if around is None else around.high,
        row.sample_size,
        row.spread,
        row.target,
        None if row.cost_usd is None else float(row.cost_usd),
        str(row.recorded_by or ""),
        row.recorded_at.isoformat(timespec="seconds"),
        file.name if file else "",
        file.sha256 if file else "",
        row.withdrawn_at.isoformat(timespec="seconds") if row.withdrawn_at else "",
        str(row.withdrawn_by or ""),
        row.withdrawal_reason,
        row.note,
    ]


def _safe(cell: str) -> str:
    """An apostrophe before what a spreadsheet would take for a formula."""
    return f"'{cell}" if cell.startswith(RISKY) else cell
