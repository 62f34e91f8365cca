"""Django's registration of the app."""

from django.apps import AppConfig

AUDIT_PHRASES = {
    ("scenario.revised", "costing.scenario"): "{actor} stored {target} of the cost inputs.",
    ("projection.requested", "costing.projection"): "{actor} asked for a cost projection of {target}.",
    ("projection.cancelled", "costing.projection"): "{actor} cancelled the cost projection of {target}.",
    ("projection.retried", "costing.projection"): "{actor} started the cost projection of {target} again.",
}


class CostingConfig(AppConfig):
    name = "costing"

    def ready(self) -> None:
        from organisations import audit  # noqa: PLC0415 - models can be imported only once the apps are loaded

        audit.add_phrases(AUDIT_PHRASES)
