"""The thresholds an organisation may set for itself, and what each of them does. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal

from portfolio.questionnaire.answers import as_input, clean, describe
from portfolio.questionnaire.spec import Kind, Question, Unit

Number = int | float


@dataclass(frozen=True)
class Policy:
    """Where the rules draw their lines; every field can be changed by an organisation without touching code.

    Raises ValueError naming the field and the value when a threshold is out of range.
    """

    pressure_latency_ms: float = 300.0  # a full answer wanted at or below this is latency pressure
    pressure_requests_per_day: float = 100_000.0  # at or above this volume there is cost pressure
    pressure_monthly_bill_usd: float = 10_000.0  # at or above this bill, at the catalogue's default price, as well
    cost_case_requests_per_day: float = 1_000.0  # a known volume below this never pays a small tuned model back
    close_share: float = 0.05  # a measured value within this share of the target is "close"
    techniques_tried: int = 3  # prompting techniques to be tried before "close" counts as a gap
    lookup_labels: int = 50  # from this many labels on, looking up the likely ones helps
    examples_minimum: int = 500  # style, format, classification
    examples_minimum_language: int = 2_000  # a language or domain that no public model has seen
    examples_full_training: int = 100_000  # clean examples before all weights may be trained
    fastest_retraining_months: float = 0.0  # taken where nobody says how fast a team can retrain; 0: nothing is taken

    @classmethod
    def of(cls, thresholds: Mapping[str, float]) -> Policy:
        """The product's own thresholds with these put in their place; a name that no rule knows is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in thresholds.items() if name in known})  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0 or value == float("inf"):
                raise ValueError(f"policy {field.name} is {value!r}: give a finite number of at least 0")
        if self.close_share >= 1:
            raise ValueError(f"policy close_share is {self.close_share!r}: give a share below 1, for example 0.05")

    @property
    def retraining_tolerance(self) -> str | None:
        """`fastest_retraining_months` as an answer to the question of that name; None while nothing is to be taken."""
        if not self.fastest_retraining_months:
            return None
        longest = (("weekly", 0.25), ("monthly", 1.0), ("quarterly", 3.0), ("yearly", 12.0))
        return next((code for code, months in longest if self.fastest_retraining_months <= months), "never")

    def own_thresholds(self) -> dict[str, Number]:
        """Only what differs from the product's own values: what is stored, and what `of` takes."""
        return {name: value for name, value in asdict(self).items() if value != getattr(DEFAULTS, name)}

    def sha256(self) -> str:
        """The same for the same thresholds, whichever of them were set by hand."""
        told = {name: float(value) for name, value in asdict(self).items()}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()


DEFAULTS = Policy()


@dataclass(frozen=True)
class Threshold:
    """What people read about one field of `Policy`. Bounds are in the field's own unit, as typed."""

    name: str  # of the field of `Policy`
    group: str  # key of `GROUPS`
    title: str
    unit: str  # inside the field
    help: str  # what it does
    source: str
    minimum: float
    maximum: float
    rules: tuple[str, ...] = ()  # ids of the rules that may fire otherwise when it moves
    bears_on: str = ""  # what else it moves, in words
    integer: bool = False
    stored_per_typed: float = 1.0  # "5 %" is typed as 5 and stored as 0.05
    units: tuple[Unit, ...] = ()

    @property
    def question(self) -> Question:
        """The field as a question of the questionnaire: numbers are read and written as answers are."""
        return Question(
            id=self.name,
            section=self.group,
            text=self.title,
            why=self.help,
            sources=(),
            kind=Kind.NUMBER,
            unit=self.unit,
            units=self.units,
            minimum=self.minimum,
            maximum=self.maximum,
            integer=self.integer,
        )

    @property
    def default(self) -> Number:
        return self.of(DEFAULTS)

    def of(self, policy: Policy) -> Number:
        """Its value in `policy`, as stored."""
        value: Number = getattr(policy, self.name)
        return value

    def read(self, raw: str) -> Number:
        """The value to store for what was typed. Raises AnswerError (a ValueError) saying what is wrong."""
        typed = clean(self.question, raw)
        if isinstance(self.default, int):
            return int(typed)
        return float(Decimal(str(typed)) * Decimal(str(self.stored_per_typed)))

    def typed(self, value: Number) -> str:
        """How a stored value stands in its field; `read` gives it back."""
        return as_input(self.question, self._shown(value))

    def words(self, value: Number) -> str:
        """A stored value with its unit: "100,000 requests a day", "5 %"."""
        return describe(self.question, self._shown(value))

    def _shown(self, value: Number) -> Number:
        shown = float(Decimal(str(value)) / Decimal(str(self.stored_per_typed)))
        return int(shown) if shown.is_integer() else shown


