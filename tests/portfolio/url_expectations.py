"""What every URL of the app answers to whom; see `tests/test_urls_walk.py` for how to read and add rows."""

from typing import Any

from organisations.models import Organisation
from organisations.roles import Role
from portfolio.actions.reassess_run import empty_result
from portfolio.models import (
    ActualImport,
    AnswerRevision,
    PolicyRun,
    PortfolioRun,
    RegisterImport,
    Report,
    SavedView,
    TagRule,
)
from portfolio.projections import refresh
from portfolio.reassessment import versions_in_force
from portfolio.scenarios import save_scenario
from tests.costing.price_rows import prices_kwargs
from tests.factories import MembershipFactory
from tests.organisations.url_expectations import everybody, row
from tests.portfolio.factories import AnswerRequestFactory, budget_in, run_in, say, use_case_in

# The respondent of the cast was asked nothing here: for them, as for an outsider, the use case does not exist.
VIEW = row(owner=200, editor=200, reviewer=200, viewer=200, respondent=404, outsider=404)
ACTIVITY = {**VIEW, "viewer": 403}
EDIT = row(owner=200, editor=200, reviewer=403, viewer=403, respondent=404, outsider=404)
EDIT_DONE = {**EDIT, "owner": 302, "editor": 302}
EDIT_EMPTY = {**EDIT, "owner": 422, "editor": 422}
ANSWER_DONE = row(owner=302, editor=302, reviewer=302, viewer=403, respondent=404, outsider=404)
ANSWER_EMPTY = row(owner=422, editor=422, reviewer=422, viewer=403, respondent=404, outsider=404)
PROJECT = row(owner=302, editor=302, reviewer=403, viewer=403, respondent=404, outsider=404)
REPORT = row(owner=302, editor=302, reviewer=302, viewer=302, respondent=404, outsider=404)
ONLY_POST = everybody(405)  # after signing in
PORTFOLIO_RUN = row(owner=302, editor=302, reviewer=403, viewer=403, respondent=403, outsider=404)
POLLED = row(owner=286, editor=286, reviewer=286, viewer=286, respondent=404, outsider=404)  # nothing to wait for
NO_FIGURES = row(owner=404, editor=404, reviewer=404, viewer=404, respondent=404, outsider=404)

# Pages of the whole organisation: the outsider sees their own organisation's.
OWN_VIEW = row(owner=200, editor=200, reviewer=200, viewer=200, respondent=403, outsider=200)
OWN_MANAGE = row(owner=200, editor=403, reviewer=403, viewer=403, respondent=403, outsider=200)
OWN_EDIT = {**OWN_VIEW, "reviewer": 403, "viewer": 403}
TRIAL_VIEW = {**OWN_VIEW, "outsider": 404}
TRIAL_DONE = {**OWN_MANAGE, "owner": 302, "outsider": 404}
RUN_DONE = {**TRIAL_DONE, "editor": 302}
RUN_DONE_OWN = {**RUN_DONE, "outsider": 302}
# Rates and price lists of one organisation: the outsider, an owner elsewhere, does not find them.
PRICES_MANAGE = {**OWN_MANAGE, "outsider": 404}

