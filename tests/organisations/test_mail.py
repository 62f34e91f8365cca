"""Mail of notices: to whom, once, and what happens when the server or the broker is away."""

import socket
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse
from django.utils import timezone

from config.celery import app as celery_app
from organisations import mail, notices, tasks
from organisations.models import Membership, Notice, Organisation, User


def tell(person: User, organisation: Organisation, text: str = "Olga asks you to answer “Knowledge”.") -> Notice:
    notices.tell(person, organisation, kind="asked", text=text, path="/requests/")
    return Notice.objects.latest("pk")


class Refusing(EmailBackend):
    """A mail server that answers with `trouble` to every mail to `address`."""

    trouble: Exception | None = None
    address = "editor@northwind.example"

    def send_messages(self, messages: Any) -> int:
        if self.trouble and self.address in messages[0].to:
            raise self.trouble
        return super().send_messages(messages)


@pytest.fixture
def refusing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    return lambda trouble: monkeypatch.setattr(Refusing, "trouble", trouble)


def test_a_mail_says_it_and_where_to_go_once(organisation: Organisation, editor: User, settings: Any) -> None:
    settings.SITE_URL = "https://tunewise.example.org"
    notice = tell(editor, organisation, "Olga fragt: “Größe?” 👩‍🔬 שלום")
    tasks.mail_notices()
    tasks.mail_notices()
    (message,) = django_mail.outbox
    assert (message.to, message.subject) == (["editor@northwind.example"], "Olga fragt: “Größe?” 👩‍🔬 שלום")
    assert f"https://tunewise.example.org{reverse('notice', args=[notice.pk])}\n" in message.body
    assert f"https://tunewise.example.org{reverse('notices')}" in message.body
    assert message.content_subtype == "plain"
    assert message.message()["Auto-Submitted"] == "auto-generated"
    notice.refresh_from_db()
    assert notice.mailed_at is not None


def test_nobody_writes_a_header(organisation: Organisation, editor: User) -> None:
    notice = tell(editor, organisation)
    Notice.objects.filter(pk=notice.pk).update(text="Hello\r\nBcc: everybody@example.org\n\n" + "x" * 400)
    tasks.mail_notices()
    (message,) = django_mail.outbox
    assert "Bcc" not in message.message()
    assert len(message.subject) == 150
    assert message.recipients() == ["editor@northwind.example"]


def test_who_is_not_mailed(organisation: Organisation, owner: User, editor: User, viewer: User, reviewer: User) -> None:
    for person in (owner, editor, viewer, reviewer):
        tell(person, organisation)
    Membership.objects.filter(user=owner).update(wants_mail=False)
    Membership.objects.filter(user=viewer).update(removed_at=timezone.now())
    Notice.objects.filter(person=reviewer).update(created_at=timezone.now() - timedelta(days=3))
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert mail.send_waiting() == 0
    User.objects.filter(pk=editor.pk).update(is_active=True)
    Organisation.objects.update(is_demo=True)
    assert mail.send_waiting() == 0
    Organisation.objects.update(is_demo=False)
    notices.mark_all_read(Membership.objects.get(user=editor))
    assert mail.send_waiting() == 0
    Notice.objects.filter(person=editor).update(read_at=None)
    assert mail.send_waiting() == 1


@pytest.mark.parametrize("trouble", [SMTPServerDisconnected("gone"), OSError("no route"), SMTPDataError(451, b"later")])
def test_a_server_that_is_away_is_asked_again(
    organisation: Organisation, editor: User, refusing: Callable[..., None], trouble: Exception
) -> None:
    notice = tell(editor, organisation)
    refusing(trouble)
    tasks.mail_notices()
    notice.refresh_from_db()
    assert (django_mail.outbox, notice.mailed_at) == ([], None)
    refusing(None)
    tasks.mail_notices()
    assert [message.to for message in django_mail.outbox] == [["editor@northwind.example"]]


@pytest.mark.parametrize("trouble", [SMTPRecipientsRefused({}), SMTPDataError(554, b"no"), ValueError("bad header")])
def test_a_refused_address_holds_nobody_up(
    organisation: Organisation, editor: User, owner: User, refusing: Callable[..., None], trouble: Exception
) -> None:
    tell(editor, organisation)
    tell(owner, organisation)
    refusing(trouble)
    tasks.mail_notices()
    tasks.mail_notices()
    assert [message.to for message in django_mail.outbox] == [["owner@northwind.example"]]


@pytest.mark.parametrize(
    "trouble",
    [SMTPRecipientsRefused({"editor@northwind.example": (450, b"busy")}), SMTPDataError(451, b"later")],
    ids=["recipient", "mail"],
)
def test_a_mail_that_is_put_off_holds_nobody_up_and_is_tried_again(
    organisation: Organisation, editor: User, owner: User, refusing: Callable[..., None], trouble: Exception
) -> None:
    tell(editor, organisation)
    tell(owner, organisation)
    refusing(trouble)
    tasks.mail_notices()
    assert [message.to for message in django_mail.outbox] == [["owner@northwind.example"]]
    refusing(None)
    tasks.mail_notices()
    assert [message.to for message in django_mail.outbox[1:]] == [["editor@northwind.example"]]


def test_what_another_worker_has_claimed_is_not_sent(organisation: Organisation, editor: User) -> None:
    notice = tell(editor, organisation)
    waiting = Notice.objects.to_mail().get()  # as a second worker has read it, before the first claimed it
    Notice.objects.filter(pk=notice.pk).update(mailed_at=timezone.now())
    assert (mail._send(waiting, None), django_mail.outbox) == (False, [])


def test_an_unreachable_server_costs_one_attempt(organisation: Organisation, editor: User, settings: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port  # nobody listens there any more
    tell(editor, organisation)
    assert mail.send_waiting() == 0
    assert Notice.objects.get().mailed_at is None


def test_without_a_broker_the_act_succeeds_and_the_sweep_mails(
    organisation: Organisation,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    monkeypatch.setitem(celery_app.conf.changes, "broker_url", "redis+socket:///nowhere/valkey.sock")
    celery_app._after_fork()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            tell(editor, organisation)
    finally:
        celery_app._after_fork()
    assert (Notice.objects.count(), django_mail.outbox) == (1, [])
    tasks.mail_notices()
    assert len(django_mail.outbox) == 1
