"""Which tests one process runs: those of a file together, those in a browser all together and first.

pytest-xdist's own groups are no help: it hands them over in the tests' ids, which pytest from 9.2 on does not allow any
more, and then deals the tests out one by one without a word. And a file's tests share what their fixtures have built.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

BROWSER = "tests/browser"


class ByFile(LoadFileScheduling):
    """Deals out files in the order of `in_order`, and all of the browser's tests as one: they share one product."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(f"{BROWSER}/") else super()._split_scope(nodeid)


def in_order(items: list[pytest.Item]) -> None:
    """The browser's tests first, as no other group takes as long; the many small ones last, so that all end at once."""
    items.sort(key=lambda item: (not item.nodeid.startswith(f"{BROWSER}/"), bool(item.get_closest_marker("pure"))))
