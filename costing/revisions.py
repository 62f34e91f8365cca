"""Scenario revisions for many lineages at once, as a portfolio needs them: no audit event for each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max, Q

from costing.engine.inputs import ScenarioSpec, spec_to_dict
from costing.models import Scenario
from costing.runner import sha256_of
from organisations import audit


@transaction.atomic
def store_revisions(
    *, organisation_id: int, specs: Mapping[uuid.UUID, ScenarioSpec], note: str
) -> dict[uuid.UUID, tuple[Scenario, bool]]:
    """The specs as revisions of their lineages, each with whether it is new; four queries.

    A spec that its lineage holds already is returned as it was stored. The act that asks records how many are new.
    """
    audit.lock(organisation_id)  # of two who store at once, the second continues from the first's revision
    documents = {lineage: spec_to_dict(spec) for lineage, spec in specs.items()}
    shas = {lineage: sha256_of(document) for lineage, document in documents.items()}
    of_lineages = Scenario.objects.filter(organisation_id=organisation_id, lineage__in=specs)
    same = of_lineages.filter(spec_sha256__in=shas.values()).order_by("revision")
    stored = {row.lineage: row for row in same if row.spec_sha256 == shas[row.lineage]}
    latest = dict(of_lineages.order_by().values_list("lineage").annotate(Max("revision")))
    missing = [
        Scenario(
            organisation_id=organisation_id,
            lineage=lineage,
            revision=latest.get(lineage, 0) + 1,
            title=spec.title[:320],
            spec=documents[lineage],
            spec_sha256=shas[lineage],
            note=note,
        )
        for lineage, spec in specs.items()
        if lineage not in stored
    ]
    made = {row.lineage: row for row in Scenario.objects.bulk_create(missing)}
    return {lineage: (made.get(lineage) or stored[lineage], lineage in made) for lineage in specs}


def newest_of(organisation_id: int, lineages: list[uuid.UUID]) -> dict[uuid.UUID, Scenario]:
    """The newest revision of each lineage that has one; two queries."""
    rows = Scenario.objects.filter(organisation_id=organisation_id, lineage__in=lineages)
    newest = rows.order_by().values_list("lineage").annotate(Max("revision"))
    which = Q(pk__in=())
    for lineage, revision in newest:
        which |= Q(lineage=lineage, revision=revision)
    return {row.lineage: row for row in Scenario.objects.filter(which)}
