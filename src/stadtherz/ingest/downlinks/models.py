"""Messages to devices, and the way to each device. Times are microseconds since 1970."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.downlinks import states
from stadtherz.ingest.downlinks.states import State

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
