"""Django's registration of the app."""

from django.apps import AppConfig

USE_CASE = "portfolio.usecase"
REPORT = "portfolio.report"
COST_SCENARIO = "portfolio.costscenario"
BUDGET = "portfolio.budget"
ACTUAL_IMPORT, TAG_RULE, ORGANISATION = "portfolio.actualimport", "portfolio.tagrule", "organisations.organisation"
POLICY, TRIAL = "portfolio.policyversion", "portfolio.policyrun"
PORTFOLIO_RUN = "portfolio.portfoliorun"
REGISTER_IMPORT = "portfolio.registerimport"
AUDIT_PHRASES = {
    ("requested", PORTFOLIO_RUN): "{actor} asked for the figures of {target}.",
    ("cancelled", PORTFOLIO_RUN): "{actor} cancelled the figures of {target}.",
    ("retried", PORTFOLIO_RUN): "{actor} started the figures of {target} again.",
    ("stored_scenarios", PORTFOLIO_RUN): "{actor} stored {scenarios} scenarios with the figures of {target}.",
    ("proposed", ACTUAL_IMPORT): "{actor} uploaded {target} as actual spend: {lines} lines, {failed} failed rows.",
    ("took_over", ACTUAL_IMPORT): "{actor} took over {target} as actual spend: {lines} lines, ${usd}.",
    ("discarded", ACTUAL_IMPORT): "{actor} discarded {target}; nothing of it counts.",
    ("undid", ACTUAL_IMPORT): "{actor} undid {target}: ${usd} of actual spend no longer count.",
    ("mapped", TAG_RULE): "{actor} said that {target} is spend of “{use_case}”: {lines} lines, ${usd}.",
    ("unmapped", TAG_RULE): "{actor} removed that {target} is spend of “{use_case}”: {lines} lines, ${usd}.",
    ("matched_spend", ORGANISATION): "{actor} matched actual spend with the use cases again: {lines} lines, ${usd}.",
    ("registered", USE_CASE): "{actor} registered {target}.",
    ("changed", USE_CASE): "{actor} changed {target}.",
    ("moved", USE_CASE): "{actor} moved {target} from “{from}” to “{to}”.",
    ("answered", USE_CASE): "{actor} answered “{question}” with “{to}” in {target}.",
    ("withdrew_answer", USE_CASE): "{actor} withdrew the answer to “{question}” in {target}.",
    ("restored_answer", USE_CASE): "{actor} restored the answer “{to}” to “{question}” in {target}.",
    ("settled", USE_CASE): "{actor} settled “{question}” in {target}: “{answer}” counts.",
    ("reopened", USE_CASE): "{actor} reopened “{question}” in {target}: “{answer}” no longer counts alone.",
    ("uploaded", REGISTER_IMPORT): "{actor} uploaded {target}, {rows} rows of use cases that can be taken over.",
    ("took_over", REGISTER_IMPORT): (
        "{actor} took over {target}: {registered} use cases registered, {changed} changed."
    ),
    ("discarded", REGISTER_IMPORT): "{actor} discarded {target} without taking anything over.",
    ("reassessed", USE_CASE): "{actor} assessed {target} again: {carried}",
    ("reviewed", USE_CASE): "{actor} reviewed {target}: “{note}”",
    ("planned_review", USE_CASE): "{actor} moved the review of {target} from {from} to {to}.",
    ("changed", COST_SCENARIO): "{actor} changed the cost scenario {target} of “{use_case}”: {changes}.",
    ("added", COST_SCENARIO): "{actor} added the cost scenario {target} to “{use_case}”: {changes}.",
    ("renamed", COST_SCENARIO): "{actor} renamed the cost scenario “{from}” of “{use_case}” to “{to}”.",
    ("removed", COST_SCENARIO): "{actor} removed the cost scenario {target} of “{use_case}”.",
    ("restored", COST_SCENARIO): "{actor} restored the cost scenario {target} of “{use_case}”.",
    ("adopted", COST_SCENARIO): "{actor} took the cost scenario {target} of “{use_case}” over as what counts.",
    ("requested_report", REPORT): "{actor} asked for {target}.",
    ("cancelled_report", REPORT): "{actor} cancelled {target}.",
    ("retried_report", REPORT): "{actor} started {target} again.",
    ("changed", POLICY): "{actor} changed the policy to version {number}: {changes}.",
    ("restored", POLICY): "{actor} restored {restored} of the policy as version {number}: {changes}.",
    ("tried", TRIAL): "{actor} looked at what a change of the policy would do: {changes}.",
    ("cancelled", TRIAL): "{actor} cancelled {target}.",
    ("retried", TRIAL): "{actor} started {target} again.",
    ("foresaw", TRIAL): "{actor} looked at what assessing {count} use cases again would change, under {versions}.",
    ("started", TRIAL): "{actor} started to assess use cases again, {which} of {count}, under {versions}.",
    ("recorded_run", USE_CASE): "{actor} recorded a run of {rung} in {target}: {score}, {metric}.",
    ("used_run", USE_CASE): "{actor} took a run of {rung} as its measurement in {target}: {score}, {metric}.",
    ("withdrew_run", USE_CASE): "{actor} withdrew a run of {rung} in {target} ({score}): {reason}",
    ("asked", USE_CASE): "{actor} asked {respondent} to answer {parts} of {target}.",
    ("withdrew_request", USE_CASE): "{actor} no longer asks {respondent} to answer {parts} of {target}.",
    ("reminded", USE_CASE): "{actor} reminded {respondent} to answer {parts} of {target}.",
    ("changed_due_date", USE_CASE): (
        "{actor} moved the day by which {respondent} answers {parts} of {target} from {from} to {to}."
    ),
    ("declined", USE_CASE): "{actor} declined to answer {parts} of {target}: “{reason}”",
    ("took_up", USE_CASE): "{actor} answers {parts} of {target} after all.",
    ("built", "organisations.organisation"): (
        "{actor} built the demo organisation {target}: {use_cases} use cases, {units} units, {members} members, "
        "{budgets} budgets."
    ),
    ("set", BUDGET): "{actor} set a budget of {of}: {words}.",
    ("changed", BUDGET): "{actor} changed the budget of {of} from {from} to {words}.",
    ("removed", BUDGET): "{actor} removed the budget of {of}: {words}.",
}


class PortfolioConfig(AppConfig):
    name = "portfolio"

    def ready(self) -> None:
        # Models can be imported only once the apps are loaded.
        from costing.public import projection_finished  # noqa: PLC0415
        from organisations import audit  # noqa: PLC0415
        from organisations.signals import joined  # noqa: PLC0415
        from portfolio import policy_runs, trials  # noqa: PLC0415
        from portfolio.actions.reassess_run import run_reassessment  # noqa: PLC0415
        from portfolio.asked import take_over  # noqa: PLC0415
        from portfolio.projections import take_figures  # noqa: PLC0415

        audit.add_phrases(AUDIT_PHRASES)
        policy_runs.register("trial", trials.run_trial)
        policy_runs.register("apply", run_reassessment)
        projection_finished.connect(take_figures, dispatch_uid="portfolio.take_figures")
        joined.connect(take_over, dispatch_uid="portfolio.take_over")
