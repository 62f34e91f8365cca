"""Hypothesis strategies: values that are valid for a question, and whole sets of answers."""

from __future__ import annotations

from hypothesis import strategies as st

from portfolio.questionnaire.loading import load
from portfolio.questionnaire.spec import Kind, Question


def values(question: Question) -> st.SearchStrategy:
    codes = [option.code for option in question.options]
    if question.kind is Kind.CHOICE:
        return st.sampled_from(codes)
    if question.kind is Kind.MULTIPLE:
        return st.sets(st.sampled_from(codes)).map(lambda chosen: sorted(chosen, key=codes.index))
    if question.kind is Kind.RANKED:
        return st.lists(st.sampled_from(codes), unique=True)
    if question.kind is Kind.METRIC:
        return st.fixed_dictionaries({"name": st.just("exact match"), "higher_is_better": st.booleans()})
    if question.kind is Kind.TEXT:
        return st.text(st.characters(categories=("L", "N")), min_size=1, max_size=40)
    low, high = int(question.minimum or 0), int(question.maximum)
    whole = st.integers(low, high)
    if question.integer:
        return whole
    return whole | st.floats(question.minimum, question.maximum).filter(lambda x: not x.is_integer())


def answer_sets() -> st.SearchStrategy:
    """Any subset of questions with any valid values, the empty set included."""
    return st.fixed_dictionaries({}, optional={q.id: values(q) for q in load().questions})
