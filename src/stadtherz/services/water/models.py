"""Gauges and their warning steps, as staff describe them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from stadtherz.kit.declaration import Severity
from stadtherz.services.water import readings


class Gauge(ClusterableModel, models.Model):
    """A place where the height of water is measured; owner and access are its datastream's."""

    class Kind(models.TextChoices):
        LEVEL = "level", _("Stream or river")
        GROUNDWATER = "groundwater", _("Groundwater")

    class Article(models.TextChoices):
        """The German article of the water body; English uses "the" for all of them."""

        DIE = "die", "die"
        DER = "der", "der"
        DAS = "das", "das"

    datastream = models.OneToOneField(
        "store.Datastream", models.CASCADE, related_name="+", verbose_name=_("datastream")
    )
    slug = models.SlugField(
        _("address"), unique=True, help_text=_("The last part of the page's address.")
    )
    name = models.CharField(_("name"), max_length=100)
    article = models.CharField(
        _("article"), max_length=3, choices=Article.choices, default=Article.DIE, blank=True
    )
    water_body = models.CharField(_("water body"), max_length=100)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.LEVEL)
    meaning_de = models.TextField(
        _("meaning (German)"),
        blank=True,
        help_text=_("What a level means for the street next to it, in one or two sentences."),
    )
    meaning_en = models.TextField(_("meaning (English)"), blank=True)
    zero_point = models.FloatField(
        _("zero point"), null=True, blank=True, help_text=_("In metres above sea level (NHN).")
    )
    interval_minutes = models.PositiveIntegerField(
        _("interval"),
        default=15,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Minutes between two readings. After three intervals the gauge counts as silent."
        ),
    )
    recipients = models.ForeignKey(
        "alerts.ContactList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("recipients"),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    licence = models.CharField(_("licence"), max_length=100, blank=True)
    licence_url = models.URLField(_("address of the licence"), blank=True)
    attribution = models.CharField(_("attribution"), max_length=300, blank=True)
    origin_de = models.CharField(
        _("origin (German)"),
        max_length=300,
        blank=True,
        help_text=_("Where the readings were really recorded, if not here."),
    )
    origin_en = models.CharField(_("origin (English)"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("gauge")
        verbose_name_plural = _("gauges")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new gauge begins with what comes next: readings that are there already are history."""
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_new:
                newest = readings.newest_mark(self.datastream_id)
                GaugeState.objects.create(gauge=self, newest_at=newest[0], newest_id=newest[1])

    @property
    def silent_since(self) -> int | None:
        """Since when it has been silent, as the job last found out."""
        state: GaugeState | None = getattr(self, "state", None)
        return None if state is None else state.silent_since

    @property
    def meaning(self) -> str:
        return _in_language(self.meaning_de, self.meaning_en)

    @property
    def origin(self) -> str:
        return _in_language(self.origin_de, self.origin_en)

    def clean(self) -> None:
        """Recipients must belong to the organisation that owns the gauge."""
        super().clean()
        if (
            self.recipients
            and self.datastream_id
            and self.recipients.owner_id != self.datastream.owner_id
        ):
            raise ValidationError({"recipients": _("This list belongs to another organisation.")})


class GaugeState(models.Model):
    """What the product itself remembers about a gauge, apart from what staff edit.

    `newest_at` and `newest_id` are the time and id of the newest reading that has been judged: an
    older one that arrives later raises nothing.
    """

    gauge = models.OneToOneField(
        Gauge, models.CASCADE, primary_key=True, related_name="state", verbose_name=_("gauge")
    )
    newest_at = models.BigIntegerField(null=True)
    newest_id = models.BigIntegerField(null=True)
    silent_since = models.BigIntegerField(_("silent since"), null=True)

    class Meta:
        verbose_name = _("state of a gauge")
        verbose_name_plural = _("states of gauges")

    def __str__(self) -> str:
        return f"{self.gauge_id} at {self.newest_at}"


class WarningStep(models.Model):
    """A level people have agreed to act on.

    Reached when the water stands at `level` or above; over when it stands below `level` minus
    `hysteresis`, so that waves around the mark do not call anybody twice.
    """

    SEVERITIES = [
        (Severity.INFO.value, _("Information")),
        (Severity.WARNING.value, _("Warning")),
        (Severity.DANGER.value, _("Danger")),
    ]

    gauge = ParentalKey(
        Gauge, on_delete=models.CASCADE, related_name="steps", verbose_name=_("gauge")
    )
    name_de = models.CharField(_("name (German)"), max_length=60)
    name_en = models.CharField(_("name (English)"), max_length=60)
    level = models.FloatField(_("level"), help_text=_("In centimetres above the zero point."))
    hysteresis = models.FloatField(
        _("hysteresis"),
        default=5,
        help_text=_("Centimetres the water must fall below the level before the step is over."),
    )
    severity = models.CharField(
        _("severity"), max_length=10, choices=SEVERITIES, default=Severity.WARNING.value
    )

    class Meta:
        verbose_name = _("warning step")
        verbose_name_plural = _("warning steps")
        ordering = ["level"]
        constraints = [
            models.UniqueConstraint(fields=["gauge", "level"], name="water_distinct_levels"),
            models.CheckConstraint(
                condition=models.Q(hysteresis__gt=0), name="water_hysteresis_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.level:g} cm)"

    @property
    def name(self) -> str:
        return _in_language(self.name_de, self.name_en)

    def clean(self) -> None:
        super().clean()
        if self.hysteresis is not None and self.hysteresis <= 0:
            raise ValidationError({"hysteresis": _("The hysteresis must be greater than zero.")})


def _in_language(german: str, english: str) -> str:
    """The text in the active language, or the other one where it is missing."""
    first, second = (english, german) if get_language() == "en" else (german, english)
    return first or second
