"""The entity tables of the data plane (OGC 18-088 §8.2) and who owns what.

Observations have no model: `rows.py` keeps them. Times are microseconds since 1970 in UTC.
"""

from collections.abc import Iterable
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.base import ModelBase
from django.utils.translation import gettext_lazy as _

from stadtherz.base.visibility import AccessLevel
from stadtherz.store.identities import Identity
from stadtherz.store.numbers import next_id

ACCESS_CHOICES = [
    (AccessLevel.PUBLIC.value, _("Public")),
    (AccessLevel.ORGANISATION.value, _("Own organisation")),
    (AccessLevel.GROUP.value, _("Named group")),
]


SLUG = r"\A[a-z0-9]+(?:[-_][a-z0-9]+)*\Z"


class Organisation(models.Model):
    """A municipality or public body that owns data."""

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("contact e-mail"), blank=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AccessGroup(models.Model):
    """A named group of people, across organisations, that may read what is marked for it."""

    name = models.CharField(_("name"), max_length=200)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="+", verbose_name=_("organisation")
    )

    class Meta:
        verbose_name = _("access group")
        verbose_name_plural = _("access groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Numbered(models.Model):
    """What gets its id from the server, unless somebody has chosen one."""

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        if self.pk is None:
            self.pk, force_insert = next_id(self._meta.db_table), True
        super().save(
            force_insert=force_insert,
            force_update=force_update,
            using=using,
            update_fields=update_fields,
        )


class Owned(Numbered):
    """What belongs to an organisation and has an access level."""

    owner = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    access = models.CharField(
        _("access"), max_length=12, choices=ACCESS_CHOICES, default=AccessLevel.PUBLIC.value
    )
    group = models.ForeignKey(
        AccessGroup,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("group"),
    )

    class Meta:
        abstract = True


class Known(Owned):
    """`known_as` is the `Identity` by which others recognise the entity, if they do."""

    known_as = models.TextField(null=True, blank=True, editable=False)  # noqa: DJ001 - a key or none

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["known_as"], name="%(class)s_known")]
        constraints = [
            models.UniqueConstraint(
                fields=["known_as", "owner"],
                condition=models.Q(known_as__isnull=False),
                name="%(class)s_known_once",
            )
        ]

    def save(self, **options: Any) -> None:
        if self.known_as is not None and not Identity.read(self.known_as).fits(self):
            self.known_as = None
        super().save(**options)


