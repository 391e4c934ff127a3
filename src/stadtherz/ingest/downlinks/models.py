"""Messages to devices, and the way to each device. Times are microseconds since 1970."""

import re
import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.downlinks import states
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.trust import vault
from stadtherz.ingest.trust.server_urls import is_root, with_scheme

LONGEST_TOPIC = 400


class DownlinkWay(models.Model):
    """By which connection a device is reached: that which brought its latest message."""

    device = models.OneToOneField("ingest.Device", models.CASCADE, related_name="way")
    connection = models.ForeignKey("ingest.Connection", models.CASCADE, related_name="+")
    topic = models.CharField(max_length=LONGEST_TOPIC)

    class Meta:
        verbose_name = _("way to a device")
        verbose_name_plural = _("ways to devices")

    def __str__(self) -> str:
        return self.topic


class DownlinkServer(models.Model):
    """Where a network takes messages to an organisation's devices by HTTP."""

    class Network(models.TextChoices):
        TTS = "tts", "The Things Stack"
        CHIRPSTACK = "chirpstack", "ChirpStack (REST)"
        LORIOT = "loriot", "LORIOT"
        ACTILITY = "actility", "Actility ThingPark"

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    network = models.CharField(_("network"), max_length=20, choices=Network.choices)
    url = models.CharField(
        _("address"),
        max_length=300,
        help_text=_("Of the server alone, for example https://eu1.cloud.thethings.network"),
    )
    application = models.CharField(
        _("application"),
        max_length=100,
        blank=True,
        help_text=_(
            "LORIOT: the id of the application, such as BE7A0001. ThingPark: the id of the application server"
            " (AS_ID). Others: empty."
        ),
    )
    webhook = models.CharField(
        _("webhook"),
        max_length=100,
        blank=True,
        help_text=_("The Things Stack: the id of the webhook that delivers here."),
    )
    secret = models.TextField(blank=True, editable=False)
    active = models.BooleanField(_("active"), default=True)
    problem = models.CharField(max_length=40, blank=True, editable=False)
    facts = models.JSONField(default=dict, editable=False)
    problem_at = models.BigIntegerField(_("last problem"), null=True, editable=False)

    class Meta:
        app_label = "ingest"
        verbose_name = _("server for messages to devices")
        verbose_name_plural = _("servers for messages to devices")
        ordering = ["network", "url"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "network"],
                name="ingest_downlink_server_once",
                violation_error_message=_("There is a server for this network."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_network_display()}, {self.url}"

    def clean(self) -> None:
        self.url = server_address(self.url)
        if not is_root(self.url):
            told = _("Write for example https://eu1.cloud.thethings.network")
            raise ValidationError({"url": told})
        if self.network == self.Network.TTS and not self.webhook:
            raise ValidationError({"webhook": _("The Things Stack needs it.")})
        if self.network == self.Network.LORIOT and not self.application:
            raise ValidationError({"application": _("LORIOT needs it.")})

    def keep_key(self, key: str) -> None:
        """Keep it sealed: neither a dump of the database nor any page shows it."""
        self.secret = vault.sealed(key)


def server_address(told: str) -> str:
    """As it is typed, or copied from the browser that shows the network's console."""
    return re.sub(r"/(#|console(?=/|$)|api(?=/|$)).*", "", with_scheme(told)).rstrip("/")


class Downlink(models.Model):
    """One message to a device. `key` is what networks know it by."""

    device = models.ForeignKey("ingest.Device", models.CASCADE, related_name="downlinks")
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    f_port = models.PositiveSmallIntegerField(_("LoRaWAN port"))
    payload = models.BinaryField()
    asked = models.JSONField(null=True)  # the object that a codec made the payload of
    confirmed = models.BooleanField(_("confirmed"), default=False)
    created_by = models.CharField(max_length=200)
    created_at = models.BigIntegerField(_("asked for"))
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=20, blank=True)
    facts = models.JSONField(default=dict)
    changed_at = models.BigIntegerField()
    connection = models.ForeignKey(
        "ingest.Connection", models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("downlink")
        verbose_name_plural = _("downlinks")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["state", "device"], name="ingest_downlink_state")]

    def __str__(self) -> str:
        return f"{self.hexadecimal} ({self.f_port})"

    @property
    def hexadecimal(self) -> str:
        return bytes(self.payload).hex()

    @property
    def level(self) -> str:
        """ok, info, warning or danger."""
        return states.LEVELS[State(self.state)]

    @property
    def sentence(self) -> str:
        """Why it failed or is uncertain, in the active language; else empty."""
        return states.sentence(self.reason, self.facts)


class DeviceTasks(models.Model):
    """That a device is told something by SensorThings Tasks too. Who deletes the TaskingCapability gets no other."""

    device = models.OneToOneField("ingest.Device", models.CASCADE, related_name="tasks")
    capability = models.BigIntegerField(unique=True)  # no constraint: it may be deleted

    class Meta:
        verbose_name = _("tasking of a device")
        verbose_name_plural = _("tasking of devices")

    def __str__(self) -> str:
        return str(self.device_id)


class TaskedDownlink(models.Model):
    """What became of a Task: once it is written down here, it is never taken a second time.

    `told` is the state that the Task shows; `open_until` is when nobody looks for another any more.
    """

    task = models.BigIntegerField(unique=True)
    downlink = models.ForeignKey(Downlink, models.SET_NULL, null=True, related_name="+")
    problem = models.CharField(max_length=500, blank=True)
    told = models.CharField(max_length=20, blank=True)
    open_until = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name = _("downlink of a Task")
        verbose_name_plural = _("downlinks of Tasks")

    def __str__(self) -> str:
        return str(self.task)
