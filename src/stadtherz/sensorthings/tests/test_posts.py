"""Single Observations by POST: answered without a thread, and not a letter else than by the way of all."""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import now_us, stopped_at
from stadtherz.base.visibility import ANONYMOUS, Scope, Visibility
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.doors.http import Application, handle
from stadtherz.sensorthings.standard.faces import V1_1, V2_0, Face
from stadtherz.sensorthings.tests.bodies import (
    datastream,
    location,
    multi_datastream,
    observation,
    thing,
)
from stadtherz.sensorthings.tests.client import Client, member, operator
from stadtherz.sensorthings.tests.test_http import _OneThread as OneThread
from stadtherz.sensorthings.writing import posts
from stadtherz.sensorthings.writing.posts import Post
from stadtherz.store import public as store
from stadtherz.store.public import Selection, create_organisation

HOST = "http://city.example"
NOW = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class City:
    """Datastreams by what is particular about them, and who might add to them."""

    streams: dict[str, int]
    features: dict[str, int]
    callers: dict[str, Visibility]


@pytest.fixture
def city(db: None) -> City:
    return built()


def built() -> City:
    ours, theirs = create_organisation("ours", "Ours"), create_organisation("theirs", "Theirs")
    operators = Client(operator(ours))
    streams = {
        "plain": _stream(operators, Locations=[location()]),
        "fresh": _stream(operators, Locations=[location("Mill")]),
        "nowhere": _stream(operators),
        "hidden": _stream(Client(operator(theirs)), Locations=[location()]),
    }
    store.update("Datastream", streams["hidden"], {"access": "organisation"}, operator(ours))
    for name in ("plain", "hidden"):
        assert operators.post(f"/Datastreams({streams[name]})/Observations", observation()).key
    place = {"name": "Weir", "encodingType": "application/geo+json", "description": "at the weir"}
    place["feature"] = {"type": "Point", "coordinates": [7, 49]}  # type: ignore[assignment]
    features = {"named": operators.post("/FeaturesOfInterest", place).key, "missing": 10**9}
    callers = {
        "ours": member(ours),
        "theirs": member(theirs),
        "operator": operator(ours),
        "reader": replace(member(ours), scopes=frozenset({Scope.READ})),
        "nobody": ANONYMOUS,
    }
    return City(streams, features, callers)


def _stream(client: Client, **more: Any) -> int:
    made = client.post("/Things", thing(Datastreams=[datastream()], **more))
    return int(client.get(f"/Things({made.key})/Datastreams").ids[0])


# --- both ways ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    face: Face = V1_1

    @property
    def scope(self) -> dict[str, Any]:
        given = [(b"host", b"city.example"), (b"authorization", b"Bearer x")]
        path = self.face.prefix + self.path
        return {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [*given, *self.headers],
        }

    def post(self, who: Visibility) -> Post | None:
        urls = Urls(HOST + self.face.prefix, self.face)
        return posts.read(self.path, self.scope, self.body, who, urls, now=now_us())

    def offered(self, who: Visibility) -> Answer | None:
        """The answer of the short way, if it has one."""
        post = self.post(who)
        if post is None:
            return None
        (kept,) = store.submit_offers([post.offer]).result()
        return None if kept is None else post.answer(kept)

    def handled(self, who: Visibility) -> Answer:
        """The answer of the way of all changes."""
        return handle(self.scope, self.body, lambda _: who)


def alike(answer: Answer) -> tuple[int, bytes, str, list[tuple[str, str]]]:
    """Without the id, and what is made of it."""
    key = dict(answer.headers)["location"].rpartition("(")[2].rstrip(")")
    headers = [(name, value.replace(key, "*")) for name, value in answer.headers if name != "etag"]
    body = re.sub(rf"\b{key}\b", "*", answer.body.decode()).encode()
    return answer.status, body, answer.content_type, headers


