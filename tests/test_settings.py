"""What the settings make of the environment, as several processes see it."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.test import Client

from config import settings as module

ROOT = Path(__file__).resolve().parent.parent


def printed(expression: str, data: Path, **env: str) -> str:
    """What `expression` is with the settings read anew under `env`."""
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HTTPS")}
    done = subprocess.run(
        [sys.executable, "-c", f"from config import settings; print({expression})"],
        cwd=ROOT,
        env=clean | {"DATA_DIR": str(data)} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def keys_at_once(count: int) -> list[str]:
    """What `count` processes would take as the secret key; here threads, which meet more often."""
    start = threading.Barrier(count)

    def key(_: int) -> str:
        start.wait()
        return module._secret_key()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(key, range(count)))


def test_processes_that_start_at_once_agree_on_the_generated_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for n in range(20):
        monkeypatch.setattr(module, "DATA_DIR", tmp_path / str(n))
        module.DATA_DIR.mkdir()
        keys = keys_at_once(8)
        assert (len(keys), len(set(keys)), len(keys[0])) == (8, 1, 67)  # 50 bytes in base 64: ⌈50 × 8 / 6⌉
        (kept,) = module.DATA_DIR.iterdir()
        assert (kept.name, kept.stat().st_mode & 0o777) == ("secret-key", 0o600)


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    said = printed(
        "settings.DATABASES['default']['ENGINE'], settings.REDIS_URL[:13]", tmp_path, DATABASE_URL="", REDIS_URL=""
    )
    assert said == "django.db.backends.sqlite3 redis+socket:"


def test_a_server_database_needs_a_key_of_its_own(tmp_path: Path) -> None:
    said = printed("settings.SECRET_KEY", tmp_path, DATABASE_URL="postgres://a@127.0.0.1/b")
    assert said.endswith("set it to 50 random characters, the same for every process")


def test_limits_on_guessing_count_across_processes(tmp_path: Path) -> None:
    """A cache in each process's own memory would grant every web process its own number of tries."""
    cache = "__import__('django.core.cache', fromlist=['cache']).cache"
    told = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    assert printed(f"{cache}.set('tries', 1)", tmp_path, **told) == "None"
    assert printed(f"{cache}.incr('tries')", tmp_path, **told) == "2"


@pytest.mark.parametrize(("https", "proxies"), [("true", "1"), ("false", "0")])
def test_who_asks_is_told_by_the_proxy_only_where_there_is_one(tmp_path: Path, https: str, proxies: str) -> None:
    assert printed("settings.ALLAUTH_TRUSTED_PROXY_COUNT", tmp_path, HTTPS=https) == proxies


@pytest.mark.django_db
def test_a_probe_asks_for_health_without_tls(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert [client.get(path).status_code for path in ("/healthz", "/use-cases/")] == [200, 301]


def test_a_reaper_s_call_that_nobody_took_expires() -> None:
    """Without workers, beat would fill the queue with calls that all do the same."""
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        is_daily = isinstance(entry["schedule"], crontab)
        assert entry["options"] == {"expires": 3600 if is_daily else 60}, name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "http://localhost:8000"),
        ("https://tunewise.example.org/", "https://tunewise.example.org"),
        ("tunewise.example.org", "like https://tunewise.example.org"),
        ("javascript://x", "like https://tunewise.example.org"),
        ("https://tunewise.example.org/?a=b", "like https://tunewise.example.org"),
    ],
)
def test_where_mails_lead(tmp_path: Path, given: str, said: str) -> None:
    assert printed("settings.SITE_URL", tmp_path, SITE_URL=given).endswith(said)
