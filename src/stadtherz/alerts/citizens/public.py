"""What pages need of subscriptions."""

from stadtherz.alerts.citizens.links import subscriber_of, token_of
from stadtherz.alerts.citizens.places import WarnedPlace, warned_places
from stadtherz.alerts.citizens.subscribing import (
    HOURS_TO_CONFIRM,
    Wish,
    choose,
    confirm,
    leave,
    subscribe,
    subscribe_device,
    wishes_of,
)

__all__ = [
    "HOURS_TO_CONFIRM",
    "WarnedPlace",
    "Wish",
    "choose",
    "confirm",
    "leave",
    "subscribe",
    "subscribe_device",
    "subscriber_of",
    "token_of",
    "warned_places",
    "wishes_of",
]
