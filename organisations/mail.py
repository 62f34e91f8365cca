"""Mails the notices that wait for it, at most once each.

A notice is claimed by one conditional UPDATE before its mail leaves, and released when the mail server cannot be
reached or puts the mail off, so that the next sweep tries again. Whichever of several workers claims it sends it; one
that is killed between the claim and the sending loses a mail, never sends two.
"""

from __future__ import annotations

import logging
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from organisations.models import Notice

TIMEOUT_S = 10
BATCH = 200  # so many in one sweep: well inside a task's time limit; the rest follows with the next
SUBJECT_LENGTH = 150

logger = logging.getLogger(__name__)


def send_waiting() -> int:
    """Mail every notice that waits for it; how many left. Ends at once when the server cannot be reached."""
    waiting = list(Notice.objects.to_mail()[:BATCH])
    if not waiting:
        return 0
    sent = 0
    connection = get_connection(timeout=TIMEOUT_S)
    try:
        connection.open()
        for notice in waiting:
            sent += _send(notice, connection)
    except (OSError, SMTPException):
        logger.warning("the mail server cannot be reached; %s notices wait", len(waiting) - sent, exc_info=True)
    finally:
        connection.close()
    return sent


def absolute(path: str) -> str:
    """The address of a page for somebody who reads it outside the product."""
    return f"{settings.SITE_URL}{path}"


def compose(notice: Notice) -> EmailMessage:
    """The mail of a notice: plain text, one link."""
    context = {
        "notice": notice,
        "link": absolute(reverse("notice", args=[notice.pk])),
        "settings_link": absolute(reverse("notices")),
    }
    line = " ".join(notice.text.split())
    return EmailMessage(
        subject=line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1]}…",
        body=render_to_string("organisations/email/notice.txt", context),
        to=[notice.person.email],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _send(notice: Notice, connection: Any) -> bool:
    """Claim and send one. Raises what tells that the server is out of reach, after releasing the claim."""
    unclaimed = Notice.objects.filter(pk=notice.pk, mailed_at__isnull=True)
    if not unclaimed.update(mailed_at=timezone.now()):
        return False
    message = compose(notice)
    message.connection = connection
    try:
        return message.send() == 1
    except (SMTPRecipientsRefused, SMTPResponseException, ValueError) as error:
        if _is_put_off(error):
            _release(notice)
            if isinstance(error, SMTPRecipientsRefused | SMTPDataError):  # this mail alone: the others still go
                logger.warning("the mail of notice %s is put off by the server", notice.pk, exc_info=True)
                return False
            raise
        # For good: the address or the mail itself is refused. The notice stays behind the bell.
        logger.warning("the mail of notice %s was refused and is not tried again", notice.pk, exc_info=True)
        return False
    except (OSError, SMTPException):
        _release(notice)
        raise


def _is_put_off(error: Exception) -> bool:
    """Whether the server said “not now” (4xx): a full mailbox, a sender it does not know yet."""
    if isinstance(error, SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    else:
        codes = [error.smtp_code] if isinstance(error, SMTPResponseException) else []
    return bool(codes) and max(codes) < 500


def _release(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(mailed_at=None)