class Described(Known):
    """The three properties that most entities share."""

    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True)
    properties = models.JSONField(_("properties"), null=True, blank=True)

    class Meta(Known.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name


class Defined(Described):
    """`definition` is the address of what the entity is in some vocabulary, if it is told."""

    definition = models.CharField(  # noqa: DJ001 - version 1.1 has none
        _("definition"), max_length=500, null=True, blank=True
    )

    class Meta(Described.Meta):
        abstract = True


def _optional_text() -> "models.TextField[str | None, str | None]":
    """A text that may be missing, which filters tell from an empty one."""
    return models.TextField(null=True, blank=True)


def _of_party() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey("store.Party", models.SET_NULL, null=True, related_name="+")


def _under_license() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey("store.License", models.SET_NULL, null=True, related_name="+")


class Location(Defined):
    encoding_type = models.CharField(max_length=100, default="application/geo+json")
    location = models.JSONField()

    class Meta(Described.Meta):
        verbose_name = _("location")
        verbose_name_plural = _("locations")


class Thing(Defined):
    locations = models.ManyToManyField(Location, related_name="+", blank=True)
    party = _of_party()

    class Meta(Described.Meta):
        verbose_name = _("thing")
        verbose_name_plural = _("things")


class HistoricalLocation(Numbered):
    """Where a Thing was since `time`; it belongs to whoever owns the Thing."""

    thing = models.ForeignKey(Thing, models.CASCADE, related_name="+")
    time = models.BigIntegerField()
    locations = models.ManyToManyField(Location, related_name="+", blank=True)

    class Meta:
        indexes = [models.Index(fields=["thing", "time"], name="store_historical_thing_time")]

    def __str__(self) -> str:
        return f"{self.thing_id}@{self.time}"


class Sensor(Defined):
    encoding_type = models.CharField(max_length=100, default="application/pdf")
    metadata = models.JSONField()

    class Meta(Described.Meta):
        verbose_name = _("sensor")
        verbose_name_plural = _("sensors")


class ObservedProperty(Described):
    definition = models.CharField(_("definition"), max_length=500)

    class Meta(Described.Meta):
        verbose_name = _("observed property")
        verbose_name_plural = _("observed properties")


class Datastream(Defined):
    """One whose results have several parts has the type and the unit of each, in order, in `data_types`
    and `units`. `observed_property` is the first of what it observes, `Observed` tells of all.

    All of its readings were taken at `proximate_feature`, if it has one; they stand for what the
    `ultimate_features` are.
    """

    observation_type = models.CharField(
        max_length=200,
        default="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    )
    unit_of_measurement = models.JSONField()
    data_types = models.JSONField(null=True, blank=True)
    units = models.JSONField(null=True, blank=True)
    result_encoding = models.JSONField(null=True, blank=True)
    observed_area = models.JSONField(null=True, blank=True)
    thing = models.ForeignKey(Thing, models.CASCADE, related_name="+", verbose_name=_("thing"))
    sensor = models.ForeignKey(Sensor, models.CASCADE, related_name="+", verbose_name=_("sensor"))
    observed_property = models.ForeignKey(
        ObservedProperty, models.CASCADE, related_name="+", verbose_name=_("observed property")
    )
    proximate_feature = models.ForeignKey(
        "FeatureOfInterest", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ultimate_features: "models.ManyToManyField[FeatureOfInterest, Any]" = models.ManyToManyField(
        "FeatureOfInterest", related_name="+", blank=True
    )
    party = _of_party()
    license = _under_license()

    class Meta(Described.Meta):
        verbose_name = _("datastream")
        verbose_name_plural = _("datastreams")

    def save(self, **options: Any) -> None:
        held = [] if self._state.adding else Observed.of(self.pk)
        super().save(**options)
        if held[:1] != [self.observed_property_id]:
            Observed.write(self.pk, [self.observed_property_id])


class Observed(models.Model):
    """That a datastream observes a property, and in which place of its results."""

    datastream = models.ForeignKey(
        Datastream, models.CASCADE, related_name="observed", db_index=False
    )
    observed_property = models.ForeignKey(ObservedProperty, models.CASCADE, related_name="+")
    place = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["datastream", "place"], name="observed_place")
        ]

    def __str__(self) -> str:
        return f"{self.datastream_id}[{self.place}] {self.observed_property_id}"

    @staticmethod
    def of(datastream: int) -> list[int]:
        """What a datastream observes, in order."""
        held = Observed.objects.filter(datastream=datastream).order_by("place")
        return list(held.values_list("observed_property", flat=True))

    @staticmethod
    def write(datastream: int, properties: list[int]) -> None:
        """What a datastream observes from now on, in order."""
        Observed.objects.filter(datastream=datastream).delete()
        Observed.objects.bulk_create(
            Observed(datastream_id=datastream, observed_property_id=key, place=place)
            for place, key in enumerate(properties)
        )


class FeatureType(Defined):
    """A kind of features, such as rivers."""

    class Meta(Described.Meta):
        verbose_name = _("feature type")
        verbose_name_plural = _("feature types")


class FeatureOfInterest(Defined):
    encoding_type = models.CharField(max_length=100, default="application/geo+json")
    feature = models.JSONField()
    feature_types = models.ManyToManyField(FeatureType, related_name="+", blank=True)
    generated_from = models.OneToOneField(
        Location, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta(Described.Meta):
        verbose_name = _("feature of interest")
        verbose_name_plural = _("features of interest")


class Actuator(Described):
    encoding_type = models.CharField(max_length=100, default="application/pdf")
    metadata = models.JSONField()

    class Meta(Described.Meta):
        verbose_name = _("actuator")
        verbose_name_plural = _("actuators")


class TaskingCapability(Described):
    """What a Thing can be told to do (17-079r1); `tasking_parameters` describe what it must be told."""

    tasking_parameters = models.JSONField()
    thing = models.ForeignKey(Thing, models.CASCADE, related_name="+", verbose_name=_("thing"))
    actuator = models.ForeignKey(
        Actuator, models.CASCADE, related_name="+", verbose_name=_("actuator")
    )

    class Meta(Described.Meta):
        verbose_name = _("tasking capability")
        verbose_name_plural = _("tasking capabilities")


class Task(Numbered):
    """What a Thing was told to do; it belongs to whoever owns the Thing."""

    tasking_capability = models.ForeignKey(
        TaskingCapability, models.CASCADE, related_name="+", db_index=False
    )
    creation_time = models.BigIntegerField()
    tasking_parameters = models.JSONField()
    properties = models.JSONField(_("properties"), null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["tasking_capability", "creation_time"], name="task_capability_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tasking_capability_id}@{self.creation_time}"


class ObservedAt(models.Model):
    """That a datastream has readings of a feature of interest, or has had; kept with the readings.

    No constraint of the database: a commit of readings must not fail for it.
    """

    datastream = models.ForeignKey(
        Datastream, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    feature = models.ForeignKey(
        FeatureOfInterest, models.CASCADE, related_name="+", db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["datastream", "feature"], name="observed_at_once")
        ]

    def __str__(self) -> str:
        return f"{self.datastream_id} at {self.feature_id}"


class Dataset(Owned):
    """Things and datastreams under one name, with a URL, topics and rights of their own.

    A Thing brings its datastreams. `readers` and `contributors`, and the groups, are those whom the
    owner shares its members with; contributors may also add and change readings.
    """

    slug = models.CharField(
        _("short name in the address"),
        unique=True,
        max_length=60,
        validators=[RegexValidator(SLUG, _("Small letters, digits and single hyphens."))],
    )
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    licence = models.CharField(
        _("licence"),
        max_length=300,
        blank=True,
        help_text=_("A name or an address, such as https://www.govdata.de/dl-de/by-2-0"),
    )
    things = models.ManyToManyField(
        Thing, related_name="+", blank=True, verbose_name=_("things with all their datastreams")
    )
    datastreams = models.ManyToManyField(
        Datastream, related_name="+", blank=True, verbose_name=_("single datastreams")
    )
    readers = models.ManyToManyField(
        Organisation, related_name="+", blank=True, verbose_name=_("organisations that may read")
    )
    contributors = models.ManyToManyField(
        Organisation,
        related_name="+",
        blank=True,
        verbose_name=_("organisations that may read and add readings"),
    )
    reader_groups = models.ManyToManyField(
        AccessGroup, related_name="+", blank=True, verbose_name=_("groups that may read")
    )
    contributor_groups = models.ManyToManyField(
        AccessGroup,
        related_name="+",
        blank=True,
        verbose_name=_("groups that may read and add readings"),
    )

    class Meta:
        verbose_name = _("data set")
        verbose_name_plural = _("data sets")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Party(Known):
    """Somebody to whom Things and series belong (22-022r1); a person, or an institution."""

    role = models.CharField(max_length=20)
    description = _optional_text()
    display_name = _optional_text()
    auth_id = _optional_text()

    class Meta(Known.Meta):
        verbose_name = _("party")
        verbose_name_plural = _("parties")

    def __str__(self) -> str:
        return self.display_name or str(self.pk)


class License(Described):
    definition = models.TextField(_("definition"))
    logo = _optional_text()
    attribution_text = _optional_text()

    class Meta(Described.Meta):
        verbose_name = _("license")
        verbose_name_plural = _("licenses")


class Relation(Known):
    """What one observation, the subject, has to do with another or with something outside."""

    role = models.TextField()
    description = _optional_text()
    external_resource = _optional_text()
    properties = models.JSONField(null=True, blank=True)
    subject = models.PositiveBigIntegerField()
    object = models.PositiveBigIntegerField(null=True)

    class Meta(Known.Meta):
        indexes = [
            *Known.Meta.indexes,
            models.Index(fields=["subject"], name="relation_subject"),
            models.Index(fields=["object"], name="relation_object"),
        ]
        verbose_name = _("relation")
        verbose_name_plural = _("relations")

    def __str__(self) -> str:
        return f"{self.subject} {self.role}"


class ObservationGroup(Described):
    purpose = _optional_text()
    creation_time = models.BigIntegerField()
    end_time = models.BigIntegerField(null=True)
    terms_of_use = _optional_text()
    privacy_policy = _optional_text()
    data_quality = models.JSONField(null=True, blank=True)
    party = _of_party()
    license = _under_license()
    relations = models.ManyToManyField(Relation, related_name="+", blank=True)

    class Meta(Described.Meta):
        verbose_name = _("observation group")
        verbose_name_plural = _("observation groups")


class Grouped(models.Model):
    """That an observation, which has no row in any table, is in a group (docs/decisions/0014)."""

    group = models.ForeignKey(
        ObservationGroup, models.CASCADE, related_name="grouped", db_index=False
    )
    observation = models.PositiveBigIntegerField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "observation"], name="grouped_once")
        ]

    def __str__(self) -> str:
        return f"{self.group_id} {self.observation}"


class Campaign(Described):
    classification = _optional_text()
    terms_of_use = models.TextField()
    privacy_policy = _optional_text()
    creation_time = models.BigIntegerField()
    start_time = models.BigIntegerField(null=True)
    end_time = models.BigIntegerField(null=True)
    url = _optional_text()
    party = _of_party()
    license = _under_license()
    datastreams = models.ManyToManyField(Datastream, related_name="+", blank=True)
    groups = models.ManyToManyField(ObservationGroup, related_name="+", blank=True)

    class Meta(Described.Meta):
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")


class Cursor(models.Model):
    """How far a consumer of the append log has come."""

    consumer = models.CharField(max_length=100, primary_key=True)
    position = models.BigIntegerField()
    moved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("cursor")

    def __str__(self) -> str:
        return f"{self.consumer} at {self.position}"
