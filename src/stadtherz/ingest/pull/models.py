"""Servers that are copied, what was copied, and how far. Times are microseconds since 1970."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.base.visibility import AccessLevel, Scope, Visibility
from stadtherz.ingest.pull import words
from stadtherz.ingest.trust import vault
from stadtherz.ingest.trust.server_urls import is_root, with_scheme


class PullSource(models.Model):
    """Another SensorThings server, and what one organisation wants of it."""

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    url = models.CharField(
        _("address"),
        max_length=500,
        help_text=_("Of its SensorThings 1.1, for example https://frost.example/FROST-Server/v1.1"),
    )
    secret = models.TextField(blank=True, editable=False)
    things = models.TextField(
        _("only these things"),
        blank=True,
        max_length=2000,
        help_text=_("A filter in its language, for example: startswith(name,'Pegel'). Empty: all."),
    )
    datastreams = models.TextField(
        _("only these datastreams"),
        blank=True,
        max_length=2000,
        help_text=_("A filter, for example: ObservedProperty/name eq 'Water level'. Empty: all."),
    )
    every = models.PositiveIntegerField(
        _("every so many minutes"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
    )
    access = models.CharField(
        _("access"),
        max_length=12,
        default=AccessLevel.PUBLIC.value,
        choices=[
            (AccessLevel.PUBLIC.value, _("Public")),
            (AccessLevel.ORGANISATION.value, _("Own organisation")),
        ],
        help_text=_("Who may see what is copied. Once something was copied, it keeps its access."),
    )
    again_days = models.PositiveSmallIntegerField(
        _("compare the last … days"),
        default=3,
        validators=[MaxValueValidator(366)],
        help_text=_(
            "Once a day the measurements of so many days are fetched once more, and what was corrected there is"
            " corrected here. 0: never."
        ),
    )
    remove = models.BooleanField(
        _("remove what was removed there"),
        default=False,
        help_text=_(
            "Of these days also delete what the other server no longer has. Only if nothing else writes into these"
            " datastreams."
        ),
    )
    active = models.BooleanField(_("active"), default=True)
    next_due = models.BigIntegerField(default=0, editable=False)
    ok_at = models.BigIntegerField(_("last fetched"), null=True, editable=False)
    streams = models.PositiveIntegerField(_("datastreams"), default=0, editable=False)
    readings = models.PositiveBigIntegerField(_("measurements"), default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    problem = models.CharField(max_length=40, blank=True, editable=False)
    facts = models.JSONField(default=dict, editable=False)
    problem_at = models.BigIntegerField(_("last problem"), null=True, editable=False)

    class Meta:
        app_label = "ingest"
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="ingest_pull_source_once_per_owner",
                violation_error_message=_("There is a source of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.url = with_scheme(self.url).rstrip("/")
        if not is_root(self.url):
            raise ValidationError({"url": _("Write for example https://frost.example/v1.1")})

    def keep_token(self, token: str) -> None:
        """Keep it sealed: neither a dump of the database nor any page shows it."""
        self.secret = vault.sealed(token)

    @property
    def problem_sentence(self) -> str:
        """What went wrong last, in the active language; empty if nothing did."""
        return words.sentence(self.problem, self.facts)

    @property
    def visibility(self) -> Visibility:
        """As whom copies are made."""
        own = frozenset({self.owner_id})
        return Visibility(
            actor=f"pull:{self.pk}",
            organisations=own,
            writes=own,
            scopes=frozenset({Scope.READ, Scope.WRITE}),
            home=self.owner_id,
        )


class PulledEntity(models.Model):
    """What an entity of the other server is here."""

    source = models.ForeignKey(PullSource, models.CASCADE, related_name="entities")
    kind = models.CharField(max_length=30)
    outer = models.CharField(max_length=200)
    key = models.BigIntegerField()

    class Meta:
        app_label = "ingest"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind", "outer"], name="ingest_pulled_entity_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.outer}"


class PulledStream(models.Model):
    """How far the measurements of a datastream were copied: JSON of the last id, or of the last time.

    It moves in the transaction that keeps the measurements, so a crash neither loses nor repeats one.
    """

    source = models.ForeignKey(PullSource, models.CASCADE, related_name="cursors")
    outer = models.CharField(max_length=200)
    datastream = models.ForeignKey("store.Datastream", models.CASCADE, related_name="+")
    cursor = models.JSONField(null=True)
    by_time = models.BooleanField(default=False)
    again_at = models.BigIntegerField(default=0)  # when its last days were compared

    class Meta:
        app_label = "ingest"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "datastream"], name="ingest_pulled_stream_once"
            )
        ]

    def __str__(self) -> str:
        return self.outer
