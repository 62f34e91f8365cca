"""The forms of cost scenarios: what is chosen from the catalogue, a new what-if, a name, a note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms

from costing.charts.cadence import POLICY_LABELS
from costing.public import OPTIONS, Catalogue, Choices, ScenarioSpec, filled_choices
from portfolio.forms.assumptions import NOTE_LENGTH, version_field
from portfolio.forms.fields import sentence
from portfolio.gone import gone_of
from portfolio.questionnaire.workload_defaults import SHAPE_WORDS
from portfolio.revisions import CHOICE_LABELS, DRIFT_LABELS, PRICING_LABELS, choice_words, option_words
from portfolio.scenarios import NAME_LENGTH

UNSET = ""  # as it would be without an edit
NOTHING = "-"  # chosen to be nothing: no reranker, no single provider
TUNING = "tuning"  # provider and model of managed tuning, one field for both
MOST_MONTHS = 36
HELP = {
    "api_model": "Prices per token of the options on a managed API.",
    TUNING: "What managed fine-tuning trains and runs.",
    "open_model": "The model that own GPUs serve and train.",
    "gpu": "What own serving is sized on.",
    "training_gpu": "What own training is sized on.",
    "gpu_provider": "One provider’s price, or the spread over all of them.",
    "gpu_pricing": "Spot and reserved machines need a provider that lists them.",
    "reranker": "Reads the passages found again and puts the best first.",
    "base_model_policy": "What a tuned model does when its base model gets a successor.",
}
ALLOWED_NOTHING = {"reranker": "No reranking", "gpu_provider": "All providers, with their spread"}
CHOICE_FIELDS = (
    "api_model",
    TUNING,
    "open_model",
    "gpu",
    "gpu_provider",
    "gpu_pricing",
    "training_gpu",
    "embedding_model",
    "reranker",
    "vector_store",
    "base_model_policy",
    "drift",
)

Pairs = Sequence[tuple[str, Any]]


def note_field() -> forms.CharField:
    return forms.CharField(
        label="Why?",
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.TextInput(),
        help_text="Stands beside the revision in the history.",
        error_messages={"max_length": "The note has %(show_value)s characters. Shorten it to %(limit_value)s."},
    )


def name_field(label: str = "Name") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=NAME_LENGTH,
        help_text="What it supposes, in a few words: “Ten times the requests”.",
        error_messages={
            "required": "The name is empty. Say in a few words what this scenario supposes.",
            "max_length": "The name has %(show_value)s characters. Shorten it to %(limit_value)s.",
        },
    )


class ChoicesForm(forms.Form):
    """Models, hardware, services, horizon and the option that counts; empty fields leave it to answers and defaults."""

    fields: dict[str, Any]

    months = forms.IntegerField(
        label="Months computed",
        min_value=1,
        max_value=MOST_MONTHS,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "invalid": f"Write a whole number of months from 1 to {MOST_MONTHS}.",
            "min_value": f"Write at least 1 month, at most {MOST_MONTHS}.",
            "max_value": f"Write at most {MOST_MONTHS} months: further ahead nobody knows prices.",
        },
    )
    note = note_field()
    version = version_field()

    def __init__(
        self,
        *args: Any,
        catalogue: Catalogue,
        without: ScenarioSpec,
        overrides: Mapping[str, Any],
        has_own_rent: bool = False,
        **kwargs: Any,
    ) -> None:
        """`without`: the scenario without an edit; `overrides`: what is set now."""
        kwargs["initial"] = {**initial_choices(overrides), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.catalogue, self.has_own_rent = catalogue, has_own_rent
        self.defaults = filled_choices(without.choices)
        offered = _offered(catalogue)
        for name in CHOICE_FIELDS:
            label = "Managed tuning, provider and model" if name == TUNING else CHOICE_LABELS[name]
            unset = _unset_words(name, self.defaults)
            chosen = str(kwargs["initial"].get(name, UNSET))
            self.fields[name] = forms.ChoiceField(
                label=label,
                required=False,
                choices=[(UNSET, f"Without an edit: {unset}"), *_with_chosen(offered[name], chosen)],
                help_text=HELP.get(name, ""),
                error_messages={"invalid_choice": "“%(value)s” is not in the catalogue. Choose one of the list."},
            )
        counted = option_words(without.recommended_option)
        stand = f"as recommended ({counted})" if without.recommended_option else "the cheapest that can be built"
        self.fields["option"] = forms.ChoiceField(
            label="Option that counts as decided",
            required=False,
            choices=[(UNSET, f"Without an edit: {stand}"), *((key, label) for key, (label, _) in OPTIONS.items())],
            help_text="Its figures are the use case’s in lists and budgets.",
            error_messages={"invalid_choice": "There is no option “%(value)s”. Choose one of the list."},
        )
        self.fields["months"].help_text = f"Without an edit {without.months}; from 1 to {MOST_MONTHS}."

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        gone = gone_of({"choices": _chosen(given)}, self.catalogue)
        for one in gone:
            text = f"{one.row} is no longer among the prices. Choose another, or leave it without an edit."
            self.add_error(TUNING if one.name.startswith("tuning") else one.name, text)
        if not gone:
            self._check_rent(given)
        return given

    def overrides(self, current: Mapping[str, Any]) -> dict[str, Any]:
        """The whole document with what the valid form says of choices, horizon and option."""
        given = self.cleaned_data
        document = {**current, "choices": _chosen(given), "months": given["months"], "option": given["option"]}
        return {name: value for name, value in document.items() if value}

    def _check_rent(self, given: Mapping[str, Any]) -> None:
        """A GPU that nobody rents out in that way has no price: better said here than in the figures."""
        provider = given.get("gpu_provider", UNSET)
        provider = "" if provider == NOTHING else provider or self.defaults.gpu_provider
        pricing = given.get("gpu_pricing") or self.defaults.gpu_pricing
        if self.has_own_rent or (not provider and pricing == "on_demand"):
            return
        for name in ("gpu", "training_gpu"):
            gpu = given.get(name) or getattr(self.defaults, name)
            try:
                self.catalogue.gpu_price(gpu, provider, pricing)
            except ValueError as error:
                self.add_error("gpu_pricing", f"{sentence(error)} Choose another, or set the rent by hand.")


class NewScenarioForm(forms.Form):
    """A new what-if: its name, what it starts from, and why."""

    fields: dict[str, Any]

    name = name_field()
    start = forms.ChoiceField(
        label="Start from",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose what the scenario starts from.",
            "invalid_choice": "“%(value)s” is not there any more. Choose one of the list.",
        },
    )
    note = note_field()

    def __init__(self, *args: Any, scenarios: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["start"].choices = [
            ("base", "The base: what counts for the use case today"),
            *((f"scenario-{pk}", f"The scenario “{name}”") for pk, name in scenarios),
            *((f"shape-{key}", f"The base with a workload of {words}") for key, words in SHAPE_WORDS.items()),
        ]


class RenameForm(forms.Form):
    """Another name for a what-if."""

    fields: dict[str, Any]

    name = name_field("New name")


def initial_choices(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What is set now, as it stands in the fields."""
    chosen = dict(overrides.get("choices") or {})
    found: dict[str, Any] = {name: chosen[name] or NOTHING for name in CHOICE_FIELDS if name in chosen}
    if "tuning_model" in chosen:
        found[TUNING] = f"{chosen.get('tuning_provider', '')}:{chosen['tuning_model']}"
    return {**found, "months": overrides.get("months") or "", "option": overrides.get("option") or UNSET}


