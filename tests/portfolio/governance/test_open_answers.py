"""Which open answers could still move a risk, and by how many levels, against levels worked out by hand."""

from portfolio.governance.open_answers import risk_effects
from portfolio.questionnaire.loading import LATEST, load
from portfolio.questionnaire.recommend import recommend

SEVERE = {"task_type": "drafting", "harm_if_wrong": "severe"}


def test_a_person_who_decides_can_take_severe_harm_off_the_table() -> None:
    questionnaire = load(LATEST)
    questions = [questionnaire.question(key) for key in ("human_in_the_loop", "metric", "growth_per_month")]
    found = risk_effects(questions, SEVERE, recommend(SEVERE))
    # Severe harm, open who decides: likelihood 3 × impact 5 = 15, critical. "Yes" takes it off the table, four levels;
    # "no" makes it likelier and leaves it critical, none: two on average.
    assert found["human_in_the_loop"].levels == 2
    assert "“Severe harm without a person who could stop it” from critical to off the table" in (
        found["human_in_the_loop"].because
    )
    assert set(found) == {"human_in_the_loop"}  # numbers and metrics move no risk


def test_what_could_bring_a_risk_onto_the_table_says_so() -> None:
    said = {"task_type": "drafting", "regulations": [], "ai_act_class": "minimal"}
    found = risk_effects([load(LATEST).question("harm_if_wrong")], said, recommend(said))
    # Without an answer nobody fears severe harm; "severe", with nobody known to decide, is critical at once: 4 levels
    # for one of the three ways.
    assert found["harm_if_wrong"].levels >= 4 / 3
    assert "onto the table as critical" in found["harm_if_wrong"].because
