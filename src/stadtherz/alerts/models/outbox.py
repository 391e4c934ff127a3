"""One message owed to one address, and the gateways that take it."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stadtherz.alerts.models.people import Channel


class Delivery(models.Model):
    """One message owed to one address for one event, and how far it has come.

    See docs/decisions/0007-one-mail-per-event.md for what each status promises. Exactly one of
    `contact`, `subscriber` and `user` (staff, by the e-mail address of their account) was set when it was
    written; `address` is null for the latter two and for an address that is gone. `urgency` is the rank of the severity: the gravest goes first. `instead_of`
    is the failed message that this one replaces.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        HANDING_OVER = "handing_over", _("being handed over")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNCERTAIN = "uncertain", _("uncertain")
        SKIPPED = "skipped", _("no longer needed")

    class Receipt(models.TextChoices):
        NONE = "", _("none")
        BUFFERED = "buffered", _("with the network")
        DELIVERED = "delivered", _("arrived")
        UNDELIVERED = "undelivered", _("did not arrive")

    event = models.ForeignKey(
        "alerts.AlertEvent", models.CASCADE, related_name="deliveries", verbose_name=_("event")
    )
    contact = models.ForeignKey(
        "alerts.Contact",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("contact"),
    )
    address = models.ForeignKey(
        "alerts.Address",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("address"),
    )
    subscriber = models.ForeignKey(
        "alerts.Subscriber",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("subscriber"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("staff"),
    )
    channel = models.CharField(
        _("channel"), max_length=10, choices=Channel.choices, default=Channel.EMAIL
    )
    urgency = models.PositiveSmallIntegerField(default=0, editable=False)
    status = models.CharField(
        _("status"), max_length=12, choices=Status.choices, default=Status.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt = models.BigIntegerField(_("next attempt"), default=0)
    worker = models.CharField(max_length=80, blank=True, editable=False)  # see `outbox.witness`
    gateway = models.CharField(_("gateway"), max_length=100, blank=True)
    message_id = models.CharField(_("message id"), max_length=200, blank=True)
    parts = models.PositiveSmallIntegerField(_("parts"), default=0)
    receipt = models.CharField(
        _("receipt"), max_length=12, choices=Receipt.choices, blank=True, default=Receipt.NONE
    )
    receipt_at = models.BigIntegerField(_("receipt came"), null=True, blank=True)
    instead_of = models.OneToOneField(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="replacement",
        verbose_name=_("instead of"),
    )
    error = models.TextField(_("error"), blank=True)
    owed_at = models.BigIntegerField(_("owed since"), default=0)
    changed_at = models.BigIntegerField(_("last changed"))

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "address"],
                condition=Q(address__isnull=False),
                name="alerts_one_delivery_each",
            ),
            models.UniqueConstraint(
                fields=["event", "subscriber"],
                condition=Q(subscriber__isnull=False),
                name="alerts_one_delivery_a_subscriber",
            ),
            models.UniqueConstraint(
                fields=["event", "user"],
                condition=Q(user__isnull=False),
                name="alerts_one_delivery_a_user",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "-urgency", "next_attempt"],
                condition=Q(status="queued"),
                name="alerts_delivery_due",
            ),
            models.Index(
                fields=["channel", "changed_at"],
                condition=Q(status="sent"),
                name="alerts_delivery_sent",
            ),
            models.Index(
                fields=["worker"], condition=Q(worker__gt=""), name="alerts_delivery_in_hand"
            ),
            models.Index(
                fields=["address"], condition=Q(status="queued"), name="alerts_delivery_ahead"
            ),
            models.Index(
                fields=["subscriber"],
                condition=Q(status="queued"),
                name="alerts_delivery_ahead_citizen",
            ),
            models.Index(
                fields=["channel", "message_id"],
                condition=~Q(message_id=""),
                name="alerts_delivery_message",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.contact or self.user or self.subscriber_id}"


class Gateway(models.Model):
    """A way out for one channel; the first that works is used. `secret` is sealed.

    How it does stands in the last fields, see `outbox.health`. The mail server of STADTHERZ_SMTP_URL has
    a row, too, whose settings say only that: what is there to set stands in the environment.
    """

    class Kind(models.TextChoices):
        SMTP = "smtp", _("mail server (SMTP)")
        SMPP = "smpp", _("SMS centre (SMPP 3.4)")
        HTTP = "http", _("SMS gateway (HTTP)")
        GAMMU = "gammu", _("GSM modem (gammu-smsd)")
        SMSTOOLS = "smstools", _("GSM modem (smstools)")
        MQTT = "mqtt", _("broker (MQTT)")

    name = models.CharField(_("name"), max_length=100, unique=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    secret = models.TextField(blank=True, editable=False)
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(
        _("position"), default=1, help_text=_("The lowest that works is used.")
    )
    per_second = models.FloatField(
        _("messages a second"),
        default=10,
        validators=[MinValueValidator(0.01)],
        help_text=_("What the gateway allows."),
    )
    parts_a_day = models.PositiveIntegerField(
        _("most a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Parts of SMS, which is what providers charge for. Danger is sent beyond it. Empty: no limit."
        ),
    )
    told = models.ForeignKey(
        "alerts.ContactList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who is told if it fails"),
        help_text=_("Those who look after the technology."),
    )
    failing_since = models.BigIntegerField(_("failing since"), null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    retry_at = models.BigIntegerField(null=True, editable=False)
    unreached = models.BooleanField(default=False, editable=False)
    checked_at = models.BigIntegerField(null=True, editable=False)
    last_receipt = models.BigIntegerField(null=True, editable=False)  # that a message has arrived
    last_success = models.BigIntegerField(_("last success"), null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)

    class Meta:
        verbose_name = _("gateway")
        verbose_name_plural = _("gateways")
        ordering = ["channel", "position", "pk"]

    def __str__(self) -> str:
        return self.name


class Lease(models.Model):
    """What one machine alone does, of all that share the database: it lapses unless it is renewed."""

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.CharField(max_length=40, blank=True)
    until = models.DateTimeField()  # by the clock of the database

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name


class ServerKey(models.Model):
    """A pair of keys of this installation; `secret` is the private one, sealed."""

    name = models.CharField(max_length=40, unique=True)
    public = models.CharField(max_length=200)
    secret = models.TextField(editable=False)

    class Meta:
        verbose_name = _("key of the installation")
        verbose_name_plural = _("keys of the installation")

    def __str__(self) -> str:
        return self.name
