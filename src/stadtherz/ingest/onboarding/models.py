"""What somebody has begun and not finished. Times are microseconds since 1970."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.base.time import now_us
from stadtherz.ingest.models import Codec, Device, DeviceType, Network


class Begun(models.Model):
    """Somebody's work in progress; nobody else sees it."""

    actor = models.CharField(max_length=200)
    created = models.BigIntegerField(default=now_us)
    updated = models.BigIntegerField(default=now_us)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.updated = now_us()
        super().save(*args, **kwargs)


class Draft(Begun):
    """A device that is being connected: what is known of it so far.

    `sample` is a document that was pasted, `streams` what it is to measure (`values.Wanted`) once
    somebody has looked at that. Of a message of JSON `query` is what came beside it (`forms.reading`), and
    `form` or `shape` (the fields of a new form) how it is read. `station` is the name of an existing Thing
    where the device stands. `device` is there when it has been connected.
    """

    class Access(models.TextChoices):
        PUBLIC = "public", _("Everybody, on the public pages and as open data")
        ORGANISATION = "organisation", _("Only members of our organisation")

    owner = models.ForeignKey("store.Organisation", models.CASCADE, related_name="+")
    network = models.CharField(max_length=20, choices=Network.choices, blank=True)
    dev_eui = models.CharField(max_length=100, blank=True)
    device_type = models.ForeignKey(DeviceType, models.SET_NULL, null=True, related_name="+")
    codec = models.ForeignKey(Codec, models.SET_NULL, null=True, related_name="+")
    byte_map = models.TextField(blank=True)
    sample = models.TextField(blank=True)
    query = models.CharField(max_length=500, blank=True)
    form = models.ForeignKey("ingest.MessageForm", models.SET_NULL, null=True, related_name="+")
    shape = models.JSONField(default=dict)
    station = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    longitude = models.FloatField(null=True)
    latitude = models.FloatField(null=True)
    access = models.CharField(max_length=20, choices=Access.choices, default=Access.PUBLIC)
    streams = models.JSONField(default=list)
    device = models.ForeignKey(Device, models.CASCADE, null=True, related_name="+")

    class Meta:
        app_label = "ingest"
        ordering = ["-updated"]
        indexes = [models.Index(fields=["actor", "updated"], name="ingest_draft_actor")]

    def __str__(self) -> str:
        return self.name or self.dev_eui


class DeviceList(Begun):
    """A list of devices that somebody has handed in, and how far it has come."""

    file = models.CharField(max_length=200)

    class Meta:
        app_label = "ingest"
        ordering = ["-updated"]
        indexes = [models.Index(fields=["actor", "updated"], name="ingest_list_actor")]

    def __str__(self) -> str:
        return self.file


class ListedDevice(models.Model):
    """One line of a list. `values` are its texts by column, `outcome` what became of it."""

    class Outcome(models.TextChoices):
        OPEN = "", _("waits")
        CONNECTED = "connected", _("connected now")
        KNOWN = "known", _("was there already")
        PROBLEM = "problem", _("left out")

    listing = models.ForeignKey(DeviceList, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    values = models.JSONField(default=dict)
    outcome = models.CharField(max_length=20, blank=True, choices=Outcome.choices)
    problems = models.JSONField(default=list)
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="+")

    class Meta:
        app_label = "ingest"
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["listing", "line"], name="ingest_line_once_per_list")
        ]

    def __str__(self) -> str:
        return str(self.values.get("name", ""))


class Replacement(models.Model):
    """A device that took another's place: since `at` the new one measures, until then the old one."""

    old = models.OneToOneField(
        Device, models.CASCADE, related_name="replaced", verbose_name=_("old device")
    )
    new = models.ForeignKey(
        Device, models.CASCADE, related_name="replaces", verbose_name=_("new device")
    )
    at = models.BigIntegerField(_("since"))

    class Meta:
        app_label = "ingest"
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
