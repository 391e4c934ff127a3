"""What was refused. Times are microseconds since 1970."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.models import Device, Network
from stadtherz.ingest.quality import reasons


class RefusedUplink(models.Model):
    """A message that was not (wholly) stored, with what came, why, and what became of it."""

    OPEN, REPLAYED, REFUSED_AGAIN = "", "stored", "refused"
    OUTCOMES = [
        (OPEN, _("not replayed")),
        (REPLAYED, _("stored")),
        (REFUSED_AGAIN, _("refused again")),
    ]

    owner = models.ForeignKey(
        "store.Organisation",
        models.CASCADE,
        null=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    network = models.CharField(_("network"), max_length=20, choices=Network.choices)
    reason = models.CharField(_("reason"), max_length=40, choices=reasons.CHOICES)
    facts = models.JSONField(default=dict)
    document = models.BinaryField()
    truncated = models.BooleanField(default=False)
    query = models.CharField(_("query"), max_length=500, blank=True)
    who = models.CharField(_("sender"), max_length=200, blank=True)
    device = models.ForeignKey(
        Device, models.SET_NULL, null=True, related_name="+", verbose_name=_("device")
    )
    # Of a token that is limited to it.
    only_device = models.BigIntegerField(null=True, editable=False)
    fingerprint = models.CharField(max_length=64, unique=True)
    count = models.PositiveBigIntegerField(_("how often"), default=1)
    received_at = models.BigIntegerField(_("first received"))
    last_at = models.BigIntegerField(_("last received"))
    replayed_at = models.BigIntegerField(_("replayed"), null=True)
    outcome = models.CharField(_("outcome"), max_length=20, blank=True, choices=OUTCOMES)
    outcome_facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("refused uplink")
        verbose_name_plural = _("refused uplinks")
        ordering = ["-last_at", "-id"]
        indexes = [models.Index(fields=["owner", "last_at"], name="ingest_refused_owner_last")]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """Why it was refused, in the active language."""
        return reasons.sentence(self.reason, self.facts)

    @property
    def outcome_sentence(self) -> str:
        """What became of the last replay, in the active language; empty before one."""
        if self.outcome == self.REFUSED_AGAIN:
            return reasons.sentence(self.outcome_facts.get("reason", ""), self.outcome_facts)
        return str(dict(self.OUTCOMES)[self.outcome]) if self.outcome else ""

    @property
    def document_text(self) -> str:
        """The document as text, for reading; `document` holds the bytes as they came."""
        return bytes(self.document).decode("utf-8", errors="replace")
