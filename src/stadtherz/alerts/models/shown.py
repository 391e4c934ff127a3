"""What everybody has seen, as long as somebody who took it over may still show it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Shown(models.Model):
    """A public warning from when everybody could first see it until that was taken back.

    It names its alert by number and no more, because it has to outlive it. `changes` are what messages to
    other programs were made of, see `alerts.shown`; the texts are not kept. A warning that is shown again
    after it was withdrawn gets another row, of the next `round`: what was said again `since` then is new to
    those who have forgotten it.
    """

    alert = models.BigIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    since = models.BigIntegerField(default=0)  # 0: from its beginning
    kind = models.CharField(max_length=80)
    changes = models.JSONField(default=list)
    over_at = models.BigIntegerField(null=True)
    withdrawn_at = models.BigIntegerField(null=True, db_index=True)

    class Meta:
        verbose_name = _("public warning as shown")
        verbose_name_plural = _("public warnings as shown")
        constraints = [
            models.UniqueConstraint(fields=["alert", "round"], name="alerts_shown_round"),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(withdrawn_at=None), name="alerts_shown_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert} ({self.round})"