def check_both(request: Request, who: Visibility) -> bool:
    """Whether the short way took the request; whatever it does, the other way must do the same."""
    before = store.count(Selection())
    with stopped_at(NOW):
        short = request.offered(who)
        if short is None:
            assert store.count(Selection()) == before
            return False
        assert store.count(Selection()) == before + 1
        long = request.handled(who)
    assert alike(short) == alike(long)
    address = dict(short.headers)["location"]
    shown = replace(Client(who), face=request.face).get(address)
    if short.body:
        assert shown.body == short.body
        assert dict(short.headers)["etag"] == shown.headers["etag"]
    assert shown.status == 200
    return True


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
NUMBERS: st.SearchStrategy[Any] = st.integers(-9, 9) | st.floats(-9, 9)
OBJECTS = st.dictionaries(st.text(max_size=4), JSON, max_size=3)
TIMES = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00.123456789+01:00", "2026-01-01T00:00:00.5Z")
NO_TIMES = ("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+02:00", "yesterday", 5, None)
PERIODS = (*TIMES, f"{TIMES[0]}/{TIMES[2]}", f"{TIMES[0]}/{TIMES[0]}")
NO_PERIODS = (*NO_TIMES, f"{TIMES[2]}/{TIMES[0]}", {"start": 5}, {"end": TIMES[0]}, {})
OBJECT_PERIODS = ({"start": TIMES[0]}, {"start": TIMES[1], "end": TIMES[2]})


def mostly(sound: st.SearchStrategy[Any], wild: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda number: sound if number else wild)


def members(city: City, face: Face) -> dict[str, st.SearchStrategy[Any]]:
    """What a body of this face may have, mostly as it should be."""
    periods = mostly(
        st.sampled_from(OBJECT_PERIODS if face.odata else PERIODS),
        st.sampled_from([*NO_PERIODS, *PERIODS, *OBJECT_PERIODS]),
    )
    notes = {"properties": mostly(OBJECTS, JSON)} if face.odata else {}
    if not face.odata:
        notes = {"parameters": mostly(OBJECTS, JSON), "resultQuality": JSON}
    feature = "ProximateFeatureOfInterest" if face.odata else "FeatureOfInterest"
    streams = mostly(st.just(city.streams["plain"]), st.sampled_from([*city.streams.values(), "1"]))
    features = st.sampled_from([*[city.features["named"]] * 3, city.features["missing"], None])
    return {
        "phenomenonTime": periods,
        "resultTime": mostly(st.sampled_from(TIMES), st.sampled_from(NO_TIMES)),
        "validTime": periods,
        **notes,
        "Datastream": streams.map(lambda key: {"@iot.id": key}),
        feature: features.map(lambda key: {"@iot.id": key}),
    }


@st.composite
def bodies(draw: st.DrawFn, city: City, face: Face) -> bytes:
    """A result, and some members more."""
    document = {"result": draw(mostly(NUMBERS, JSON))}
    possible = members(city, face)
    for name in draw(st.lists(st.sampled_from(list(possible)), max_size=3, unique=True)):
        document[name] = draw(possible[name])
    match draw(st.integers(0, 29)):
        case 1:
            del document["result"]
        case 2:
            document |= {"colour": "red"}
        case 3:
            document |= {"@iot.id": 7}
    return orjson.dumps(document)


@pytest.mark.parametrize("face", [V1_1, V2_0], ids=lambda face: str(face.version))
def test_the_short_way_does_what_the_way_of_all_changes_does(city: City, face: Face) -> None:
    taken = []
    known = [_below(city, "plain"), _below(city, "plain"), "/Observations"]
    paths = [*map(_below_key, (*city.streams.values(), 10**6)), "/Observations/"]

    @settings(
        max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        path=mostly(st.sampled_from(known), st.sampled_from(paths)),
        body=bodies(city, face),
        headers=st.lists(
            st.sampled_from(
                [
                    (b"prefer", b"return=minimal"),
                    (b"prefer", b"return=representation"),
                    (b"content-type", b"application/json; charset=utf-8"),
                ]
            ),
            max_size=2,
        ),
        who=mostly(st.just("ours"), st.sampled_from(list(city.callers))),
    )
    def both(path: str, body: bytes, headers: list[tuple[bytes, bytes]], who: str) -> None:
        request = Request(path, body, tuple(headers), face)
        taken.append(check_both(request, city.callers[who]))

    both()
    assert sum(taken) > 50, "hardly anything was a post"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"result": 1.5},
        {"result": 2**60},
        {"result": -0.0},
        {"result": True},
        {"result": None},
        {"result": "wet"},
        {"result": {"b": 1, "a": [1.0, 1e16]}},
        {"phenomenonTime": None},
        {"resultTime": "2026-01-01T00:00:00.5+01:00"},
        {"resultQuality": "good"},
        {"resultQuality": {"z": 1, "a": -0.0}},
        {"parameters": {"battery": 3.0, "a": 1e16}},
        {"validTime": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"},
    ],
    ids=lambda more: str(orjson.dumps(more), "ascii"),
)
def test_what_sensors_send_is_a_post(city: City, more: dict[str, Any]) -> None:
    request = Request(_below(city, "plain"), orjson.dumps(observation() | more))
    assert check_both(request, city.callers["ours"])


