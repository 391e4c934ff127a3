"""Connections to brokers, and how each of their clients is doing. Times are microseconds since 1970."""

import ssl
from secrets import token_hex
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.base.time import now_us
from stadtherz.ingest.connections import topics, words
from stadtherz.ingest.connections.words import ConnectionState
from stadtherz.ingest.trust import vault

MOST_CLIENTS = 8
_LEVELS = ["ok", "info", "warning", "danger"]


def new_client_id() -> str:
    """Long enough to be no other city's on the same broker, short enough for MQTT 3.1 (23)."""
    return f"stadtherz-{token_hex(5)}"


class Connection(models.Model):
    """A broker whose messages belong to one organisation."""

    class Network(models.TextChoices):
        TTS = "tts", "The Things Stack"
        CHIRPSTACK = "chirpstack", "ChirpStack"
        JSON = "json", _("Any JSON, with a message form")

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    network = models.CharField(
        _("network"),
        max_length=20,
        choices=Network.choices,
        help_text=_("Whose messages the broker has."),
    )
    form = models.CharField(
        _("message form"),
        max_length=100,
        blank=True,
        help_text=_("Only for any JSON: the key of the form that says what a message means."),
    )
    host = models.CharField(
        _("broker"),
        max_length=253,
        validators=[RegexValidator(r"^[^\s/@]+$", _("Only a name such as broker.example."))],
        help_text=_("Its name, such as eu1.cloud.thethings.network."),
    )
    port = models.PositiveIntegerField(
        _("port"),
        default=8883,
        validators=[MinValueValidator(1), MaxValueValidator(65_535)],
        help_text=_("Usually 8883 with encryption, 1883 without."),
    )
    tls = models.BooleanField(
        _("encrypted (TLS)"),
        default=True,
        help_text=_("Without it everybody on the way can read the password and the messages."),
    )
    ca = models.TextField(
        _("certificate of the authority"),
        blank=True,
        max_length=100_000,
        help_text=_("Only for a broker of your own whose certificate no known authority signed."),
    )
    user_name = models.CharField(_("user name"), max_length=200, blank=True)
    secret = models.TextField(blank=True, editable=False)
    topic = models.CharField(
        _("topics"),
        max_length=400,
        blank=True,
        help_text=_("Empty: what is usual for this network."),
    )
    group = models.CharField(
        _("shared group"),
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"^[^/+#$]+$", _("Not with / + # or $."))],
        help_text=_("Only if several clients share the messages of a busy broker."),
    )
    clients = models.PositiveSmallIntegerField(
        _("clients"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_CLIENTS)],
        help_text=_("How many share the messages; more than one needs a shared group."),
    )
    active = models.BooleanField(_("active"), default=True)
    client_id = models.CharField(
        _("client id"), max_length=40, default=new_client_id, editable=False, unique=True
    )

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="ingest_connection_once_per_owner",
                violation_error_message=_("There is a connection of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.user_name:  # MQTT 3.1.1 knows no password without a name
            self.secret = ""
        super().save(*args, **kwargs)

    @property
    def doing(self) -> ConnectionState:
        """How it is, which is how the worst of its clients is."""
        clients = self.states.filter(number__lt=self.clients)
        found = [client.doing for client in clients] or [ConnectionClient(connection=self).doing]
        return max(found, key=lambda each: _LEVELS.index(each.level))

    def keep_password(self, password: str) -> None:
        """Keep it sealed: neither a dump of the database nor any page shows it."""
        self.secret = vault.sealed(password)

    def clean(self) -> None:
        self.topic = self.topic or topics.proposed(self.network, self.user_name)
        if not topics.is_filter(self.topic):
            raise ValidationError(
                {
                    "topic": _(
                        "Write topics such as town/+/up or town/#, with + and # as whole parts."
                    )
                }
            )
        if self.network == self.Network.JSON and not self.form:
            raise ValidationError({"form": _("Any JSON needs a message form.")})
        if self.clients > 1 and not self.group:
            raise ValidationError({"group": _("Several clients need a shared group.")})
        _check_authority(self.ca)


def _check_authority(text: str) -> None:
    if not text.strip():
        return
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError) as problem:
        raise ValidationError(
            {"ca": _("This is no certificate. Paste the text from -----BEGIN CERTIFICATE----- on.")}
        ) from problem


class ConnectionClient(models.Model):
    """One client of a connection: which process is it just now, and how it is doing.

    `holder` may be it until `until`; `subscribed` is what the broker's session of it knows.
    """

    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="states", verbose_name=_("connection")
    )
    number = models.PositiveSmallIntegerField(_("client"), default=0)
    holder = models.CharField(max_length=40, blank=True)
    until = models.BigIntegerField(default=0)
    subscribed = models.CharField(max_length=520, blank=True)
    state = models.CharField(max_length=20, choices=words.STATES, default=words.WAITING)
    connected_at = models.BigIntegerField(_("connected since"), null=True)
    last_message = models.BigIntegerField(_("last message"), null=True)
    messages = models.PositiveBigIntegerField(_("messages"), default=0)
    problem = models.CharField(max_length=40, blank=True)
    facts = models.JSONField(default=dict)
    problem_at = models.BigIntegerField(_("last problem"), null=True)

    class Meta:
        verbose_name = _("client of a connection")
        verbose_name_plural = _("clients of connections")
        ordering = ["connection", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "number"], name="ingest_connection_client_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.number}"

    @property
    def doing(self) -> ConnectionState:
        held = bool(self.holder) and self.until >= now_us()
        active = self.connection.active
        return words.connection_state(self.state, self.problem, active=active, held=held)

    @property
    def problem_sentence(self) -> str:
        """What went wrong last, in the active language; empty if nothing did."""
        return words.sentence(self.problem, self.facts)
