import pytest
from django.http import QueryDict

from organisations.models import Organisation, User
from portfolio.forms.answers import AnswerForm
from portfolio.forms.register import StageForm, UseCaseFilter, UseCaseForm
from tests.factories import BusinessUnitFactory
from tests.portfolio.factories import question, use_case_in


def answer_form(question_id: str, query: str) -> AnswerForm:
    return AnswerForm(question(question_id), QueryDict(query))


@pytest.mark.parametrize(
    ("question_id", "query", "value"),
    [
        ("task_type", "value:task_type=search", "search"),
        ("requests_per_day", "value:requests_per_day=12k", 12_000),
        ("target_behaviour", "value:target_behaviour=One label.", "One label."),
        ("what_changes", "value:what_changes=inputs&value:what_changes=rules", ["rules", "inputs"]),
        ("what_changes", "none:what_changes=1", []),
        (
            "failure_causes",
            "value:failure_causes=stale_knowledge&value:failure_causes=&value:failure_causes=poor_retrieval",
            ["stale_knowledge", "poor_retrieval"],
        ),
        ("failure_causes", "value:failure_causes=&none:failure_causes=1", []),
        ("metric", "value:metric=F1&higher:metric=yes", {"name": "F1", "higher_is_better": True}),
        ("task_type", "", None),
        ("requests_per_day", "value:requests_per_day=", None),
    ],
)
def test_a_value_is_read_from_its_fields(question_id: str, query: str, value: object) -> None:
    form = answer_form(question_id, query)
    assert (form.is_valid(), form.value, form.dont_know) == (True, value, False)


@pytest.mark.parametrize(
    ("question_id", "query"),
    [("task_type", "value:task_type=?"), ("requests_per_day", "value:requests_per_day=&dont_know:requests_per_day=1")],
)
def test_dont_know_yet_is_an_answer_without_a_value(question_id: str, query: str) -> None:
    form = answer_form(question_id, query)
    assert (form.is_valid(), form.value, form.dont_know) == (True, None, True)


@pytest.mark.parametrize(
    ("question_id", "query", "field", "message"),
    [
        ("task_type", "value:task_type=magic", "value", "“magic” is not one of the answers"),
        ("requests_per_day", "value:requests_per_day=lots", "value", "“lots” is not a number"),
        ("requests_per_day", "value:requests_per_day=-1", "value", "too small"),
        ("requests_per_day", "value:requests_per_day=5&dont_know:requests_per_day=1", "value", "Keep one of the two"),
        ("what_changes", "value:what_changes=rules&none:what_changes=1", "value", "“None of these” was chosen"),
        (
            "failure_causes",
            "value:failure_causes=stale_knowledge&value:failure_causes=stale_knowledge",
            "value",
            "was chosen twice",
        ),
        ("metric", "value:metric=F1", "value", "higher or lower"),
        ("target_behaviour", f"value:target_behaviour={'x' * 20_001}", "value", "too long"),
        ("task_type", f"comment:task_type={'x' * 20_001}", "comment", "20,001 characters"),
        ("task_type", "evidence:task_type=javascript:alert(1)", "evidence", "http:// or https://"),
        ("task_type", "evidence:task_type=ftp://example.org/", "evidence", "http:// or https://"),
        ("task_type", f"evidence:task_type=https://example.org/{'x' * 2_000}", "evidence", "at most 2,000"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(question_id: str, query: str, field: str, message: str) -> None:
    form = answer_form(question_id, query)
    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert message in form.errors[field]


def test_a_form_without_this_question_s_fields_was_not_sent() -> None:
    assert not answer_form("task_type", "value:other=1&csrfmiddlewaretoken=x").was_sent
    assert answer_form("task_type", "was:task_type=0").was_sent


@pytest.mark.parametrize(
    ("text", "revision"), [("3", 3), ("0", 0), ("", None), ("x", None), ("9" * 20, None), ("²", None)]
)
def test_the_revision_a_page_showed(text: str, revision: int | None) -> None:
    query = QueryDict(mutable=True)
    query["was:task_type"] = text
    assert AnswerForm(question("task_type"), query).seen_revision == revision


def test_new_use_case(organisation: Organisation, owner: User, viewer: User) -> None:
    form = UseCaseForm({"title": "  Return   letters ", "owner": owner.pk}, organisation=organisation)
    assert form.is_valid()
    expected = {"title": "Return letters", "description": "", "unit": None, "owner": owner, "stage": "idea"}
    expected |= {"planned": "", "billing_tag": ""}
    assert form.values() == expected
    assert list(form.fields["owner"].queryset) == [owner]  # a viewer cannot answer, so cannot own


def test_a_use_case_names_what_is_wrong(organisation: Organisation, owner: User, outsider: User) -> None:
    foreign = BusinessUnitFactory()
    data = {
        "title": "x" * 301,
        "description": "x" * 20_001,
        "unit": foreign.pk,
        "owner": outsider.pk,
        "stage": "approved",
    }
    form = UseCaseForm(data, organisation=organisation)
    assert {name: errors[0] for name, errors in form.errors.items()} == {
        "title": "The title has 301 characters. Shorten it to 300.",
        "description": "This text has 20001 characters. Shorten it to 20000.",
        "unit": "There is no such business unit here. Choose one of the list.",
        "owner": "This person cannot own a use case here. Choose a member of the list.",
        "stage": "A use case cannot start in the stage “approved”. Choose one of the list.",
    }


def test_the_present_owner_stays_possible(organisation: Organisation, owner: User, viewer: User) -> None:
    use_case = use_case_in(organisation, viewer)
    data = {"title": "Other", "owner": viewer.pk, "version": 1}
    form = UseCaseForm(data, instance=use_case, organisation=organisation)
    assert (form.is_valid(), "stage" in form.fields) == (True, False)


def test_stages_follow_the_table(organisation: Organisation, owner: User) -> None:
    use_case = use_case_in(organisation, owner)
    assert StageForm({"stage": "assessment"}, use_case=use_case).is_valid()
    refused = StageForm({"stage": "live"}, use_case=use_case).errors["stage"]
    assert refused == ["A use case in the stage “Idea” can go to “In assessment” or “Retired” only."]


def test_filters_that_do_not_exist_are_named_and_left_out(organisation: Organisation, owner: User) -> None:
    form = UseCaseFilter(QueryDict("stage=idea&approach=magic&unit=999&sort=drop&q=letters"), organisation=organisation)
    assert (form.conditions(), form.text(), form.sort_order) == ({"stage": "idea"}, "letters", "-updated")
    assert form.errors["approach"] == ["Approach “magic” does not exist here: left out."]
