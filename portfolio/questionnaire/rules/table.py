"""Every rule of the decision in one table: what it reads, what it speaks for or against, how strongly, and why.

The conditions stand in `job`, `retrieval` and `tuning`; how layers combine to a target stands in `decide`. Two places
part from the four-line sketch `choose_approach` of source S4, on purpose: fresh knowledge together with repeatable
behaviour leads to `hybrid`, and where nothing is known the simplest comes first instead of a fall-back to hybrid.
"""

from __future__ import annotations

from portfolio.questionnaire.case import Case
from portfolio.questionnaire.rules import job, retrieval, tuning
from portfolio.questionnaire.rules.retrieval import because
from portfolio.questionnaire.rules.rule import Rule

FACTS = ("facts_needed",)
BASELINES = ("prompt_baseline", "prompt_score", "rag_baseline", "rag_score", "metric_target")
PROMPT = ("prompt_baseline", "prompt_score", "metric_target")
RAG = ("rag_baseline", "rag_score", "metric_target")
TUNED = ("tuning_baseline", "tuned_score")
HABIT = ("behaviour_needs", "error_tolerance", "task_type", "second_task_type", "failure_causes")


def _state(kind: str, state: str, case: Case) -> bool:
    return any(k == kind and s == state for k, s, _ in tuning.standing(case).cases)


def _gap_read(case: Case) -> bool:
    """A proven gap that lies in how good passages are read."""
    return _state("gap", tuning.PROVEN, case) and retrieval.in_play(case) and tuning.reads_badly(case)


def _gap_beaten(case: Case) -> bool:
    return _state("gap", tuning.PROVEN, case) and not _gap_read(case) and tuning.beaten(case)


def _gap_short(case: Case) -> bool:
    return _state("gap", tuning.PROVEN, case) and not _gap_read(case) and not tuning.beaten(case)


def _only_facts(case: Case) -> bool:
    """Worth saying where nothing stronger rules it out and no named habit is passed over."""
    return tuning.facts_only(case) and not tuning.untuned_suffices(case) and not case.behaviour_needs


def _distilled(case: Case) -> bool:
    return _state("cost", tuning.PROVEN, case) and tuning.untuned(case) == "meets_target"


def _cost_short(case: Case) -> bool:
    return _state("cost", tuning.PROVEN, case) and not _distilled(case)


def _nothing_speaks(case: Case) -> bool:
    return not tuning.standing(case).cases


def _tolerant(case: Case) -> bool:
    return case.error_tolerance in tuning.LENIENT and tuning.need_named(case) and _nothing_speaks(case)


def _need_alone(case: Case) -> bool:
    return (
        case.error_tolerance is None
        and case.behaviour_needs is not None
        and tuning.need_named(case)
        and _nothing_speaks(case)
        and not tuning.untuned_suffices(case)
    )


def _schema_first(case: Case) -> bool:
    return tuning.schema_untried(case) and not tuning.untuned_suffices(case)


def _few_techniques(case: Case) -> bool:
    tried = case.prompt_techniques
    return tuning.untuned(case) == "close" and tried is not None and len(tried) < case.policy.techniques_tried


def _wrong_input(case: Case) -> bool:
    return bool(case.cause == "wrong_input")


def _missing_not_habit(case: Case) -> bool:
    return retrieval.missing(case) and _nothing_speaks(case)


