"""The tables of devices' health. Times are microseconds since 1970, days begin at midnight UTC."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeviceHealth(models.Model):
    """What is known of a device beside its last state; one small row each."""

    device = models.OneToOneField(
        "ingest.Device", models.CASCADE, primary_key=True, related_name="health"
    )
    recent = models.BinaryField(default=b"")  # times of the newest uplinks, see `intervals`
    interval = models.BigIntegerField(_("usual interval"), null=True)
    gateway = models.CharField(_("gateway"), max_length=100, blank=True)  # that heard it best
    skew = models.BigIntegerField(_("clock ahead by"), null=True)
    rssi = models.FloatField(null=True)  # the best of the newest day, dBm
    snr = models.FloatField(null=True)  # dB
    battery = models.FloatField(null=True)  # percent
    volts = models.FloatField(null=True)
    received = models.PositiveBigIntegerField(default=0)  # of the last days, when last judged
    lost = models.PositiveBigIntegerField(default=0)
    empty_at = models.BigIntegerField(null=True)  # the forecast, when last judged
    judged_at = models.BigIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)  # messages, about

    class Meta:
        app_label = "ingest"

    def __str__(self) -> str:
        return str(self.device_id)


class DeviceDay(models.Model):
    """One day of a device: uplinks received and lost, battery, and the best it was heard."""

    device = models.ForeignKey("ingest.Device", models.CASCADE, related_name="days")
    day = models.BigIntegerField()  # its midnight
    heard = models.BinaryField(default=b"")  # see `counters`; emptied when nothing can come late
    received = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    resets = models.PositiveIntegerField(default=0)
    low = models.BigIntegerField(null=True)
    high = models.BigIntegerField(null=True)
    battery = models.FloatField(null=True)  # percent, the newest of the day
    battery_at = models.BigIntegerField(default=0)
    volts = models.FloatField(null=True)
    volts_at = models.BigIntegerField(default=0)
    rssi = models.FloatField(null=True)
    snr = models.FloatField(null=True)

    class Meta:
        app_label = "ingest"
        constraints = [
            models.UniqueConstraint(fields=["device", "day"], name="ingest_day_once_per_device")
        ]
        indexes = [models.Index(fields=["day"], name="ingest_day")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.day}"


class DeviceMessages(models.Model):
    """Some messages of a device as they came, compressed, with what became of each."""

    device = models.ForeignKey("ingest.Device", models.CASCADE, related_name="messages")
    last_at = models.BigIntegerField()  # when the newest of them was received
    count = models.PositiveIntegerField()
    packed = models.BinaryField()  # see `devices.messages`

    class Meta:
        app_label = "ingest"
        indexes = [
            models.Index(fields=["device", "last_at"], name="ingest_messages_of_device"),
            models.Index(fields=["last_at"], name="ingest_messages_age"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} × {self.count}"
