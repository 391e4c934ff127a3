"""How far a message to a device has come, in words."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    QUEUED = "queued", _("waits for the connection")
    HANDING_OVER = "handing_over", _("is being handed over")
    HANDED_OVER = "handed_over", _("handed over to the network")
    SENT = "sent", _("sent to the device")
    ACKNOWLEDGED = "acknowledged", _("acknowledged by the device")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("perhaps handed over")


LEVELS = {
    State.QUEUED: "info",
    State.HANDING_OVER: "info",
    State.HANDED_OVER: "info",
    State.SENT: "ok",
    State.ACKNOWLEDGED: "ok",
    State.FAILED: "danger",
    State.UNKNOWN: "warning",
}
# What a network's news may follow; what comes late or twice changes nothing.
FOLLOWS = {
    State.HANDED_OVER: frozenset({State.HANDING_OVER, State.UNKNOWN}),
    State.SENT: frozenset({State.HANDING_OVER, State.UNKNOWN, State.HANDED_OVER}),
    State.ACKNOWLEDGED: frozenset(State) - {State.QUEUED, State.ACKNOWLEDGED},
    State.FAILED: frozenset({State.HANDING_OVER, State.UNKNOWN, State.HANDED_OVER, State.SENT}),
}

TOO_OLD, WITHDRAWN, NOT_ALLOWED = "too_old", "withdrawn", "not_allowed"
NACK, NETWORK, ENDED, REPLACED = "nack", "network", "ended", "replaced"
_SENTENCES = {
    TOO_OLD: _("It waited for more than a day and was not sent any more."),
    WITHDRAWN: _("It was withdrawn before it was handed over."),
    NOT_ALLOWED: _("The broker does not let the connection’s user send to devices."),
    NACK: _("The device did not acknowledge it."),
    NETWORK: _("The network could not send it: {told}."),
    ENDED: _(
        "The connection or the server ended while it was handed over. Whether the network has it is not"
        " known: look at the device, then send it again if need be."
    ),
    REPLACED: _("It was sent again as another one."),
}


def sentence(reason: str, facts: Mapping[str, Any]) -> str:
    """In the active language; empty for none."""
    return str(_SENTENCES[reason]).format(**{"told": "", **facts}) if reason in _SENTENCES else ""
