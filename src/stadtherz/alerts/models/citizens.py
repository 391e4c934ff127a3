"""Who has subscribed to public warnings; no more of a person than an address and a language."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stadtherz.alerts.models.people import LANGUAGES, Channel
from stadtherz.kit.declaration import Severity


class Subscriber(models.Model):
    """An address that wants public warnings, once its owner has confirmed it.

    `key` is a random part of the signed token in the links that confirm and unsubscribe. `details` holds
    what the channel needs besides the address, such as the keys of a push subscription. `write_at` is
    when the letter that asks for confirmation is due. Who does not confirm is deleted; who
    unsubscribes is deleted at once.
    """

    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    address = models.CharField(_("address"), max_length=1000)
    details = models.JSONField(default=dict, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="de")
    key = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    write_at = models.BigIntegerField(null=True, editable=False, db_index=True)
    letters = models.PositiveSmallIntegerField(default=0, editable=False)
    letters_on = models.DateField(null=True, editable=False)

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "address"],
                condition=Q(confirmed_at__isnull=False),
                name="alerts_subscriber_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"  # no address in lists and logs


class Topic(models.Model):
    """What a subscriber wants to be told of: a Thing by its id, or with both empty everything."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="topics")
    kind = models.CharField(_("kind"), max_length=80, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    least = models.CharField(
        _("from"),
        max_length=10,
        default=Severity.INFO.value,
        choices=[(each.value, each.value) for each in Severity],
    )

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber", "kind", "subject"], name="alerts_topic_once"
            )
        ]
        indexes = [models.Index(fields=["kind", "subject"], name="alerts_topic_wanted")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Broadcast(models.Model):
    """A public event whose subscribers are not all owed their message yet: those up to `after` are."""

    event = models.OneToOneField("alerts.AlertEvent", models.CASCADE, related_name="broadcast")
    after = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("public event being told")
        verbose_name_plural = _("public events being told")

    def __str__(self) -> str:
        return f"{self.event_id} after {self.after}"
