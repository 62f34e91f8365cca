"""Views of the list that a person keeps: named, opened, replaced, removed; seen by nobody else."""

from django.test import Client

from organisations.models import Organisation, User
from portfolio.actions.saved_views import MOST_VIEWS
from portfolio.models import SavedView
from tests.portfolio.factories import use_case_in

SAVE = "/saved-views/use-cases/save/"


def test_a_view_is_kept_opened_and_removed(organisation: Organisation, owner: User, owner_client: Client) -> None:
    use_case_in(organisation, owner, title="Letters", target="rag")
    kept = owner_client.post(SAVE, {"name": "  All   RAG ", "query": "approach=rag&sort=-cost&page=3&drop=x&stage="})
    assert kept["Location"] == "/use-cases/?approach=rag&sort=-cost"
    view = SavedView.objects.get()
    assert (view.name, view.query, view.person, view.page) == ("All RAG", "approach=rag&sort=-cost", owner, "use-cases")
    page = owner_client.get(kept["Location"]).content.decode()
    assert 'href="/use-cases/?approach=rag&amp;sort=-cost" aria-current="true"' in page
    gone = owner_client.post(f"/saved-views/{view.pk}/remove/", {"query": "approach=rag"})
    assert (gone["Location"], SavedView.objects.count()) == ("/use-cases/?approach=rag", 0)


def test_the_same_name_replaces(owner: User, owner_client: Client) -> None:
    owner_client.post(SAVE, {"name": "Mine", "query": "stage=idea"})
    owner_client.post(SAVE, {"name": "MINE", "query": "stage=live"})
    assert list(SavedView.objects.values_list("name", "query")) == [("MINE", "stage=live")]


def test_a_view_is_personal(
    organisation: Organisation, owner: User, editor_client: Client, owner_client: Client
) -> None:
    use_case_in(organisation, owner)
    owner_client.post(SAVE, {"name": "Secret plans", "query": "stage=idea"})
    assert b"Secret plans" not in editor_client.get("/use-cases/").content
    assert editor_client.post(f"/saved-views/{SavedView.objects.get().pk}/remove/").status_code == 404
    editor_client.post(SAVE, {"name": "Secret plans", "query": "stage=live"})
    assert SavedView.objects.count() == 2


def test_what_is_wrong_is_said_and_nothing_entered_is_lost(owner_client: Client) -> None:
    nameless = owner_client.post(SAVE, {"name": " ", "query": "stage=idea"})
    assert nameless.status_code == 422
    assert "The view has no name." in nameless.content.decode()
    assert 'value="stage=idea"' in nameless.content.decode()
    long = owner_client.post(SAVE, {"name": "x" * 81, "query": "stage=idea"}).content.decode()
    assert "The name has 81 characters. Shorten it to 80." in long
    assert "x" * 81 in long
    far = owner_client.post(SAVE, {"name": "x", "query": "q=" + "x" * 2_000})
    assert (far.status_code, b"too long to be kept" in far.content) == (422, True)
    spelt_out = owner_client.post(SAVE, {"name": "x", "query": "q=" + "é" * 400})  # %C3%A9 each
    assert (spelt_out.status_code, b"too long to be kept" in spelt_out.content) == (422, True)
    assert owner_client.post("/saved-views/nowhere/save/", {"name": "x"}).status_code == 404
    assert SavedView.objects.count() == 0


def test_there_is_a_most(organisation: Organisation, owner: User, owner_client: Client) -> None:
    SavedView.objects.bulk_create(
        SavedView(organisation=organisation, person=owner, page="use-cases", name=f"View {n}")
        for n in range(MOST_VIEWS)
    )
    refused = owner_client.post(SAVE, {"name": "One more", "query": "stage=idea"})
    assert (refused.status_code, SavedView.objects.count()) == (422, MOST_VIEWS)
    assert "Remove one first." in refused.content.decode()
    assert owner_client.post(SAVE, {"name": "View 3", "query": "stage=idea"}).status_code == 302


def test_a_stored_query_leads_nowhere_else(owner_client: Client) -> None:
    kept = owner_client.post(SAVE, {"name": "x", "query": "//evil.example/?stage=idea&q=%0d%0aSet-Cookie:x"})
    assert kept["Location"] == "/use-cases/?q=%0D%0ASet-Cookie%3Ax"
