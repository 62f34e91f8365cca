"""What people do to actual spend: propose a file, take it over, discard or undo it, and say whose a tag is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from costing.public import Sheet
from organisations import audit
from organisations.models import Organisation, User
from portfolio.actuals import attribution, spent
from portfolio.actuals.attribution import Attribution, is_same_tag
from portfolio.actuals.cells import LARGEST
from portfolio.actuals.lines import Failure, Reading, SpendLine, fingerprints
from portfolio.actuals.money import Rates, rates_of
from portfolio.actuals.reading import SUMMED, format_of, read_lines
from portfolio.models import ActualImport, ActualLine, TagRule, UseCase

State = ActualImport.State
BATCH = 1_000
MOST_FAILURES = 500  # named one by one; the rest is counted
CHECK = "check the amounts of this day."
NO_RATE = "Enter one under Price book, Currencies, then upload the file again."


class NothingReadError(ValueError):
    """Not one row of the file could be read; `failures` name the first of them."""

    def __init__(self, failures: tuple[Failure, ...]) -> None:
        first = f" Line {failures[0].line}, {failures[0].column}: {failures[0].reason}." if failures else ""
        super().__init__(f"Not one row of the file could be read.{first}")
        self.failures = failures


class DecidedError(ValueError):
    """The import was decided about already; the message says how."""


@dataclass(frozen=True)
class Moved:
    """What a rule or a new look at the tags changed, of the lines that count."""

    lines: int
    usd: Decimal


def propose(*, organisation: Organisation, by: User, sheet: Sheet, format_key: str, currency: str) -> ActualImport:
    """Read a sheet into a proposal: lines that count nothing until they are taken over.

    Raises `UnknownFormatError`, and `NothingReadError` when no row can be read.
    """
    found_format = format_of(sheet, format_key)
    known, rates = attribution.today(organisation.pk), rates_of(organisation.pk)
    reading = read_lines(sheet, found_format, currency=currency, known=known.values)
    priced, unpriced = _priced(reading.lines, rates)
    failures = tuple(sorted((*reading.failures, *unpriced), key=lambda one: one.line))
    if not priced:
        raise NothingReadError(failures)
    return _stored(organisation, by, sheet, found_format, reading, priced, failures, known)


@transaction.atomic
def _stored(
    organisation: Organisation,
    by: User,
    sheet: Sheet,
    format_key: str,
    reading: Reading,
    priced: list[tuple[SpendLine, Decimal]],
    failures: tuple[Failure, ...],
    known: Attribution,
) -> ActualImport:
    audit.lock(organisation.pk)
    proposal = ActualImport.objects.create(
        organisation=organisation,
        file_name=sheet.name[:255],
        file_sha256=sheet.sha256,
        format=format_key,
        failures=_plain(failures, reading.notes),
        uploaded_by=by,
    )
    costs = dict(priced)
    hashed = list(fingerprints(line for line, _ in priced))
    there = _counted_already(organisation.pk, [sha for _, sha in hashed])
    again = _counted_of(proposal)
    new = [(line, sha) for line, sha in hashed if sha not in there and not again.holds(line.line)]
    rows = (_row(proposal, line, sha, costs[line], known) for line, sha in new)
    ActualLine.objects.bulk_create(rows, batch_size=BATCH)
    proposal.duplicates = len(hashed) - len(new)
    proposal.save(update_fields=["duplicates"])
    _record("proposed", proposal, by, {"lines": len(new), "failed": len(failures)})
    return proposal


@transaction.atomic
def take_over(*, proposal: ActualImport, by: User) -> ActualImport:
    """Its lines count from now on; those that came to count meanwhile by another file are left out.

    Taking over twice changes nothing. Raises DecidedError for one that was discarded or undone.
    """
    current = _locked(proposal)
    if current.state == State.APPLIED:
        return current
    _check(current, State.PROPOSED)
    rows = list(current.lines.order_by().values_list("pk", "line", "line_sha256"))
    there, again = _counted_already(current.organisation_id, [sha for *_, sha in rows]), _counted_of(current)
    gone = [pk for pk, line, sha in rows if sha in there or again.holds(line)]
    for some in _batches(gone):
        current.lines.filter(pk__in=some).delete()
    current.duplicates += len(gone)
    rematch(current.lines.all(), attribution.today(current.organisation_id))
    _decide(current, State.APPLIED, by)
    _record(
        "took_over", current, by, {"lines": current.lines.count(), "usd": _dollars(spent.total(current.lines.all()))}
    )
    return current


@transaction.atomic
def discard(*, proposal: ActualImport, by: User) -> ActualImport:
    """Nothing of it is kept but that it was there. Raises DecidedError for one that was taken over or undone."""
    current = _locked(proposal)
    if current.state == State.DISCARDED:
        return current
    _check(current, State.PROPOSED)
    current.lines.all().delete()
    _decide(current, State.DISCARDED, by)
    _record("discarded", current, by, {})
    return current


@transaction.atomic
def undo(*, applied: ActualImport, by: User) -> ActualImport:
    """Its lines no longer count; they stay to be read. Raises DecidedError for one that does not count."""
    current = _locked(applied)
    if current.state == State.UNDONE:
        return current
    _check(current, State.APPLIED)
    _decide(current, State.UNDONE, by)
    _record("undid", current, by, {"usd": _dollars(spent.total(current.lines.all()))})
    return current


@transaction.atomic
def make_rule(*, organisation: Organisation, by: User, key: str, value: str, use_case: UseCase) -> Moved:
    """From now on this tag names this use case, on the stored lines too. A rule of the same tag is replaced."""
    audit.lock(organisation.pk)
    if use_case.organisation_id != organisation.pk:
        raise ValueError("the use case belongs to another organisation")
    _forget_alike(organisation.pk, key, value)
    rule, _ = TagRule.objects.update_or_create(
        organisation=organisation, key=key, value=value, defaults={"use_case": use_case, "made_by": by}
    )
    moved = rematch_stored(organisation.pk)
    said = {"use_case": use_case.title, "lines": moved.lines, "usd": _dollars(moved.usd)}
    audit.record(organisation=organisation, by=by, verb="mapped", target=rule, label=f"{key}={value}", details=said)
    return moved


@transaction.atomic
def remove_rule(*, rule: TagRule, by: User) -> Moved:
    """The tag names no use case any more; what only it attributed is unattributed again."""
    organisation = audit.lock(rule.organisation_id)
    label, title = str(rule), rule.use_case.title
    target = TagRule(pk=rule.pk)
    rule.delete()
    moved = rematch_stored(organisation.pk)
    said = {"use_case": title, "lines": moved.lines, "usd": _dollars(moved.usd)}
    audit.record(organisation=organisation, by=by, verb="unmapped", target=target, label=label, details=said)
    return moved


@transaction.atomic
def match_again(*, organisation: Organisation, by: User) -> Moved:
    """Attribute all stored lines by the billing tags and rules as they are now."""
    audit.lock(organisation.pk)
    moved = rematch_stored(organisation.pk)
    if moved.lines:
        said = {"lines": moved.lines, "usd": _dollars(moved.usd)}
        audit.record(
            organisation=organisation, by=by, verb="matched_spend", target=organisation, label="", details=said
        )
    return moved


def rematch_stored(organisation_id: int) -> Moved:
    """All stored lines by the billing tags and rules as they are now. Inside an act that holds the lock."""
    return rematch(ActualLine.objects.filter(organisation=organisation_id), attribution.today(organisation_id))


def said_of(moved: Moved) -> dict[str, Any]:
    """What an act that moved spend beside something else puts into its event; nothing where none moved."""
    return {"matched_lines": moved.lines, "matched_usd": _dollars(moved.usd)} if moved.lines else {}


def rematch(lines: QuerySet[ActualLine], known: Attribution) -> Moved:
    """Store on each of these lines the use case its tags name; of those that changed, what counts. Inside an act."""
    moved: dict[int | None, list[int]] = {}
    counted, usd = 0, Decimal(0)
    fields = ("pk", "use_case_id", "tags", "service", "model", "cost_usd", "source__state")
    rows = lines.order_by("pk").values_list(*fields)
    for pk, before, tags, service, model, cost, state in rows.iterator(chunk_size=BATCH):
        after = known.use_case_of(attribution.tags_of(tags), service=service, model=model)
        if after != before:
            moved.setdefault(after, []).append(pk)
            if state == State.APPLIED:
                counted, usd = counted + 1, usd + cost
    for use_case_id, keys in moved.items():
        for some in _batches(keys):
            ActualLine.objects.filter(pk__in=some).update(use_case=use_case_id)
    return Moved(counted, usd)


def _forget_alike(organisation_id: int, key: str, value: str) -> None:
    """Rules of the same tag in other letters: capitals do not tell two tags apart."""
    rules = TagRule.objects.filter(organisation=organisation_id).exclude(key=key, value=value).order_by()
    alike = [pk for pk, *tag in rules.values_list("pk", "key", "value") if is_same_tag(tag, (key, value))]
    TagRule.objects.filter(pk__in=alike).delete()


def _priced(lines: Iterable[SpendLine], rates: Rates) -> tuple[list[tuple[SpendLine, Decimal]], list[Failure]]:
    """Each line with its US dollars, and the lines whose currency has no rate."""
    priced, failures = [], []
    for line in lines:
        try:
            rate = rates.usd(line.currency, line.month)
        except ValueError:
            failures.append(Failure(line.line, "Currency", f"There is no exchange rate of {line.currency}. {NO_RATE}"))
            continue
        usd = line.cost * rate
        if max(abs(line.cost), abs(usd)) >= LARGEST:  # each row may be smaller: usage is summed
            failures.append(Failure(line.line, "Cost", f"{line.cost:,.0f} {line.currency} cannot be spent; {CHECK}"))
        else:
            priced.append((line, usd.quantize(spent.STORED)))
    return priced, failures


def _row(source: ActualImport, line: SpendLine, sha256: str, cost_usd: Decimal, known: Attribution) -> ActualLine:
    return ActualLine(
        organisation_id=source.organisation_id,
        source=source,
        line=line.line,
        line_sha256=sha256,
        use_case_id=known.use_case_of(line.tags, service=line.service[:200], model=line.model[:200]),
        month=line.month,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        provider=line.provider[:120],
        service=line.service[:200],
        model=line.model[:200],
        component=line.component,
        cost=line.cost,
        currency=line.currency,
        cost_usd=cost_usd,
        requests=line.requests,
        input_tokens=line.input_tokens,
        cached_tokens=line.cached_tokens,
        output_tokens=line.output_tokens,
        tags=attribution.stored_tags(line.tags),
        description=line.description[:400],
    )


def _counted_already(organisation_id: int, hashes: list[str]) -> set[str]:
    """Which of these lines count already."""
    there: set[str] = set()
    for some in _batches(hashes):
        counting = spent.counting(organisation_id).filter(line_sha256__in=some)
        there.update(counting.values_list("line_sha256", flat=True))
    return there


@dataclass(frozen=True)
class _Counted:
    """The lines of one file, the very same bytes, that count already: read otherwise, they would count twice."""

    lines: frozenset[int]
    is_all: bool  # rows were summed: no line tells which of them it holds

    def holds(self, line: int) -> bool:
        return self.is_all or line in self.lines


def _counted_of(proposal: ActualImport) -> _Counted:
    """Of another currency chosen, another format or other tags kept, a line's hash tells nothing; its place does."""
    same = ActualImport.objects.filter(
        organisation_id=proposal.organisation_id, file_sha256=proposal.file_sha256, state=State.APPLIED
    ).exclude(pk=proposal.pk)
    formats = dict(same.values_list("pk", "format"))
    lines = ActualLine.objects.filter(source__in=formats).order_by().values_list("line", flat=True)
    summed = bool(formats) and any(one in SUMMED for one in (proposal.format, *formats.values()))
    return _Counted(frozenset(lines), summed and lines.exists())