GROUPS: dict[str, tuple[str, str]] = {
    "pressure": (
        "Cost and latency pressure",
        "When a model that is good enough counts as too slow or too dear, which may justify a small tuned one.",
    ),
    "measured": ("Measured results", "How near to the target is close, and how much must be tried before it counts."),
    "retrieval": ("Looking up examples", "When there are so many labels that only the likely ones belong in a prompt."),
    "data": ("Examples to train on", "How many good examples there have to be before training may begin."),
    "operations": (
        "Keeping a model up to date",
        "What teams can sustain, where they have not said it themselves.",
    ),
}
_OWN = "The figure is the product’s own."
# Whether cost speaks for tuning at all decides what is said where nothing else does.
_BESIDE_COST = ("tuning.no_better", "tuning.facts_only", "tuning.tolerant", "tuning.missing_facts")
_COST = ("tuning.distil", "tuning.cost", "tuning.cost_open")
_PRESSURE = (*_COST, "tuning.untuned_suffices", "tuning.schema_first", "tuning.need_alone", *_BESIDE_COST)
_FILLS_IN = "Fills in “Is the model too slow or too dear?” while that question is open."
_GAP = ("tuning.few_techniques", "tuning.gap", "tuning.gap_open", "tuning.facts_only", "tuning.tolerant")

