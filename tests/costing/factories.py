"""Scenarios and projections for tests."""

import hashlib
import json
import uuid

import factory
from factory.django import DjangoModelFactory

from costing.models import Projection, Scenario
from tests.factories import OrganisationFactory


class ScenarioFactory(DjangoModelFactory):
    class Meta:
        model = Scenario

    organisation = factory.SubFactory(OrganisationFactory)
    lineage = factory.LazyFunction(uuid.uuid4)
    revision = 1
    title = factory.Sequence(lambda n: f"Scenario {n}")
    spec = factory.LazyAttribute(lambda o: {"title": o.title, "start": "2026-12", "months": 12})
    spec_sha256 = factory.LazyAttribute(lambda o: hashlib.sha256(json.dumps(o.spec).encode()).hexdigest())


class ProjectionFactory(DjangoModelFactory):
    class Meta:
        model = Projection

    scenario = factory.SubFactory(ScenarioFactory)
    seed = 1
    draws = 256
