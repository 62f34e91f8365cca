"""Addresses of the register, the questionnaire and the recommendation."""

from django.urls import URLPattern, URLResolver, path

from portfolio.views import answer_history, disputes, questionnaire, recommendation, register, requests
from portfolio.views.actuals import ACTUALS_URLS
from portfolio.views.assumptions import ASSUMPTION_URLS
from portfolio.views.budgets import BUDGET_URLS
from portfolio.views.compare import COMPARE_URLS
from portfolio.views.cost_lineage import FIGURE_URLS
from portfolio.views.costs import COST_URLS
from portfolio.views.evidence import EVIDENCE_URLS
from portfolio.views.exports import EXPORT_URLS
from portfolio.views.policy import POLICY_URLS
from portfolio.views.policy_trials import TRIAL_URLS
from portfolio.views.portfolio import PORTFOLIO_URLS
from portfolio.views.price_book import PRICE_BOOK_URLS
from portfolio.views.reassess_many import REASSESS_URLS
from portfolio.views.register_import import IMPORT_URLS
from portfolio.views.reports import REPORT_URLS
from portfolio.views.reviews import REVIEW_URLS
from portfolio.views.rules import RULE_URLS
from portfolio.views.saved_views import SAVED_VIEW_URLS
from portfolio.views.scenarios import SCENARIO_URLS
from portfolio.views.training_claims import CLAIM_URLS
from portfolio.views.what_if import WHAT_IF_URLS

urlpatterns: list[URLPattern | URLResolver] = [
    path("requests/", requests.requests, name="requests"),
    path("requests/<int:request_pk>/decline/", requests.request_decline, name="request-decline"),
    path("requests/<int:request_pk>/take-up/", requests.request_take_up, name="request-take-up"),
    path("use-cases/", register.use_cases, name="use-cases"),
    path("use-cases/new/", register.use_case_new, name="use-case-new"),
    path("use-cases/<int:pk>/", register.use_case, name="use-case"),
    path("use-cases/<int:pk>/edit/", register.use_case_edit, name="use-case-edit"),
    path("use-cases/<int:pk>/stage/", register.use_case_move, name="use-case-move"),
    path("use-cases/<int:pk>/activity/", register.use_case_activity, name="use-case-activity"),
    path("use-cases/<int:pk>/recommendation/", recommendation.recommendation, name="recommendation"),
    path("use-cases/<int:pk>/ask/", requests.ask, name="ask"),
    path("use-cases/<int:pk>/requests/remind/", requests.requests_remind, name="requests-remind"),
    path("use-cases/<int:pk>/requests/<int:request_pk>/withdraw/", requests.request_withdraw, name="request-withdraw"),
    path("use-cases/<int:pk>/requests/<int:request_pk>/remind/", requests.request_remind, name="request-remind"),
    path("use-cases/<int:pk>/requests/<int:request_pk>/due/", requests.request_due, name="request-due"),
    path("use-cases/<int:pk>/requests/<int:request_pk>/link/", requests.request_link, name="request-link"),
    path("use-cases/<int:pk>/questionnaire/", questionnaire.questionnaire, name="questionnaire"),
    path("use-cases/<int:pk>/questionnaire/quick/", questionnaire.quick, name="questionnaire-quick"),  # before sections
    path("use-cases/<int:pk>/questionnaire/<slug:section>/", questionnaire.questionnaire, name="questionnaire"),
    path("use-cases/<int:pk>/answers/<slug:question_id>/", questionnaire.answer, name="answer"),
    path(
        "use-cases/<int:pk>/answers/<slug:question_id>/withdraw/",
        questionnaire.answer_withdraw,
        name="answer-withdraw",
    ),
    path("use-cases/<int:pk>/answers/<slug:question_id>/people/", disputes.answer_people, name="answer-people"),
    path(
        "use-cases/<int:pk>/answers/<slug:question_id>/consequences/",
        disputes.answer_consequences,
        name="answer-consequences",
    ),
    path("use-cases/<int:pk>/answers/<slug:question_id>/settle/", disputes.answer_settle, name="answer-settle"),
    path("use-cases/<int:pk>/answers/<slug:question_id>/reopen/", disputes.answer_reopen, name="answer-reopen"),
    path(
        "use-cases/<int:pk>/answers/<slug:question_id>/history/", answer_history.answer_history, name="answer-history"
    ),
    path(
        "use-cases/<int:pk>/answers/<slug:question_id>/restore/<int:revision_pk>/",
        answer_history.answer_restore,
        name="answer-restore",
    ),
    *ASSUMPTION_URLS,
    *BUDGET_URLS,
    *ACTUALS_URLS,
    *COST_URLS,
    *SCENARIO_URLS,
    *CLAIM_URLS,
    *WHAT_IF_URLS,
    *COMPARE_URLS,
    *FIGURE_URLS,
    *EVIDENCE_URLS,
    *EXPORT_URLS,
    *IMPORT_URLS,
    *PRICE_BOOK_URLS,
    *REPORT_URLS,
    *REVIEW_URLS,
    *REASSESS_URLS,
    *RULE_URLS,
    *SAVED_VIEW_URLS,
    *POLICY_URLS,
    *TRIAL_URLS,
    *PORTFOLIO_URLS,
]