RULES: tuple[Rule, ...] = (
    # The job
    Rule(
        "job.prohibited", "job", "stop", False, 1.0, ("ai_act_class",),
        "The use falls under the practices that the EU AI Act prohibits: no technique makes it permissible.",
        ("S0",), job.prohibited,
    ),
    Rule(
        "job.behaviour_undefined", "job", "define first", False, 1.0, ("behaviour_defined",),
        "Nobody can yet write acceptance tests for the wanted behaviour, so no approach could be shown to work.",
        ("S4",), job.behaviour_undefined,
    ),
    Rule(
        "job.failure_undefined", "job", "define first", False, 1.0, ("failure_defined",),
        "It is not written down what counts as failure, so no measurement "
        "could say whether an approach is good enough.",
        ("S4",), job.failure_undefined,
    ),
    Rule(
        "job.behaviour_partly", "job", "warn", False, 0.3, ("behaviour_defined",),
        "The wanted behaviour is only partly concrete: each vague part returns later as an argument about results.",
        ("S4",), job.behaviour_partly,
    ),
    Rule(
        "job.failure_partly", "job", "warn", False, 0.3, ("failure_defined",),
        "Failure is only partly written down: decide which mistakes matter most before comparing approaches.",
        ("S4",), job.failure_partly,
    ),
    # Retrieval
    Rule(
        "retrieval.change", "retrieval", "required", True, 0.9, (*FACTS, "knowledge_change_rate"),
        "The facts change monthly or faster: a lookup follows at once, while "
        "trained weights stay at the day of training.",
        ("S0", "S1", "S2", "S4"), because(retrieval.change),
    ),
    Rule(
        "retrieval.cited", "retrieval", "required", True, 0.8, (*FACTS, "citations_needed"),
        "Users must be able to check the source: only a passage that was looked up can be shown beside the answer.",
        ("S1", "S3"), because(retrieval.cited),
    ),
    Rule(
        "retrieval.per_user", "retrieval", "required", True, 0.9, (*FACTS, "per_user_access"),
        "Different users may see different documents: access can be checked on each lookup, never inside weights.",
        ("S1",), because(retrieval.per_user),
    ),
    Rule(
        "retrieval.core", "retrieval", "required", True, 0.8, (*FACTS, *PROMPT),
        "Answers rest on particular facts, and prompting alone has not been shown to do without looking them up.",
        ("S1", "S2", "S4"), because(retrieval.core_unmeasured),
    ),
    Rule(
        "retrieval.too_big", "retrieval", "required", True, 0.7,
        (*FACTS, "corpus_size", "data_location", "failure_causes"),
        "The facts do not fit into one prompt, so the few that matter must be found for each request.",
        ("S1", "S3"), because(retrieval.too_big),
    ),
    Rule(
        "retrieval.missing", "retrieval", "required", True, 0.9, (*FACTS, "failure_causes"),
        "What fails first is missing or stale knowledge: that is a matter of supplying facts, not of behaviour.",
        ("S2", "S4"), because(retrieval.missing),
    ),
    Rule(
        "retrieval.earned", "retrieval", "required", True, 0.9, (*FACTS, *BASELINES),
        "Prompting alone was measured short and retrieval reached the target: it has earned its place.",
        ("S0", "S3"), because(retrieval.earned),
    ),
    Rule(
        "retrieval.outpaces", "retrieval", "required", True, 0.7,
        (*FACTS, "knowledge_change_rate", "retraining_tolerance"),
        "The facts change faster than the team can retrain, so weights would always be behind.",
        ("S2", "S3"), because(retrieval.outpace_retraining),
    ),
    Rule(
        "retrieval.carried", "prompting", "carries the facts", True, 0.8,
        (*FACTS, "corpus_size", "knowledge_change_rate", "per_user_access"),
        "All facts fit into the prompt, and nothing says that they change often or "
        "differ by user: a cached prompt can carry them.",
        ("S3", "S4"), retrieval.carried,
    ),
    Rule(
        "retrieval.one_page", "prompting", "may carry the facts", True, 0.2, ("corpus_size", "knowledge_change_rate"),
        "It is a page that changes often: if it comes from one call, code can put it into the prompt without an index.",
        ("S3",), retrieval.carried_small_but_fast,
    ),
    Rule(
        "retrieval.some", "retrieval", "helpful", True, 0.3, FACTS,
        "Some slow facts help the answers; looking them up is a convenience here, not a condition.",
        ("S3", "S4"), retrieval.some_facts,
    ),
    Rule(
        "retrieval.prompt_knows", "retrieval", "helpful", False, 0.5, (*FACTS, *PROMPT),
        "Prompting reached the target without lookup, and nothing else demands it.",
        ("S3", "S4"), retrieval.core_without,
    ),
    Rule(
        "retrieval.examples", "retrieval", "helpful", True, 0.3, ("label_count", "prompt_techniques"),
        "Labels or examples are many enough to look up the nearest ones: that is retrieval of examples, not of facts.",
        ("S2", "S4"), retrieval.example_lookup,
    ),
    Rule(
        "retrieval.not_needed", "retrieval", "not needed", False, 0.6, FACTS,
        "Answers do not rest on particular facts, so there is nothing to look up.",
        ("S4",), retrieval.none_needed,
    ),
    Rule(
        "retrieval.hurts", "retrieval", "ruled out", False, 0.9, (*FACTS, "retrieval_on_tuned"),
        "Retrieval was measured to make results worse and no core facts hang on it: test before adding it again.",
        ("S0", "S4"), retrieval.hurts,
    ),
    Rule(
        "retrieval.hurts_but_core", "retrieval", "repair", False, 0.5, (*FACTS, "retrieval_on_tuned"),
        "Retrieval made the tuned model worse, but core facts hang on it: "
        "repair it or train the reader, never drop it.",
        ("S1", "S2"), retrieval.hurts_but_core,
    ),
    Rule(
        "retrieval.repair_first", "retrieval", "repair first", True, 0.8, ("failure_causes", *RAG),
        "Retrieval finds the wrong passages: repair the index and the search before judging any model on them.",
        ("S1",), retrieval.repair_first,
    ),
    # Fine-tuning: the behavioural cases
    Rule(
        "tuning.gap", "fine_tuning", "gap, proven", True, 0.8,
        (*BASELINES, *TUNED, "prompt_techniques", "failure_causes"),
        "The best prompt falls short, and nothing says that missing facts, search or input are the reason.",
        ("S2", "S4"), _gap_short,
    ),
    Rule(
        "tuning.beaten", "fine_tuning", "gap, proven", True, 0.8, (*BASELINES, *TUNED),
        "A tuned model was measured better than the best stack without one.",
        ("S4",), _gap_beaten,
    ),
    Rule(
        "tuning.reader", "fine_tuning", "gap, proven", True, 0.8, (*RAG, "failure_causes", "behaviour_needs"),
        "Good passages arrive and are used badly: training the reader is what is left to improve.",
        ("S2", "S4"), _gap_read,
    ),
    Rule(
        "tuning.gap_open", "fine_tuning", "gap, to be proven", True, 0.4,
        (*BASELINES, *TUNED, "prompt_techniques", "failure_causes"),
        "Results fall short, but it is not shown yet that behaviour rather than facts, search or input is the reason.",
        ("S2", "S4"), lambda case: _state("gap", tuning.OPEN, case),
    ),
    Rule(
        "tuning.habit", "fine_tuning", "habit, proven", True, 0.9, (*HABIT, *BASELINES),
        "A habit has to hold nearly always, and without training it was measured to slip too often.",
        ("S0", "S2", "S4"), lambda case: _state("habit", tuning.PROVEN, case),
    ),
    Rule(
        "tuning.habit_open", "fine_tuning", "habit, to be proven", True, 0.6, (*HABIT, *BASELINES, "narrow_repetition"),
        "A habit is wanted that examples often teach better than instructions; "
        "a measurement has to show that it is missed.",
        ("S0", "S1", "S4"), lambda case: _state("habit", tuning.OPEN, case),
    ),
    Rule(
        "tuning.distil", "fine_tuning", "cost, proven", True, 0.8,
        ("narrow_repetition", "cost_latency_pressure", "requests_per_day", *BASELINES),
        "The quality is there but too slow or too dear: a small model can "
        "learn this narrow task from approved outputs.",
        ("S2",), _distilled,
    ),
    Rule(
        "tuning.cost", "fine_tuning", "cost, proven", True, 0.8,
        ("narrow_repetition", "cost_latency_pressure", "requests_per_day", *BASELINES),
        "One narrow task repeats at volume under cost or latency pressure: a small tuned model is made for that.",
        ("S2",), _cost_short,
    ),
    Rule(
        "tuning.cost_open", "fine_tuning", "cost, to be proven", True, 0.5,
        ("narrow_repetition", "cost_latency_pressure", "requests_per_day"),
        "A narrow task under cost or latency pressure suits a small tuned model, once the stack without is measured.",
        ("S2",), lambda case: _state("cost", tuning.OPEN, case),
    ),
    Rule(
        "tuning.language", "fine_tuning", "language, proven", True, 0.9,
        ("behaviour_needs", "public_coverage", "task_type", *BASELINES),
        "No public model has learnt this language or domain, and explaining it "
        "in the prompt was measured to fall short.",
        ("S3",), lambda case: _state("language", tuning.PROVEN, case),
    ),
    Rule(
        "tuning.language_open", "fine_tuning", "language, to be proven", True, 0.6,
        ("behaviour_needs", "public_coverage", "task_type"),
        "No public model has learnt this language or domain; whether a "
        "tutorial in the prompt suffices is to be measured.",
        ("S2", "S3"), lambda case: _state("language", tuning.OPEN, case),
    ),
    Rule(
        "tuning.weak_language", "fine_tuning", "language, to be proven", True, 0.4, ("behaviour_needs", *PROMPT),
        "The natural language is weakly covered and prompting in it fell short: tuning may help, the proof is missing.",
        ("S2", "S3"), lambda case: _state("weak_language", tuning.OPEN, case),
    ),
    Rule(
        "tuning.weak_language_proven", "fine_tuning", "language, proven", True, 0.7, ("behaviour_needs", *TUNED),
        "The natural language is weakly covered, and a tuned model was measured better in it.",
        ("S2", "S3"), lambda case: _state("weak_language", tuning.PROVEN, case),
    ),
    # Fine-tuning: what rules it out
    Rule(
        "tuning.vague", "fine_tuning", "ruled out", False, 0.9, ("failure_causes",),
        "What fails first is the instruction: sharpen it before anything is trained on it.",
        ("S4",), tuning.vague,
    ),
    Rule(
        "tuning.task_moves", "fine_tuning", "ruled out", False, 0.9,
        ("task_change_rate", "what_changes", "retraining_tolerance"),
        "The task itself changes faster than a model can be retrained; a prompt is changed in minutes.",
        ("S2", "S4"), tuning.task_moves,
    ),
    Rule(
        "tuning.untuned_suffices", "fine_tuning", "ruled out", False, 0.9, (*BASELINES, "cost_latency_pressure"),
        "The best untuned stack reaches the target and nothing says that it is too slow or too dear.",
        ("S2", "S4"), tuning.untuned_suffices,
    ),
    Rule(
        "tuning.worse", "fine_tuning", "ruled out", False, 1.0, (*TUNED, "prompt_score", "rag_score", "metric_target"),
        "A tuned model was measured worse than the best untuned stack.",
        ("S4",), tuning.measured_worse,
    ),
    Rule(
        "tuning.no_better", "fine_tuning", "ruled out", False, 0.9, (*TUNED, "prompt_score", "rag_score"),
        "A tuned model was measured no better than the best untuned stack, and cost gives no reason for it.",
        ("S4",), tuning.measured_no_better,
    ),
    Rule(
        "tuning.facts_only", "fine_tuning", "ruled out", False, 0.9, FACTS,
        "Only facts speak for it, and training does not put facts reliably "
        "into a model; it freezes what it does put there.",
        ("S1", "S2"), _only_facts,
    ),
    # Fine-tuning: what weakens it
    Rule(
        "tuning.coverage_is_facts", "fine_tuning", "no case", False, 0.5,
        ("public_coverage", "facts_needed", "task_type"),
        "No public model knows these contents, but they are facts to be looked up rather than a language to be learnt.",
        ("S2", "S3"), tuning.coverage_is_facts,
    ),
    Rule(
        "tuning.schema_first", "fine_tuning", "to be proven", False, 0.6, ("behaviour_needs", "prompt_techniques"),
        "The only need is a fixed schema, and constrained decoding, which often settles that, has not been tried.",
        ("S2",), _schema_first,
    ),
    Rule(
        "tuning.tolerant", "fine_tuning", "no case", False, 0.5, ("error_tolerance", "behaviour_needs", "task_type"),
        "Slips of form or tone may happen now and then, so instructions and examples in the prompt are enough.",
        ("S2", "S4"), _tolerant,
    ),
    Rule(
        "tuning.need_alone", "fine_tuning", "no case", False, 0.4, ("behaviour_needs",),
        "A wanted habit alone earns no training: nothing says yet how strictly "
        "it must hold or that prompting misses it.",
        ("S0", "S4"), _need_alone,
    ),
    Rule(
        "tuning.few_techniques", "fine_tuning", "no case", False, 0.4, (*PROMPT, "prompt_techniques"),
        "The result is close and few prompting techniques have been tried; more of them are the cheaper next step.",
        ("S2", "S4"), _few_techniques,
    ),
    Rule(
        "tuning.missing_facts", "fine_tuning", "no case", False, 0.7, ("failure_causes",),
        "What fails first is knowledge, and a tuned model would answer from "
        "what it was trained on, wrongly and confidently.",
        ("S2", "S4"), _missing_not_habit,
    ),
    Rule(
        "tuning.wrong_input", "fine_tuning", "no case", False, 0.4, ("failure_causes",),
        "What fails first is the input: mend it at its source before judging the model.",
        ("S4",), _wrong_input,
    ),
)  # fmt: skip
