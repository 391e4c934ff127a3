"""What the door must still know after a crash: sessions, what was kept of messages that may come
again, and which entities were changed. Times are microseconds since 1970.
"""

from django.db import models


class SavedSession(models.Model):
    """A session that outlives its connection. `wishes` are its subscriptions; the places say up to
    where of the log and of the announcements it was served, `rights` with which.
    """

    actor = models.CharField(max_length=100)
    client_id = models.CharField(max_length=200)
    expiry = models.PositiveIntegerField()
    wishes = models.JSONField(default=list)
    log_place = models.BigIntegerField(default=0)
    change_place = models.BigIntegerField(default=0)
    left_at = models.BigIntegerField(null=True)
    rights = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "client_id"], name="mqtt_one_session")
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.client_id}"


class OpenMessage(models.Model):
    """A message with quality 2 that is kept and not yet released, of a session that lasts.

    Until it is released the client may send it again; `content` tells it from another one.
    """

    actor = models.CharField(max_length=100)
    client_id = models.CharField(max_length=200)
    packet_id = models.PositiveIntegerField()
    content = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["actor", "client_id", "packet_id"], name="mqtt_one_open_message"
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.packet_id}"


class KeptMessage(models.Model):
    """A message from which entities were created, in the transaction that created them."""

    key = models.CharField(max_length=64, primary_key=True)
    at = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.key


class Announcement(models.Model):
    """An entity was created or changed, told in the transaction that did it.

    `place` counts them in the order in which they became visible, where ids do not (PostgreSQL).
    """

    entity = models.CharField(max_length=40)
    key = models.BigIntegerField()
    created = models.BooleanField(default=False)
    place = models.BigIntegerField(null=True, unique=True)
    at = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"{self.entity} {self.key}"
