"""The interface as OpenAPI 3.1, written from the entity model of each face."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import orjson

from stadtherz.sensorthings.answers.json_schemas import (
    ADDRESS,
    ID,
    Schema,
    changed,
    created,
    example_of,
    reference_to,
    schemas,
    value_of,
)
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.language.formats import Format
from stadtherz.sensorthings.standard.faces import Face
from stadtherz.sensorthings.standard.model import EntityType, Link, Property, one
from stadtherz.sensorthings.standard.schema import OBSERVATION, back_link, target

NAME = "openapi.json"
"""Below the service root."""

MEDIA = "application/vnd.oai.openapi+json;version=3.1"
_JSON = "application/json"
_TEXT = "text/plain"
_FAILURES = {
    400: "The request cannot be read; the message names the option or property, and the position.",
    401: "Credentials are missing or unknown.",
    403: "These credentials do not allow it.",
    404: "There is nothing at this address, or nothing that you may see.",
    405: "This method is not possible here; `Allow` names those that are.",
    409: "This collides with what is there.",
    412: "It is not the state that `If-Match` or `If-None-Match` demands.",
    413: "The body is too long, or holds too much.",
    415: "A body of this kind is not read here.",
    501: "Known to the standard or its neighbours, but not offered here.",
    503: "Just now the service does not answer; `Retry-After` tells when to try again.",
}
_READING = (400, 401, 404, 412, 501, 503)
_WRITING = (400, 401, 403, 404, 405, 409, 412, 413, 415, 501, 503)
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]
_ANYBODY = [{}, *_SIGNED_IN]


def document(urls: Urls) -> bytes:
    """The description of the face below its root."""
    return _written(urls.root, urls.face)


def advertised(urls: Urls) -> tuple[tuple[str, str], ...]:
    """The header that leads there (RFC 8631)."""
    return (("link", f'<{urls.root}/{NAME}>; rel="service-desc"; type="{MEDIA}"'),)


@lru_cache(maxsize=16)
def _written(root: str, face: Face) -> bytes:
    return orjson.dumps(_document(root, face))


def _document(root: str, face: Face) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"OGC SensorThings API {face.version}",
            "version": face.version,
            "description": (
                "What this city measures: Things, where they are, what they observe, and the "
                "Observations. Everybody may read what is public; changes need a token."
            ),
        },
        "servers": [{"url": root}],
        "tags": [{"name": entity.plural} for entity in face.types.values()],
        "paths": dict(_paths(face)),
        "components": {
            "schemas": schemas(face),
            "parameters": _parameters(face),
            "responses": {str(status): _failure(text) for status, text in _FAILURES.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any user name, with the token as the password.",
                },
            },
        },
    }


def _paths(face: Face) -> Iterator[tuple[str, Schema]]:
    yield "/", {"get": _read("The entity sets and what this service can do", _json({}))}
    yield f"/{NAME}", {"get": _read("This description", {MEDIA: {"schema": {"type": "object"}}})}
    if face.odata:
        yield "/$metadata", {"get": _read("The entity model as OData describes it", _json({}))}
    for entity in face.types.values():
        yield from _of_set(entity, face)
        yield from _of_entity(entity, face)
        for link in entity.links:
            yield from _of_link(entity, link, face)
    yield "/$batch", {"post": _batch()}
    yield "/CreateObservations", {"post": _create_many(face)}


# --- sets ----------------------------------------------------------------------------------------


def _of_set(entity: EntityType, face: Face) -> Iterator[tuple[str, Schema]]:
    name, tags = entity.plural, [entity.plural]
    yield (
        f"/{name}",
        {
            "get": {
                **_read(f"{name}, page by page", _set_content(entity, face)),
                "operationId": f"list{name}",
                "tags": tags,
                "parameters": _options(entity, face),
            },
            "post": {**_create(entity, face), "operationId": f"create{entity.name}", "tags": tags},
            "delete": {
                **_change(f"Delete those {name} that a filter finds", _nothing(face)),
                "operationId": f"delete{name}",
                "tags": tags,
                "parameters": [{**_parameter("$filter"), "required": True}],
            },
        },
    )
    yield f"/{name}/$count", {"get": _counted(name, tags)}
    yield f"/{name}/$ref", {"get": _referred(name, tags)}


def _counted(name: str, tags: list[str]) -> Schema:
    content = {_TEXT: {"schema": {"type": "string", "pattern": "^[0-9]+$"}}}
    return {
        **_read(f"How many {name} there are", content),
        "tags": tags,
        "parameters": [_named("filter")],
    }


def _referred(name: str, tags: list[str]) -> Schema:
    return {
        **_read(f"The addresses of the {name}", _json({"type": "object", "required": ["value"]})),
        "tags": tags,
        "parameters": [_named(each) for each in ("filter", "orderby", "top", "skip", "count")],
    }


def _set_content(entity: EntityType, face: Face) -> Schema:
    content = _json(reference_to(entity.plural))
    observations = entity.is_a(OBSERVATION)
    for written in (Format.CSV, Format.GEOJSON, Format.PARQUET, Format.ARROW):
        if observations or written in (Format.CSV, Format.GEOJSON):
            content[written.media.partition(";")[0]] = {}
    return {**content, **_events(entity)}


def _events(entity: EntityType) -> Schema:
    what = f"Changes of the {entity.plural} that the query finds, one event each, until you leave."
    return {"text/event-stream": {"schema": {"type": "string", "description": what}}}


# --- one entity ----------------------------------------------------------------------------------


def _of_entity(entity: EntityType, face: Face) -> Iterator[tuple[str, Schema]]:
    name, tags = entity.name, [entity.plural]
    path = f"/{entity.plural}({{id}})"
    shown = _json(reference_to(name))
    body = _body(changed(entity))
    for media in ("application/merge-patch+json", "application/json-patch+json"):
        body["content"][media] = {}
    yield (
        path,
        {
            "parameters": [_named("id")],
            "get": {
                **_read(f"One {name}", {**shown, **_events(entity)}),
                "operationId": f"get{name}",
                "tags": tags,
                "parameters": [*_shape(entity), _named("ifNoneMatch")],
            },
            "patch": {
                **_change(f"Change what is named of {one(name)}", _after(shown, face)),
                "operationId": f"change{name}",
                "tags": tags,
                "parameters": [_named("ifMatch"), _named("prefer")],
                "requestBody": body,
            },
            "put": {
                **_change(f"Replace {one(name)}", {**_after(shown, face), **_made(entity, face)}),
                "operationId": f"replace{name}",
                "tags": tags,
                "parameters": [_named("ifMatch"), _named("prefer")],
                "requestBody": _body(created(entity), example_of(entity)),
            },
            "delete": {
                **_change(f"Delete {one(name)} and what cannot be without it", _nothing(face)),
                "operationId": f"delete{name}",
                "tags": tags,
                "parameters": [_named("ifMatch")],
            },
        },
    )
    for prop in entity.properties:
        yield from _of_property(entity, prop)


def _of_property(entity: EntityType, prop: Property) -> Iterator[tuple[str, Schema]]:
    path, tags = f"/{entity.plural}({{id}})/{prop.name}", [entity.plural]
    alone = {"type": "object"}
    for address, summary, content in (
        (path, f"{prop.name} of {one(entity.name)} by itself", _json(alone)),
        (
            f"{path}/$value",
            f"The value of {prop.name} alone",
            {_TEXT: {}, _JSON: {"schema": value_of(prop)}},
        ),
    ):
        operation = {**_read(summary, content), "tags": tags}
        operation["responses"]["204"] = {"description": "It has no value."}
        yield address, {"parameters": [_named("id")], "get": operation}


# --- links ---------------------------------------------------------------------------------------


def _of_link(entity: EntityType, link: Link, face: Face) -> Iterator[tuple[str, Schema]]:
    behind, tags = target(link), [entity.plural]
    path = f"/{entity.plural}({{id}})/{link.name}"
    operations: Schema = {"parameters": [_named("id")]}
    if not link.many:
        operations["get"] = {
            **_read(f"The {behind.name} of {one(entity.name)}", _json(reference_to(behind.name))),
            "tags": tags,
            "parameters": _shape(behind),
        }
        operations["get"]["responses"]["204"] = {"description": "It has none."}
    else:
        operations["get"] = {
            **_read(f"The {link.name} of {one(entity.name)}", _set_content(behind, face)),
            "tags": tags,
            "parameters": _options(behind, face),
        }
        if not link.follows:
            operations["post"] = {
                **_create(behind, face, but=back_link(entity, link).name),
                "tags": tags,
            }
    yield path, operations
    yield f"{path}/$ref", {"parameters": [_named("id")], **_links(link, tags)}


def _links(link: Link, tags: list[str]) -> Schema:
    done = {"204": {"description": "Done."}}
    body = _body("Reference")
    read = {**_read("What the link leads to, as addresses", _json({})), "tags": tags}
    read["responses"]["204"] = {"description": "It leads nowhere."}
    change = {**_change("Change the link", done), "tags": tags}
    operations = {"get": read, "delete": change}
    operations["post" if link.many else "put"] = {**change, "requestBody": body}
    return operations


# --- several at once -----------------------------------------------------------------------------


def _batch() -> Schema:
    part = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "method": {"enum": ["get", "post", "patch", "put", "delete"]},
            "url": {"type": "string"},
            "atomicityGroup": {"type": "string"},
            "body": {},
        },
        "required": ["id", "method", "url"],
    }
    many = {"type": "array", "items": part, "maxItems": 5}
    asked = {"type": "object", "properties": {"requests": many}, "required": ["requests"]}
    answered = {"type": "object", "properties": {"responses": {"type": "array"}}}
    return {
        "summary": "Several requests in one (18-088 §11)",
        "operationId": "batch",
        "security": _ANYBODY,
        "requestBody": {"required": True, "content": {_JSON: {"schema": asked}}},
        "responses": {
            "200": {"description": "The answers, in order", "content": _json(answered)},
            **_failures(_WRITING),
        },
    }


def _create_many(face: Face) -> Schema:
    group = {
        "type": "object",
        "properties": {
            "Datastream": reference_to("Reference"),
            "components": {"type": "array", "items": {"type": "string"}},
            f"dataArray@{face.control}count": {"type": "integer"},
            "dataArray": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["Datastream", "components", "dataArray"],
    }
    answered = {"type": "array", "items": {"type": "string"}}
    return {
        **_change(
            "Many Observations of several Datastreams at once (18-088 §12.2)",
            {"201": {"description": "An address or `error` each", "content": _json(answered)}},
        ),
        "operationId": "createObservations",
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": {"type": "array", "items": group}}},
        },
    }


# --- parts of operations -------------------------------------------------------------------------


def _json(schema: Schema) -> Schema:
    return {_JSON: {"schema": schema} if schema else {}}


def _body(name: str, example: Any = None) -> Schema:
    content = _json(reference_to(name))
    if example is not None:
        content[_JSON]["example"] = example
    return {"required": True, "content": content}


def _read(summary: str, content: Schema) -> Schema:
    return {
        "summary": summary,
        "security": _ANYBODY,
        "responses": {
            "200": {"description": summary, "content": content},
            "304": {"description": "You have it already."},
            **_failures(_READING),
        },
    }


def _change(summary: str, responses: Schema) -> Schema:
    return {
        "summary": summary,
        "security": _SIGNED_IN,
        "responses": {**responses, **_failures(_WRITING)},
    }


def _create(entity: EntityType, face: Face, *, but: str = "") -> Schema:
    """Of an entity; `but` is the link that the path stands for."""
    made = {**_made(entity, face), **_after(_json(reference_to(entity.name)), face)}
    return {
        **_change(f"Create {one(entity.name)}, with what belongs to it", made),
        "parameters": [_named("prefer"), _named("upsert")],
        "requestBody": _body(created(entity), example_of(entity, but=but)),
    }


def _made(entity: EntityType, face: Face) -> Schema:
    """The answer to a creation: version 2.0 shows nothing unless it is asked to."""
    made: Schema = {
        "description": "Created; `Location` is its address.",
        "headers": {"Location": {"required": True, "schema": ADDRESS}},
        "content": _json(reference_to(entity.name)),
    }
    if face.odata:
        made["description"] += " It is shown only with `Prefer: return=representation`."
    return {"201": made}


def _after(shown: Schema, face: Face) -> Schema:
    """Answers to a change: version 2.0 shows nothing unless it is asked to."""
    nothing = {"204": {"description": "Done; nothing is shown."}}
    whole = {"200": {"description": "Done; this is how it is now.", "content": shown}}
    return {**nothing, **whole} if face.odata else {**whole, **nothing}


def _nothing(face: Face) -> Schema:
    return {"204" if face.odata else "200": {"description": "Deleted."}}


def _failure(text: str) -> Schema:
    return {"description": text, "content": _json(reference_to("Error"))}


def _failures(statuses: Iterable[int]) -> Schema:
    return {str(each): {"$ref": f"#/components/responses/{each}"} for each in statuses}


# --- parameters ----------------------------------------------------------------------------------

_OPTIONS: dict[str, tuple[str, Schema, str | int | bool]] = {
    "$filter": ("Only what fulfils this condition.", {"type": "string"}, "id gt 1"),
    "$orderby": ("In this order.", {"type": "string"}, "id desc"),
    "$top": ("At most so many; a page holds 1,000.", {"type": "integer", "minimum": 0}, 5),
    "$skip": ("Leave out so many.", {"type": "integer", "minimum": 0}, 0),
    "$count": ("Also say how many there are in all.", {"type": "boolean"}, True),
}


def _parameters(face: Face) -> Schema:
    """All that operations refer to."""
    found = {name.removeprefix("$"): _parameter(name) for name in _OPTIONS}
    found["id"] = {"name": "id", "in": "path", "required": True, "schema": ID}
    for key, name, what in (
        ("ifMatch", "If-Match", "Only if this is its tag."),
        ("ifNoneMatch", "If-None-Match", "Only if none of these is its tag."),
    ):
        schema = {"type": "string", "pattern": r'^(\*|"[!#-~]{1,40}")$'}
        found[key] = {"name": name, "in": "header", "description": what, "schema": schema}
    found["prefer"] = {
        "name": "Prefer",
        "in": "header",
        "description": "How much of the outcome is sent back.",
        "schema": {"enum": ["return=minimal", "return=representation"]},
    }
    found["upsert"] = {
        "name": "$upsert",
        "in": "query",
        "description": (
            "The path of the property that holds an identifier of your own: what has it already is "
            "changed and not created again."
        ),
        "schema": {"type": "string", "minLength": 1},
    }
    formats = [f for f in Format if face.odata or f.addresses]
    found["apply"] = {
        "name": "$apply",
        "in": "query",
        "description": "Means and other figures by hour, day or month, from roll-ups.",
        "schema": {"type": "string"},
    }
    found["format"] = {
        "name": "$format" if face.odata else "$resultFormat",
        "in": "query",
        "description": "How the answer is written.",
        "schema": {"enum": [str(each) for each in formats]},
    }
    return found


def _parameter(name: str) -> Schema:
    what, schema, example = _OPTIONS[name]
    return {"name": name, "in": "query", "description": what, "schema": schema, "example": example}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}


def _shape(entity: EntityType) -> list[Schema]:
    """What of an entity is shown, with the names that there are to choose from."""
    links = [link.name for link in entity.links]
    names = ["id", *(prop.name for prop in entity.properties), *links]
    return [
        {
            "name": "$select",
            "in": "query",
            "description": f"Only these: {', '.join(names)}.",
            "schema": {"type": "string"},
            "example": f"id,{entity.properties[0].name}",
        },
        {
            "name": "$expand",
            "in": "query",
            "description": f"With what is behind these links, each with options of its own in "
            f"brackets: {', '.join(links)}.",
            "schema": {"type": "string"},
            "example": f"{links[0]}($select=id)",
        },
    ]


def _options(entity: EntityType, face: Face) -> list[Schema]:
    names = [*(name.removeprefix("$") for name in _OPTIONS), "format"]
    if entity.is_a(OBSERVATION):
        names.append("apply")
    return [*(_named(name) for name in names), *_shape(entity)]