def test_the_datastream_may_stand_in_the_body(city: City) -> None:
    body = observation(Datastream={"@iot.id": city.streams["plain"]})
    assert check_both(Request("/Observations", orjson.dumps(body)), city.callers["ours"])


def test_a_feature_may_be_named(city: City) -> None:
    body = observation(FeatureOfInterest={"@iot.id": city.features["named"]})
    path = _below(city, "nowhere")
    assert check_both(Request(path, orjson.dumps(body)), city.callers["ours"])


def test_in_version_2_results_must_be_what_the_datastream_says(city: City) -> None:
    path, ours = _below(city, "nowhere"), city.callers["ours"]
    sound, wrong = (orjson.dumps({"result": result}) for result in (5, "five"))
    assert check_both(Request(path, sound, face=V2_0), ours)
    assert not check_both(Request(path, wrong, face=V2_0), ours)
    assert Request(path, wrong, face=V2_0).handled(ours).status == 400


def test_a_multidatastream_is_no_datastream_on_the_short_way_either(city: City) -> None:
    operators = Client(city.callers["operator"])
    made = operators.post(
        "/Things", thing(MultiDatastreams=[multi_datastream()], Locations=[location()])
    )
    several = operators.get(f"/Things({made.key})/MultiDatastreams").ids[0]
    request = Request(_below_key(several), orjson.dumps({"result": 1}), face=V1_1)
    assert not check_both(request, city.callers["ours"])
    assert request.handled(city.callers["ours"]).status == 404


def _below(city: City, name: str) -> str:
    return _below_key(city.streams[name])


def _below_key(key: int) -> str:
    return f"/Datastreams({key})/Observations"


@pytest.mark.parametrize(
    "request_",
    [
        Request("/Datastreams(1)/Observations", b""),
        Request("/Datastreams(1)/Observations", b"{"),
        Request("/Datastreams(1)/Observations", b"[]"),
        Request("/Datastreams(1)/Observations", b'{"result":1,"colour":1}'),
        Request("/Datastreams(1)/Observations", b'{"result":"\\u0000"}'),
        Request("/Datastreams(1)/Observations", b'{"result":1,"FeatureOfInterest":{"name":"x"}}'),
        Request("/Datastreams(1)/Observations", b'{"result":"%b"}' % (b"x" * posts.LARGEST)),
        Request("/Datastreams(1)/Observations", b'{"result":1}', ((b"if-match", b"*"),)),
        Request(
            "/Datastreams(1)/Observations", b'{"result":1}', ((b"content-type", b"text/plain"),)
        ),
        Request("/Observations", b'{"result":1}'),
        Request("/Observations(1)", b'{"result":1}'),
        Request("/Datastreams(1)/Observations/$ref", b'{"@iot.id":1}'),
        Request("/FeaturesOfInterest(1)/Observations", b'{"result":1}'),
        Request("/Things", b'{"name":"x"}'),
        Request("/Nothing", b'{"result":1}'),
    ],
    ids=lambda request: f"{request.path} {request.body[:40]!r}",
)
def test_whatever_is_unusual_or_wrong_is_no_post(request_: Request) -> None:
    assert request_.post(operator(1)) is None


def test_with_a_session_it_is_no_post() -> None:
    request = Request("/Datastreams(1)/Observations", b'{"result":1}')
    scope = request.scope | {"headers": [(b"host", b"city.example"), (b"cookie", b"sessionid=x")]}
    urls = Urls(HOST + V1_1.prefix)
    assert posts.read(request.path, scope, request.body, operator(1), urls, now=0) is None


