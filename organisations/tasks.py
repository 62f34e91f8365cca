"""Celery's entrances, and how an act wakes them. The rows say what is to be done; a message only wakes a worker."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerUnreachable
from redis.exceptions import RedisError

from organisations import mail
from organisations.models import Notice

QUEUE_UNREACHABLE = (BrokerUnreachable, RedisError, OSError)  # OSError: the socket's file is not there

logger = logging.getLogger(__name__)


@shared_task(name="organisations.mail_notices")
def mail_notices() -> None:
    mail.send_waiting()


@shared_task(name="organisations.prune_notices")
def prune_notices() -> None:
    Notice.objects.prune()


def mail_after_commit() -> None:
    """Have the notices mailed once the surrounding transaction is committed; the sweep does it where no broker is."""
    transaction.on_commit(_wake)


def _wake() -> None:
    try:
        mail_notices.delay()
    except QUEUE_UNREACHABLE:
        logger.warning("the queue cannot be reached; the next sweep mails the notices")
