"""What every URL of the app answers to whom; see `tests/test_urls_walk.py` for how to read and add rows."""

from typing import Any

from organisations.models import Organisation
from tests.organisations.url_expectations import everybody

EXPECTED = {
    "methods": everybody(200),
}


def make_kwargs(name: str, organisation: Organisation) -> dict[str, Any]:
    """The arguments of the URL `name`, with real rows of `organisation`."""
    return {}
