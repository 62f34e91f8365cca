"""How to find out whether one version is better than another: the tests that fit this kind of work. Pure.

Sources: S0 (automatic scores and human judges), S4 (held-out real cases, metrics that match the job).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from portfolio.governance.situation import Situation
from portfolio.questionnaire.outcome import Recommendation
from portfolio.questionnaire.sampling import CONFIDENCE, cases_needed
from portfolio.questionnaire.spec import Value

HALF_WIDTH = 0.05  # of the interval around a measured share
LABEL_HALF_WIDTH = 0.10  # for one label or slice on its own


@dataclass(frozen=True)
class Check:
    key: str
    title: str
    measure: str  # what is counted
    how: str
    gate: bool  # must hold before release; otherwise a trend line to watch
    target: str  # "at least 0.95", or "" where the team sets it
    always: bool  # part of every plan
    sources: tuple[str, ...]


@dataclass(frozen=True)
class SampleSize:
    """Cases a held-out set needs: n = z² · p(1−p) / h², rounded up."""

    cases: int  # for p = 0.5, which holds for any share
    cases_per_label: int  # for one label or slice on its own, at ± `label_half_width`
    half_width: float
    label_half_width: float
    confidence: float
    formula: str
    advice: str


@dataclass(frozen=True)
class Baseline:
    name: str
    value: float
    meets_target: bool | None  # None while metric or target is open


@dataclass(frozen=True)
class EvaluationPlan:
    metric: str  # the agreed metric, "" while open
    higher_is_better: bool | None
    target: float | None
    baselines: tuple[Baseline, ...]
    checks: tuple[Check, ...]
    sample_size: SampleSize
    gaps: tuple[str, ...]  # what is missing before the plan can be carried out

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EvaluationPlan:
        """The inverse of `to_dict`, also after a trip through JSON. Raises TypeError naming an unknown field."""
        nested = {
            "baselines": tuple(Baseline(**x) for x in data["baselines"]),
            "checks": tuple(Check(**{**x, "sources": tuple(x["sources"])}) for x in data["checks"]),
            "sample_size": SampleSize(**data["sample_size"]),
            "gaps": tuple(data["gaps"]),
        }
        return cls(**{**data, **nested})


def _gate(key: str, title: str, measure: str, how: str, *sources: str) -> Check:
    return Check(key, title, measure, how, gate=True, target="", always=False, sources=sources or ("S4",))


def _trend(key: str, title: str, measure: str, how: str, *sources: str) -> Check:
    return Check(key, title, measure, how, gate=False, target="", always=False, sources=sources)


_PER_CLASS = _gate(
    "precision_recall_by_class",
    "Precision and recall by class",
    "For each label: the share of its assignments that are right, and the share of its cases that are found",
    "On the held-out set, with the confusion of labels beside it. A good average can hide a lost class.",
)
_AGREEMENT = _gate(
    "reviewer_agreement",
    "Agreement between reviewers",
    "Share of hard cases that two reviewers decide alike, beyond chance (Cohen’s kappa)",
    "Two people label the same sample without seeing each other’s answer. The model cannot be steadier than they are.",
)
_EXACT_FIELDS = _gate(
    "exact_match_per_field",
    "Exact match per field",
    "Share of values that are exactly right, field by field",
    "Compare after agreed clean-up only (blanks, case, date format).",
)
_REVIEW = _gate(
    "structured_review",
    "Structured human review",
    "Share of outputs that pass a fixed scheme for policy and tone",
    "Two reviewers, one scheme, sources hidden: nobody knows which version wrote the text.",
    "S0",
    "S4",
)
_OVERLAP = _trend(
    "rouge_bertscore",
    "ROUGE and BERTScore",
    "Similarity to reference texts",
    "A trend line to notice sudden change. No gate: a good text may share few words with the reference.",
    "S0",
)
_RECALL_AT_K = _gate(
    "retrieval_recall_at_k",
    "Retrieval recall@k",
    "Share of questions whose right passage is among the first k found",
    "Measured on search alone, before the model reads anything. Without the passage no answer can be right.",
    "S1",
)
_GROUNDED = _gate(
    "groundedness",
    "Groundedness",
    "Share of statements that the retrieved passages bear out",
    "Reviewers, or a checked model judge, go through the answer statement by statement.",
    "S0",
    "S1",
)
_CITATIONS = _gate(
    "citation_accuracy",
    "Citation accuracy",
    "Share of citations that point to the passage the statement rests on",
    "Open each cited source in a sample.",
    "S3",
)
_REFUSAL = _gate(
    "refusal_on_unanswerable",
    "Refusal on unanswerable questions",
    "Share of unanswerable questions that are declined, and of answerable ones that are not",
    "Mix in questions that the documents do not answer.",
)
_ACCESS = _gate(
    "access_respected",
    "Access rights respected",
    "Number of passages shown to a user who may not see them",
    "Ask as users with different rights for each other’s documents. The only acceptable number is zero.",
    "S1",
)
_TOOLS = _gate(
    "exact_tool_and_arguments",
    "Exact tool and arguments",
    "Share of steps with the right tool and exactly the right inputs",
    "Compare with recorded right calls. Calls that only happened to work count as wrong.",
)
_TASK_SUCCESS = _gate(
    "task_success",
    "Task success",
    "Share of tasks whose end state is right",
    "Run whole tasks in a sandbox and inspect the result, not the path.",
)
_EXECUTION = _gate(
    "execution_tests",
    "Execution tests",
    "Share of outputs that run and pass their tests",
    "Run generated code or queries in a sandbox against tests written beforehand.",
    "S3",
)
_NATIVE_REVIEW = _gate(
    "native_review",
    "Review by native speakers",
    "Share of translations without an error of meaning, terms or tone",
    "Use a fixed list of error types. Count errors of meaning apart from errors of style.",
)
_FINDINGS = _gate(
    "sensitivity_specificity",
    "Sensitivity and specificity by finding",
    "Share of present findings that are found, and of absent ones that are not reported",
    "Against agreed expert labels, for each finding on its own. Rare ones need a sample of their own.",
    "S3",
    "S4",
)
_HIT_RATE = _gate(
    "hit_rate_at_k",
    "Hit rate@k",
    "Share of past choices that stand among the first k recommendations",
    "Hide each person’s last choice and let the model predict it.",
)
_ACCEPTANCE = _gate(
    "acceptance_tests",
    "Acceptance tests",
    "Share of real cases that pass tests written from the target behaviour",
    "Write the tests before looking at outputs.",
)
_SCHEMA = _gate(
    "schema_validity",
    "Schema validity",
    "Share of outputs that a parser accepts",
    "Check by machine, on every output.",
    "S2",
)
_REPEAT = _gate(
    "repeatability",
    "Repeatability",
    "Share of inputs that give the same output five times in a row",
    "Same settings as live, at different hours.",
    "S0",
)

_BY_TASK: dict[str, tuple[Check, ...]] = {
    "knowledge_qa": (_RECALL_AT_K, _GROUNDED, _CITATIONS, _REFUSAL),
    "support_assistant": (_RECALL_AT_K, _GROUNDED, _CITATIONS, _REFUSAL),
    "search": (_RECALL_AT_K,),
    "classification": (_PER_CLASS, _AGREEMENT),
    "extraction": (_EXACT_FIELDS,),
    "normalisation": (_EXACT_FIELDS,),
    "drafting": (_REVIEW, _OVERLAP),
    "summarisation": (_REVIEW, _OVERLAP),
    "document_transformation": (_REVIEW, _OVERLAP),
    "translation": (_NATIVE_REVIEW, _OVERLAP),
    "persona": (_REVIEW, _OVERLAP),
    "tool_selection": (_TOOLS,),
    "agent": (_TOOLS, _TASK_SUCCESS),
    "recommendation": (_HIT_RATE, _REVIEW),
    "code_generation": (_EXECUTION,),
    "perception": (_FINDINGS, _AGREEMENT),
    "other": (_ACCEPTANCE,),
}
_WITH_RETRIEVAL = (_RECALL_AT_K, _GROUNDED)
_BY_NEED: dict[str, tuple[Check, ...]] = {
    "voice": (_REVIEW,),
    "policy_tone": (_REVIEW,),
    "label_accuracy": (_AGREEMENT,),
    "fixed_schema": (_SCHEMA,),
    "tool_choice": (_TOOLS,),
    "grounded_use": (_GROUNDED,),
    "refusal": (_REFUSAL,),
    "deterministic_output": (_REPEAT,),
}
_ALWAYS = tuple(
    replace(check, always=True)
    for check in (
        _gate(
            "heldout_set",
            "Held-out set of real cases",
            "All gates below, on real cases that neither prompt nor training has seen",
            "Draw it once from real traffic, lock it, and use the same set for every version.",
        ),
        _gate(
            "edge_cases",
            "Edge cases on their own",
            "The same gates on difficult cases only",
            "Keep a slice of known failures and rare inputs. Progress on easy cases alone is not enough.",
        ),
        _gate(
            "general_ability",
            "General ability kept",
            "Share of everyday tasks outside the job that are solved as well as before",
            "Run a small fixed set with every change of model or training, to notice forgetting.",
            "S0",
            "S4",
        ),
        _gate(
            "format_stability",
            "Format stays stable",
            "Share of outputs in the agreed form across input types, lengths and languages",
            "Vary the inputs on purpose and check the form by machine.",
        ),
    )
)


def plan_evaluation(answers: Mapping[str, Value], recommendation: Recommendation) -> EvaluationPlan:
    """The tests for this kind of work, with the agreed metric, its target and what was measured so far."""
    s = Situation.of(answers, recommendation)
    metric, higher = _metric(s)
    target = s.number("metric_target")
    return EvaluationPlan(
        metric=metric,
        higher_is_better=higher,
        target=target,
        baselines=_baselines(s, higher, target),
        checks=_checks(s, metric, higher, target),
        sample_size=advise_sample_size(labels=s.number("label_count")),
        gaps=_gaps(s, metric, target),
    )


def advise_sample_size(*, labels: float | None = None) -> SampleSize:
    """How large the held-out set should be, with the formula and the advice in words."""
    cases, per_label = cases_needed(HALF_WIDTH), cases_needed(LABEL_HALF_WIDTH)
    advice = (
        f"{cases} real cases tell a share to within ±{HALF_WIDTH:.0%} in {CONFIDENCE:.0%} of samples, whatever the "
        f"share. Half the width needs four times as many."
    )
    if labels is not None and labels > 1:
        advice += (
            f" For a label on its own, {per_label} cases give ±{LABEL_HALF_WIDTH:.0%}: "
            f"start with the labels whose mistakes matter most of the {labels:,.0f}."
        )
    return SampleSize(
        cases=cases,
        cases_per_label=per_label,
        half_width=HALF_WIDTH,
        label_half_width=LABEL_HALF_WIDTH,
        confidence=CONFIDENCE,
        formula="n = z² · p(1 − p) / h², with z = 1.96, p = 0.5, h = 0.05",
        advice=advice,
    )


def _metric(s: Situation) -> tuple[str, bool | None]:
    metric = s.answers.get("metric")
    if not isinstance(metric, Mapping):
        return "", None
    return str(metric.get("name", "")), bool(metric.get("higher_is_better", True))


def _checks(s: Situation, metric: str, higher: bool | None, target: float | None) -> tuple[Check, ...]:
    wanted = [check for task in s.tasks() for check in _BY_TASK.get(task, ()) if _applies(check, s)]
    if s.retrieval:
        wanted += _WITH_RETRIEVAL
    if s.retrieval and s.is_in("citations_needed", "yes"):
        wanted.append(_CITATIONS)
    if s.retrieval and not s.is_in("per_user_access", "no"):
        wanted.append(_ACCESS)
    wanted += [check for need in s.codes("behaviour_needs") for check in _BY_NEED.get(need, ())]
    unique = tuple(dict.fromkeys(wanted or [_ACCEPTANCE]))
    return (*_agreed(metric, higher, target), *unique, *_latency(s), *_ALWAYS)


def _applies(check: Check, s: Situation) -> bool:
    """Whether a test of the task makes sense here: no search, no recall; no facts, nothing to cite or to rest on."""
    if check is _RECALL_AT_K and not s.retrieval:
        return not s.facts_supplied and not s.is_in("facts_needed", "none")
    if check is _CITATIONS and s.is_in("citations_needed", "no"):
        return False
    if check in (_CITATIONS, _GROUNDED):
        return s.retrieval or not s.is_in("facts_needed", "none")
    return True


def _agreed(metric: str, higher: bool | None, target: float | None) -> tuple[Check, ...]:
    if not metric:
        return ()
    bound = "" if target is None else f"{'at least' if higher else 'at most'} {target:,.10g}"
    how = "The number that decides: the first approach that reaches the target is the right one."
    check = _gate("agreed_metric", "The agreed metric", metric, how, "S0", "S4")
    return (replace(check, target=bound),)


def _latency(s: Situation) -> tuple[Check, ...]:
    limit = s.number("latency_target_ms")
    if limit is None:
        return ()
    check = _gate(
        "latency",
        "Waiting time",
        "Time to the full answer, which 95 of 100 requests must not exceed",
        "Under the load of the busiest hour, with live lengths of input and output.",
    )
    return (replace(check, target=f"at most {limit:,.0f} ms"),)


def _baselines(s: Situation, higher: bool | None, target: float | None) -> tuple[Baseline, ...]:
    names = (("prompt_score", "Best prompt"), ("rag_score", "With retrieval"), ("tuned_score", "Tuned model"))
    found = []
    for question, name in names:
        value = s.number(question)
        if value is None:
            continue
        meets = None if target is None or higher is None else (value >= target if higher else value <= target)
        found.append(Baseline(name, value, meets))
    return tuple(found)


def _gaps(s: Situation, metric: str, target: float | None) -> tuple[str, ...]:
    gaps = []
    if s.is_in("behaviour_defined", "no"):
        gaps.append("Describe the target behaviour so that tests can be written from it.")
    if s.is_in("failure_defined", "no"):
        gaps.append("Write down what counts as failure and which mistakes matter most.")
    if not metric:
        gaps.append("Agree on one metric that fits the job.")
    elif s.is_in("metric_fits_task", "no"):
        gaps.append("Replace the metric by one that falls with the mistakes that matter.")
    if target is None:
        gaps.append("Set the value of the metric that is good enough.")
    if s.is_in("heldout_set", "no"):
        gaps.append("Collect a held-out set of real cases.")
    elif s.is_in("heldout_set", "partly"):
        gaps.append("Complete the held-out set: enough real cases, with agreed answers.")
    if s.is_in("labels_agree", "no"):
        gaps.append("Settle how hard cases are decided before measuring anything.")
    return tuple(gaps)
