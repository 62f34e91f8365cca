"""The Celery application: reads the settings, finds the tasks, wakes the reapers when a worker is ready."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# One process works per core: threads that the numerical library starts by itself would only wait for each other. It
# reads this when it is loaded, so it is set before any task is.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# kombu by itself asks an unreachable broker for six seconds more; a page must not wait for that, the reaper asks again.
FAIL_FAST = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}

app = Celery("tunewise")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def fail_fast(sender: Celery, **_: Any) -> None:
    """Add FAIL_FAST to the transport's options; here because the settings are loaded only now."""
    sender.conf.broker_transport_options = {**sender.conf.broker_transport_options, **FAIL_FAST}


@worker_ready.connect
def reap_at_once(**_: Any) -> None:
    """A worker that starts does not wait for beat: jobs left over from before are asked for now."""
    for entry in app.conf.beat_schedule.values():
        app.send_task(entry["task"])
