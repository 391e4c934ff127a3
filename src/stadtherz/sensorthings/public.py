"""The door of `sensorthings`: an ASGI application below `/sta/v1.1` and `/sta/v2.0`, and what MQTT
does with topics below `v1.1/` and `v2.0/`.

`Inquiry` asks the same within the product; `is_for_people` tells requests that want a page instead.
Published: `offered` (a plain Observation as an offer for the store), `create` (anything). Received:
`subscription` (a topic understood), `newest`, `present`, `of_readings`, `of_changes` and `of_going` (what is sent; `reading_going` tells of an Observation).
Tasks: `parameter_names` of a TaskingCapability and `check_values` held against its description.
Asked: `respond` carries out a request that came to the topic REQUESTS. `announce_mqtt` says at which addresses the service root tells clients to try it.
"""

from stadtherz.sensorthings.answers.landing import announce_mqtt
from stadtherz.sensorthings.doors.http import application
from stadtherz.sensorthings.doors.inquiry import Inquiry, Subject, is_for_people
from stadtherz.sensorthings.doors.requests import TOPIC as REQUESTS
from stadtherz.sensorthings.doors.requests import Request, Response, respond
from stadtherz.sensorthings.live.publications import (
    Publication,
    check_may_publish,
    create,
    offered,
)
from stadtherz.sensorthings.live.subscriptions import (
    Subscription,
    newest,
    of_changes,
    of_going,
    of_readings,
    present,
    subscription,
)
from stadtherz.sensorthings.live.topics import VERSIONS, is_topic
from stadtherz.sensorthings.standard.model import EntityType, Link, Property, Shape
from stadtherz.sensorthings.standard.tasking import check_values, parameter_names
from stadtherz.sensorthings.writing.write import reading_going

__all__ = [
    "REQUESTS",
    "VERSIONS",
    "EntityType",
    "Inquiry",
    "Link",
    "Property",
    "Publication",
    "Request",
    "Response",
    "Shape",
    "Subject",
    "Subscription",
    "announce_mqtt",
    "application",
    "check_may_publish",
    "check_values",
    "create",
    "is_for_people",
    "is_topic",
    "newest",
    "of_changes",
    "of_going",
    "of_readings",
    "offered",
    "parameter_names",
    "present",
    "reading_going",
    "respond",
    "subscription",
]
