"""Another server's things and measurements arrive once, and what it answers oddly does no harm."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.translation import override

from stadtherz.base.errors import Invalid
from stadtherz.base.time import MINUTE, now_us
from stadtherz.ingest.public import PullSource, Round, add_source, pull_now
from stadtherz.ingest.pull import web, words
from stadtherz.ingest.pull.models import PulledStream
from stadtherz.ingest.pull.web import Origin
from stadtherz.ingest.pull.words import Problem, PullProblem
from stadtherz.ingest.tests.outer_server import (
    STREAM,
    THING,
    OuterServer,
    json,
    observation,
    serving,
)
from stadtherz.store.public import (
    Selection,
    create_organisation,
    delete,
    select,
    streams,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def outer(settings: Any) -> Iterator[OuterServer]:
    settings.PULL_PRIVATE = True
    with serving(OuterServer()) as server:
        yield server


@pytest.fixture
def source(outer: OuterServer) -> PullSource:
    owner = create_organisation("town", "Town")
    return add_source(owner, "Other", url=outer.url, every=15, token="sh_secret")


def pull(source: PullSource) -> Round:
    source.refresh_from_db()
    return pull_now(source)


def results() -> list[tuple[int, object]]:
    """What is held, as minutes of 2026-01-01 and results."""
    held = select(Selection())
    start = 1_767_225_600_000_000
    found = zip(held.phenomenon_start.tolist(), held.result.tolist(), strict=True)
    return sorted(((time - start) // MINUTE, result) for time, result in found)


def test_things_with_their_measurements_are_copied(outer: OuterServer, source: PullSource) -> None:
    outer.observations = [observation(n, n, n / 2) for n in range(1, 251)]
    found = pull(source)
    assert (found.streams, found.readings, found.done, found.problem) == (1, 250, True, None)
    assert results() == [(n, n / 2) for n in range(1, 251)]
    (stream,) = streams([PulledStream.objects.get().datastream_id]).values()
    assert (stream.name, stream.thing_name, stream.unit_symbol) == ("Level", "Pegel Nord", "cm")
    assert stream.owner == source.owner_id
    assert stream.position == (10.55, 48.17)
    assert {each["Authorization"] for each in outer.headers} == {"Bearer sh_secret"}


def test_only_what_is_new_is_stored_the_next_time(outer: OuterServer, source: PullSource) -> None:
    outer.observations = [observation(n, n) for n in range(1, 251)]
    pull(source)
    assert pull(source).readings == 0
    outer.observations.append(observation(251, 3, 9.5))  # measured long ago, delivered now
    found = pull(source)
    assert found.readings == 1
    assert (3, 9.5) in results()
    assert [each for each in outer.asked if "id gt 150" in each]
    source.refresh_from_db()
    assert source.readings == 251
    assert source.next_due > now_us() + 14 * MINUTE


def test_an_id_that_becomes_visible_late_is_found(outer: OuterServer, source: PullSource) -> None:
    outer.observations = [observation(n, n) for n in range(1, 60) if n != 41]
    pull(source)
    outer.observations.append(observation(41, 41))
    assert pull(source).readings == 1


def test_what_changes_there_changes_here(outer: OuterServer, source: PullSource) -> None:
    pull(source)
    outer.things[0] = {**THING, "name": "Pegel Süd", "properties": None}
    outer.streams = [{**STREAM, "name": "Stand"}, {**STREAM, "@iot.id": 8, "name": "Second"}]
    pull(source)
    found = streams(PulledStream.objects.values_list("datastream_id", flat=True)).values()
    assert sorted((each.thing_name, each.name) for each in found) == [
        ("Pegel Süd", "Second"),
        ("Pegel Süd", "Stand"),
    ]


def test_what_was_deleted_here_comes_again_with_its_measurements(
    outer: OuterServer, source: PullSource
) -> None:
    outer.observations = [observation(1, 1)]
    pull(source)
    (stream,) = streams([PulledStream.objects.get().datastream_id]).values()
    delete("Thing", stream.thing, source.visibility)
    assert results() == []
    assert pull(source).readings == 1
    assert results() == [(1, 1.0)]


def test_identifiers_may_be_texts(outer: OuterServer, source: PullSource) -> None:
    outer.streams[0]["@iot.id"] = "it's"
    outer.observations = [observation(f"key-{n % 7}-{n}", n) for n in range(120)]
    assert pull(source).readings == 120
    outer.observations.append(observation("key-new", 130))
    found = pull(source)
    assert (found.readings, found.done) == (1, True)
    assert [each for each in outer.asked if "/Datastreams('it''s')/Observations" in each]
    assert len(results()) == 121


def test_results_of_any_kind_are_kept_and_impossible_ones_counted(
    outer: OuterServer, source: PullSource
) -> None:
    outer.observations = [
        observation(1, 1, "open"),
        observation(2, 2, {"a": [1]}),
        {**observation(3, 3), "phenomenonTime": "yesterday"},
        {**observation(4, 4), "phenomenonTime": "2026-01-01T00:04:00Z/2026-01-01T00:05:00Z"},
        {**observation(5, 5), "phenomenonTime": None},
        {"@iot.id": 6, "phenomenonTime": "2026-01-01T00:06:00Z"},
        observation(7, 7, None),
    ]
    found = pull(source)
    assert (found.readings, found.skipped, found.done) == (4, 3, True)
    assert [minute for minute, _ in results()] == [1, 2, 4, 7]
    source.refresh_from_db()
    assert source.problem == Problem.READINGS
    assert "3 measurements" in source.problem_sentence


def test_an_entity_that_cannot_be_kept_does_not_stop_the_others(
    outer: OuterServer, source: PullSource
) -> None:
    outer.things = [{**THING, "name": None}, {**THING, "@iot.id": 2}]
    found = pull(source)
    assert (found.streams, found.done, found.problem) == (1, True, Problem.ENTITY)
    source.refresh_from_db()
    assert "Thing 1" in source.problem_sentence


def test_filters_are_asked_as_they_were_written(outer: OuterServer, source: PullSource) -> None:
    PullSource.objects.update(
        things="startswith(name,'Pegel') & x", datastreams="name eq 'Level #1'"
    )
    pull(source)
    assert [each for each in outer.asked if "$filter=startswith(name,'Pegel') & x&" in each]
    assert [each for each in outer.asked if "$filter=name eq 'Level #1'&" in each]


def endless(path: str) -> web.Json:
    return {"value": [observation(1, 1)], "@iot.nextLink": path}


ODD = {
    "error": ((500, {}, b"oops"), Problem.BUSY),
    "teapot": ((418, {}, b""), Problem.STATUS),
    "page": ((200, {"Content-Type": "text/html"}, b"<html>welcome</html>"), Problem.NOT_JSON),
    "half": ((200, {}, b'{"value": [{"@iot.id"'), Problem.NOT_JSON),
    "deep": ((200, {}, b"[" * 100_000), Problem.NOT_JSON),
    "list": (json([1, 2]), Problem.NOT_SENSORTHINGS),
    "other": (json({"features": []}), Problem.NOT_SENSORTHINGS),
    "numbers": (json({"value": [1, 2]}), Problem.NOT_SENSORTHINGS),
    "no id": (json({"value": [{"result": 1}]}), Problem.NOT_SENSORTHINGS),
    "odd link": (json({"value": [], "@iot.nextLink": 7}), Problem.NOT_SENSORTHINGS),
    "huge": ((200, {}, b" " * (web.LARGEST + 1)), Problem.TOO_LARGE),
    "nobody": ((401, {}, b""), Problem.CREDENTIALS),
    "forbidden": ((403, {}, b""), Problem.CREDENTIALS),
    "nothing": ((404, {}, b""), Problem.NOTHING_THERE),
    "filter": (json({"message": "no such function"}, 400), Problem.FILTER),
    "redirect": ((302, {"Location": "http://169.254.169.254/"}, b""), Problem.ELSEWHERE),
    "foreign": (
        json({"value": [], "@iot.nextLink": "http://169.254.169.254/latest"}),
        Problem.ELSEWHERE,
    ),
    "other scheme": (json({"value": [], "@iot.nextLink": "file:///etc/passwd"}), Problem.ELSEWHERE),
    "broken link": (json({"value": [], "@iot.nextLink": "http://[oops"}), Problem.ELSEWHERE),
    "loop": (json({"value": [observation(1, 1)], "@iot.nextLink": "/again"}), Problem.LOOP),
    "empty": (json({"value": [], "@iot.nextLink": "/again"}), Problem.LOOP),
}


@pytest.mark.parametrize("where", ["Things", "Datastreams", "Observations"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_answers_end_the_round_with_a_sentence(
    outer: OuterServer, source: PullSource, odd: str, where: str
) -> None:
    answer, problem = ODD[odd]
    outer.instead = lambda path: answer if path.endswith((where, "/again")) else None
    found = pull(source)
    if (odd, where) in {("loop", "Things"), ("loop", "Datastreams")}:
        problem = Problem.LOOP  # after the odd rows were tried as entities
    assert (found.problem, found.done) == (problem, False)
    source.refresh_from_db()
    assert (source.problem, source.failures) == (problem, 1)
    assert source.problem_sentence
    assert source.next_due > now_us()
    outer.instead = lambda _path: None
    outer.observations = [observation(1, 1), observation(2, 2)]
    assert pull(source).done
    assert results() == [(1, 1.0), (2, 1.0)]
    source.refresh_from_db()
    assert (source.problem, source.failures) == ("", 0)


def test_pages_without_end_are_noticed(outer: OuterServer, source: PullSource) -> None:
    pages = iter(range(10_000))

    def instead(path: str) -> Any:
        if "Observations" not in path and "again" not in path:
            return None
        rows = [observation(1, 1)]
        return json({"value": rows, "@iot.nextLink": f"/again{next(pages)}"})

    outer.instead = instead
    assert pull(source).problem == Problem.LOOP
    assert next(pages) < 5


def test_an_order_that_is_not_kept_moves_no_cursor(outer: OuterServer, source: PullSource) -> None:
    rows = {"value": [observation(9, 9), observation(3, 3)]}
    outer.instead = lambda path: json(rows) if path.endswith("/Observations") else None
    assert pull(source).problem == Problem.NOT_SENSORTHINGS
    assert PulledStream.objects.get().cursor is None
    assert results() == []


def test_a_server_that_trickles_is_left(
    outer: OuterServer, source: PullSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LONGEST_S", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        ended = threading.Event()

        def trickle() -> None:
            line, _ = slow.accept()
            with line:
                line.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.02):
                    try:
                        line.sendall(b"X-More: 1\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        PullSource.objects.update(url=f"http://127.0.0.1:{slow.getsockname()[1]}")
        began = time.monotonic()
        found = pull(source)
        ended.set()
        thread.join()
    assert found.problem == Problem.TOO_SLOW
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "100.64.0.1",
        "[fd00::1]",
    ],
)
def test_no_address_of_a_private_network_is_spoken_to(host: str) -> None:
    with pytest.raises(PullProblem) as told:
        Origin(f"http://{host}:1/v1.1").get("/Things")
    assert told.value.problem == Problem.PRIVATE


def test_a_server_that_is_away_is_tried_again_with_longer_pauses(source: PullSource) -> None:
    PullSource.objects.update(url="http://127.0.0.1:9/v1.1")
    waits = []
    for _ in range(5):
        assert pull(source).problem == Problem.NO_ANSWER
        source.refresh_from_db()
        waits.append(round((source.next_due - now_us()) / MINUTE))
    assert waits == [1, 2, 4, 8, 16]


def test_an_address_that_cannot_be_right_is_refused(source: PullSource) -> None:
    for url in ("ftp://a.example", "https://", "https://user:secret@a.example", "https://a/?b=1"):
        with pytest.raises(Invalid, match="url"):
            add_source(source.owner_id, "New", url=url)


def test_a_kept_token_is_not_sent_elsewhere_and_not_readable(source: PullSource) -> None:
    assert "sh_secret" not in source.secret
    with pytest.raises(Invalid, match="token"):
        add_source(source.owner_id, "Other", url="https://elsewhere.example")


def test_every_problem_has_a_sentence_in_german() -> None:
    with override("de"):
        german = [words.sentence(problem, {}) for problem in Problem]
    english = [words.sentence(problem, {}) for problem in Problem]
    assert all(german)
    assert not set(german) & set(english)