def _chosen(given: Mapping[str, Any]) -> dict[str, str]:
    """The choices that the fields make, as overrides hold them."""
    chosen: dict[str, str] = {}
    for name in CHOICE_FIELDS:
        if (value := given.get(name, UNSET)) == UNSET:
            continue
        if name == TUNING:
            chosen["tuning_provider"], _, chosen["tuning_model"] = value.partition(":")
        else:
            chosen[name] = "" if value == NOTHING else value
    return chosen


def _offered(catalogue: Catalogue) -> dict[str, Pairs]:
    """The rows that each choice may name, grouped by provider where there are many."""
    api = [row for row in catalogue.api_models if row.kind == "base" and row.input_usd_per_mtok is not None]
    trained = sorted({row.provider for row in catalogue.api_models if row.kind == "training"})
    tuned = [row for row in api if row.provider in trained]
    priced = [row for row in catalogue.embedding_models if row.usd_per_mtok is not None or row.usd_per_1k_queries]
    gpus = [(row.name, row.name) for row in catalogue.gpus]
    renting = sorted({row.provider for row in catalogue.gpu_prices if row.tenancy == "dedicated"})
    return {
        "api_model": _grouped((row.provider, row.key, row.model_id) for row in api),
        TUNING: _grouped((row.provider, row.key, row.model_id) for row in tuned),
        "open_model": [(row.model_id, row.model_id) for row in catalogue.models],
        "gpu": gpus,
        "training_gpu": gpus,
        "gpu_provider": [(NOTHING, ALLOWED_NOTHING["gpu_provider"]), *((one, one) for one in renting)],
        "gpu_pricing": [(key, PRICING_LABELS[key]) for key in ("on_demand", "reserved", "spot")],
        "embedding_model": [(row.key, row.key) for row in priced if row.kind == "embedding"],
        "reranker": [
            (NOTHING, ALLOWED_NOTHING["reranker"]),
            *((row.key, row.key) for row in priced if row.kind == "rerank"),
        ],
        "vector_store": [(row.key, row.key) for row in catalogue.vector_stores],
        "base_model_policy": list(POLICY_LABELS.items()),
        "drift": list(DRIFT_LABELS.items()),
    }


def _grouped(rows: Iterable[tuple[str, str, str]]) -> Pairs:
    groups: dict[str, list[tuple[str, str]]] = {}
    for provider, key, name in rows:
        if (key, name) not in groups.setdefault(provider, []):
            groups[provider].append((key, name))
    return list(groups.items())


def _with_chosen(offered: Pairs, chosen: str) -> Pairs:
    """What is chosen now stays in the list even where the catalogue has no such row any more."""
    known = {
        key for value, label in offered for key in ([value] if isinstance(label, str) else [pair[0] for pair in label])
    }
    if chosen in known or chosen == UNSET:
        return offered
    return [*offered, (chosen, f"{chosen} (chosen, no longer offered)")]


def _unset_words(name: str, now: Choices) -> str:
    if name == TUNING:
        return f"{now.tuning_provider}, {now.tuning_model}"
    value = getattr(now, name)
    return choice_words(name, value) if value else ALLOWED_NOTHING.get(name, "none").lower()
