"""Time of one recommendation: the decision alone, and with robustness, flips, reversals and next questions.

First the demo's use cases, then `SETS` seeded random half-answered sets: answers drawn over the questions that are
visible at that point, in order, each with the chance `ANSWERED`. Their figures are processor time.
"""

import random
import statistics
import time
from collections.abc import Callable

from benchmarks.timing import median_s
from portfolio.demo.definition import definition
from portfolio.questionnaire.flow import visible_questions
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.recommend import recommend
from portfolio.questionnaire.spec import Kind, Question

SETS, ANSWERED, SEED = 200, 0.5, 20_261_121
LIMIT_MS = 50.0  # of processor time for a half-answered set, at the 95th percentile


def main() -> None:
    print("recommendation                                   answers   decision µs   with exploration CPU ms")
    for use_case in [{"title": "no answers at all", "answers": {}}, *definition()["use_cases"]]:
        answers = {}
        for given in use_case["answers"].values():
            answers.update(given)
        alone = median_s(lambda a=answers: recommend(a, explore=False), repeats=200)
        explored = _cpu_seconds(lambda a=answers: recommend(a))
        print(f"{use_case['title']:48} {len(answers):7d} {alone * 1e6:13.0f} {explored * 1e3:25.1f}")
    half_answered()


def half_answered() -> None:
    chance = random.Random(SEED)
    sets = [a_half_answered_set(chance) for _ in range(SETS)]
    alone, explored, exact = [], [], 0
    for answers in sets:
        alone.append(_cpu_seconds(lambda a=answers: recommend(a, explore=False)))
        explored.append(_cpu_seconds(lambda a=answers: recommend(a)))
        exact += recommend(answers).robustness.exact
    p95 = statistics.quantiles(explored, n=20)[-1]
    print(
        f"\n{SETS} half-answered sets, {statistics.mean(map(len, sets)):.0f} answers on average, processor time\n"
        f"with exploration    median {statistics.median(explored) * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms, "
        f"max {max(explored) * 1e3:.1f} ms (limit at p95: {LIMIT_MS:.0f} ms)\n"
        f"decision alone      median {statistics.median(alone) * 1e3:.2f} ms; "
        f"exploring takes {statistics.median(explored) / statistics.median(alone):.0f} times as long\n"
        f"exact               {exact / SETS:.0%} of the sets, the others by a seeded sample"
    )


def a_half_answered_set(chance: random.Random) -> dict[str, object]:
    """Each visible question answered with the chance `ANSWERED`, with a value drawn evenly from its codes or range."""
    questionnaire = load()
    answers: dict[str, object] = {}
    for question in questionnaire.questions:
        visible = {q.id for q in visible_questions(questionnaire, answers, tuning_in_play=True)}
        if question.id in visible and chance.random() < ANSWERED:
            answers[question.id] = _drawn(question, chance)
    return answers


def _drawn(question: Question, chance: random.Random) -> object:
    codes = [option.code for option in question.options]
    if question.kind is Kind.CHOICE:
        return chance.choice(codes)
    if question.kind in (Kind.MULTIPLE, Kind.RANKED):
        chosen = chance.sample(codes, chance.randint(0, min(3, len(codes))))
        return sorted(chosen, key=codes.index) if question.kind is Kind.MULTIPLE else chosen
    if question.kind is Kind.METRIC:
        return {"name": "exact match", "higher_is_better": True}
    if question.kind is Kind.TEXT:
        return "one of 140 codes"
    return round(chance.uniform(question.minimum or 0, min(question.maximum or 1e5, 1e5)))


def _cpu_seconds(call: Callable[[], object]) -> float:
    """Processor time, the best of three: other work on the same machine does not count."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
