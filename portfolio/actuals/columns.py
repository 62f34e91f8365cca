"""Which column means what: one table per format, the only place that names foreign columns. Pure.

Names are compared without regard to case; of several, the first that a file has and that is filled counts.

FOCUS (FinOps Open Cost and Usage Specification) 1.0–1.3: mandatory and conditional columns of its column reference.
1.3 brings `ServiceProviderName` and `HostProviderName` for `ProviderName`; rows for tokens say `SkuMeter` and
`ConsumedUnit`, and in `SkuPriceDetails` either `TokenType` (older text) or `TokenDirection` and `TokenCacheAction`
(newer): still moving. Own columns begin with `x_`.

LiteLLM: (a) its spend logs, one row per call (`request_id`, `spend`, `prompt_tokens`, `startTime`, `request_tags`,
`metadata` … of its table LiteLLM_SpendLogs); (b) its daily tables LiteLLM_DailyTagSpend and LiteLLM_DailyTeamSpend
(`date`, `tag`, `team_id`, `api_requests`, `cache_read_input_tokens` …); (c) the CSV that the usage page of its
dashboard saves ("Date", "Team" or "Tag", "Spend ($)", "Requests", "Prompt Tokens" …). `prompt_tokens` contain what was
read from a cache.

Langfuse: (a) the export of the observations table (`startTime`, `model`, `inputUsage`, `outputUsage`, `usageDetails`,
`totalCost`, formerly `calculatedTotalCost`, `traceTags`); (b) the blob-storage export of observations (`start_time`,
`provided_model_name`, `usage_details`, `total_cost`, `tags`); (c) the export of the traces table (`timestamp`, `usage`
or `inputTokens`, `totalCost`, `tags`). Usage types that begin with "input" are parts of the prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Names = Mapping[str, tuple[str, ...]]

FOCUS: Names = {
    "cost": ("EffectiveCost", "BilledCost"),
    "currency": ("BillingCurrency",),
    "start": ("ChargePeriodStart", "BillingPeriodStart"),
    "end": ("ChargePeriodEnd", "BillingPeriodEnd"),
    "category": ("ChargeCategory",),
    "provider": ("ServiceProviderName", "ProviderName", "HostProviderName", "PublisherName", "InvoiceIssuerName"),
    "service": ("ServiceName",),
    "service_category": ("ServiceCategory",),
    "service_subcategory": ("ServiceSubcategory",),
    "meter": ("SkuMeter",),
    "quantity": ("ConsumedQuantity",),
    "unit": ("ConsumedUnit",),
    "sku": ("SkuPriceDetails",),
    "model": ("x_ModelId", "x_Model"),
    "tags": ("Tags",),
    "use_case": ("x_UseCaseId",),
    "phase": ("x_CostPhase",),
    "description": ("ChargeDescription",),
    "account": ("SubAccountName", "SubAccountId"),
}
# What else tells two charges apart that look the same.
FOCUS_IDENTITY = (
    "BillingAccountId",
    "SubAccountId",
    "ResourceId",
    "SkuId",
    "SkuPriceId",
    "RegionId",
    "ChargeClass",
)
SKU_MODEL = ("ModelId", "ModelVersion", "ModelFamily", "ModelName")
SKU_DIRECTION = ("TokenDirection", "TokenType")
SKU_CACHE = ("TokenCacheAction",)

LITELLM: Names = {
    "start": ("startTime", "date", "Date"),
    "cost": ("spend", "Spend ($)"),
    "model": ("model_group", "model", "Model"),
    "provider": ("custom_llm_provider",),
    "call_type": ("call_type",),
    "requests": ("api_requests", "Requests"),
    "input_tokens": ("prompt_tokens", "Prompt Tokens"),
    "output_tokens": ("completion_tokens", "Completion Tokens"),
    "cached_tokens": ("cache_read_input_tokens", "Cache Read Input Tokens", "Cache Read Tokens"),
    "request_tags": ("request_tags",),
    "metadata": ("metadata",),
    "request_id": ("request_id",),
}
# Columns that say whose spend a row is: column → the key it is kept under. Persons (user, end_user) are left out.
LITELLM_TAGS = {
    "tag": "tag",
    "team": "team",
    "team alias": "team",
    "team_alias": "team",
    "team id": "team_id",
    "team_id": "team_id",
    "organization": "organization",
    "organization id": "organization_id",
    "key alias": "key_alias",
    "key_alias": "key_alias",
    "use case": "x_UseCaseId",
    "use_case": "x_UseCaseId",
}
LITELLM_METADATA = {"user_api_key_team_alias": "team", "user_api_key_alias": "key_alias"}

LANGFUSE: Names = {
    "start": ("startTime", "start_time", "timestamp"),
    "cost": ("totalCost", "total_cost", "calculatedTotalCost"),
    "model": ("model", "provided_model_name", "providedModelName"),
    "type": ("type",),
    "input_tokens": ("inputUsage", "inputTokens", "usage.input", "usage.promptTokens", "promptTokens"),
    "output_tokens": ("outputUsage", "outputTokens", "usage.output", "usage.completionTokens", "completionTokens"),
    "details": ("usageDetails", "usage_details", "usage"),
    "tags": ("traceTags", "tags", "trace_tags"),
    "metadata": ("metadata",),
}
LANGFUSE_TAGS = {
    "tracename": "traceName",
    "trace_name": "traceName",
    "environment": "environment",
    "release": "release",
    "use case": "x_UseCaseId",
    "use_case": "x_UseCaseId",
}

PLAIN: Names = {
    "start": ("date", "day", "month", "period", "start", "from"),
    "end": ("end", "until", "to"),
    "cost": ("cost", "amount", "spend", "total", "costs", "cost usd", "cost_usd", "amount usd"),
    "currency": ("currency",),
    "use_case": ("use case", "use_case", "usecase", "tag", "billing tag", "billing_tag", "project", "cost centre"),
    "component": ("component", "phase", "category"),
    "provider": ("provider", "vendor", "supplier"),
    "service": ("service", "product"),
    "model": ("model",),
    "description": ("description", "note", "text"),
    "requests": ("requests", "calls"),
    "input_tokens": ("input tokens", "input_tokens", "prompt tokens", "prompt_tokens"),
    "cached_tokens": ("cached tokens", "cached_tokens"),
    "output_tokens": ("output tokens", "output_tokens", "completion tokens", "completion_tokens"),
    "tags": ("tags",),
}
IN_DOLLARS = ("cost usd", "cost_usd", "amount usd")

NAMES: Mapping[str, Names] = {"focus": FOCUS, "litellm": LITELLM, "langfuse": LANGFUSE, "plain": PLAIN}
LABELS = {"focus": "FOCUS", "litellm": "LiteLLM", "langfuse": "Langfuse", "plain": "plain table"}
# What a file must have to be read as this format, and for the formats of one tool what only it has.
NEEDED = ("start", "cost")
TELLING = {
    "focus": ("effectivecost", "billedcost"),
    "litellm": ("spend ($)", "api_requests", "request_id", "request_tags", "custom_llm_provider", "prompt_tokens"),
    "langfuse": ("totalcost", "total_cost", "calculatedtotalcost"),
}


class UnknownFormatError(ValueError):
    """A header that is no format's; the message says what is missing."""


