"""The requests of a batch, and how they refer to each other (OData 4.01 part 1 §11.7)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.writing.bodies import load

MAX_PARTS = 1_000
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
_BY_ID = re.compile(r"(\w+)\(\$([^()]+)\)")
_ENTITY = re.compile(r"\w+\((\d+)\)")


class FailedDependency(Exception):
    """A request that needs another one, which failed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request. Those of one group are carried out all or none; header names are lower case."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    group: str | None = None
    depends_on: tuple[str, ...] = ()


def check(parts: list[Part]) -> None:
    """Raise unless ids are unique, groups stand together, and dependencies look back."""
    if len(parts) > MAX_PARTS:
        raise TooLarge(f"a batch may have {MAX_PARTS} requests, this one has {len(parts)}")
    known: set[str] = set()
    group: str | None = None
    for part in parts:
        if part.group != group:
            known |= {group} if group is not None else set()
            if part.group in known:
                raise Invalid("atomicityGroup", f"the requests of {part.group!r} stand apart")
            group = part.group
        if part.id in known or part.id == group:
            raise Invalid("id", f"{part.id!r} is given twice")
        if unknown := set(part.depends_on) - known:
            raise Invalid("dependsOn", f"{min(unknown)!r} is no earlier request")
        known.add(part.id)


@dataclass(slots=True)
class References:
    """What `$id` stands for: the entity that an earlier request made or showed."""

    root: str
    answers: dict[str, Answer] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def need(self, ids: Iterable[str]) -> None:
        """Raise if one of the requests or groups has failed."""
        for name in ids:
            if name in self.failed:
                raise FailedDependency(f"this needs the request {name!r}, which failed")

    def address(self, url: str) -> str:
        """The address below the service root, with references resolved."""
        path, mark, query = self._below_root(url).partition("?")
        first, *others = path.lstrip("/").split("/")
        if first.startswith("$") and first != "$batch":
            first = self._entity(unquote(first[1:]))
        segments = [_BY_ID.sub(self._with_key, segment) for segment in (first, *others)]
        return "/" + "/".join(segments) + mark + query

    def _below_root(self, url: str) -> str:
        if url.startswith(self.root):
            return url.removeprefix(self.root)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
            raise Invalid("url", f"must be below {self.root}")
        prefix = urlsplit(self.root).path
        version = prefix[prefix.rindex("/") :]  # the examples of 18-088 §11 begin with it
        known = next((p for p in (prefix, version) if url.startswith(f"{p}/")), "")
        return url.removeprefix(known)

    def _with_key(self, match: re.Match[str]) -> str:
        return f"{match[1]}({self._key(unquote(match[2]))})"

    def body(self, raw: bytes) -> bytes:
        """The body with `{"@iot.id": "$id"}` resolved, however deep, and what a result type refers to."""
        if b'"$' not in raw:
            return raw
        document = load(raw)
        for item in _objects(document):
            self._resolve(item, "@iot.id", self._key)
            self._resolve(item, "@id", self._entity)
            for component in _objects(item.get("resultType")):  # 23-019: of an ObservedProperty
                self._resolve(component, "definition", self._entity)
        try:
            return orjson.dumps(document)
        except orjson.JSONEncodeError:
            raise TooLarge("JSON is nested too deeply") from None

    @staticmethod
    def _resolve(item: dict[str, Any], member: str, meaning: Callable[[str], object]) -> None:
        name = item.get(member)
        if isinstance(name, str) and name.startswith("$"):
            item[member] = meaning(name[1:])

    def _key(self, name: str) -> int:
        match = _ENTITY.fullmatch(self._entity(name))
        assert match is not None
        return int(match[1])

    def _entity(self, name: str) -> str:
        """`Things(5)`"""
        self.need([name])
        if name not in self.answers:
            raise Invalid(f"${name}", "no earlier request has this id")
        address = _shown_at(self.answers[name]).removeprefix(f"{self.root}/")
        if _ENTITY.fullmatch(address) is None:
            raise Invalid(f"${name}", "this request made and showed no entity")
        return address


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    """Each object in it, however deep; those inside one come after whatever is done to it."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            yield item
            waiting += item.values()


def _shown_at(answer: Answer) -> str:
    location = dict(answer.headers).get("location")
    if location is not None:
        return location
    document = orjson.loads(answer.body) if answer.body.startswith(b"{") else {}
    return str(document.get("@iot.selfLink", document.get("@id", "")))
