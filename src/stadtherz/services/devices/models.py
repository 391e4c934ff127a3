"""Whom an organisation wants to tell of its devices, and what is silent as a whole."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class Watch(models.Model):
    """Who is told when devices of an organisation are silent or need a battery."""

    owner = models.OneToOneField(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    recipients = models.ForeignKey(
        "alerts.ContactList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who is told"),
        help_text=_("Those who look after devices, not those who are warned of high water."),
    )
    silent = models.BooleanField(_("tell of silent devices"), default=True)
    battery = models.BooleanField(_("tell of batteries soon empty"), default=True)

    class Meta:
        verbose_name = _("device watch")
        verbose_name_plural = _("device watches")

    def __str__(self) -> str:
        return str(self.owner)

    def clean(self) -> None:
        if self.recipients is not None and self.recipients.owner_id != self.owner_id:
            raise ValidationError({"recipients": _("This belongs to another organisation.")})


class Silence(models.Model):
    """A network or gateway of which nothing is heard, or the last time that was so.

    `key` is "network" or "network/gateway". Devices are excused for as long as it lasted.
    """

    owner = models.ForeignKey("store.Organisation", models.CASCADE, related_name="+")
    key = models.CharField(_("network or gateway"), max_length=140)
    since = models.BigIntegerField(_("since"))
    until = models.BigIntegerField(_("until"), null=True)
    datastream = models.BigIntegerField()  # under which its alert stands

    class Meta:
        verbose_name = _("silent network")
        verbose_name_plural = _("silent networks")
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="devices_silence_once")
        ]

    def __str__(self) -> str:
        return self.key


class Ear(models.Model):
    """When this city last listened, so that its own pause is no silence of devices. One row."""

    heard_until = models.BigIntegerField()
    deaf_from = models.BigIntegerField(default=0)
    deaf_until = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.heard_until)
