"""Misconceptions to name and warnings to give beside the result. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portfolio.questionnaire import evidence
from portfolio.questionnaire.case import Case
from portfolio.questionnaire.decide import TUNED_TARGETS, Decision
from portfolio.questionnaire.derive import MISSING_FACTS
from portfolio.questionnaire.outcome import Method, Need, Target
from portfolio.questionnaire.rules import job, retrieval, tuning
from portfolio.questionnaire.rules.contested import contested
from portfolio.questionnaire.spec import Value

WORDS = {"prompt_baseline": "prompting", "rag_baseline": "retrieval", "tuning_baseline": "the tuned model"}


def misconceptions(case: Case, decision: Decision) -> tuple[str, ...]:
    """What the approach people have in mind gets wrong here."""
    return tuple(_misconceptions(case, decision))


def _misconceptions(case: Case, decision: Decision) -> Iterator[str]:
    wish = case.considered_approach
    if wish == "fine_tuning" and decision.target not in TUNED_TARGETS:
        if retrieval.wanted(case):
            yield (
                "“Train it, then it knows our documents”: training shifts how a model "
                "answers, not reliably what it knows. "
                "It would state outdated or invented facts with confidence. Facts are "
                "supplied at the moment of the question."
            )
        if tuning.untuned_suffices(case):
            yield (
                "“Our own model would be better”: the target is reached without one, "
                "and each own model has to be kept up."
            )
        elif tuning.task_moves(case):
            yield "“Train it once”: this task changes so often that each training would be out of date before it pays."
        elif not retrieval.wanted(case):
            yield (
                "“Fine-tune first”: training has to be earned by a measurement that "
                "shows what a good prompt leaves short."
            )
    elif wish == "fine_tuning" and decision.target is Target.HYBRID:
        yield "“Fine-tuning alone”: it can carry the behaviour here, but the facts have to be looked up."
    if (
        wish == "rag"
        and decision.target in (Target.FINE_TUNING, Target.PROMPTING)
        and decision.retrieval is not Need.HELPFUL
    ):
        yield (
            "“Retrieval makes it better”: it supplies facts and none are missing "
            "here; it does not teach tone, form or labels."
        )
    if wish == "rag" and decision.target is Target.HYBRID:
        yield "“Retrieval alone”: it supplies the facts, but passages do not make a model hold a habit."
    if wish == "prompting" and decision.target in (Target.RAG, Target.HYBRID):
        yield "“A better prompt will know it”: no wording gives a model facts it has never seen."


def warnings(case: Case, decision: Decision, method: Method | None, answers: Mapping[str, Value]) -> tuple[str, ...]:
    """What to keep in mind: half-defined jobs, contradictions, doubts of the sources, hardware."""
    found = [*_about_the_job(case), *_contradictions(case), *_about_layers(case, decision)]
    found.extend(
        f"The sources disagree on {problem.name}. One side: {problem.for_tuning}. The other: {problem.against_tuning}. "
        "Only a measurement of your own settles it."
        for problem in contested(case)
    )
    if method is Method.QLORA:
        found.append("LoRA at 16 bit does not fit the given hardware; QLoRA trains the same adapter on a 4-bit base.")
    if method is Method.FULL and case.facts_given.adapter_fits_16_bit is False:
        found.append("Full training needs far more memory than the given hardware has.")
    if decision.tuned.in_target and answers.get("base_model_policy") == "undecided":
        found.append("Decide before training what happens when the base model gets a new version.")
    return tuple(found)


def _about_the_job(case: Case) -> Iterator[str]:
    if job.behaviour_partly(case):
        yield "The wanted behaviour is only partly concrete: settle the vague part before comparing approaches."
    if job.failure_partly(case):
        yield "Failure is only partly defined: decide which mistakes matter most before measuring."


def _contradictions(case: Case) -> Iterator[str]:
    for question in evidence.numbers_against_words(case):
        yield f"Words and numbers disagree about {WORDS[question]}: the numbers were used."
    if case.facts_needed == "none" and any(cause in MISSING_FACTS for cause in case.failure_causes or ()):
        yield (
            "Missing or stale knowledge was seen to fail, yet no particular facts "
            "are said to be needed: one of both is wrong."
        )
    if case.facts_needed == "none" and case.citations_needed == "yes":
        yield "Sources are to be cited, yet no particular facts are said to be needed: one of both is wrong."


def _about_layers(case: Case, decision: Decision) -> Iterator[str]:
    if retrieval.hurts(case):
        yield "Retrieval was measured to hurt: test before adding it again."
    if retrieval.hurts_but_core(case):
        yield (
            "Retrieval made the tuned model worse, but core facts hang on it: "
            "repair it or train the reader, do not drop it."
        )
    if retrieval.carried_small_but_fast(case):
        yield (
            "The facts are one page that changes often: if they come from one call, code can put them into the prompt."
        )
    if decision.carried:
        yield "The prompt carries the facts only until they outgrow it, differ by user, or others have to edit them."
    if tuning.coverage_is_facts(case):
        yield "That no public model knows the contents is a reason to look them up, not to train on them."
    if case.narrow_repetition == "partly" and case.pressure == "yes" and not decision.tuned.in_target:
        yield "Part of the task is narrow and under pressure: assess that part as a use case of its own."
