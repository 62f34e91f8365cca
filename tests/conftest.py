"""What every test stands on: quick and quiet settings, and the cast.

The cast is one organisation with a person per role, and an outsider who owns another organisation:
`owner`, `editor`, `reviewer`, `viewer`, `respondent`, `outsider` are users, all with the password `factories.PASSWORD`;
`sign_in(user)` gives a test client signed in as one of them, and `client` (pytest-django) is anonymous.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer

from config.celery import app as celery_app
from organisations.models import Organisation, User
from organisations.roles import Role
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory
from tests.scheduling import ByFile, in_order

hypothesis_settings.register_profile("tests", deadline=None)  # how long an example takes says how busy the machine is
hypothesis_settings.load_profile("tests")

HERE = Path(__file__).parent
PURE = ("costing/engine", "costing/charts", "portfolio/questionnaire", "portfolio/governance")

if sys.dont_write_bytecode:
    # Containers often forbid Python to keep what it has compiled. The tests start dozens of processes, and each would
    # compile Django, NumPy and SciPy anew, for two seconds; it is kept beside pytest's cache, apart from the sources.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(HERE.parent / ".pytest_cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of the pure cores: they know no database, so one run is enough for all databases."""
    for item in items:
        if any(item.path.is_relative_to(HERE / folder) for folder in PURE):
            if item.get_closest_marker("django_db"):
                raise pytest.UsageError(f"{item.nodeid} uses a database; move it out of {', '.join(PURE)}")
            item.add_marker("pure")
    in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """How `--dist loadgroup` deals out the tests."""
    return ByFile(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file, as in production: threads of one test then wait for each other instead of failing."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture(autouse=True)
def quick_settings(settings: Any, static_root: Path) -> None:
    """No manifest of static files, a cheap password hash, mail into `django.core.mail.outbox`, a cache of its own."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.STATIC_ROOT = str(static_root)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(autouse=True)
def no_broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test enqueues goes to a broker in memory that nobody reads, unless the test is marked `workers`."""
    assert celery_app.conf.broker_url  # loads the settings, which would replace a change made before
    if not request.node.get_closest_marker("workers"):
        monkeypatch.setitem(celery_app.conf.changes, "broker_url", "memory://")
        monkeypatch.setitem(celery_app.conf.changes, "broker_transport_options", {})
        yield
        return
    celery_app._after_fork()  # forgets the connections to the broker in memory
    yield
    celery_app._after_fork()


@pytest.fixture(autouse=True)
def fresh_cache(quick_settings: None) -> Iterator[None]:
    """Rate limits count in the cache; no test inherits another's."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def organisation(db: None) -> Organisation:
    return OrganisationFactory(name="Northwind Retail")


def _member(organisation: Organisation, role: Role, name: str) -> User:
    user = UserFactory(name=name, email=f"{role}@northwind.example")
    MembershipFactory(organisation=organisation, user=user, role=role)
    return user


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return _member(organisation, Role.OWNER, "Olga Owner")


@pytest.fixture
def editor(organisation: Organisation) -> User:
    return _member(organisation, Role.EDITOR, "Edith Editor")


@pytest.fixture
def reviewer(organisation: Organisation) -> User:
    return _member(organisation, Role.REVIEWER, "Rafael Reviewer")


@pytest.fixture
def viewer(organisation: Organisation) -> User:
    return _member(organisation, Role.VIEWER, "Vera Viewer")


@pytest.fixture
def respondent(organisation: Organisation) -> User:
    return _member(organisation, Role.RESPONDENT, "Ravi Respondent")


@pytest.fixture
def outsider(db: None) -> User:
    """Owner of another organisation."""
    user = UserFactory(name="Otto Outsider", email="outsider@elsewhere.example")
    MembershipFactory(organisation=OrganisationFactory(name="Elsewhere"), user=user, role=Role.OWNER)
    return user


@pytest.fixture
def cast(
    owner: User, editor: User, reviewer: User, viewer: User, respondent: User, outsider: User
) -> dict[str, User | None]:
    """Everybody by the name of their part; `anonymous` is None."""
    return {
        "anonymous": None,
        "owner": owner,
        "editor": editor,
        "reviewer": reviewer,
        "viewer": viewer,
        "respondent": respondent,
        "outsider": outsider,
    }


@pytest.fixture
def sign_in() -> Callable[[User | None], Client]:
    """A new client signed in as the given person, without the sign-in page; anonymous for None."""

    def signed_in(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def owner_client(sign_in: Callable[[User | None], Client], owner: User) -> Client:
    return sign_in(owner)


@pytest.fixture
def editor_client(sign_in: Callable[[User | None], Client], editor: User) -> Client:
    return sign_in(editor)


@pytest.fixture
def reviewer_client(sign_in: Callable[[User | None], Client], reviewer: User) -> Client:
    return sign_in(reviewer)


@pytest.fixture
def viewer_client(sign_in: Callable[[User | None], Client], viewer: User) -> Client:
    return sign_in(viewer)


@pytest.fixture
def respondent_client(sign_in: Callable[[User | None], Client], respondent: User) -> Client:
    return sign_in(respondent)


@pytest.fixture
def outsider_client(sign_in: Callable[[User | None], Client], outsider: User) -> Client:
    return sign_in(outsider)
