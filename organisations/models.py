"""Who: people, organisations, business units, members, invitations and the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from organisations.roles import Permission, Role, allows, label

Row = TypeVar("Row", bound=models.Model)

MAILED_WITHIN = timedelta(days=2)  # a notice that could not be mailed for so long is no news any more
KEPT_READ, KEPT_UNREAD = timedelta(days=90), timedelta(days=365)


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("email is empty; a person signs in with an e-mail address")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractUser):
    """A person. Signs in with an e-mail address; `name` is how colleagues see them."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=120, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_whatever_case")]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()  # one spelling, whoever wrote it: forms, the admin, allauth
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class Organisation(models.Model):
    name = models.CharField(max_length=200)
    is_demo = models.BooleanField(default=False)
    currency = models.CharField(max_length=3, default="USD")  # that its spend is shown in
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class KeptQuerySet(models.QuerySet[Row]):
    """For rows that stay as they were written: what would change many at once is refused as on the single row."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError(f"{self.model._meta.verbose_name_plural} cannot be changed")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise TypeError(f"{self.model._meta.verbose_name_plural} cannot be changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{self.model._meta.verbose_name_plural} cannot be deleted")


class Kept(models.Model):
    """A row that is written once. Only with what it belongs to (a cascade) does it go. Goes with `KeptQuerySet`."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"this {self._meta.verbose_name} cannot be changed; write a new one")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"this {self._meta.verbose_name} cannot be deleted")


class BusinessUnit(models.Model):
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="units")
    name = models.CharField(max_length=200)
    cost_centre = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("organisation", Lower("name"), name="unit_name_unique_in_organisation"),
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> MembershipQuerySet:
        return self.filter(removed_at__isnull=True)

    def of(self, user: User) -> MembershipQuerySet:
        return self.active().filter(user=user).select_related("organisation").order_by("organisation__name", "pk")

    def by_role(self) -> dict[str, int]:
        """How many of these hold each role."""
        return dict(self.order_by().values_list("role").annotate(models.Count("pk")))

    def named(self, words: str) -> MembershipQuerySet:
        return self.filter(models.Q(user__name__icontains=words) | models.Q(user__email__icontains=words))


class Membership(models.Model):
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(r.value, r.value.capitalize()) for r in Role])
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)
    wants_mail = models.BooleanField(default=True)  # notices by e-mail too

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", "user", name="one_membership_per_person_and_organisation"),
            models.CheckConstraint(condition=models.Q(role__in=[r.value for r in Role]), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @property
    def role_label(self) -> str:
        return label(self.role)

    def allows(self, permission: Permission) -> bool:
        return allows(self.role, permission)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; the expired ones among them wait for a new link."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)

    def open(self) -> InvitationQuerySet:
        return self.pending().filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A link that lets one e-mail address join with one role. Only the token's SHA-256 is stored."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=[(r.value, r.value.capitalize()) for r in Role])
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=[r.value for r in Role]), name="invitation_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"

    @property
    def role_label(self) -> str:
        return label(self.role)

    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and timezone.now() < self.expires_at


class AuditEventQuerySet(KeptQuerySet["AuditEvent"]):
    """Reads only."""

    def of(self, organisation_id: int) -> AuditEventQuerySet:
        return self.filter(organisation_id=organisation_id)

    def verbs(self) -> list[str]:
        return list(self.order_by("verb").values_list("verb", flat=True).distinct())

    def matching(
        self, *, q: str = "", verb: str = "", person: str = "", since: date | None = None
    ) -> AuditEventQuerySet:
        """Those whose subject, or the use case it lies in, contains `q`, by one person, of one kind, from a day on."""
        found = self
        if q:
            found = found.filter(models.Q(target_label__icontains=q) | models.Q(details__use_case__icontains=q))
        if verb:
            found = found.filter(verb=verb)
        if person:
            found = found.filter(actor_id=int(person))
        if since:
            found = found.filter(at__gte=datetime.combine(since, time.min, tzinfo=UTC))
        return found

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[AuditEvent]:
        raise TypeError("audit events are written one by one, by audit.record")


class AuditEvent(Kept):
    """One act, chained to the one before it in the same organisation. Written only by `audit.record`.

    No foreign keys: the log neither blocks a deletion nor follows it.
    """

    organisation_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    verb = models.CharField(max_length=60)
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=60)
    target_label = models.CharField(max_length=320)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-sequence"]
        constraints = [
            models.UniqueConstraint("organisation_id", "sequence", name="audit_sequence_unique_in_organisation"),
        ]
        indexes = [
            models.Index(fields=["organisation_id", "target_type", "target_id"], name="audit_by_target"),
            models.Index(fields=["organisation_id", "verb"], name="audit_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.target_label}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, membership: Membership) -> NoticeQuerySet:
        """A member's notices in their organisation, the newest first."""
        mine = self.filter(organisation_id=membership.organisation_id, person_id=membership.user_id)
        return mine.order_by("-created_at", "-pk")

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at__isnull=True)

    def to_mail(self) -> NoticeQuerySet:
        """Recent ones that nobody has read or been mailed, of members who want mail; the oldest first.

        The people of a demo organisation are invented: nothing is mailed to them.
        """
        wanting = Membership.objects.active().filter(
            organisation=models.OuterRef("organisation"), user=models.OuterRef("person"), wants_mail=True
        )
        waiting = self.unread().filter(mailed_at__isnull=True, created_at__gte=timezone.now() - MAILED_WITHIN)
        reachable = waiting.filter(models.Exists(wanting), person__is_active=True, organisation__is_demo=False)
        return reachable.select_related("person", "organisation").order_by("pk")

    def prune(self) -> int:
        """Delete what was read 90 days ago, and what nobody has read in a year; how many."""
        now = timezone.now()
        old = models.Q(read_at__lt=now - KEPT_READ) | models.Q(created_at__lt=now - KEPT_UNREAD)
        return self.filter(old).delete()[0]


class Notice(models.Model):
    """Something that one member should know: a sentence, and where to go. Written only by `organisations.notices`."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="notices")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)  # "asked", "reminded", "declined", "answered", "disputed" …
    text = models.CharField(max_length=600)
    path = models.CharField(max_length=400, blank=True)  # inside the product
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "organisation", "read_at"], name="notice_by_person"),
        ]

    def __str__(self) -> str:
        return self.text
