"""Who is told, what is wrong, what changed, and who was told of it.

An Alert is one continuous state of one thing; while it is open there is no second of its kind. Every
change of it is an AlertEvent, and every AlertEvent owes each recipient one Delivery.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stadtherz.kit.declaration import Severity

LANGUAGES = [("de", "Deutsch"), ("en", "English")]


class Contact(models.Model):
    """A person who wants to be told."""

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail address"))
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="de")
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Without this mark the person gets no messages.")
    )
    changed_at = models.DateTimeField(_("last changed"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "email"], name="alerts_contact_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class ContactList(models.Model):
    """The people who are told together."""

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    contacts = models.ManyToManyField(
        Contact, related_name="lists", blank=True, verbose_name=_("contacts")
    )

    class Meta:
        verbose_name = _("contact list")
        verbose_name_plural = _("contact lists")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A state that is not normal, from the reading that raised it to the one that cleared it.

    `rank` orders the states of a kind: 0 is normal, higher is worse; `step` names the state in the words
    of the service. `title` holds a text for each language. Times are microseconds.
    """

    kind = models.CharField(_("kind"), max_length=80)
    subject = models.CharField(_("subject"), max_length=200)
    datastream = models.ForeignKey(
        "store.Datastream", models.CASCADE, related_name="+", verbose_name=_("datastream")
    )
    rank = models.PositiveSmallIntegerField(_("rank"))
    step = models.CharField(_("step"), max_length=100, blank=True)
    severity = models.CharField(
        _("severity"), max_length=10, choices=[(s.value, s.value) for s in Severity]
    )
    title = models.JSONField(_("title"))
    opened_at = models.BigIntegerField(_("opened"))
    changed_at = models.BigIntegerField(_("last changed"))
    cleared_at = models.BigIntegerField(_("cleared"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(cleared_at__isnull=True),
                name="alerts_one_open_alert",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class AlertEvent(models.Model):
    """One change of an alert, caused by one observation. Written once, never changed."""

    class Change(models.TextChoices):
        RAISED = "raised", _("raised")
        ESCALATED = "escalated", _("escalated")
        LOWERED = "lowered", _("lowered")
        CLEARED = "cleared", _("cleared")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events", verbose_name=_("alert"))
    change = models.CharField(_("change"), max_length=10, choices=Change.choices)
    rank_before = models.PositiveSmallIntegerField(_("rank before"))
    rank = models.PositiveSmallIntegerField(_("rank"))
    severity = models.CharField(_("severity"), max_length=10)
    observation = models.BigIntegerField(_("observation"))
    at = models.BigIntegerField(_("time of the observation"))
    recorded_at = models.BigIntegerField(_("recorded"))
    texts = models.JSONField(_("texts"))

    class Meta:
        verbose_name = _("alert event")
        verbose_name_plural = _("alert events")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "observation"], name="alerts_event_per_observation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.alert} {self.change}"


class Delivery(models.Model):
    """One message owed to one person for one event, and how far it has come.

    See docs/decisions/0007-one-mail-per-event.md for what each status promises.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        HANDING_OVER = "handing_over", _("being handed over")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNCERTAIN = "uncertain", _("uncertain")

    EMAIL = "email"

    event = models.ForeignKey(
        AlertEvent, models.CASCADE, related_name="deliveries", verbose_name=_("event")
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="+", verbose_name=_("contact")
    )
    channel = models.CharField(_("channel"), max_length=10, default=EMAIL)
    status = models.CharField(
        _("status"), max_length=12, choices=Status.choices, default=Status.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt = models.BigIntegerField(_("next attempt"), default=0)
    worker = models.CharField(max_length=80, blank=True, editable=False)  # see `witness`
    message_id = models.CharField(_("message id"), max_length=200, blank=True)
    error = models.TextField(_("error"), blank=True)
    changed_at = models.BigIntegerField(_("last changed"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "contact", "channel"], name="alerts_one_delivery_each"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt"],
                condition=Q(status="queued"),
                name="alerts_delivery_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.contact}"
