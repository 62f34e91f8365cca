"""Whose spend a line is, by its tags. Pure but for `today`, which reads the tags and the rules; never guesses.

A line belongs to the use case whose billing tag it carries: in the column that names the use case, else in any tag;
else to that of a rule somebody made (`TagRule`) for a tag, a model or a service. Where two use
cases are named, it belongs to none and stays in sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from portfolio.actuals.lines import USE_CASE, Tags
from portfolio.models import TagRule, UseCase

# Keys of rules that look at what was used instead of a tag.
MODEL, SERVICE = "@model", "@service"

Said = TypeVar("Said", str, tuple[str, str])


@dataclass(frozen=True)
class Attribution:
    """What names use cases. Texts are compared without regard to case and to blanks around them."""

    billing_tags: Mapping[str, int]  # lower-case tag → use case
    rules: Mapping[tuple[str, str], int]  # (key, value) in lower case → use case; key "" for any

    def use_case_of(self, tags: Tags, *, service: str = "", model: str = "") -> int | None:
        """The use case that these name; None where they name none, or two. A tag goes before model and service."""
        said = [(_bare(key), _bare(value)) for key, value in tags]
        own = [value for key, value in said if key == _bare(USE_CASE)]
        for found in (
            {self.billing_tags[value] for value in own if value in self.billing_tags},
            {self.billing_tags[value] for _, value in said if value in self.billing_tags},
            {self.rules[pair] for pair in said if pair in self.rules},
            {self.rules["", value] for _, value in said if ("", value) in self.rules},
            {self.rules[pair] for pair in ((MODEL, _bare(model)),) if pair in self.rules},
            {self.rules[pair] for pair in ((SERVICE, _bare(service)),) if pair in self.rules},
        ):
            if found:
                return found.pop() if len(found) == 1 else None
        return None

    @property
    def values(self) -> frozenset[str]:
        """All that names a use case today, in lower case: what a reader must keep of a tag with many values."""
        return frozenset(self.billing_tags) | {value for _, value in self.rules}


def today(organisation_id: int) -> Attribution:
    """The tags and rules of an organisation; two queries."""
    tagged = UseCase.objects.filter(organisation_id=organisation_id).exclude(billing_tag="").order_by()
    rules = TagRule.objects.filter(organisation_id=organisation_id).order_by()
    return Attribution(
        _unambiguous((_bare(tag), pk) for tag, pk in tagged.values_list("billing_tag", "pk")),
        _unambiguous(
            ((_bare(key), _bare(value)), pk) for key, value, pk in rules.values_list("key", "value", "use_case_id")
        ),
    )


def _unambiguous(named: Iterable[tuple[Said, int]]) -> dict[Said, int]:
    """What names one use case. Two can be named alike: databases fold fewer letters than Python ("ß", "É")."""
    found: dict[Said, set[int]] = {}
    for said, pk in named:
        found.setdefault(said, set()).add(pk)
    return {said: keys.pop() for said, keys in found.items() if len(keys) == 1}


def stored_tags(tags: Tags) -> dict[str, list[str]]:
    """Tags as a line stores them: key → its values."""
    found: dict[str, list[str]] = {}
    for key, value in tags:
        found.setdefault(key, []).append(value)
    return found


def tags_of(stored: Mapping[str, Iterable[str]]) -> Tags:
    """The inverse of `stored_tags`."""
    return tuple((key, value) for key, values in stored.items() for value in values)


def is_same_tag(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two pairs of key and value name the same."""
    return [_bare(text) for text in one] == [_bare(text) for text in other]


def _bare(text: str) -> str:
    return text.strip().casefold()
