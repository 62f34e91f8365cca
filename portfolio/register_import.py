"""A table of use cases as proposals: row by row, what taking it over would register or change.

A row means the use case of its id, else of its billing tag, else of its exact title and unit; otherwise a new one.
A column that the table lacks is left as it is; an empty cell empties the field (an owner stays, or is who imports).
Reading the product's own export therefore proposes nothing.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.utils import timezone

from costing.public import Row, Sheet, UnreadableSheet, as_read
from organisations.models import BusinessUnit, Membership, User
from organisations.roles import Permission, Role, allows
from portfolio.models import RegisterImport, UseCase
from portfolio.questionnaire.outcome import Target

MOST_ROWS = 2_000
FARTHEST_YEARS = 10
NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"

PLANNED = {Target.PROMPTING: "Prompting", Target.RAG: "RAG", Target.FINE_TUNING: "Fine-tuning", Target.HYBRID: "Hybrid"}
# The fields a table may set, by the names of their columns; the first name is the one that is written.
COLUMNS = {
    "id": ("id",),
    "title": ("title", "use case", "name"),
    "description": ("description",),
    "unit": ("unit", "business unit"),
    "owner": ("owner", "owner's e-mail", "owner’s e-mail", "owner e-mail", "owner email", "e-mail"),
    "planned": ("planned approach", "planned"),
    "billing_tag": ("billing tag", "tag"),
    "review_on": ("review day", "review"),
}
HEADER = {key: names[0] for key, names in COLUMNS.items()}
READ_ONLY = {
    "owner's name", "stage", "approach", "status", "robustness", "p10 usd, 12 months", "p50 usd, 12 months",
    "p90 usd, 12 months", "changed",
}  # fmt: skip


class RowError(ValueError):
    """Why a row cannot be taken over: the field at fault, what is wrong and what to do."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(problem)
        self.column = HEADER[field_name]


@dataclass(frozen=True)
class Proposal:
    """One row that can be taken over. Values are plain: keys of units and owners, days as text."""

    line: int
    kind: str  # NEW | CHANGED | UNCHANGED
    title: str
    use_case: int | None = None
    version: int | None = None  # of the use case when it was compared
    values: dict[str, Any] = field(default_factory=dict)  # of a new one all that is given, else what differs
    new_unit: str = ""  # the unit's name, where there is none of that name yet
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # column, before, after


@dataclass(frozen=True)
class Reading:
    """What a table says. `failures`: line, column, title, problem; `remarks`: what of the table is not used."""

    proposals: tuple[Proposal, ...]
    failures: tuple[dict[str, Any], ...]

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(proposal) for proposal in self.proposals]


@dataclass(frozen=True)
class Register:
    """What the rows are compared with: the organisation's use cases, units and possible owners; three queries."""

    use_cases: dict[int, UseCase]
    by_tag: dict[str, UseCase]
    by_title: dict[tuple[str, int | None], list[UseCase]]
    units: dict[str, BusinessUnit]
    owners: dict[str, User]

    @classmethod
    def of(cls, organisation_id: int) -> Register:
        found = list(UseCase.objects.filter(organisation=organisation_id).select_related("unit", "owner"))
        by_title: dict[tuple[str, int | None], list[UseCase]] = defaultdict(list)
        for use_case in found:
            by_title[as_read(use_case.title), use_case.unit_id].append(use_case)
        roles = [role.value for role in Role if allows(role, Permission.ANSWER)]
        members = Membership.objects.active().filter(organisation=organisation_id, role__in=roles, user__is_active=True)
        return cls(
            {use_case.pk: use_case for use_case in found},
            {use_case.billing_tag.casefold(): use_case for use_case in found if use_case.billing_tag},
            by_title,
            {as_read(u.name).casefold(): u for u in BusinessUnit.objects.filter(organisation=organisation_id)},
            {member.user.email.lower(): member.user for member in members.select_related("user")},
        )


def read_register(sheet: Sheet, *, organisation_id: int, may_make_units: bool) -> Reading:
    """Proposals and failures of a table. Raises UnreadableSheet when no row of it can be understood."""
    if len(sheet.rows) > MOST_ROWS:
        raise UnreadableSheet(
            f"The file has {len(sheet.rows):,} rows; at most {MOST_ROWS:,} use cases are imported at once. "
            "Split it into several files."
        )
    columns, remarks = _columns(sheet.header)
    reader = _Reader(Register.of(organisation_id), columns, may_make_units)
    proposals, failures = [], []
    for row in sheet.rows:
        try:
            proposals.append(reader.proposal(row))
        except RowError as error:
            title = row.cells[columns["title"]] if "title" in columns else ""
            failures.append({"line": row.line, "column": error.column, "title": title, "problem": str(error)})
    return Reading(tuple(proposals), (*remarks, *failures))


