"""Who signs in, to what they belong, with what machines identify themselves, and who did what.

Organisations and access groups are the data plane's (`store`); this package says who is in them.
"""

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.base.errors import Conflict
from stadtherz.base.time import now
from stadtherz.identity.roles import Role

LANGUAGES = [("de", "Deutsch"), ("en", "English")]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff. The e-mail address is the login and is kept in lower case."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=LANGUAGES, default="de")
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Switch off instead of deleting an account.")
    )
    date_joined = models.DateTimeField(_("since"), default=now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Every account is one of staff; citizens have none."""
        return self.is_active

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email.partition("@")[0]


class Membership(models.Model):
    """A user's role in an organisation."""

    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    organisation = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["organisation__name", "user__email"]
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="identity_one_role")
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()}, {self.organisation})"


class GroupMembership(models.Model):
    """A user may read what is marked for a named group."""

    user = models.ForeignKey(
        User, models.CASCADE, related_name="group_memberships", verbose_name=_("user")
    )
    group = models.ForeignKey(
        "store.AccessGroup", models.CASCADE, related_name="+", verbose_name=_("group")
    )

    class Meta:
        verbose_name = _("group member")
        verbose_name_plural = _("group members")
        constraints = [
            models.UniqueConstraint(fields=["user", "group"], name="identity_once_in_group")
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.group})"


class ApiToken(models.Model):
    """A machine's key. Only its digest is kept: who loses the text makes a new token."""

    name = models.CharField(_("name"), max_length=200)
    organisation = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    prefix = models.CharField(_("begins with"), max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    network = models.CharField(
        _("network"), max_length=100, blank=True, help_text=_("Of an ingest token, if fixed.")
    )
    device = models.ForeignKey(
        "ingest.Device",
        models.CASCADE,  # nothing else: without its device a token would be good for every other
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only for the device"),
        help_text=_("Then it delivers measurements of this device and can do nothing else."),
    )
    created = models.DateTimeField(_("created"), default=now, editable=False)
    last_used = models.DateTimeField(_("last used"), null=True, editable=False)
    expires = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **_: Any) -> NoReturn:
        raise Conflict("audit entries are never changed")

    def delete(self) -> NoReturn:
        raise Conflict("audit entries are never deleted")


class AuditEntry(models.Model):
    """Who changed what and when. Rows are added, never changed; secrets are not among them."""

    at = models.DateTimeField(_("time"), default=now, editable=False)
    actor = models.CharField(_("by"), max_length=100)
    organisation = models.ForeignKey(
        "store.Organisation",
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    action = models.CharField(_("action"), max_length=40)
    entity = models.CharField(_("record type"), max_length=100)
    key = models.CharField(_("record"), max_length=100)
    changes = models.JSONField(_("changes"), default=dict)

    objects: ClassVar[models.Manager["AuditEntry"]] = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["organisation", "-at"], name="identity_audit_org_at"),
            models.Index(fields=["entity", "key"], name="identity_audit_entity"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity} {self.key}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Conflict("audit entries are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Conflict("audit entries are never deleted")
