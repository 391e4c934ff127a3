"""Another SensorThings server, as small and as odd as a test needs it: real HTTP, answers from a function."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

Answer = tuple[int, dict[str, str], bytes]
THING = {
    "@iot.id": 1,
    "name": "Pegel Nord",
    "description": "at the bridge",
    "properties": {"externalId": "p1"},
    "Locations": [
        {
            "@iot.id": 5,
            "name": "Bridge",
            "description": "over the brook",
            "encodingType": "application/vnd.geo+json",
            "location": {"type": "Point", "coordinates": [10.55, 48.17]},
        }
    ],
}
STREAM = {
    "@iot.id": 7,
    "name": "Level",
    "description": "of the brook",
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "unitOfMeasurement": {"name": "centimetre", "symbol": "cm", "definition": "ucum:cm"},
    "Sensor": {
        "@iot.id": 2,
        "name": "Radar",
        "description": "looks down",
        "encodingType": "application/pdf",
        "metadata": "https://example.org/radar",
    },
    "ObservedProperty": {
        "@iot.id": 3,
        "name": "Water level",
        "definition": "https://example.org/level",
        "description": "above zero",
    },
}


def observation(key: int | str, minute: int, result: object = 1.0) -> dict[str, Any]:
    return {
        "@iot.id": key,
        "phenomenonTime": f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z",
        "resultTime": None,
        "result": result,
    }


def json(document: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, orjson.dumps(document)


@dataclass
class OuterServer:
    """`instead` may answer a path before the server does; `page` is the largest number of rows."""

    things: list[dict[str, Any]] = field(default_factory=lambda: [dict(THING)])
    streams: list[dict[str, Any]] = field(default_factory=lambda: [dict(STREAM)])
    observations: list[dict[str, Any]] = field(default_factory=list)
    instead: Callable[[str], Answer | None] = lambda _path: None
    page: int = 100
    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, target: str) -> Answer:
        path, options = _read(target)
        self.asked.append(unquote(target))
        if (odd := self.instead(path)) is not None:
            return odd
        if path.endswith("/Observations"):
            return self._set(path, self._wanted(options), options)
        rows = self.streams if path.endswith("/Datastreams") else self.things
        return self._set(path, rows, options)

    def _wanted(self, options: dict[str, str]) -> list[dict[str, Any]]:
        """What `$filter` and `$orderby` leave, in the two forms that are asked for."""
        name = options["orderby"].partition(" ")[0]
        key = "@iot.id" if name == "id" else name
        rows = sorted(self.observations, key=lambda row: "" if row[key] is None else row[key])
        if wanted := options.get("filter"):
            field, comparison, text = wanted.split(" ")
            if comparison == "gt":
                return [row for row in rows if row["@iot.id"] > int(text)]
            return [row for row in rows if (row[field] or "") >= text]
        return rows

    def _set(self, path: str, rows: list[dict[str, Any]], options: dict[str, str]) -> Answer:
        skip = int(options.get("skip", 0))
        document: dict[str, Any] = {"value": rows[skip : skip + self.page]}
        if skip + self.page < len(rows):
            kept = "&".join(f"${name}={text}" for name, text in options.items() if name != "skip")
            link = f"{self.url}{path}?{kept}&$skip={skip + self.page}"
            document["@iot.nextLink"] = link.replace(" ", "%20")
        return json(document)


def _read(target: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(target)
    options = {name[1:]: values[0] for name, values in parse_qs(parts.query).items()}
    return unquote(parts.path), options


@contextmanager
def serving(server: OuterServer) -> Iterator[OuterServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.headers.append(dict(self.headers))
            status, headers, body = server.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
