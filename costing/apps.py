"""Django's registration of the app."""

from django.apps import AppConfig

AUDIT_PHRASES = {
    ("revised", "costing.scenario"): "{actor} stored {target} of the cost inputs.",
    ("requested", "costing.projection"): "{actor} asked for a cost projection of {target}.",
    ("cancelled", "costing.projection"): "{actor} cancelled the cost projection of {target}.",
    ("retried", "costing.projection"): "{actor} started the cost projection of {target} again.",
}


class CostingConfig(AppConfig):
    name = "costing"

    def ready(self) -> None:
        from organisations import audit  # noqa: PLC0415 - models can be imported only once the apps are loaded

        audit.add_phrases(AUDIT_PHRASES)
