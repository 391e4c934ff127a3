"""The service root of each face: its entity sets, and which parts of the standard are kept."""

from collections.abc import Iterable
from typing import Any

import orjson

from stadtherz.sensorthings.answers.addresses import DATASETS
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.language.functions import CAST, INTERVAL, SIGNATURES
from stadtherz.sensorthings.language.grammar import QUANTIFIERS
from stadtherz.sensorthings.language.periods import RELATIONS

_V1 = "http://www.opengis.net/spec/iot_sensing/1.1/req"
_TASKING = "http://www.opengis.net/spec/iot_tasking/1.0/req"
_PLUS = "http://www.opengis.net/spec/sensorthings-staplus/1.0/conf"
_V2 = "http://www.opengis.net/spec/sensorthings/2.0"

_REQUIREMENTS = (
    "api/read/paths",
    "api/read/options/precedence",
    "api/read/options/select",
    "api/read/options/select_distinct",
    "api/read/options/expand",
    "api/read/options/top",
    "api/read/options/skip",
    "api/read/options/count",
    "api/read/options/orderby",
    "api/read/options/format",
    "api/read/options/pagination",
    "api/cud/replace",
    "api/cud/deep_update",
    "api/cud/json_patch",
    "api/cud/filtered_delete",
    "binding/http/advertisement",
    "binding/http/request_response",
    "binding/mqtt/advertisement",
    "binding/mqtt/request_response",
    "binding/mqtt/simple_create",
)
"""Single ones of version 2.0: those of classes that are not whole, and those that are optional."""

CONFORMANCE: dict[str, tuple[str, ...]] = {
    "1.1": tuple(
        f"{_V1}/{name}"
        for name in (
            "datamodel",
            "resource-path/resource-path-to-entities",
            "request-data",
            "create-update-delete/create-entity",
            "create-update-delete/link-to-existing-entities",
            "create-update-delete/deep-insert",
            "create-update-delete/deep-insert-status-code",
            "create-update-delete/update-entity",
            "create-update-delete/update-entity-put",
            "create-update-delete/update-entity-jsonpatch",
            "create-update-delete/delete-entity",
            "create-update-delete/historical-location-auto-creation",
            "create-update-delete/historical-location-manual-creation",
            "batch-request/batch-request",
            "multi-datastream",
            "multi-datastream/properties",
            "multi-datastream/relations",
            "multi-datastream/constraints",
            "data-array/data-array",
        )
    )
    + tuple(
        f"{_TASKING}/{name}" for name in ("tasking-capability", "task", "actuator", "create-tasks")
    )
    + tuple(f"{_PLUS}/{name}" for name in ("core", "create", "update", "delete")),
    # Of a class that is not whole there are single requirements (docs/explain/sensorthings-2.md).
    "2.0": (
        f"{_V2}/req-class/datamodel/core",
        f"{_V2}/req-class/api/cud",
        f"{_V2}/req-class/binding/http",
        f"{_V1}/batch-request/batch-request",
        f"{_V1}/data-array/data-array",
        *(f"{_V2}/req/{name}" for name in _REQUIREMENTS),
    ),
}


MQTT: dict[str, tuple[str, ...]] = {
    "1.1": (
        f"{_V1}/create-observations-via-mqtt/observations-creation",
        f"{_V1}/receive-updates-via-mqtt/receive-updates",
        f"{_TASKING}/create-tasks-via-mqtt",
        f"{_TASKING}/receive-updates-via-mqtt",
    ),
    "2.0": (f"{_V2}/req/binding/mqtt", f"{_V2}/req-class/binding/mqtt"),
}
"""Under these names stand the addresses of MQTT (18-088 §14); in 1.1 they are conformance, too."""

_mqtt: list[str] = []


def announce_mqtt(endpoints: Iterable[str]) -> None:
    """Where MQTT is spoken besides `/mqtt` of this server, as the city's clients reach it."""
    _mqtt[:] = endpoints


def _mqtt_settings(urls: Urls) -> dict[str, Any]:
    web = urls.host.replace("http", "ws", 1) + "/mqtt"
    return {name: {"endpoints": [web, *_mqtt]} for name in MQTT[urls.face.version]}


def service_root(urls: Urls) -> bytes:
    """18-088 §9.2.1; of version 2.0 also the functions of filters and where else it is reached."""
    sets = [{"name": e.plural, "url": urls.entity_set(e)} for e in urls.face.types.values()]
    conformance = CONFORMANCE[urls.face.version]
    if urls.face.version == "1.1":
        conformance += MQTT["1.1"]
    settings: dict[str, Any] = {"conformance": conformance, **_mqtt_settings(urls)}
    settings["datasets"] = {"endpoints": [urls.host + DATASETS]}
    if urls.face.version == "2.0":
        endpoints = {"endpoints": [urls.root]}
        settings["functions"] = sorted([*SIGNATURES, *RELATIONS, *QUANTIFIERS, INTERVAL, CAST])
        settings |= {f"{_V2}/{kind}/binding/http": endpoints for kind in ("req", "req-class")}
    return orjson.dumps({**urls.context(), "value": sets, "serverSettings": settings})
