"""The form of a training run whose price is claimed: read from the address, so that a result can be sent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from costing.public import catalogue, training_claims
from portfolio.questionnaire.answers import AnswerError, as_input, clean
from portfolio.questionnaire.spec import Kind, Question, Unit

METHODS = (("lora", "LoRA"), ("qlora", "QLoRA"), ("full", "All weights"))
MANAGED = ""  # no GPU: a provider trains at a price per token
PERCENT = Unit(names=("%", "percent"), factor=1)


def _number(name: str, unit: str, minimum: float, maximum: float, units: tuple[Unit, ...] = ()) -> Question:
    return Question(name, "", "", "", (), Kind.NUMBER, unit=unit, minimum=minimum, maximum=maximum, units=units)


NUMBERS = {
    "tokens": _number("tokens", "tokens", 1, 1e15),
    "utilisation": _number("utilisation", "%", 0.1, 100, (PERCENT,)),
    "usd_per_gpu_hour": _number("usd_per_gpu_hour", "$", 0.001, 1_000),
    "usd_per_mtok": _number("usd_per_mtok", "$", 0.001, 10_000),
    "attempts": _number("attempts", "runs", 1, 1_000),
}
LABELS = {
    "tokens": "Trained tokens",
    "utilisation": "Utilisation of the GPU’s peak",
    "usd_per_gpu_hour": "Rent of a GPU",
    "usd_per_mtok": "Price of training at a provider",
    "attempts": "Attempts until the good one",
}
UNITS = {
    "tokens": "tokens",
    "utilisation": "%",
    "usd_per_gpu_hour": "$/GPU-hour",
    "usd_per_mtok": "$/million tokens",
    "attempts": "runs",
}
HELP = {
    "tokens": "Examples × their length × passes; 100M and 1.5B are read.",
    "utilisation": "Of its dense bf16 peak, recomputed work counted; 25 to 50 % is usual.",
    "usd_per_gpu_hour": "For own or rented GPUs.",
    "usd_per_mtok": "For training at a provider.",
}


class ClaimForm(forms.Form):
    """One run. After `is_valid`, `run()` is what is priced."""

    fields: dict[str, Any]

    claim = forms.ChoiceField(label="Claim", choices=tuple(training_claims.CLAIMS.items()))
    model = forms.ChoiceField(label="Model")
    method = forms.ChoiceField(label="Method", choices=METHODS)
    gpu = forms.ChoiceField(label="Trained on", required=False)
    recompute = forms.ChoiceField(
        label="Activations", choices=(("1", "Recomputed, to save memory"), ("0", "Kept")), required=False
    )

    def __init__(self, data: Mapping[str, Any] | None, *, start: training_claims.Preset) -> None:
        super().__init__(data or None, initial=as_typed(start))
        self.start = start
        rows = catalogue.load()
        self.fields["model"].choices = [(row.model_id, row.model_id) for row in rows.models]
        gpus = [(row.name, row.name) for row in rows.gpus]
        self.fields["gpu"].choices = [(MANAGED, "A provider, by the token"), *gpus]
        for name, field in self.fields.items():
            field.error_messages["invalid_choice"] = f"“%(value)s” is not in the list of {name}s. Choose one of it."
        for name, label in LABELS.items():
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=80,
                help_text=HELP.get(name, ""),
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        is_managed = not given.get("gpu")
        unused = ("utilisation", "usd_per_gpu_hour") if is_managed else ("usd_per_mtok",)
        for name, question in NUMBERS.items():
            typed = str(given.get(name, "")).removeprefix("$").strip()
            if name in unused:
                given[name] = 0.0
                continue
            try:
                given[name] = float(clean(question, typed))
            except AnswerError as error:
                self.add_error(name, str(error).replace(", or choose “Don’t know yet”", ""))
        return given

    def run(self) -> training_claims.Preset:
        given = self.cleaned_data
        return training_claims.Preset(
            key=self.start.key,
            claim=given["claim"],
            title="As entered",
            model=given["model"],
            method=given["method"],
            recompute=given["recompute"] == "1",
            gpu=given["gpu"],
            gpus=self.start.gpus,
            tokens=given["tokens"],
            utilisation=given["utilisation"] / 100,
            usd_per_gpu_hour=given["usd_per_gpu_hour"],
            usd_per_mtok=given["usd_per_mtok"],
            attempts=given["attempts"],
            source="",
            as_of="",
            note="",
        )


def as_typed(run: training_claims.Preset) -> dict[str, str]:
    """A preset as it stands in the fields; nothing where the run has no such figure."""
    row = {**asdict(run), "utilisation": run.utilisation * 100, "recompute": "1" if run.recompute else "0"}
    for name, question in NUMBERS.items():
        figure = float(f"{row[name]:.6g}")
        row[name] = as_input(question, int(figure) if figure.is_integer() else figure) if figure else ""
    return row
