"""The dossier as a whole: for any answers it is made, hangs together, and survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.governance.dossier import Dossier, build
from portfolio.governance.risks import level_of
from portfolio.questionnaire.loading import load
from portfolio.questionnaire.outcome import Method, Need, Status, Target
from tests.portfolio.governance.recommendations import derived, layer, recommended
from tests.portfolio.questionnaire.strategies import answer_sets

needs = st.sampled_from(list(Need))
recommendations = st.builds(
    lambda target, status, method, retrieval, tuning, proven, facts: replace(
        recommended(target),
        status=status.value,
        method=method,
        layers=(layer("retrieval", retrieval), layer("fine_tuning", tuning, to_be_proven=proven)),
        derived=(derived("facts_needed", facts),) if facts else (),
    ),
    st.sampled_from(list(Target)),
    st.sampled_from(list(Status)),
    st.none() | st.sampled_from([m.value for m in Method]),
    needs,
    needs,
    st.booleans(),
    st.none() | st.sampled_from(["core", "some"]),
)


@settings(max_examples=150, deadline=None)
@given(answer_sets(), recommendations)
def test_any_answers_give_a_dossier_that_hangs_together(answers, recommendation):
    dossier = build(answers, recommendation)
    assert Dossier.from_dict(json.loads(json.dumps(dossier.to_dict(), allow_nan=False))) == dossier
    for risk in dossier.risks:
        assert 1 <= risk.residual_likelihood <= risk.likelihood <= 5
        assert 1 <= risk.impact <= 5
        assert risk.level == level_of(risk.likelihood, risk.impact)
        assert risk.residual_level == level_of(risk.residual_likelihood, risk.impact)
        assert risk.state == "open" or any(m.in_place for m in risk.mitigations)
        assert risk.sources
        assert risk.cause
    assert sum(check.always for check in dossier.evaluation_plan.checks) == 4
    check_keys = [check.key for check in dossier.evaluation_plan.checks]
    assert len(check_keys) == len(set(check_keys))
    assert 0 <= dossier.readiness.in_place <= dossier.readiness.needed <= 7


@settings(max_examples=60, deadline=None)
@given(answer_sets(), recommendations)
def test_more_safeguards_never_leave_more_risk(answers, recommendation):
    every = [option.code for option in load("2026-11").question("mitigations").options]
    bare = {r.key: r for r in build({**answers, "mitigations": []}, recommendation).risks}
    safe = {r.key: r for r in build({**answers, "mitigations": every}, recommendation).risks}
    assert bare.keys() == safe.keys()
    assert all(safe[key].residual_likelihood <= bare[key].residual_likelihood for key in bare)


def test_nothing_answered_still_gives_a_dossier():
    dossier = build({}, recommended())
    assert {risk.key for risk in dossier.risks} == {"hallucination", "flattering_benchmark", "regulation_not_assessed"}
    assert dossier.blocking_risks == ()


def test_a_critical_risk_blocks():
    dossier = build({"ai_act_class": "unacceptable"}, recommended(status=Status.STOP.value))
    assert [risk.key for risk in dossier.blocking_risks] == ["prohibited_use"]


def test_an_open_answer_stored_as_none_is_open():
    assert build({"facts_needed": None, "metric": None}, recommended()) == build({}, recommended())


def test_an_unknown_field_is_refused():
    data = build({}, recommended()).to_dict()
    with pytest.raises(TypeError, match="colour"):
        Dossier.from_dict({**data, "colour": "red"})
