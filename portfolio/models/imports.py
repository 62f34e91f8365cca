"""An uploaded register as a proposal: what it would change, row by row."""

from __future__ import annotations

from django.db import models

from costing.public import Upload


class RegisterImport(Upload):
    """An uploaded table of use cases."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPLIED = "applied", "Taken over"
        DISCARDED = "discarded", "Discarded"

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="register_imports"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    rows = models.JSONField(default=list)  # the rows that can be taken over, as plain values
    result = models.JSONField(null=True)  # once taken over: what became of each row
