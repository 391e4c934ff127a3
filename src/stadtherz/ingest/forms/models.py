"""What people say about the messages of their own devices."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.forms import expressions, payloads, times

PAYLOAD_KINDS = [(payloads.HEX, _("hexadecimal digits")), (payloads.BASE64, "Base64")]


def city_zone() -> str:
    return str(settings.TIME_ZONE)


class MessageForm(models.Model):
    """Where in a message of JSON the device, the time and the readings stand."""

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    key = models.SlugField(
        _("key"),
        max_length=50,
        help_text=_("Part of the address that devices send to: /ingest/json/KEY."),
    )
    device = models.CharField(
        _("identifier of the device"),
        max_length=expressions.LONGEST,
        help_text=_(
            "Where it stands: a field such as serial or meta.serial, a level of the topic such as topic:2,"
            " a parameter of the address such as query:station, or a text in quotes. + joins several."
        ),
    )
    time = models.CharField(
        _("time of the measurement"),
        max_length=expressions.LONGEST,
        blank=True,
        help_text=_(
            "Where it stands, as a date with time, or as seconds or milliseconds since 1970."
            " Empty: the moment at which the message arrives."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=60,
        default=city_zone,
        help_text=_("Of times that do not name theirs, for example Europe/Berlin or UTC."),
    )
    message_id = models.CharField(
        _("identifier of the message"),
        max_length=expressions.LONGEST,
        blank=True,
        help_text=_(
            "Where it stands, if each message has one. A message that comes twice is recognised by it,"
            " else by its time and its content."
        ),
    )
    readings = models.CharField(
        _("list of readings"),
        max_length=expressions.LONGEST,
        blank=True,
        help_text=_("Only where one message holds several readings: where their list stands."),
    )
    payload = models.CharField(
        _("payload for a codec"),
        max_length=expressions.LONGEST,
        blank=True,
        help_text=_(
            "Only where a field holds bytes as text, which the codec of the device reads: where it stands."
        ),
    )
    payload_kind = models.CharField(
        _("the bytes are written as"), max_length=10, choices=PAYLOAD_KINDS, default=payloads.HEX
    )
    note = models.TextField(_("note"), blank=True)

    class Meta:
        app_label = "ingest"
        verbose_name = _("message form")
        verbose_name_plural = _("message forms")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "key"],
                name="ingest_message_form_once_per_owner",
                violation_error_message=_("There is a message form of this key."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        problems: dict[str, Any] = {}
        for field in ("device", "time", "message_id", "readings", "payload"):
            if written := getattr(self, field):
                read = expressions.parse_readings if field == "readings" else expressions.parse
                try:
                    read(written)
                except ValueError as problem:
                    problems[field] = ValidationError(
                        _("Cannot be read: %(problem)s. Write for example meta.serial or topic:2."),
                        params={"problem": problem},
                    )
        try:
            times.zone(self.time_zone)
        except ValueError:
            problems["time_zone"] = _(
                "There is no such time zone. Write for example Europe/Berlin."
            )
        if problems:
            raise ValidationError(problems)
