"""Devices and what their payload means. Times are microseconds since 1970."""

import re
from collections.abc import Mapping, Set
from hashlib import sha256
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stadtherz.base.time import now_us
from stadtherz.codecs.public import LARGEST_TEXT, BadMap, parse_bytemap
from stadtherz.ingest.values import decode
from stadtherz.ingest.values.positions import paths_of_position
from stadtherz.ingest.values.units import (
    Conversion,
    Inconvertible,
    Obstacle,
    code_of,
    conversion,
)

_MOST_MINUTES = 60 * 24 * 366


class Network(models.TextChoices):
    """The network servers whose documents are understood."""

    TTS = "tts", "The Things Stack"
    CHIRPSTACK = "chirpstack", "ChirpStack"
    ACTILITY = "actility", "Actility ThingPark"
    LORIOT = "loriot", "LORIOT"
    HELIUM = "helium", "Helium"
    JSON = "json", _("Other devices (JSON)")


def normal_eui(text: str, network: str = "") -> str:
    """A device EUI as every network's document writes it somewhere: upper case, no separators.

    What names a device that speaks no LoRaWAN stays as it is written.
    """
    return text if network == Network.JSON else re.sub(r"[\s:-]", "", text).upper()


class Codec(models.Model):
    """How the payload of a kind of device is read, where its network does not do it."""

    class Kind(models.TextChoices):
        JAVASCRIPT = "javascript", _("JavaScript of the maker")
        BYTES = "bytes", _("Byte map")
        CAYENNE = "cayenne", _("Cayenne LPP")

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.JAVASCRIPT)
    text = models.TextField(
        _("text"),
        blank=True,
        max_length=LARGEST_TEXT,
        help_text=_(
            "JavaScript: the script with decodeUplink, Decoder or Decode, as the maker or a network’s"
            " device repository gives it. Byte map: one value a line, for example"
            " “level_cm 0 u16be *0.1 cm” (name, first byte, type, factor, unit). Cayenne LPP: nothing."
        ),
    )
    encoder = models.TextField(
        _("script for messages to the device"),
        blank=True,
        max_length=LARGEST_TEXT,
        help_text=_(
            "Only where the maker has encodeDownlink in a file of its own; else it is in the text."
        ),
    )
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("codec")
        verbose_name_plural = _("codecs")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="ingest_codec_once_per_owner",
                violation_error_message=_("There is a codec of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        parts = [self.kind, self.text, *([self.encoder] if self.encoder else [])]
        self.digest = sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
        if (only := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*only, "digest"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.kind == self.Kind.JAVASCRIPT and not self.text.strip():
            raise ValidationError({"text": _("Paste the script here.")})
        if self.kind == self.Kind.BYTES:
            _check_map(self.text)


class DeviceType(models.Model):
    """A product of a maker: what reads its payload and what it can measure."""

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    key = models.CharField(
        _("key"), max_length=200, help_text=_("Vendor and device, such as milesight/em500-udl.")
    )
    vendor = models.CharField(_("vendor"), max_length=200)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    codec = models.ForeignKey(
        Codec,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="device_types",
        verbose_name=_("codec"),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    proposals = models.JSONField(_("proposed datastreams"), default=list, blank=True)
    tests_held = models.PositiveIntegerField(_("tests that held"), default=0, editable=False)
    tests_total = models.PositiveIntegerField(_("tests of the codec"), default=0, editable=False)
    test_problems = models.JSONField(_("tests that failed"), default=list, editable=False)
    # Payloads of the tests, which what can be measured is proposed from: {bytes, f_port, received, variables, normalized}.
    examples = models.JSONField(_("examples"), default=list, editable=False)
    # Messages to the device as its maker tells them: {name, data, bytes, f_port}.
    downlinks = models.JSONField(_("messages to the device"), default=list, editable=False)

    class Meta:
        verbose_name = _("device type")
        verbose_name_plural = _("device types")
        ordering = ["vendor", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "key"],
                name="ingest_device_type_once_per_owner",
                violation_error_message=_("There is a device type of this key."),
            )
        ]

    def __str__(self) -> str:
        return self.name if self.name.startswith(self.vendor) else f"{self.vendor} {self.name}"

    def clean(self) -> None:
        _check_owner(self, "codec")
        rows: list[Any] = self.proposals if isinstance(self.proposals, list) else [None]
        if not all(_is_texts(row, {"path", "name", "unit", "definition"}) for row in rows):
            raise ValidationError(
                {"proposals": _("Each needs texts called path, name, unit and definition.")}
            )
        for row in rows:
            _check_path("proposals", row["path"])


class Device(models.Model):
    """A sensor that sends through a network; it belongs to the organisation whose token it uses."""

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    network = models.CharField(_("network"), max_length=20, choices=Network.choices)
    dev_eui = models.CharField(
        _("device EUI or identifier"),
        max_length=100,
        help_text=_("Sixteen hexadecimal digits; for other devices as their messages write it."),
    )
    name = models.CharField(_("name"), max_length=200)
    active = models.BooleanField(_("active"), default=True)
    time_path = models.CharField(
        _("field with the device’s own time"),
        max_length=200,
        blank=True,
        help_text=_("Only if the device reports when it measured; else the network’s time counts."),
    )
    clock_zone = models.CharField(
        _("time zone of its clock"),
        max_length=60,
        blank=True,
        help_text=_(
            "Only if its clock shows local time, for example Europe/Berlin. Empty: UTC, as most do."
        ),
    )
    codec = models.ForeignKey(
        Codec,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
        verbose_name=_("codec"),
        help_text=_("Reads the payload where the network has not decoded it."),
    )
    device_type = models.ForeignKey(
        DeviceType,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
        verbose_name=_("device type"),
        help_text=_("Its codec is used unless the device has one of its own."),
    )
    variables = models.JSONField(
        _("variables of the codec"),
        default=dict,
        blank=True,
        help_text=_('Only if the codec wants some: {"name": "text"}.'),
    )
    expected_minutes = models.PositiveIntegerField(
        _("reports every … minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(_MOST_MINUTES)],
        help_text=_("Empty: learned from its messages."),
    )
    empty_volts = models.FloatField(
        _("battery empty at (V)"),
        null=True,
        blank=True,
        help_text=_("Only for devices that tell the voltage of their battery; see the data sheet."),
    )
    moves = models.BooleanField(
        _("its station travels with it"),
        default=False,
        help_text=_(
            "From now on the place on the map follows the longitude and latitude that the device sends. Where a"
            " vehicle drives says where its driver is: agree on it first, and let only your organisation see it."
        ),
    )
    note = models.TextField(_("note"), blank=True)
    registered = models.BigIntegerField(_("registered"), default=now_us, editable=False)
    last_seen = models.BigIntegerField(_("last seen"), null=True, editable=False)
    last_f_cnt = models.BigIntegerField(_("last frame counter"), null=True, editable=False)
    battery = models.FloatField(_("battery (%)"), null=True, editable=False)
    rssi = models.FloatField(_("signal strength (dBm)"), null=True, editable=False)
    snr = models.FloatField(_("signal-to-noise ratio (dB)"), null=True, editable=False)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["network", "dev_eui"],
                condition=~models.Q(network="json"),
                name="ingest_device_once_per_network",
                violation_error_message=_("This device EUI is already registered."),
            ),
            # What names a device is its owner's choice: another's "1" is another device.
            models.UniqueConstraint(
                fields=["network", "owner", "dev_eui"],
                name="ingest_device_once_per_owner",
                violation_error_message=_("This device EUI is already registered."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.dev_eui = normal_eui(self.dev_eui, self.network)
        super().save(*args, **kwargs)

    @property
    def tells_its_place(self) -> bool:
        """Whether a longitude and a latitude are among its fields."""
        return paths_of_position(self.fields.values_list("path", flat=True)) is not None

    def clean_fields(self, exclude: Any = None) -> None:
        self.dev_eui = normal_eui(self.dev_eui, self.network)
        super().clean_fields(exclude=exclude)
        if "dev_eui" not in (exclude or ()):
            _check_identifier(self.network, self.dev_eui)

    def clean(self) -> None:
        if self.time_path:
            _check_path("time_path", self.time_path)
            if decode.list_of(self.time_path) is not None:
                raise ValidationError({"time_path": _("A field’s own time may be in a list.")})
        if self.clock_zone and self.clock_zone not in available_timezones():
            raise ValidationError({"clock_zone": _("There is no such time zone.")})
        if self.moves and self.pk and not self.tells_its_place:
            told = _("None of its fields are a longitude and a latitude: connect these two first.")
            raise ValidationError({"moves": told})
        _check_owner(self, "codec")
        _check_owner(self, "device_type")
        if not _is_texts(self.variables):
            raise ValidationError({"variables": _('Write them as {"name": "text"}.')})


class DeviceField(models.Model):
    """One value of a device's payload and the datastream it belongs to.

    The value is converted from `unit`; then result = value * factor + offset, and must lie between
    `minimum` and `maximum`. What jumps or does not move is stored with a flag.
    """

    device = models.ForeignKey(
        Device, models.CASCADE, related_name="fields", verbose_name=_("device")
    )
    path = models.CharField(
        _("field in the payload"),
        max_length=200,
        help_text=_(
            "A name such as level_cm, a path such as data.level, bytes:0:u16be, or radio:rssi"
            " (also snr, gateways, spreading_factor, data_rate, frequency, f_cnt, battery)."
            " A log of several values: history[*].level."
        ),
    )
    time_path = models.CharField(
        _("field with its own time"),
        max_length=200,
        blank=True,
        help_text=_("Only if this value has a time of its own; for a log history[*].time."),
    )
    f_port = models.PositiveSmallIntegerField(
        _("LoRaWAN port"), null=True, blank=True, help_text=_("Empty: every port.")
    )
    datastream = models.ForeignKey(
        "store.Datastream", models.CASCADE, related_name="+", verbose_name=_("datastream")
    )
    unit = models.CharField(
        _("unit in the payload"),
        max_length=40,
        blank=True,
        help_text=_(
            "As a UCUM code: mm, Cel, [degF], mV, %. Empty: as the datastream has it. It is converted"
            " before the factor and the offset."
        ),
    )
    unit_factor = models.FloatField(default=1.0, editable=False)
    unit_offset = models.FloatField(default=0.0, editable=False)
    unit_target = models.CharField(max_length=200, blank=True, editable=False)
    listed = models.BooleanField(default=False, editable=False)
    factor = models.FloatField(_("factor"), default=1.0)
    offset = models.FloatField(_("offset"), default=0.0)
    minimum = models.FloatField(_("allowed minimum"), null=True, blank=True)
    maximum = models.FloatField(_("allowed maximum"), null=True, blank=True)
    jump = models.FloatField(
        _("largest change"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_(
            "A value that changes more than this from one reading to the next is marked as a jump."
            " Empty: no mark."
        ),
    )
    jump_minutes = models.PositiveIntegerField(
        _("within (minutes)"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(_MOST_MINUTES)],
        help_text=_("After a longer gap the change may be larger in proportion."),
    )
    frozen_minutes = models.PositiveIntegerField(
        _("marked if it does not move (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(_MOST_MINUTES)],
        help_text=_("A value that stays the same for longer than this is marked. Empty: no mark."),
    )

    class Meta:
        verbose_name = _("device field")
        verbose_name_plural = _("device fields")
        ordering = ["id"]
        constraints = [
            # An uplink's key makes one reading of it in each datastream; two fields would collide. The
            # entries of a log have keys of their own.
            models.UniqueConstraint(
                fields=["device", "datastream", "listed"],
                name="ingest_one_field_per_datastream",
                violation_error_message=_("This datastream already has a field of this device."),
            )
        ]

    def __str__(self) -> str:
        return self.path

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Works out once what every reading needs. Raises Inconvertible for units that do not fit."""
        self.listed = decode.list_of(self.path) is not None
        if self.unit:
            self.unit_target = code_of(self.datastream.unit_of_measurement)
            found = conversion(self.unit, self.unit_target)
            self.unit_factor, self.unit_offset = found.factor, found.offset
        if (only := kwargs.get("update_fields")) is not None:
            worked_out = ("listed", "unit_target", "unit_factor", "unit_offset")
            kwargs["update_fields"] = {*only, *worked_out}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        _check_path("path", self.path)
        self.listed = decode.list_of(self.path) is not None
        self._check_time()
        self._check_unit()
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValidationError({"maximum": _("The maximum is below the minimum.")})
        if (
            self.device_id is not None
            and self.datastream_id is not None
            and self.datastream.owner_id != self.device.owner_id
        ):
            raise ValidationError(
                {"datastream": _("This datastream belongs to another organisation.")}
            )
        self._check_alone()

    def _check_time(self) -> None:
        """Each entry of a list needs a time in the same list; a single value may have one."""
        if self.time_path:
            _check_path("time_path", self.time_path)
        if decode.list_of(self.path) != decode.list_of(self.time_path or "-"):
            raise ValidationError(
                {"time_path": _("Write the entry’s time here, in the same list as the value.")}
            )

    def _check_unit(self) -> None:
        if not self.unit or self.datastream_id is None:
            return
        try:
            conversion(self.unit, code_of(self.datastream.unit_of_measurement))
        except Inconvertible as problem:
            raise ValidationError({"unit": unit_sentence(problem)}) from problem

    def _check_alone(self) -> None:
        others = DeviceField.objects.exclude(pk=self.pk).filter(
            device=self.device_id, datastream=self.datastream_id, listed=self.listed
        )
        if others.exists():
            raise ValidationError(_("This datastream already has a field of this device."))


def conversion_now(
    unit: str,
    known_target: str,
    worked_out: Conversion,
    unit_of_measurement: Mapping[str, Any] | None,
) -> Conversion | None:
    """From a field's unit to that of its datastream, which may have changed since the conversion was worked
    out; None where there is none (any more).
    """
    if not unit:
        return Conversion()
    target = code_of(unit_of_measurement)
    if target == known_target:
        return worked_out
    try:
        return conversion(unit, target)
    except Inconvertible:
        return None


def unit_sentence(problem: Inconvertible) -> str:
    """Why units do not fit, in the active language."""
    told = {"source": problem.source, "target": problem.target or "–"}
    match problem.obstacle:
        case Obstacle.OTHER_KIND:
            said = gettext("%(source)s cannot become %(target)s: they measure different things.")
        case Obstacle.NOT_LINEAR:
            said = gettext("%(source)s cannot become %(target)s by a factor. Let the codec do it.")
        case Obstacle.UNKNOWN:
            said = gettext("%(source)s or the datastream’s unit %(target)s is no UCUM code.")
    return said % told


def _check_identifier(network: str, text: str) -> None:
    if network == Network.JSON:
        if not text.isprintable():
            raise ValidationError({"dev_eui": _("One line of printable characters.")})
    elif not re.fullmatch(r"[0-9A-F]{16}", text):
        raise ValidationError({"dev_eui": _("Sixteen hexadecimal digits.")})


def _check_owner(row: models.Model, field: str) -> None:
    """What a row refers to belongs to the same organisation."""
    other = getattr(row, field)
    if other is not None and other.owner_id != row.owner_id:  # type: ignore[attr-defined]
        raise ValidationError({field: _("This belongs to another organisation.")})


def _check_map(text: str) -> None:
    try:
        parse_bytemap(text)
    except BadMap as problem:
        raise ValidationError(
            {
                "text": ValidationError(
                    _("Line %(line)s cannot be read. Write for example: level_cm 0 u16be *0.1 cm"),
                    params={"line": problem.line},
                )
            }
        ) from problem


def _is_texts(told: object, names: Set[str] = frozenset()) -> bool:
    """Whether it is an object of texts: of `names`, or of all that it has."""
    wanted = names or (told.keys() if isinstance(told, dict) else ())
    return isinstance(told, dict) and all(isinstance(told.get(name), str) for name in wanted)


def _check_path(field: str, text: str) -> None:
    try:
        decode.parse(text)
    except ValueError as problem:
        raise ValidationError(
            {field: _("Cannot be read. Write for example level_cm, data.level or bytes:0:u16be.")}
        ) from problem


class DeviceEvent(models.Model):
    """How often a device's network told something that is no measurement (join, status, log …)."""

    device = models.ForeignKey(
        Device, models.CASCADE, related_name="events", verbose_name=_("device")
    )
    event = models.CharField(_("event"), max_length=40)
    count = models.PositiveBigIntegerField(_("how often"), default=0)
    last_at = models.BigIntegerField(_("last time"))

    class Meta:
        verbose_name = _("device event")
        verbose_name_plural = _("device events")
        constraints = [
            models.UniqueConstraint(fields=["device", "event"], name="ingest_event_once_per_device")
        ]

    def __str__(self) -> str:
        return f"{self.event} × {self.count}"


# Tables of rooms of this package; Django finds them here.
from stadtherz.ingest.connections import models as _connections  # noqa: E402, F401
from stadtherz.ingest.downlinks import models as _downlinks  # noqa: E402, F401
from stadtherz.ingest.forms import models as _forms  # noqa: E402, F401
from stadtherz.ingest.health import models as _health  # noqa: E402, F401
from stadtherz.ingest.onboarding import models as _onboarding  # noqa: E402, F401
from stadtherz.ingest.pull import models as _pull  # noqa: E402, F401
from stadtherz.ingest.refused import models as _refused  # noqa: E402, F401
from stadtherz.ingest.tables import models as _tables  # noqa: E402, F401
