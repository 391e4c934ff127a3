"""What is wrong, what changed, who has taken it on, and when silence is wanted.

An Alert is one continuous state of one thing; while it is open there is no second of its kind. Every
change of it is an AlertEvent, and every AlertEvent owes each address one Delivery. What people do with
an alert is an AlertNote: together with the events it is the audit trail.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stadtherz.kit.declaration import Severity


class Alert(models.Model):
    """A state that is not normal, from the reading that raised it to the one that cleared it.

    `rank` orders the states of a kind: 0 is normal, higher is worse; `step` names the state in the words
    of the service. `title` holds a text for each language. `public` ones are shown to everybody who
    may see the datastream. `code` is what a person answers by SMS; open alerts have different ones.
    `owner` is the organisation whose staff see it: that of the datastream, if it is about one. A test
    alarm, or a gateway that has failed, has none.
    """

    kind = models.CharField(_("kind"), max_length=80)
    subject = models.CharField(_("subject"), max_length=200)
    owner = models.ForeignKey(
        "store.Organisation",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    datastream = models.ForeignKey(
        "store.Datastream",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("datastream"),
    )
    rank = models.PositiveSmallIntegerField(_("rank"))
    step = models.CharField(_("step"), max_length=100, blank=True)
    severity = models.CharField(
        _("severity"), max_length=10, choices=[(s.value, s.value) for s in Severity]
    )
    title = models.JSONField(_("title"))
    opened_at = models.BigIntegerField(_("opened"))
    changed_at = models.BigIntegerField(_("last changed"))
    cleared_at = models.BigIntegerField(_("cleared"), null=True, blank=True)
    rule = models.ForeignKey(
        "alerts.Rule",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="alerts",
        verbose_name=_("rule"),
    )
    recipients = models.ForeignKey(
        "alerts.ContactList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who is told"),
    )
    public = models.BooleanField(_("public"), default=False)
    drill = models.BooleanField(_("test alarm"), default=False)
    code = models.PositiveIntegerField(_("code"), null=True, blank=True)
    acknowledged_at = models.BigIntegerField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=200, blank=True)
    false_alarm = models.BooleanField(
        _("false alarm"), null=True, blank=True, help_text=_("As staff have judged it afterwards.")
    )

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["code"], name="alerts_code_known"),
            models.Index(fields=["kind", "subject"], name="alerts_subject_known"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(cleared_at__isnull=True),
                name="alerts_one_open_alert",
            ),
            models.UniqueConstraint(
                fields=["code"], condition=Q(cleared_at__isnull=True), name="alerts_code_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.owner_id is None and self.datastream is not None:
            self.owner_id = self.datastream.owner_id
        super().save(*args, **kwargs)


class AlertEvent(models.Model):
    """One change of an alert, or another occasion to tell people. Written once, never changed.

    `cause` is what makes it happen only once: "observation:<id>", "clock:<time>", "reminder:<n>", …
    `muted` ones owed nobody a message, because a pause was in force. `recipients` is the list that was
    called by it; who had been told of the alert before is told besides. `public` is what a public warning
    says besides its texts, see `alerts.public_words`.
    """

    class Change(models.TextChoices):
        RAISED = "raised", _("raised")
        ESCALATED = "escalated", _("escalated")
        LOWERED = "lowered", _("lowered")
        CLEARED = "cleared", _("cleared")
        REMINDED = "reminded", _("reminded")
        FORWARDED = "forwarded", _("others told")
        RESUMED = "resumed", _("still so after a pause")
        HANDED_OVER = "handed_over", _("handed over")
        ACKNOWLEDGED = "acknowledged", _("taken on")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events", verbose_name=_("alert"))
    change = models.CharField(_("change"), max_length=12, choices=Change.choices)
    rank_before = models.PositiveSmallIntegerField(_("rank before"))
    rank = models.PositiveSmallIntegerField(_("rank"))
    severity = models.CharField(_("severity"), max_length=10)
    cause = models.CharField(_("cause"), max_length=60)
    observation = models.BigIntegerField(_("observation"), null=True, blank=True)
    at = models.BigIntegerField(_("time of the observation"))
    recorded_at = models.BigIntegerField(_("recorded"))
    texts = models.JSONField(_("texts"))
    public = models.JSONField(default=dict, blank=True, editable=False)
    muted = models.BooleanField(_("nobody told"), default=False)
    recipients = models.ForeignKey(
        "alerts.ContactList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who is told"),
    )

    class Meta:
        verbose_name = _("alert event")
        verbose_name_plural = _("alert events")
        ordering = ["id"]
        indexes = [
            # Looked at each second; nearly always empty.
            models.Index(fields=["alert"], condition=Q(muted=True), name="alerts_event_muted")
        ]
        constraints = [
            models.UniqueConstraint(fields=["alert", "cause"], name="alerts_event_per_cause")
        ]

    def __str__(self) -> str:
        return f"{self.alert} {self.change}"

    def wording(self, language: str) -> dict[str, Any]:
        """What it says in this language, or in the first that it has; see `values.Wording`."""
        found: dict[str, Any] = self.texts.get(language) or next(iter(self.texts.values()))
        return found


class AlertNote(models.Model):
    """What a person or the product did with an alert: who, when, why. Written once, never changed."""

    class Act(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        COMMENTED = "commented", _("commented")
        CLOSED = "closed", _("closed by hand")
        PAUSED = "paused", _("silenced")
        RESUMED = "resumed", _("silence ended")
        JUDGED = "judged", _("judged")
        DAMPED = "damped", _("too many changes, waiting for calm")
        EDITED = "edited", _("rule changed")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notes", verbose_name=_("alert"))
    act = models.CharField(_("what"), max_length=12, choices=Act.choices)
    at = models.BigIntegerField(_("when"))
    who = models.CharField(_("who"), max_length=200, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    contact = models.ForeignKey(
        "alerts.Contact", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    way = models.CharField(_("way"), max_length=20, blank=True)  # app, link, sms
    why = models.TextField(_("why"), blank=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.alert} {self.act}"


class Chase(models.Model):
    """An alert that nobody has acknowledged, on its way through a chain of lists.

    One row for each list that was told; both times are when the clock has to look again. The rows stay
    until the alert is acknowledged or over: a list that has one is not called a second time.
    """

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="chases")
    recipients = models.ForeignKey("alerts.ContactList", models.CASCADE, related_name="+")
    remind_at = models.BigIntegerField(null=True)
    escalate_at = models.BigIntegerField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    next_at = models.BigIntegerField(null=True, db_index=True)  # the earlier of the two

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(fields=["alert", "recipients"], name="alerts_chase_once")
        ]

    def __str__(self) -> str:
        return f"{self.alert} → {self.recipients}"


class Pause(models.Model):
    """A time in which nobody is told, with its reason: maintenance, works, a known fault.

    Without thing and rule it holds for everything of the organisation.
    """

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    thing = models.ForeignKey(
        "store.Thing",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("thing"),
    )
    rule = models.ForeignKey(
        "alerts.Rule",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("rule"),
    )
    starts = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=300)
    by = models.CharField(_("set by"), max_length=200, blank=True, editable=False)
    settled = models.BooleanField(default=False, editable=False)  # its end has been dealt with

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        ordering = ["-starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gt=models.F("starts")), name="alerts_pause_ends"
            )
        ]

    def __str__(self) -> str:
        return self.reason


class Drill(models.Model):
    """A test alarm that walked the whole chain of a list, and who answered."""

    recipients = models.ForeignKey(
        "alerts.ContactList", models.CASCADE, related_name="+", verbose_name=_("contact list")
    )
    alert = models.OneToOneField(
        Alert, models.SET_NULL, null=True, related_name="+", verbose_name=_("alert")
    )
    at = models.BigIntegerField(_("when"))
    by = models.CharField(_("started by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("test alarm")
        verbose_name_plural = _("test alarms")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.recipients} {self.at}"
