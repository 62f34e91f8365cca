"""Which currencies an organisation can show its spend in: asked of whoever keeps the exchange rates."""

from __future__ import annotations

from collections.abc import Callable

USD = "USD"
Known = Callable[[int], tuple[str, ...]]  # organisation's key → currency codes

_providers: list[Known] = []


def provide(known: Known) -> None:
    """Register who knows the exchange rates; once for each process, when the apps are ready."""
    if known not in _providers:
        _providers.append(known)


def known_to(organisation_id: int) -> tuple[str, ...]:
    """The US dollar, and every currency with an exchange rate."""
    return tuple(dict.fromkeys((USD, *(code for known in _providers for code in known(organisation_id)))))