EXPECTED = {
    "actuals": OWN_VIEW,
    "actuals-accuracy": OWN_VIEW,
    "actuals-import": {**OWN_VIEW, "reviewer": 403, "viewer": 403},
    "POST actuals-import": {**OWN_VIEW, "owner": 422, "editor": 422, "reviewer": 403, "viewer": 403, "outsider": 422},
    "actuals-import-file": TRIAL_VIEW,
    "actuals-import-take-over": ONLY_POST,
    "POST actuals-import-take-over": RUN_DONE,
    "actuals-import-discard": ONLY_POST,
    "POST actuals-import-discard": RUN_DONE,
    "actuals-import-undo": ONLY_POST,
    "POST actuals-import-undo": RUN_DONE,  # nothing that counts: back with a message
    "actuals-unattributed": OWN_VIEW,
    "actuals-map": ONLY_POST,
    "POST actuals-map": {**OWN_VIEW, "owner": 422, "editor": 422, "reviewer": 403, "viewer": 403, "outsider": 422},
    "actuals-match": ONLY_POST,
    "POST actuals-match": RUN_DONE_OWN,
    "actuals-rule-remove": ONLY_POST,
    "POST actuals-rule-remove": RUN_DONE,
    "use-case-actuals": VIEW,
    "use-case-measured": VIEW,
    "POST use-case-measured": row(owner=422, editor=422, reviewer=403, viewer=403, respondent=404, outsider=404),
    "rules": OWN_VIEW,
    "rule-use-cases": OWN_VIEW,
    "budgets": OWN_VIEW,
    "budget-new": OWN_MANAGE,
    "POST budget-new": {**OWN_MANAGE, "owner": 422, "outsider": 422},
    "budget-edit": {**OWN_MANAGE, "outsider": 404},
    "POST budget-edit": {**OWN_MANAGE, "owner": 422, "outsider": 404},
    "budget-remove": {**OWN_MANAGE, "outsider": 404},
    "POST budget-remove": {**OWN_MANAGE, "owner": 409, "outsider": 404},  # no version seen: asked again
    "saved-view-save": ONLY_POST,
    "POST saved-view-save": {**everybody(422), "respondent": 403},  # without a name
    "saved-view-remove": ONLY_POST,
    "POST saved-view-remove": {**everybody(404), "owner": 302},  # the view is the owner's own
    "use-cases-csv": OWN_VIEW,
    "use-cases-xlsx": OWN_VIEW,
    "register-import": OWN_EDIT,
    "POST register-import": {**OWN_EDIT, "owner": 422, "editor": 422, "outsider": 422},  # no file
    "register-template-csv": OWN_EDIT,
    "register-template-xlsx": OWN_EDIT,
    "register-import-preview": {**OWN_EDIT, "outsider": 404},
    "register-import-apply": ONLY_POST,
    "POST register-import-apply": {**OWN_EDIT, "owner": 422, "editor": 422, "outsider": 404},  # nothing chosen
    "register-import-discard": ONLY_POST,
    "POST register-import-discard": {**OWN_EDIT, "owner": 302, "editor": 302, "outsider": 404},
    "policy": OWN_VIEW,
    "policy-edit": OWN_MANAGE,
    "POST policy-edit": {**OWN_MANAGE, "owner": 422, "outsider": 422},
    "policy-trial": TRIAL_VIEW,
    "policy-trial-state": TRIAL_VIEW,
    "policy-trial-save": ONLY_POST,
    "POST policy-trial-save": {**TRIAL_DONE, "owner": 422},
    "policy-trial-cancel": ONLY_POST,
    "POST policy-trial-cancel": TRIAL_DONE,
    "policy-trial-retry": ONLY_POST,
    "POST policy-trial-retry": TRIAL_DONE,
    "reassess-many": ONLY_POST,
    "POST reassess-many": RUN_DONE_OWN,  # nothing is behind: back with a message
    "reassess-run": TRIAL_VIEW,
    "reassess-run-state": TRIAL_VIEW,
    "reassess-run-start": ONLY_POST,
    "POST reassess-run-start": {**RUN_DONE, "owner": 422, "editor": 422},  # nothing chosen
    "reassess-run-cancel": ONLY_POST,
    "POST reassess-run-cancel": RUN_DONE,
    "reassess-run-resume": ONLY_POST,
    "POST reassess-run-resume": RUN_DONE,
    "prices": OWN_VIEW,
    "prices-rate-new": OWN_MANAGE,
    "POST prices-rate-new": OWN_MANAGE,  # no kind named: the page that asks for it
    "prices-rate-edit": PRICES_MANAGE,
    "POST prices-rate-edit": {**PRICES_MANAGE, "owner": 422},
    "prices-rate-end": PRICES_MANAGE,
    "POST prices-rate-end": {**PRICES_MANAGE, "owner": 422},
    "prices-currencies": OWN_VIEW,
    "POST prices-currencies": {**OWN_MANAGE, "owner": 422, "outsider": 422},
    "prices-versions": OWN_VIEW,
    "prices-restore": PRICES_MANAGE,
    "POST prices-restore": {**PRICES_MANAGE, "owner": 422},
    "prices-import": OWN_MANAGE,
    "POST prices-import": {**OWN_MANAGE, "owner": 422, "outsider": 422},
    "prices-import-template": OWN_MANAGE,
    "prices-import-preview": PRICES_MANAGE,
    "prices-import-apply": ONLY_POST,
    "POST prices-import-apply": {**PRICES_MANAGE, "owner": 422},
    "prices-import-discard": ONLY_POST,
    "POST prices-import-discard": {**PRICES_MANAGE, "owner": 302},
    "prices-reprice": ONLY_POST,
    "POST prices-reprice": {**OWN_MANAGE, "owner": 302, "editor": 302, "outsider": 302},
    "prices-changes": OWN_VIEW,
    "requests": everybody(200),
    "use-cases": {**everybody(200), "respondent": 302},
    "use-case-new": row(owner=200, editor=200, reviewer=403, viewer=403, respondent=403, outsider=200),
    "POST use-case-new": row(owner=422, editor=422, reviewer=403, viewer=403, respondent=403, outsider=422),
    "use-case": VIEW,
    "use-case-edit": EDIT,
    "POST use-case-edit": EDIT_EMPTY,
    "use-case-move": ONLY_POST,
    "POST use-case-move": EDIT_DONE,  # no stage named: back to the page with a message
    "use-case-activity": ACTIVITY,
    "recommendation": VIEW,
    "ask": EDIT,
    "POST ask": EDIT_EMPTY,
    "request-withdraw": ONLY_POST,
    "POST request-withdraw": EDIT_DONE,
    "request-remind": ONLY_POST,
    "POST request-remind": EDIT_DONE,  # asked a moment ago: back with a message
    "requests-remind": ONLY_POST,
    "POST requests-remind": EDIT_DONE,  # nobody to remind
    "request-due": ONLY_POST,
    "POST request-due": EDIT_DONE,
    "request-link": ONLY_POST,
    "POST request-link": EDIT_DONE,  # asked of a member: there is no link
    # The request is the owner's own; nobody else has one to decline.
    "request-decline": ONLY_POST,
    "POST request-decline": {**everybody(404), "owner": 422},
    "request-take-up": ONLY_POST,
    "POST request-take-up": {**everybody(404), "owner": 302},
    "questionnaire": VIEW,
    "questionnaire-quick": VIEW,
    "POST questionnaire-quick": {**VIEW, "owner": 302, "editor": 302, "reviewer": 302, "viewer": 403},
    "POST questionnaire": {**VIEW, "owner": 302, "editor": 302, "reviewer": 302, "viewer": 403},
    "answer": row(owner=302, editor=302, reviewer=302, viewer=302, respondent=404, outsider=404),
    "POST answer": ANSWER_EMPTY,
    "answer-withdraw": ONLY_POST,
    "POST answer-withdraw": ANSWER_DONE,
    "answer-settle": ONLY_POST,
    "POST answer-settle": EDIT_DONE,  # nothing to settle: back to the question with a message
    "answer-reopen": ONLY_POST,
    "POST answer-reopen": EDIT_DONE,  # nothing to reopen: back to the question with a message
    "answer-people": VIEW,
    "answer-consequences": VIEW,
    "answer-history": VIEW,
    "answer-restore": ONLY_POST,
    # The revision is the owner's own; nobody else has one to restore.
    "POST answer-restore": row(owner=302, editor=404, reviewer=404, viewer=403, respondent=404, outsider=404),
    "portfolio-recompute": ONLY_POST,
    "POST portfolio-recompute": row(owner=302, editor=302, reviewer=403, viewer=403, respondent=403, outsider=302),
    "portfolio-progress": row(owner=200, editor=200, reviewer=200, viewer=200, respondent=403, outsider=404),
    "portfolio-cancel": ONLY_POST,
    "POST portfolio-cancel": PORTFOLIO_RUN,
    "portfolio-retry": ONLY_POST,
    "POST portfolio-retry": PORTFOLIO_RUN,  # it waits already: back with a message
    "portfolio-calendar": row(owner=200, editor=200, reviewer=200, viewer=200, respondent=403, outsider=200),
    # Nothing is computed yet: on to the portfolio.
    "portfolio-unpriced": row(owner=302, editor=302, reviewer=302, viewer=302, respondent=403, outsider=302),
    "reviews": row(owner=200, editor=200, reviewer=200, viewer=200, respondent=403, outsider=200),
    "use-case-review": VIEW,
    "POST use-case-review": EDIT_EMPTY,
    "review-plan": ONLY_POST,
    "POST review-plan": EDIT_DONE,  # no day named: none is planned
    "use-case-reassess": EDIT,
    "POST use-case-reassess": EDIT_DONE,  # nothing seen: back with a message
    "assessment": VIEW,
    "costs": VIEW,
    "costs-what-if": VIEW,
    "costs-what-if-save": ONLY_POST,
    "POST costs-what-if-save": {**EDIT, "owner": 422, "editor": 422},  # nothing is moved
    "costs-what-if-base": ONLY_POST,
    "POST costs-what-if-base": {**EDIT, "owner": 422, "editor": 422},
    "costs-compare": VIEW,
    "costs-compare-compute": ONLY_POST,
    "POST costs-compare-compute": PROJECT,
    "assumptions": EDIT,
    "POST assumptions": EDIT_EMPTY,
    "assumption": EDIT,
    "POST assumption": EDIT_EMPTY,
    "cost-scenarios": VIEW,
    "scenario-new": EDIT,
    "POST scenario-new": EDIT_EMPTY,
    "scenario-rename": EDIT,
    "POST scenario-rename": EDIT_EMPTY,
    "scenario-remove": ONLY_POST,
    "POST scenario-remove": PROJECT,
    "scenario-restore": ONLY_POST,
    "POST scenario-restore": PROJECT,
    "scenario-adopt": ONLY_POST,
    "POST scenario-adopt": PROJECT,
    "scenario-refresh": ONLY_POST,
    "POST scenario-refresh": PROJECT,
    "scenario-cancel": ONLY_POST,
    "POST scenario-cancel": PROJECT,
    "cost-diff": VIEW,
    "revision-restore": ONLY_POST,
    "POST revision-restore": PROJECT,
    "training-claims": OWN_VIEW,
    "costs-progress": POLLED,
    "costs-refresh": ONLY_POST,
    "POST costs-refresh": PROJECT,
    "costs-cancel": ONLY_POST,
    "POST costs-cancel": PROJECT,
    "costs-retry": ONLY_POST,
    "POST costs-retry": PROJECT,
    "costs-json": NO_FIGURES,
    "costs-csv": NO_FIGURES,
    "cost-figure": NO_FIGURES,
    "evidence": VIEW,
    "evidence-csv": VIEW,
    "evidence-run": VIEW,
    "evidence-run-new": row(owner=200, editor=200, reviewer=200, viewer=403, respondent=404, outsider=404),
    "POST evidence-run-new": ANSWER_EMPTY,
    "evidence-run-use": ONLY_POST,
    "POST evidence-run-use": ANSWER_DONE,
    "evidence-run-withdraw": ONLY_POST,
    # The run is the owner's: a reviewer may withdraw only their own.
    "POST evidence-run-withdraw": {**ANSWER_EMPTY, "reviewer": 403},
    "evidence-attachment": VIEW,
    "reports": VIEW,
    "reports-state": POLLED,
    "report-new": ONLY_POST,
    "POST report-new": REPORT,
    "report-pdf": NO_FIGURES,  # a report that waits has no pages yet
    "report-cancel": ONLY_POST,
    "POST report-cancel": REPORT,
    "report-retry": ONLY_POST,
    "POST report-retry": REPORT,
}