def _columns(header: Iterable[str]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Field → the column that holds it, and remarks on the columns that are not used."""
    known = {name: key for key, names in COLUMNS.items() for name in names}
    columns: dict[str, str] = {}
    remarks = []
    for name in header:
        key = known.get(name.casefold())
        if key and key not in columns:
            columns[key] = name
        else:
            why = "is worked out here and cannot be set by a table" if name.casefold() in READ_ONLY else "is not known"
            why = f"says the same as “{columns[key]}”" if key else why
            remarks.append({"line": 1, "column": name, "problem": f"This column {why}: left out.", "remark": True})
    if "title" not in columns and "id" not in columns:
        raise UnreadableSheet(
            "The file has no column “title”. Name the columns as in the template: title, description, unit, owner, …"
        )
    return columns, remarks


class _Reader:
    """Reads row after row; remembers which use cases, titles and tags the rows before have taken."""

    def __init__(self, register: Register, columns: dict[str, str], may_make_units: bool) -> None:
        self.register = register
        self.columns = columns
        self.may_make_units = may_make_units
        self.seen: dict[tuple[Any, ...], int] = {}

    def proposal(self, row: Row) -> Proposal:
        cells = {key: row.cells[name] for key, name in self.columns.items()}
        new_unit = self._new_unit(cells)
        use_case = self._meant(cells, new_unit)
        values = self._values(cells, use_case)
        title = values.get("title") or str(use_case)
        self._once(row.line, use_case, title, values, new_unit or cells.get("unit", ""))
        if use_case is None:
            given = [(HEADER[key], "", word) for key in values if (word := self._given(key, values, new_unit))]
            return Proposal(row.line, NEW, title, values=values, new_unit=new_unit, changes=given)
        compared = self._compared(row.line, use_case, values, new_unit)
        if compared.changes and use_case.is_retired:
            raise RowError("title", f"“{use_case}” is retired and kept as it was. Move it back to “Idea” to change it.")
        return compared

    def _meant(self, cells: dict[str, str], new_unit: str) -> UseCase | None:
        if given := cells.get("id"):
            use_case = self.register.use_cases.get(int(given)) if given.isdecimal() and len(given) < 19 else None
            if use_case is None:
                raise RowError("id", f"There is no use case {given} here. Leave the cell empty to register a new one.")
            return use_case
        if (tag := _spaced(cells.get("billing_tag", ""))) and (found := self.register.by_tag.get(tag.casefold())):
            return found
        title = _spaced(cells.get("title", ""))
        if not title:
            raise RowError("title", "The title is empty. Give the use case a name of a few words.")
        return None if new_unit else self._of_title(title, cells)

    def _of_title(self, title: str, cells: dict[str, str]) -> UseCase | None:
        if "unit" in self.columns:
            unit = self.register.units.get(cells["unit"].casefold())
            found = self.register.by_title.get((title, unit.pk if unit else None), [])
        else:
            found = [one for (name, _), some in self.register.by_title.items() if name == title for one in some]
        if len(found) > 1:
            raise RowError("title", f"{len(found)} use cases have this title. Say which by a column “id”, as exported.")
        return found[0] if found else None

    def _new_unit(self, cells: dict[str, str]) -> str:
        name = cells.get("unit", "")
        if not name or name.casefold() in self.register.units:
            return ""
        if len(name) > 200:
            raise RowError("unit", f"The unit's name has {len(name)} characters. Shorten it to 200.")
        if self.may_make_units:
            return _spaced(name)
        names = [unit.name for unit in self.register.units.values()]
        raise RowError("unit", f"There is no unit “{name}” here.{_nearest(name, names)} An owner can add units.")

    def _values(self, cells: dict[str, str], use_case: UseCase | None) -> dict[str, Any]:
        """Field → plain value for each field the row gives; RowError for the first that cannot be."""
        readers: dict[str, Callable[[str, UseCase | None], Any]] = {
            "title": self._title,
            "description": _description,
            "unit": self._unit,
            "owner": self._owner,
            "planned": _planned,
            "billing_tag": self._tag,
            "review_on": _review,
        }
        return {key: read(cells[key], use_case) for key, read in readers.items() if key in cells}

    def _title(self, text: str, _: UseCase | None) -> str:
        title = _spaced(text)
        if not title:
            raise RowError("title", "The title is empty. Give the use case a name of a few words.")
        if len(title) > 300:
            raise RowError("title", f"The title has {len(title)} characters. Shorten it to 300.")
        return title

    def _unit(self, text: str, _: UseCase | None) -> int | None:
        unit = self.register.units.get(text.casefold())
        return unit.pk if unit else None

    def _owner(self, text: str, use_case: UseCase | None) -> int | None:
        email = text.lower()
        if use_case and email in ("", use_case.owner.email.lower()):
            return use_case.owner_id
        if not email:
            return None  # who imports
        if email not in self.register.owners:
            near = _nearest(email, self.register.owners, cutoff=0.5)
            raise RowError(
                "owner", f"No member “{text}” can own a use case here.{near} Write a member's e-mail address."
            )
        return self.register.owners[email].pk

    def _tag(self, text: str, use_case: UseCase | None) -> str:
        tag = _spaced(text)
        if len(tag) > 120:
            raise RowError("billing_tag", f"The billing tag has {len(tag)} characters. Shorten it to 120.")
        holder = self.register.by_tag.get(tag.casefold())
        if holder and holder != use_case:
            raise RowError("billing_tag", f"“{holder}” is named so on bills already. Use another tag.")
        return tag

    def _once(self, line: int, use_case: UseCase | None, title: str, values: dict[str, Any], unit: str) -> None:
        """No two rows of a table may mean the same use case or carry the same tag."""
        mark = ("use case", use_case.pk) if use_case else ("new", title, unit.casefold())
        if (before := self.seen.setdefault(mark, line)) != line:
            raise RowError("title", f"Line {before} is the same use case. Keep one of the two rows.")
        tag = values.get("billing_tag", "").casefold()
        if tag and (before := self.seen.setdefault(("tag", tag), line)) != line:
            raise RowError("billing_tag", f"Line {before} has the same billing tag. Each use case needs its own.")

    def _compared(self, line: int, use_case: UseCase, values: dict[str, Any], new_unit: str) -> Proposal:
        before = plain(use_case)
        differing = {
            key: value for key, value in values.items() if not _same(before[key], value) or (key == "unit" and new_unit)
        }
        changes = [
            (
                HEADER[key],
                self._word(key, before[key]),
                new_unit if key == "unit" and new_unit else self._word(key, value),
            )
            for key, value in differing.items()
        ]
        kind = CHANGED if changes else UNCHANGED
        return Proposal(line, kind, str(use_case), use_case.pk, use_case.version, differing, new_unit, changes)

    def _given(self, key: str, values: dict[str, Any], new_unit: str) -> str:
        """What a new use case is registered with, in words; its title stands beside."""
        if key == "title":
            return ""
        return f"{new_unit} (not there yet)" if key == "unit" and new_unit else self._word(key, values[key])

    def _word(self, key: str, value: Any) -> str:
        if value in (None, ""):
            return ""
        if key == "unit":
            return next((unit.name for unit in self.register.units.values() if unit.pk == value), "")
        if key == "owner":
            found = {owner.pk: email for email, owner in self.register.owners.items()}
            return found.get(value) or next(
                u.owner.email for u in self.register.use_cases.values() if u.owner_id == value
            )
        return PLANNED[Target(value)] if key == "planned" else str(value)


def plain(use_case: UseCase) -> dict[str, Any]:
    """What a table can set of a use case, as plain values."""
    return {
        "title": use_case.title,
        "description": use_case.description,
        "unit": use_case.unit_id,
        "owner": use_case.owner_id,
        "planned": use_case.planned,
        "billing_tag": use_case.billing_tag,
        "review_on": use_case.review_on.isoformat() if use_case.review_on else "",
    }


def _description(text: str, _: UseCase | None) -> str:
    if len(text) > 20_000:
        raise RowError("description", f"This text has {len(text):,} characters. Shorten it to 20,000.")
    return text


def _planned(text: str, _: UseCase | None) -> str:
    words = {_letters(name): target.value for target, name in PLANNED.items()} | {"": "", "notsaid": ""}
    if (word := _letters(text)) not in words:
        known = ", ".join(PLANNED.values())
        raise RowError("planned", f"“{text[:60]}” is not one of the ways. Write {known}, or nothing.")
    return words[word]


def _review(text: str, use_case: UseCase | None) -> str:
    if not text:
        return ""
    try:
        on = date.fromisoformat(text.split(" ")[0])
    except ValueError as error:
        raise RowError("review_on", f"“{text[:60]}” is no day. Write it as 2027-05-31.") from error
    today = timezone.localdate()
    is_kept = use_case is not None and use_case.review_on == on
    if on < today and not is_kept:
        raise RowError("review_on", f"{on} is over. Choose today or a later day.")
    if on.year > today.year + FARTHEST_YEARS and not is_kept:
        raise RowError("review_on", f"{on} is more than {FARTHEST_YEARS} years away. Choose an earlier day.")
    return on.isoformat()


def _nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff)
    return f" Did you mean “{folded[near[0]]}”?" if near else ""


def _same(before: Any, value: Any) -> bool:
    return as_read(before) == as_read(value) if isinstance(before, str) else bool(before == value)


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def new_units(found: RegisterImport) -> list[str]:
    """The units that the proposed rows need and that there are not yet, each once, in order."""
    names: dict[str, str] = {}
    for row in found.rows:
        if name := row.get("new_unit"):
            names.setdefault(name.casefold(), name)
    return sorted(names.values(), key=str.casefold)
