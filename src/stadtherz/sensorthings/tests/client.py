"""A client that talks to the engine without a network: requests in, statuses and JSON out."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import orjson

from stadtherz.base.visibility import SYSTEM, Scope, Visibility
from stadtherz.sensorthings.answers.addresses import prefix
from stadtherz.sensorthings.doors.http import handle
from stadtherz.sensorthings.standard.faces import V1_1, V2_0, Face

HOST = "http://city.example"
ROOT = HOST + V1_1.prefix
_SAFE = "$=&()';,/:?@*!+-._~%"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    content_type: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def value(self) -> list[dict[str, Any]]:
        """The entities of a set, after making sure that it is one."""
        assert self.status == 200, self.body
        found: list[dict[str, Any]] = self.json["value"]
        return found

    @property
    def ids(self) -> list[int]:
        return [entity["@iot.id"] for entity in self.value]

    @property
    def message(self) -> str:
        text: str = self.json["message"]
        return text

    @property
    def key(self) -> int:
        """The id of what was created."""
        assert self.status == 201, self.body
        return int(self.headers["location"].rpartition("(")[2].rstrip(")"))


@dataclass(frozen=True)
class Client:
    visibility: Visibility
    headers: dict[str, str] = field(default_factory=dict)
    face: Face = V1_1
    dataset: str = ""

    @property
    def prefix(self) -> str:
        """The path of the service root, which may be that of a data set."""
        return prefix(self.dataset) + self.face.prefix

    def request(self, method: str, address: str, body: bytes = b"", **headers: str) -> Reply:
        """`address` is below the service root, or absolute as in a next link."""
        path, _, query = address.removeprefix(HOST + self.prefix).partition("?")
        return self.ask(method, self.prefix + path, query, body, **headers)

    def ask(
        self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str
    ) -> Reply:
        """`path` is whole, whatever it leads to."""
        given = {"host": "city.example", **self.headers, **headers}
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path, safe=_SAFE).encode(),
            "query_string": quote(query, safe=_SAFE).encode(),
            "headers": [
                (k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in given.items()
            ],
        }
        answer = handle(scope, body, lambda _: self.visibility).whole()
        return Reply(answer.status, answer.body, answer.content_type, dict(answer.headers))

    def get(self, address: str, **headers: str) -> Reply:
        return self.request("GET", address, **headers)

    def post(self, address: str, document: Any, **headers: str) -> Reply:
        return self.request("POST", address, orjson.dumps(document), **headers)

    def patch(self, address: str, document: Any, **headers: str) -> Reply:
        return self.request("PATCH", address, orjson.dumps(document), **headers)

    def put(self, address: str, document: Any, **headers: str) -> Reply:
        return self.request("PUT", address, orjson.dumps(document), **headers)

    def delete(self, address: str, **headers: str) -> Reply:
        return self.request("DELETE", address, **headers)


def member(organisation: int, *, groups: frozenset[int] = frozenset()) -> Visibility:
    """Somebody who may read and write what belongs to one organisation."""
    return Visibility(
        actor=f"member of {organisation}",
        organisations=frozenset({organisation}),
        writes=frozenset({organisation}),
        scopes=frozenset({Scope.READ, Scope.WRITE}),
        groups=groups,
        home=organisation,
    )


def operator(home: int) -> Visibility:
    """The one who sees and changes everything, with an organisation for what is created."""
    return Visibility(actor="operator", everything=True, scopes=SYSTEM.scopes, home=home)


def in_dataset(client: Client, slug: str) -> Client:
    """The same caller, who asks below a data set."""
    return replace(client, dataset=slug)


def in_version_2(client: Client) -> Client:
    """The same caller, who speaks version 2.0."""
    return replace(client, face=V2_0)
