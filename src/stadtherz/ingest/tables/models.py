"""Imports of tables, mappings that were saved under a name, and folders that are watched."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.tables import reasons


class TableMapping(models.Model):
    """What was said about a file, for the next one that looks alike."""

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    rules = models.JSONField(default=dict, editable=False)
    changed_at = models.BigIntegerField(_("changed"), default=0, editable=False)

    class Meta:
        app_label = "ingest"
        verbose_name = _("table mapping")
        verbose_name_plural = _("table mappings")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="ingest_table_mapping_once_per_owner",
                violation_error_message=_("There is a mapping of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class WatchedFolder(models.Model):
    """A folder of the machine whose new files are imported by themselves."""

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(
        _("name of the folder"),
        max_length=60,
        validators=[
            RegexValidator(r"^[a-z0-9][a-z0-9_-]*$", _("Only small letters, digits, - and _."))
        ],
        help_text=_("It is made on the machine, inside the folder of your organisation."),
    )
    mapping = models.ForeignKey(
        TableMapping, models.PROTECT, related_name="folders", verbose_name=_("mapping")
    )
    active = models.BooleanField(_("active"), default=True)
    seen = models.JSONField(default=dict, editable=False)

    class Meta:
        app_label = "ingest"
        verbose_name = _("watched folder")
        verbose_name_plural = _("watched folders")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="ingest_watched_folder_once_per_owner",
                violation_error_message=_("There is a folder of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.mapping_id is not None and self.mapping.owner_id != self.owner_id:
            raise ValidationError({"mapping": _("This belongs to another organisation.")})


class TableImport(models.Model):
    """One file on its way in, how far it has come, and what became of it."""

    class State(models.TextChoices):
        OPEN = "open", _("waits for its mapping")
        READY = "ready", _("can be checked")
        CHECKING = "checking", _("is being checked")
        CHECKED = "checked", _("checked")
        IMPORTING = "importing", _("is being imported")
        DONE = "done", _("imported")
        FAILED = "failed", _("failed")

    WORKING = (State.CHECKING, State.IMPORTING)

    owner = models.ForeignKey(
        "store.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("file"), max_length=200)
    digest = models.CharField(max_length=64, editable=False)
    size = models.BigIntegerField(_("size"), default=0)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.OPEN)
    form = models.JSONField(default=dict)
    rules = models.JSONField(default=dict)
    mapping_name = models.CharField(_("mapping"), max_length=200, blank=True)
    folder = models.ForeignKey(
        WatchedFolder, models.SET_NULL, null=True, related_name="+", verbose_name=_("folder")
    )
    counts = models.JSONField(default=dict)  # of the run at hand or the last one
    checked = models.JSONField(null=True)  # what the check of the whole file found
    place = models.JSONField(default=dict)  # where to go on
    rows_done = models.BigIntegerField(_("rows done"), default=0)
    rows_total = models.BigIntegerField(_("rows"), null=True)
    problem = models.JSONField(null=True)  # code and facts of what made it fail
    holder = models.CharField(max_length=64, blank=True)  # who works on it
    held_until = models.BigIntegerField(default=0)
    created_at = models.BigIntegerField(_("uploaded"))
    finished_at = models.BigIntegerField(_("finished"), null=True)
    file_gone = models.BooleanField(default=False)

    class Meta:
        app_label = "ingest"
        verbose_name = _("table import")
        verbose_name_plural = _("table imports")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["state"], name="ingest_table_import_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING

    @property
    def percent(self) -> int | None:
        """How far a run has come; None where nobody knows how long the file is."""
        if not self.rows_total:
            return None
        return min(100, self.rows_done * 100 // self.rows_total)

    @property
    def problem_sentence(self) -> str:
        """Why it failed, in the active language."""
        told: dict[str, Any] = self.problem or {}
        return reasons.sentence(told["code"], told["facts"]) if told else ""
