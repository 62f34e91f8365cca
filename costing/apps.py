"""Django's registration of the app."""

from django.apps import AppConfig

AUDIT_PHRASES = {
    ("revised", "costing.scenario"): "{actor} stored {target} of the cost inputs.",
    ("requested", "costing.projection"): "{actor} asked for a cost projection of {target}.",
    ("cancelled", "costing.projection"): "{actor} cancelled the cost projection of {target}.",
    ("retried", "costing.projection"): "{actor} started the cost projection of {target} again.",
    ("set_rate", "costing.pricebook"): "{actor} set a rate of the organisation’s own: {rate}.",
    ("changed_rate", "costing.pricebook"): "{actor} changed a rate of the organisation’s own: {rate}.",
    ("ended_rate", "costing.pricebook"): "{actor} ended a rate of the organisation’s own: {rate}.",
    ("removed_rate", "costing.pricebook"): "{actor} removed a rate of the organisation’s own: {rate}.",
    ("added_currency", "costing.pricebook"): "{actor} added an exchange rate: {rate}.",
    ("restored", "costing.pricebook"): "{actor} restored {restored} of the price book as a new one.",
    ("imported", "costing.pricebook"): "{actor} took {rows} rates from a price list into the price book.",
    ("proposed", "costing.priceimport"): "{actor} uploaded the price list {target} to look at.",
    ("discarded", "costing.priceimport"): "{actor} discarded the price list {target}.",
}


class CostingConfig(AppConfig):
    name = "costing"

    def ready(self) -> None:
        from costing import price_books  # noqa: PLC0415 - models can be imported only once the apps are loaded
        from organisations import audit, currency  # noqa: PLC0415

        audit.add_phrases(AUDIT_PHRASES)
        currency.provide(price_books.currencies_of)
