"""What staff want to be told of, and how far each measuring point is with it."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from stadtherz.kit.declaration import Severity


class Category(models.TextChoices):
    """What kind of matter a public warning is, in the words of CAP 1.2 (section 3.2.2)."""

    GEO = "Geo", _("Ground: landslide, earthquake")
    MET = "Met", _("Weather and water, also floods")
    SAFETY = "Safety", _("Public safety")
    SECURITY = "Security", _("Police and security")
    RESCUE = "Rescue", _("Rescue")
    FIRE = "Fire", _("Fire")
    HEALTH = "Health", _("Health")
    ENV = "Env", _("Environment: air, soil, noise")
    TRANSPORT = "Transport", _("Roads and traffic")
    INFRA = "Infra", _("Supply and networks")
    CBRNE = "CBRNE", _("Hazardous substances, radiation")
    OTHER = "Other", _("Something else")


class Rule(ClusterableModel, models.Model):
    """Limits in steps on a figure made of readings, for one datastream or all that observe a property.

    The figure is the reading itself, its rise, its distance from what is usual at this hour, the
    minutes since the last reading, or an expression over several datastreams (`inputs`).
    """

    class Measure(models.TextChoices):
        VALUE = "value", _("the reading")
        RISE = "rise", _("rise within a time")
        DEVIATION = "deviation", _("distance from the usual at this hour")
        MISSING = "missing", _("minutes without a reading")
        EXPRESSION = "expression", _("expression over several datastreams")

    class Window(models.TextChoices):
        """How the readings of the window become one."""

        NEWEST = "newest", _("newest")
        MEAN = "mean", _("mean")
        MIN = "min", _("lowest")
        MAX = "max", _("highest")
        SUM = "sum", _("sum")

    class Direction(models.TextChoices):
        ABOVE = "above", _("reached or exceeded")
        BELOW = "below", _("reached or fallen below")

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    name_de = models.CharField(_("name (German)"), max_length=100)
    name_en = models.CharField(_("name (English)"), max_length=100, blank=True)
    advice_de = models.TextField(
        _("what to do (German)"),
        blank=True,
        help_text=_("Stands in every message, in one sentence."),
    )
    advice_en = models.TextField(_("what to do (English)"), blank=True)
    measure = models.CharField(
        _("what is judged"), max_length=12, choices=Measure.choices, default=Measure.VALUE
    )
    datastream = models.ForeignKey(
        "store.Datastream",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("datastream"),
    )
    observed_property = models.ForeignKey(
        "store.ObservedProperty",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("observed property"),
        help_text=_("Instead of one datastream: all of the organisation that observe this."),
    )
    direction = models.CharField(
        _("limits are"), max_length=6, choices=Direction.choices, default=Direction.ABOVE
    )
    window = models.CharField(
        _("readings of the window"), max_length=8, choices=Window.choices, default=Window.NEWEST
    )
    window_minutes = models.PositiveIntegerField(
        _("window"), default=60, validators=[MinValueValidator(1)], help_text=_("In minutes.")
    )
    expression = models.CharField(
        _("expression"),
        max_length=500,
        blank=True,
        help_text=_("Over the names of the inputs, such as level > 80 and rain > 10."),
    )
    samples = models.PositiveSmallIntegerField(
        _("readings in a row"), default=1, validators=[MinValueValidator(1)]
    )
    hold_minutes = models.PositiveIntegerField(
        _("for at least"), default=0, help_text=_("Minutes a limit must be exceeded to count.")
    )
    steep = models.FloatField(
        _("steep rise"),
        null=True,
        blank=True,
        help_text=_("A rise by as much within 15 minutes counts at once, without waiting."),
    )
    calm_minutes = models.PositiveIntegerField(
        _("calm before the all-clear"), default=0, help_text=_("In minutes.")
    )
    max_age_minutes = models.PositiveIntegerField(
        _("oldest reading that warns"),
        default=120,
        help_text=_("Minutes. What arrives later is kept, but warns nobody any more."),
    )
    doubtful = models.BooleanField(
        _("doubtful readings, too"),
        default=False,
        help_text=_(
            "Readings that failed a check of their device (a sudden jump, a value that does not move) are "
            "not judged otherwise: a fault is for those who look after the device."
        ),
    )
    recipients = models.ForeignKey(
        "alerts.ContactList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who is told"),
    )
    public = models.BooleanField(
        _("public warning"),
        default=False,
        help_text=_("Shown on the public warnings page and sent to citizens who subscribed."),
    )
    category = models.CharField(
        _("category"),
        max_length=10,
        choices=[("", _("as what is observed suggests")), *Category.choices],
        blank=True,
        default="",
        help_text=_("By it other programs (CAP) sort the public warnings."),
    )
    active = models.BooleanField(_("switched on"), default=False)
    changed_at = models.DateTimeField(_("last changed"), auto_now=True, db_index=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["name_de"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return in_language(self.name_de, self.name_en)

    @property
    def advice(self) -> str:
        return in_language(self.advice_de, self.advice_en)


class RuleStep(models.Model):
    """A limit with a name. It may hold only in some months, on some weekdays or hours (local time)."""

    rule = ParentalKey(Rule, on_delete=models.CASCADE, related_name="steps", verbose_name=_("rule"))
    name_de = models.CharField(_("name (German)"), max_length=60)
    name_en = models.CharField(_("name (English)"), max_length=60, blank=True)
    limit = models.FloatField(_("limit"))
    hysteresis = models.FloatField(
        _("hysteresis"),
        default=0,
        validators=[MinValueValidator(0.0)],
        help_text=_("How far the figure must go back before the step is over."),
    )
    severity = models.CharField(
        _("severity"),
        max_length=10,
        default=Severity.WARNING.value,
        choices=[
            (Severity.INFO.value, _("Information")),
            (Severity.WARNING.value, _("Warning")),
            (Severity.DANGER.value, _("Danger")),
        ],
    )
    months = models.JSONField(_("months"), default=list, blank=True)  # 1 to 12; empty: all
    weekdays = models.JSONField(
        _("weekdays"), default=list, blank=True
    )  # 1 Monday to 7; empty: all
    from_time = models.TimeField(_("from"), null=True, blank=True)
    until_time = models.TimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["limit"]

    def __str__(self) -> str:
        return f"{self.name} ({self.limit:g})"

    @property
    def name(self) -> str:
        return in_language(self.name_de, self.name_en)


class RuleInput(models.Model):
    """A datastream that an expression knows by a name."""

    rule = ParentalKey(
        Rule, on_delete=models.CASCADE, related_name="inputs", verbose_name=_("rule")
    )
    name = models.SlugField(_("name"), max_length=30)
    datastream = models.ForeignKey(
        "store.Datastream", models.CASCADE, related_name="+", verbose_name=_("datastream")
    )
    window = models.CharField(
        _("readings of the window"),
        max_length=8,
        choices=Rule.Window.choices,
        default=Rule.Window.NEWEST,
    )
    window_minutes = models.PositiveIntegerField(_("window"), default=60)

    class Meta:
        verbose_name = _("input")
        verbose_name_plural = _("inputs")
        constraints = [
            models.UniqueConstraint(fields=["rule", "name"], name="alerts_input_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class RuleState(models.Model):
    """How far one measuring point is with one rule. Changed only by `rules`, under its lock.

    `rank` is what holds, `wanted` what the figure asks for since `wanted_since` (pending, or waiting for
    calm). `newest_at` and `newest_id` mark the newest reading that has been judged, `look_at` is when
    the clock has to judge without one, `looked_at` when it last did. `raises` are the times of the
    warnings of the last hour.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="states")
    datastream = models.ForeignKey("store.Datastream", models.CASCADE, related_name="+")
    rank = models.PositiveSmallIntegerField(default=0)
    wanted = models.PositiveSmallIntegerField(default=0)
    wanted_since = models.BigIntegerField(null=True)
    wanted_count = models.PositiveSmallIntegerField(default=0)
    value = models.FloatField(null=True)
    newest_at = models.BigIntegerField(null=True)
    newest_id = models.BigIntegerField(null=True)
    look_at = models.BigIntegerField(null=True, db_index=True)
    looked_at = models.BigIntegerField(null=True)
    edition = models.DateTimeField(null=True)  # `changed_at` of the rule it was judged by
    raises = models.JSONField(default=list)

    class Meta:
        verbose_name = _("state of a rule")
        verbose_name_plural = _("states of rules")
        constraints = [
            models.UniqueConstraint(fields=["rule", "datastream"], name="alerts_state_once")
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.datastream_id}: {self.rank}"


class RuleVersion(models.Model):
    """One number that is another after every change of a rule, so that processes notice. One row."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


def in_language(german: Any, english: Any) -> str:
    """The text in the active language, or the other one where it is missing."""
    first, second = (english, german) if get_language() == "en" else (german, english)
    return str(first or second)