# --- through the application ---------------------------------------------------------------------------

alone = pytest.mark.django_db(transaction=True)


class NoThread(Executor):
    """Nothing may be asked in a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise AssertionError(f"{fn} runs in a thread")


@pytest.fixture
def grown(transactional_db: None) -> Iterator[City]:
    yield built()
    store.stop_writer()


def app(executor: Executor, who: Visibility, *, known: bool = True) -> Application:
    return Application(lambda _: who, executor, lambda _: who if known else None)


def sent(application: Application, *requests: Request) -> list[tuple[int, bytes]]:
    """The status and the body of each answer, to requests that come at the same time."""

    async def ask(request: Request) -> tuple[int, bytes]:
        told: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.body}

        async def send(message: Any) -> None:
            told.append(message)

        await application(request.scope, receive, send)
        return told[0]["status"], b"".join(message.get("body", b"") for message in told)

    async def ask_all() -> list[tuple[int, bytes]]:
        return await asyncio.gather(*map(ask, requests))

    return asyncio.run(ask_all())


def test_no_thread_waits_for_a_commit(grown: City) -> None:
    requests = [Request(_below(grown, "plain"), orjson.dumps(observation(n))) for n in range(20)]
    told = sent(app(NoThread(), grown.callers["ours"]), *requests)
    assert [status for status, _ in told] == [201] * 20
    assert [orjson.loads(body)["result"] for _, body in told] == list(range(20))
    assert store.count(Selection(frozenset({grown.streams["plain"]}))) == 21


def test_what_is_declined_is_told_by_the_way_of_all_changes(grown: City) -> None:
    requests = [Request(_below(grown, n), orjson.dumps(observation())) for n in ("hidden", "plain")]
    told = sent(app(OneThread(), grown.callers["ours"]), *requests)
    assert [status for status, _ in told] == [404, 201]
    assert sent(app(OneThread(), grown.callers["theirs"]), *requests)[1][0] == 403


def test_the_feature_of_a_place_is_made_by_the_way_of_all_changes(grown: City) -> None:
    request, ours = (
        Request(_below(grown, "fresh"), orjson.dumps(observation())),
        grown.callers["ours"],
    )
    assert sent(app(OneThread(), ours), request)[0][0] == 201
    assert sent(app(NoThread(), ours), request)[0][0] == 201


def test_documents_are_shown_as_they_are_kept(grown: City) -> None:
    body = orjson.dumps(observation(parameters={"b": 1, "a": 2}))
    ours = grown.callers["ours"]
    ((status, shown),) = sent(app(OneThread(), ours), Request(_below(grown, "plain"), body))
    assert status == 201
    assert orjson.loads(shown)["parameters"] == {"a": 2, "b": 1}


def test_who_is_not_known_at_once_is_asked_about_in_a_thread(grown: City) -> None:
    request, ours = (
        Request(_below(grown, "plain"), orjson.dumps(observation())),
        grown.callers["ours"],
    )
    assert sent(app(OneThread(), ours, known=False), request)[0][0] == 201


def test_a_database_that_is_away_is_said_so_and_nothing_is_tried_twice(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: Future[Any] = Future()
    failed.set_exception(Unavailable("database", "it is away", retry=True))
    monkeypatch.setattr(store, "submit_offers", lambda offers: failed)
    request = Request(_below(city, "plain"), orjson.dumps(observation()))
    ((status, body),) = sent(app(NoThread(), city.callers["ours"]), request)
    assert (status, orjson.loads(body)["code"]) == (503, 503)


def test_a_client_that_goes_away_disturbs_nobody(grown: City) -> None:
    request = Request(_below(grown, "plain"), orjson.dumps(observation()))
    post = request.post(grown.callers["ours"])
    assert post is not None
    door = app(NoThread(), grown.callers["ours"])

    async def leave() -> Any:
        left, stayed = (asyncio.ensure_future(door.intake.keep(post.offer)) for _ in range(2))
        await asyncio.sleep(0)
        left.cancel()
        return await stayed

    assert asyncio.run(leave()) is not None