def make_kwargs(name: str, organisation: Organisation) -> dict[str, Any]:
    """The arguments of the URL `name`, with real rows of `organisation`."""
    if name in ("requests", "use-cases", "use-case-new", "reviews"):
        return {}
    if name in ("rules", "policy", "policy-edit"):
        return {}
    if name in ("portfolio-recompute", "portfolio-calendar", "portfolio-unpriced"):
        return {}
    if name.startswith("portfolio-"):
        run = {"start": "2026-11", "months": 12, "seed": 1, "draws": 8, "engine_version": "-", "catalogue_version": "-"}
        return {"run_pk": PortfolioRun.objects.create(organisation=organisation, **run).pk}
    if name in ("budgets", "budget-new"):
        return {}
    if name.startswith("budget-"):
        return {"budget_pk": budget_in(organisation).pk}
    if name.startswith("prices"):
        return prices_kwargs(name, organisation)
    if name == "training-claims":
        return {}
    if name == "rule-use-cases":
        return {"rule_id": "retrieval.change"}
    if name.startswith("policy-trial"):
        return {"run_pk": PolicyRun.objects.create(organisation=organisation).pk}
    if name == "reassess-many":
        return {}
    if name in ("use-cases-csv", "use-cases-xlsx", "register-import") or name.startswith("register-template-"):
        return {}
    if name.startswith("register-import-"):
        return {"import_pk": RegisterImport.objects.create(organisation=organisation, file_name="use-cases.csv").pk}
    if name == "saved-view-save":
        return {"page_name": "use-cases"}
    if name == "saved-view-remove":
        person = organisation.memberships.filter(role=Role.OWNER).earliest("pk").user
        view = SavedView.objects.create(organisation=organisation, person=person, page="use-cases", name="Mine")
        return {"view_pk": view.pk}
    if name.startswith("reassess-run"):
        result = empty_result("foresee", versions_in_force(organisation.pk))
        return {"run_pk": PolicyRun.objects.create(organisation=organisation, kind="apply", result=result).pk}
    if name.startswith("actuals-import-"):
        source = ActualImport.objects.create(organisation=organisation, file_name="bill.csv", format="plain")
        return {"import_pk": source.pk}
    if name.startswith("actuals") and name != "actuals-rule-remove":
        return {}
    owner = organisation.memberships.filter(role=Role.OWNER).earliest("pk").user
    use_case = use_case_in(organisation, owner)
    if name == "actuals-rule-remove":
        rule = TagRule.objects.create(organisation=organisation, key="team", value="hr", use_case=use_case)
        return {"rule_pk": rule.pk}
    if name in ("request-decline", "request-take-up"):
        return {"request_pk": AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=owner).pk}
    kwargs: dict[str, Any] = {"pk": use_case.pk}
    if name == "questionnaire":
        kwargs["section"] = "job"
    elif name.startswith("answer"):
        kwargs["question_id"] = "task_type"
        if name == "answer-restore":
            say(use_case, owner, task_type="search")
            kwargs["revision_pk"] = AnswerRevision.objects.get(answer__assessment__use_case=use_case).pk
    elif name == "assessment":
        kwargs["assessment_pk"] = use_case.assessments.get().pk
    elif name == "costs-compare-compute":
        kwargs["revision"] = refresh(use_case=use_case, by=owner).scenario.revision
    elif name == "assumption":
        kwargs["key"] = "requests_per_day"
    elif name in ("cost-diff", "revision-restore"):
        revision = refresh(use_case=use_case, by=owner).scenario.revision
        kwargs |= {"revision": revision} if name == "revision-restore" else {}
    elif name.startswith("scenario-") and name != "scenario-new":
        kwargs["scenario_pk"] = save_scenario(use_case=use_case, by=owner, name="Busy", overrides={"months": 12}).pk
    elif name == "cost-figure":
        kwargs["figure"] = "serving"
    elif name in ("request-withdraw", "request-remind", "request-due", "request-link"):
        member = MembershipFactory(organisation=organisation, role=Role.RESPONDENT).user
        kwargs["request_pk"] = AnswerRequestFactory(assessment=use_case.assessments.get(), respondent=member).pk
    elif name.startswith("evidence-run-") or name in ("evidence-run", "evidence-attachment"):
        if name != "evidence-run-new":
            kwargs["run_pk"] = run_in(use_case, owner).pk
    elif name in ("report-pdf", "report-cancel", "report-retry"):
        kwargs["report_pk"] = Report.objects.create(use_case=use_case, requested_by=owner).pk
    return kwargs