THRESHOLDS: tuple[Threshold, ...] = (
    Threshold(
        "pressure_latency_ms",
        "pressure",
        "Latency target that counts as pressure",
        "ms",
        "A full answer wanted within this time counts as latency pressure.",
        f"S2 names low latency as a reason to tune a small model, without a figure. {_OWN}",
        1,
        600_000,
        _PRESSURE,
        _FILLS_IN,
        units=(Unit(("seconds", "second", "s", "sec"), 1_000), Unit(("minutes", "minute", "min"), 60_000)),
    ),
    Threshold(
        "pressure_requests_per_day",
        "pressure",
        "Volume that counts as pressure",
        "requests a day",
        "At or above this volume there is cost pressure, whatever a request costs.",
        f"S2 names high volume as a reason to tune a small model, without a figure. {_OWN}",
        1,
        1_000_000_000,
        _PRESSURE,
        _FILLS_IN,
        integer=True,
    ),
    Threshold(
        "pressure_monthly_bill_usd",
        "pressure",
        "Monthly bill that counts as pressure",
        "US dollars a month",
        "At or above this bill, from volume and tokens at the catalogue’s default price, there is cost pressure.",
        f"S2 names cost at high volume, without a figure. {_OWN}",
        1,
        1_000_000_000,
        _PRESSURE,
        _FILLS_IN,
        units=(Unit(("usd", "$", "dollars", "dollar"), 1),),
    ),
    Threshold(
        "cost_case_requests_per_day",
        "pressure",
        "Volume below which cost is no reason",
        "requests a day",
        "A volume known to be below this never pays a small tuned model back, unless speed or the device presses.",
        f"S2 ties the case for a small tuned model to volume. {_OWN}",
        0,
        1_000_000_000,
        (*_COST, *_BESIDE_COST),
        integer=True,
    ),
    Threshold(
        "close_share",
        "measured",
        "Close to the target",
        "%",
        "A measured value that misses the target by at most this share of it is “close”; beyond it, prompting “fails”.",
        f"S2 and S4 ask to measure against a target; none says how near is near. {_OWN}",
        0,
        50,
        (*_GAP, "tuning.worse", "tuning.beaten", "tuning.no_better", "tuning.weak_language",
         "tuning.weak_language_proven"),
        stored_per_typed=0.01,
    ),
    Threshold(
        "techniques_tried",
        "measured",
        "Prompting techniques to try",
        "techniques",
        "A result that is close counts as a gap only once this many prompting techniques have been tried.",
        f"S2 and S4 want prompting exhausted before training; the count is a judgement. {_OWN}",
        0,
        10,
        _GAP,
        integer=True,
    ),
    Threshold(
        "lookup_labels",
        "retrieval",
        "Labels to look up",
        "labels",
        "From this many labels on, looking up the likely ones for each request helps.",
        f"S2 and S4 suggest choosing examples for each request. {_OWN}",
        1,
        1_000_000,
        ("retrieval.examples",),
        integer=True,
    ),
    Threshold(
        "examples_minimum",
        "data",
        "Good examples for style, format, labels",
        "examples",
        "Fewer good examples than this are a blocker before training a habit or a format.",
        f"S4 puts small, clean data before large, chaotic data, without a count. {_OWN}",
        1,
        100_000_000,
        bears_on="A blocker of the data area, and with it “ready” or “not ready”.",
        integer=True,
    ),
    Threshold(
        "examples_minimum_language",
        "data",
        "Good examples for an unseen language",
        "examples",
        "The same for a language or domain that no public model has seen.",
        f"S3’s examples are a whole codebase and an archive of labelled scans, without a count. {_OWN}",
        1,
        100_000_000,
        bears_on="A blocker of the data area, and with it “ready” or “not ready”.",
        integer=True,
    ),
    Threshold(
        "examples_full_training",
        "data",
        "Clean examples for training all weights",
        "examples",
        "Below this many clean examples the method stays LoRA or QLoRA, whatever else is there.",
        f"S0 and S4 put parameter-efficient training first; neither names a count. {_OWN}",
        1,
        100_000_000,
        bears_on="The method: all weights instead of LoRA.",
        integer=True,
    ),
    Threshold(
        "fastest_retraining_months",
        "operations",
        "Fastest retraining teams can keep up",
        "months",
        "Up to a quarter of a month counts as weekly, up to 1 as monthly, up to 3 as quarterly, up to 12 as yearly, "
        "more as never. 0 takes nothing for granted.",
        f"S0 and S2 ask how often a team can retrain, without a figure. {_OWN}",
        0,
        120,
        bears_on="Fills in “What is the fastest retraining the team can keep up?” while that question is open; what "
        "changes faster is not trained in.",
    ),
)  # fmt: skip
BY_NAME = {threshold.name: threshold for threshold in THRESHOLDS}
# (smaller, larger): the other way round one of the two could never matter.
IN_ORDER = (
    ("cost_case_requests_per_day", "pressure_requests_per_day"),
    ("examples_minimum", "examples_full_training"),
    ("examples_minimum_language", "examples_full_training"),
)


@dataclass(frozen=True)
class Difference:
    """One threshold that two policies set differently, as stored."""

    threshold: Threshold
    before: Number
    after: Number

    @property
    def before_words(self) -> str:
        return self.threshold.words(self.before)

    @property
    def after_words(self) -> str:
        return self.threshold.words(self.after)

    @property
    def sentence(self) -> str:
        return f"{self.threshold.title}: {self.before_words} → {self.after_words}"


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """What changes from one policy to another, in the order of `THRESHOLDS`."""
    pairs = ((threshold, threshold.of(before), threshold.of(after)) for threshold in THRESHOLDS)
    return tuple(Difference(threshold, old, new) for threshold, old, new in pairs if old != new)


def read_by(rule_id: str) -> tuple[Threshold, ...]:
    """The thresholds that may let this rule fire or keep it silent."""
    return tuple(threshold for threshold in THRESHOLDS if rule_id in threshold.rules)