@dataclass(frozen=True)
class Columns:
    """The columns of one file under the names of one format."""

    format: str
    header: tuple[str, ...]

    def all_of(self, field: str) -> tuple[str, ...]:
        """The file's columns for a field, the one that counts first."""
        own = {name.strip().casefold(): name for name in self.header}
        names = (name.casefold() for name in NAMES[self.format].get(field, ()))
        return tuple(own[name] for name in names if name in own)

    def has(self, field: str) -> bool:
        return bool(self.all_of(field))

    def cell(self, cells: Mapping[str, str], field: str) -> tuple[str, str]:
        """The column and the text of the first filled cell for a field; ("", "") without one.

        "null" and "None" as exporters write an unknown value are empty.
        """
        for column in self.all_of(field):
            text = cells.get(column, "").strip()
            if text and text.casefold() not in ("null", "none", "nan"):
                return column, text
        return (self.all_of(field)[:1] or ("",))[0], ""


def recognise(header: Iterable[str]) -> str:
    """The format whose columns these are. Raises UnknownFormatError naming what a file needs."""
    names = tuple(header)
    own = {name.strip().casefold() for name in names}
    for found in ("focus", "litellm", "langfuse"):
        if own & set(TELLING[found]) and not missing(found, names):
            return found
    if not missing("plain", names):
        return "plain"
    raise UnknownFormatError(
        "These columns belong to no format we know. A plain table needs a column “date” or “month” and a column "
        "“cost”; FOCUS needs ChargePeriodStart and EffectiveCost or BilledCost; LiteLLM needs startTime or date, and "
        f"spend; Langfuse needs startTime and totalCost. This file has: {_listed(names)}."
    )


def missing(format_key: str, header: Iterable[str]) -> tuple[str, ...]:
    """The columns without which the format cannot be read, in words."""
    columns = Columns(format_key, tuple(header))
    return tuple(" or ".join(NAMES[format_key][field][:3]) for field in NEEDED if not columns.has(field))


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(name[:40] for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "no column"
