"""Data sets as JSON: which there are, what they hold, and how they are made and shared.

GET   /datasets           those that the caller may read
GET   /datasets/rivers    one; with members and shares for who may change it
POST  /datasets           a new one
PATCH, DELETE /datasets/rivers
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from stadtherz.base.errors import Forbidden, Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.addresses import DATASETS, prefix
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.headers.refusals import NotHere
from stadtherz.sensorthings.standard.faces import FACES
from stadtherz.sensorthings.writing.bodies import load
from stadtherz.store import public as store
from stadtherz.store.public import DatasetInfo

Document = dict[str, Any]
_PATH = re.compile(rf"{DATASETS}(?:/([^/]*))?/?")
_READS = ("GET", "HEAD", "OPTIONS")
_TEXTS = ("slug", "title", "description", "licence", "access")
_KEYS = {
    "things": "things",
    "datastreams": "datastreams",
    "readerGroups": "reader_groups",
    "contributorGroups": "contributor_groups",
}
_ORGANISATIONS = ("readers", "contributors")


def is_about(path: str) -> bool:
    """Whether the path is that of the data sets, or of one of them, and not of what is in it."""
    return _PATH.fullmatch(path) is not None


def answer(method: str, path: str, body: bytes, visibility: Visibility, host: str) -> Answer:
    """The answer to a request about data sets themselves.

    Raises:
        NotFound: for a data set that the caller may not read.
        Invalid, Forbidden, Conflict: for changes that cannot be, or not by the caller.
    """
    found = _PATH.fullmatch(path)
    slug = found[1] if found is not None else None
    doors = _of_one(slug, body, visibility, host) if slug else _of_all(body, visibility, host)
    if method == "HEAD":
        method = "GET"
    if method not in doors:
        raise NotHere(f"{method} is not possible here", (*_READS, *(set(doors) - {"GET"})))
    return doors[method]()


def _of_all(body: bytes, visibility: Visibility, host: str) -> Mapping[str, Callable[[], Answer]]:
    def read() -> Answer:
        held = store.datasets(visibility)
        return Answer(200, orjson.dumps({"value": [_shown(each, host) for each in held]}))

    def create() -> Answer:
        slug = store.create_dataset(_values(body), visibility)
        location = ("location", host + prefix(slug))
        return Answer(201, _whole(slug, visibility, host), headers=(location,))

    return {"GET": read, "POST": create}


def _of_one(
    slug: str, body: bytes, visibility: Visibility, host: str
) -> Mapping[str, Callable[[], Answer]]:
    def read() -> Answer:
        return Answer(200, _whole(slug, visibility, host))

    def change() -> Answer:
        renamed = store.update_dataset(slug, _values(body), visibility)
        return Answer(200, _whole(renamed, visibility, host))

    def delete() -> Answer:
        store.delete_dataset(slug, visibility)
        return Answer(204)

    return {"GET": read, "PATCH": change, "DELETE": delete}


# --- as it is shown ------------------------------------------------------------------------------


def _shown(held: DatasetInfo, host: str) -> Document:
    address = host + prefix(held.slug)
    return {
        "slug": held.slug,
        "title": held.title,
        "description": held.description,
        "licence": held.licence,
        "owner": held.owner_name,
        "access": held.access,
        "url": address,
        "services": [{"version": face.version, "url": f"{address}{face.prefix}"} for face in FACES],
        "topics": [f"{prefix(held.slug)[1:]}/v{face.version}" for face in FACES],
    }


def _whole(slug: str, visibility: Visibility, host: str) -> bytes:
    held = store.dataset(slug, visibility)
    document = _shown(held, host)
    try:
        lists = store.lists_of(slug, visibility)
    except Forbidden:
        return orjson.dumps(document)
    slugs = {each.id: each.slug for each in store.organisations()}
    document["group"] = held.group
    document |= {name: lists[field] for name, field in _KEYS.items()}
    document |= {name: [slugs[key] for key in lists[name]] for name in _ORGANISATIONS}
    return orjson.dumps(document)


# --- as it is sent -------------------------------------------------------------------------------


def _values(body: bytes) -> Document:
    """What the body says, by the store's fields and ids."""
    document = load(body)
    if not isinstance(document, dict):
        raise Invalid("body", "must be a JSON object")
    known = {each.slug: each.id for each in store.organisations()}
    return dict(_value(name, value, known) for name, value in document.items())


def _value(name: str, value: Any, known: Mapping[str, int]) -> tuple[str, Any]:
    if name in _TEXTS or name == "group":
        return name, value
    if name in _KEYS:
        return _KEYS[name], value
    if name == "owner":
        return name, _organisation(name, value, known)
    if name in _ORGANISATIONS:
        if not isinstance(value, list):
            raise Invalid(name, "must be a list of organisations' short names")
        return name, [_organisation(name, each, known) for each in value]
    raise Invalid(name[:60], "is not a property of a data set")


def _organisation(field: str, slug: Any, known: Mapping[str, int]) -> int:
    if not isinstance(slug, str) or slug not in known:
        raise Invalid(field, f"there is no organisation {str(slug)[:60]!r}")
    return known[slug]
