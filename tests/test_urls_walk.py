"""Walks every URL of the project as everybody in the cast, and compares the status with a table.

Each app keeps its rows in `tests/<app>/url_expectations.py`:

* `EXPECTED`: URL name → status per part (`anonymous`, `owner`, `editor`, `reviewer`, `viewer`, `respondent`,
  `outsider`) for GET, and "POST <URL name>" → the same for a POST with an empty body. `row` and `everybody` of
  `tests.organisations.url_expectations` help to write rows. A URL without a row fails. Without a POST row, a POST must
  answer 405 or as GET does.
* `make_kwargs(name, organisation)` → the URL's arguments, made of real rows of that organisation. It is called anew for
  each request, and what the request changes is rolled back. The outsider owns another organisation: their status for
  somebody else's row is 404.

allauth's and the admin's addresses are tested by their authors.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from organisations.models import Organisation, User
from tests.organisations.url_expectations import Row, everybody

OTHERS = ("accounts/", "admin/")
PROJECT_ROWS: dict[str, Row] = {
    "home": {**everybody(200), "respondent": 302},
    "health": everybody(200, anonymous=200),
}


def _named(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            if str(entry.pattern) not in OTHERS:
                yield from _named(entry.url_patterns)
        else:
            yield entry.name or f"(no name: {entry.pattern})"


def _app_tables() -> list[ModuleType]:
    names = (f"tests.{app}.url_expectations" for app in ("organisations", "costing", "portfolio"))
    return [import_module(name) for name in names if find_spec(name)]


TABLES = _app_tables()
URL_NAMES = sorted(set(_named(get_resolver().url_patterns)))
EXPECTED: dict[str, Row] = PROJECT_ROWS | {name: row for table in TABLES for name, row in table.EXPECTED.items()}


def _path(name: str, organisation: Organisation) -> str:
    for table in TABLES:
        if name in table.EXPECTED:
            return reverse(name, kwargs=table.make_kwargs(name, organisation))
    return reverse(name)


def _walked(
    name: str, method: str, organisation: Organisation, cast: dict[str, User | None], sign_in: Callable[..., Client]
) -> Row:
    """The status each of the cast gets, every request on fresh rows and rolled back after it."""
    statuses = {}
    for part, user in cast.items():
        with transaction.atomic():
            client = sign_in(user)
            statuses[part] = getattr(client, method)(_path(name, organisation)).status_code
            transaction.set_rollback(True)
    return statuses


def test_every_url_has_a_name_and_a_row() -> None:
    assert [name for name in URL_NAMES if name not in EXPECTED] == []


def test_every_row_has_a_url() -> None:
    assert [name for name in EXPECTED if name.removeprefix("POST ") not in URL_NAMES] == []


@pytest.mark.parametrize("name", [name for name in URL_NAMES if name in EXPECTED])
def test_get(
    name: str, organisation: Organisation, cast: dict[str, User | None], sign_in: Callable[..., Client]
) -> None:
    assert _walked(name, "get", organisation, cast, sign_in) == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in URL_NAMES if name in EXPECTED])
def test_post(
    name: str, organisation: Organisation, cast: dict[str, User | None], sign_in: Callable[..., Client]
) -> None:
    walked = _walked(name, "post", organisation, cast, sign_in)
    if f"POST {name}" in EXPECTED:
        assert walked == EXPECTED[f"POST {name}"]
    else:
        assert walked == {part: 405 if walked[part] == 405 else status for part, status in EXPECTED[name].items()}