def _batches(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _locked(row: ActualImport) -> ActualImport:
    audit.lock(row.organisation_id)
    return ActualImport.objects.select_related("organisation").get(pk=row.pk)


def _check(current: ActualImport, wanted: str) -> None:
    if current.state != wanted:
        raise DecidedError(f"The file was {current.get_state_display().lower()} meanwhile.")


def _decide(current: ActualImport, state: str, by: User) -> None:
    current.state, current.decided_by, current.decided_at = state, by, timezone.now()
    current.save(update_fields=["state", "decided_by", "decided_at", "duplicates"])


def _plain(failures: tuple[Failure, ...], notes: tuple[str, ...]) -> list[dict[str, Any]]:
    """What an import keeps of how its file was read: notes in line 0, then the rows that failed, the first by name."""
    said = [*notes]
    if more := len(failures) - MOST_FAILURES:
        said += [f"{more:,} more rows could not be read."] if more > 0 else []
    return [asdict(Failure(0, "", note)) for note in said] + [asdict(one) for one in failures[:MOST_FAILURES]]


def _dollars(usd: Decimal) -> str:
    return f"{usd:,.2f}"


def _record(verb: str, target: ActualImport, by: User, details: dict[str, Any]) -> None:
    audit.record(organisation=target.organisation, by=by, verb=verb, target=target, details=details)
