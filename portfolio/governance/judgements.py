"""Whether each risk is on the table, how likely and how grave it is before any safeguard, and why. Pure.

One function per risk, from a `Situation` to a `Judgement` or None. The figures are ordinal judgements on a scale of
1 … 5, not measurements: 2 unlikely, 3 possible, 4 likely, 5 almost certain; 2 annoying, 3 costly, 4 grave, 5 severe.
An open answer counts as possible, never as "no": it keeps a risk on the table with a middling likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portfolio.governance.situation import Situation
from portfolio.questionnaire.outcome import Method

_HARM = {"low": 2, "moderate": 3, "severe": 5}
_WITHOUT_FREE_TEXT = ("classification", "normalisation", "tool_selection", "search", "perception")
_BROAD_TASKS = ("agent", "persona", "support_assistant", "knowledge_qa")
_FEW_EXAMPLES = 500  # the default minimum for style and classification
_RATE_WORDS = {
    "hourly": "every hour",
    "daily": "every day",
    "weekly": "every week",
    "monthly": "every month",
    "quarterly": "every quarter",
    "yearly": "every year",
    "static": "never",
    "stable": "hardly ever",
    "often": "often",
}


@dataclass(frozen=True)
class Judgement:
    likelihood: int
    impact: int
    cause: str
    looked_at: tuple[str, ...]  # question ids


def judge(key: str, situation: Situation) -> Judgement | None:
    """The judgement of this risk, None when it is not on the table. Raises KeyError for an unknown risk."""
    return _JUDGES[key](situation)


def _judgement(likelihood: int, impact: int, causes: list[str], *looked_at: str) -> Judgement:
    return Judgement(min(5, max(1, likelihood)), min(5, max(1, impact)), " ".join(causes), looked_at)


def _harm(s: Situation) -> int:
    return _HARM.get(s.code("harm_if_wrong") or "", 3)


def _prohibited_use(s: Situation) -> Judgement | None:
    if not s.is_in("ai_act_class", "unacceptable"):
        return None
    return _judgement(5, 5, ["The use falls into the class that the EU AI Act prohibits."], "ai_act_class")


def _personal_data_leak(s: Situation) -> Judgement | None:
    held = s.code("personal_data")
    if not s.tuning or held == "none":
        return None
    looked_at = ("personal_data", "lawful_basis", "regulations")
    impact = 5 if s.privacy_law() or s.is_in("lawful_basis", "no") else 4
    if held is None:
        causes = ["It is not known yet whether the examples hold personal data."]
        return _judgement(2, impact, causes, *looked_at)
    if held == "yes":
        causes = ["The examples hold personal data, and what a model has learned cannot be deleted from it."]
    else:
        causes = ["The examples are pseudonymised only: people can be found again with the key."]
    likelihood = 4 if held == "yes" else 2
    if s.is_in("lawful_basis", "no"):
        causes.append("There is no lawful basis for training on them.")
        likelihood += 1
    return _judgement(likelihood, impact, causes, *looked_at)


def _catastrophic_forgetting(s: Situation) -> Judgement | None:
    if not s.tuning:
        return None
    likelihood, impact = 3, 3
    causes = ["Training narrows a model to what its examples show."]
    if s.recommendation.method == Method.FULL or s.is_in("tuned_method", "full"):
        likelihood += 1
        causes.append("Full training changes every weight.")
    if s.is_in("edge_cases_covered", "no"):
        likelihood += 1
        causes.append("The examples hold typical cases only.")
    if any(task in _BROAD_TASKS for task in s.tasks()):
        impact += 1
        causes.append("The task is broad and lives on general ability.")
    return _judgement(likelihood, impact, causes, "tuned_method", "edge_cases_covered", "task_type", "second_task_type")


def _bias_amplification(s: Situation) -> Judgement | None:
    if not s.tuning:
        return None
    likelihood, impact = 3, _harm(s)
    causes = ["A model repeats the leaning of its examples more steadily than people do."]
    if s.is_in("examples_quality", "mixed", "poor"):
        likelihood += 1
        causes.append("The examples are not clean.")
    if s.is_in("matches_production", "no"):
        likelihood += 1
        causes.append("They do not look like live traffic.")
    if s.is_in("ai_act_class", "high"):
        impact += 1
        causes.append("The use is in a high-risk class.")
    return _judgement(
        likelihood, impact, causes, "examples_quality", "matches_production", "harm_if_wrong", "ai_act_class"
    )


def _version_fragmentation(s: Situation) -> Judgement | None:
    if not s.tuning:
        return None
    likelihood = 2
    causes = ["Each trained model is one more version to account for."]
    if s.is_in("base_model_policy", "two_branches"):
        likelihood += 1
        causes.append("Two branches are planned side by side.")
    untracked = [code for code in ("dataset_versioning", "config_tracking") if not s.has("readiness", code)]
    if not s.open("readiness") and untracked:
        likelihood += 1
        causes.append("Training data or runs are not tracked.")
    return _judgement(likelihood, 3, causes, "base_model_policy", "readiness")


def _drift_and_retraining(s: Situation) -> Judgement | None:
    if not s.tuning:
        return None
    rate = s.code("task_change_rate")
    by_rate = {"weekly": 5, "often": 5, "monthly": 4, "quarterly": 3, "yearly": 2, "stable": 2}
    likelihood = by_rate.get(rate or "", 3)
    causes = [
        f"The task changes {_RATE_WORDS[rate]}."
        if rate in _RATE_WORDS
        else "It is not known how often the task changes."
    ]
    if s.codes("what_changes") == ("inputs",):
        likelihood -= 1
        causes.append("Only its inputs change, not its rules.")
    if s.is_in("ml_capacity", "none"):
        likelihood += 1
        causes.append("Nobody is there to train again.")
    impact = 3
    if s.is_in("retraining_tolerance", "never"):
        impact = 4
        causes.append("No retraining is planned.")
    return _judgement(
        likelihood, impact, causes, "task_change_rate", "what_changes", "ml_capacity", "retraining_tolerance"
    )


def _base_model_left_behind(s: Situation) -> Judgement | None:
    if not s.tuning:
        return None
    likelihood, cause = {
        "retrain": (2, "Each new base version needs a new training run."),
        "two_branches": (3, "Two branches have to be kept up and will drift apart."),
        "stay_behind": (4, "The trained model stays on a base that its maker will withdraw one day."),
        "undecided": (4, "Nobody has decided what happens when the base model changes."),
    }.get(s.code("base_model_policy") or "", (3, "It is open what happens when the base model changes."))
    return _judgement(likelihood, 3, [cause], "base_model_policy")


def _retrieval_exposes_documents(s: Situation) -> Judgement | None:
    if not s.retrieval or s.is_in("per_user_access", "no"):
        return None
    looked_at = ("per_user_access", "facts_owner", "regulations")
    sensitive = s.is_in("facts_owner", "customers") or s.privacy_law()
    impact = 5 if sensitive else 4
    if s.open("per_user_access"):
        return _judgement(2, impact, ["It is not known yet whether users may see different documents."], *looked_at)
    causes = ["Users may see different documents, and one index holds them all."]
    if sensitive:
        causes.append("Some of them concern customers or fall under privacy law.")
    return _judgement(4, impact, causes, *looked_at)


def _retrieval_failure(s: Situation) -> Judgement | None:
    if not s.retrieval:
        return None
    rate = s.code("knowledge_change_rate")
    fast, medium = ("hourly", "daily"), ("weekly", "monthly", "often")
    likelihood = 4 if rate in fast else 3 if rate in medium or rate is None else 2
    causes = ["Answers are only as good as the passages that search finds."]
    if rate in (*fast, *medium):
        causes.append(f"The facts change {_RATE_WORDS[rate or '']}, and the index has to keep up.")
    if s.has("failure_causes", "poor_retrieval") or s.is_in("rag_baseline", "fails"):
        likelihood += 1
        causes.append("Search was measured to be weak.")
    impact = 5 if s.is_in("harm_if_wrong", "severe") else 4 if s.is_in("facts_needed", "core") else 3
    return _judgement(
        likelihood,
        impact,
        causes,
        "knowledge_change_rate",
        "failure_causes",
        "rag_baseline",
        "facts_needed",
        "harm_if_wrong",
    )


def _hallucination(s: Situation) -> Judgement | None:
    facts = s.code("facts_needed")
    closed = bool(s.tasks()) and all(task in _WITHOUT_FREE_TEXT for task in s.tasks())
    if closed and facts not in ("core", "some"):
        return None
    if facts == "core":
        likelihood = 3 if s.facts_supplied else 4
        causes = ["Answers rest on facts that the model does not reliably know."]
    elif facts == "some":
        likelihood, causes = 3, ["Some answers rest on facts that the model does not reliably know."]
    elif facts == "none":
        likelihood, causes = 2, ["Free text can always contain something invented."]
    else:
        likelihood, causes = 3, ["It is not known yet which facts the answers rest on."]
    if any(s.has("failure_causes", cause) for cause in ("missing_knowledge", "answers_instead_of_refusing")):
        likelihood += 1
        causes.append("Invented answers were seen among the failures.")
    return _judgement(
        likelihood, _harm(s), causes, "facts_needed", "task_type", "second_task_type", "failure_causes", "harm_if_wrong"
    )


def _frozen_knowledge(s: Situation) -> Judgement | None:
    facts = s.code("facts_needed")
    wished = s.is_in("considered_approach", "fine_tuning") and facts in ("core", "some")
    if facts == "none" or not (s.tuning or wished):
        return None
    rate = s.code("knowledge_change_rate")
    by_rate = {"hourly": 5, "daily": 5, "weekly": 4, "monthly": 4, "often": 4, "quarterly": 3, "yearly": 2, "static": 1}
    likelihood = by_rate.get(rate or "", 3)
    causes = ["Whatever facts a model picks up in training stay as they were that day."]
    if rate in _RATE_WORDS and rate != "static":
        causes.append(f"The facts here change {_RATE_WORDS[rate]}.")
    if wished and not s.tuning:
        causes.append("Fine-tuning is what people have in mind for them.")
    if s.recommendation.target == "hybrid":
        likelihood -= 1
        causes.append("The target looks them up, so the examples must not teach them.")
    return _judgement(
        likelihood,
        4 if facts == "core" else 3,
        causes,
        "facts_needed",
        "knowledge_change_rate",
        "considered_approach",
    )


def _over_fitting(s: Situation) -> Judgement | None:
    if not s.tuning:
        return None
    likelihood = 2
    causes = ["A model can learn the style of its examples instead of the task."]
    examples = s.number("examples_available")
    if examples is not None and examples < _FEW_EXAMPLES:
        likelihood += 1
        causes.append(f"There are only {examples:,.0f} examples.")
    if s.is_in("edge_cases_covered", "no"):
        likelihood += 1
        causes.append("Difficult cases are missing.")
    if s.is_in("matches_production", "no"):
        likelihood += 1
        causes.append("They do not look like live traffic.")
    return _judgement(likelihood, 3, causes, "examples_available", "edge_cases_covered", "matches_production")


def _flattering_benchmark(s: Situation) -> Judgement | None:
    held_out, fits = s.code("heldout_set"), s.code("metric_fits_task")
    if held_out == "yes" and fits == "yes":
        return None
    likelihood = {"no": 4, "partly": 3, "yes": 2}.get(held_out or "", 3)
    causes = [
        {
            "no": "There is no test set of real, unseen cases.",
            "partly": "The test set is small or has no agreed answers.",
            "yes": "The test set is sound.",
        }.get(held_out or "", "It is not known yet whether there is a test set of real, unseen cases.")
    ]
    if fits == "no":
        likelihood += 1
        causes.append("The metric does not fit the job.")
    elif fits is None and held_out == "yes":
        causes.append("Whether the metric fits the job is open.")
    return _judgement(likelihood, max(3, _harm(s) - 1), causes, "heldout_set", "metric_fits_task", "harm_if_wrong")


def _severe_harm_unattended(s: Situation) -> Judgement | None:
    if not s.is_in("harm_if_wrong", "severe") or s.is_in("human_in_the_loop", "yes"):
        return None
    looked_at = ("harm_if_wrong", "human_in_the_loop")
    if s.is_in("human_in_the_loop", "no"):
        return _judgement(4, 5, ["A wrong answer can do severe harm and takes effect at once."], *looked_at)
    causes = ["A wrong answer can do severe harm, and it is open whether a person decides first."]
    return _judgement(3, 5, causes, *looked_at)


def _regulation_not_assessed(s: Situation) -> Judgement | None:
    looked_at = ("ai_act_class", "regulations", "harm_if_wrong")
    impact = 5 if s.is_in("harm_if_wrong", "severe") else 4
    if s.is_in("ai_act_class", "not_assessed"):
        return _judgement(3, impact, ["The class under the EU AI Act has not been assessed."], *looked_at)
    if not s.open("ai_act_class"):
        return None
    if s.has("regulations", "eu_ai_act"):
        return _judgement(3, impact, ["The EU AI Act applies, and its class is open."], *looked_at)
    if s.open("regulations"):
        return _judgement(2, impact, ["It is not known yet which rules apply."], *looked_at)
    return None


_JUDGES: dict[str, Callable[[Situation], Judgement | None]] = {
    "prohibited_use": _prohibited_use,
    "personal_data_leak": _personal_data_leak,
    "catastrophic_forgetting": _catastrophic_forgetting,
    "bias_amplification": _bias_amplification,
    "version_fragmentation": _version_fragmentation,
    "drift_and_retraining": _drift_and_retraining,
    "base_model_left_behind": _base_model_left_behind,
    "retrieval_exposes_documents": _retrieval_exposes_documents,
    "retrieval_failure": _retrieval_failure,
    "hallucination": _hallucination,
    "frozen_knowledge": _frozen_knowledge,
    "over_fitting": _over_fitting,
    "flattering_benchmark": _flattering_benchmark,
    "severe_harm_unattended": _severe_harm_unattended,
    "regulation_not_assessed": _regulation_not_assessed,
}
