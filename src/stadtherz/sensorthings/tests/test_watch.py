"""Changes of a query: what is told, to whom, and how somebody who was away goes on."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from stadtherz.base.errors import Invalid, NotFound, StadtherzError, TooLarge, Unauthenticated
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.live import watch as module
from stadtherz.sensorthings.live.watch import Heard, LogWatch, StateWatch, watch
from stadtherz.sensorthings.standard.faces import V1_1, V2_0
from stadtherz.sensorthings.tests.bodies import observation, station, thing
from stadtherz.sensorthings.tests.client import ROOT, Client
from stadtherz.store.public import seal, tend

Told = dict[str, Any]


class Reader:
    """Somebody who listens, and remembers where he was."""

    def __init__(self, address: str, visibility: Visibility = ANONYMOUS, last: str = "") -> None:
        path, _, query = address.partition("?")
        self.visibility = visibility
        self.watch: LogWatch | StateWatch = watch(
            path, query.replace(" ", "%20"), Urls(ROOT), lambda: self.visibility
        )
        self.last = last
        self.events: list[Told] = []
        self.take(self.watch.begin(last))

    def take(self, heard: Heard) -> list[Told]:
        new = []
        for text in b"".join(heard.blocks).decode().split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in text.split("\n"))
            self.last = lines.get("id", self.last)
            if "data" in lines:
                new.append({"event": lines.get("event", ""), "data": orjson.loads(lines["data"])})
        self.events += new
        return new

    def look(self) -> list[Told]:
        """Everything that there is to tell just now."""
        new, more = [], True
        while more:
            heard = self.watch.look()
            new += self.take(heard)
            more = heard.more
        return new

    @property
    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]


def results(told: list[Told]) -> list[Any]:
    return [event["data"]["result"] for event in told]


@pytest.fixture
def stream(api: Client) -> int:
    assert api.post("/Things", station()).status == 201
    return api.get("/Datastreams").ids[0]


@pytest.fixture
def measure(api: Client, stream: int) -> Callable[..., int]:
    def post(*numbers: Any) -> int:
        keys = [
            api.post(f"/Datastreams({stream})/Observations", observation(number)).key
            for number in numbers
        ]
        return keys[-1]

    return post


# --- Observations --------------------------------------------------------------------------------


def test_new_observations_are_told_as_a_get_shows_them(
    api: Client, measure: Callable[..., int]
) -> None:
    reader = Reader("/Observations")
    key = measure(4)
    (told,) = reader.look()
    assert told == {"event": "", "data": api.get(f"/Observations({key})").json}
    assert (reader.kinds, reader.look()) == (["ready", ""], [])


def test_only_what_matches_is_told_with_what_is_selected_and_expanded(
    measure: Callable[..., int], stream: int
) -> None:
    reader = Reader(
        f"/Datastreams({stream})/Observations?$filter=result gt 3 and Datastream/Thing/id gt 0"
        "&$select=result&$expand=Datastream($select=id)"
    )
    measure(1, 4, "high", 5)
    assert [event["data"] for event in reader.look()] == [
        {"result": result, "Datastream": {"@iot.id": stream}} for result in (4, 5)
    ]


def test_other_datastreams_stay_silent(api: Client, measure: Callable[..., int]) -> None:
    api.post("/Things", station("Other"))
    other = api.get("/Datastreams").ids[-1]
    reader = Reader(f"/Datastreams({other})/Observations")
    measure(4)
    assert reader.look() == []


def test_a_correction_is_told_with_what_holds_now(api: Client, measure: Callable[..., int]) -> None:
    key = measure(1)
    reader = Reader("/Observations?$filter=result gt 3")
    api.patch(f"/Observations({key})", {"result": 7})
    assert results(reader.look()) == [7]
    api.patch(f"/Observations({key})", {"result": 2})
    api.delete(f"/Observations({key})")
    assert reader.look() == []


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_who_comes_back_misses_nothing_and_hears_nothing_twice(
    measure: Callable[..., int], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    reader = Reader("/Observations")
    measure(1, 2, 3)
    heard = reader.watch.look()
    some = reader.take(Heard(heard.blocks[:1]))
    measure(4)
    again = Reader("/Observations", last=reader.last)
    assert (again.kinds, again.events[0]["data"]) == (["ready"], {"resumed": True})
    assert results(some) + results(again.look()) == [1, 2, 3, 4]


def test_a_pulse_tells_where_to_go_on_though_nothing_matched(measure: Callable[..., int]) -> None:
    reader = Reader("/Observations?$filter=result gt 100")
    before = reader.watch.place
    measure(1)
    assert (reader.look(), reader.watch.place != before) == ([], True)
    assert Reader("/Observations", last=reader.watch.place).look() == []


def test_several_that_were_changed_at_once_are_told_whole_or_again(
    api: Client, measure: Callable[..., int], stream: int
) -> None:
    measure(1, 2, 3)
    reader = Reader("/Observations")
    start = reader.last
    keys = api.get("/Observations").ids
    for key in keys:
        api.patch(f"/Observations({key})", {"result": 9})
    heard = reader.watch.look()
    for told in range(len(heard.blocks)):
        partly = Reader("/Observations", last=start)
        seen = partly.take(Heard(heard.blocks[:told]))
        rest = Reader("/Observations", last=partly.last).look()
        assert {e["data"]["@iot.id"] for e in seen + rest} == set(keys)


@pytest.mark.parametrize("last", ["99999999-5", "nonsense", "1", "-1-2", "5-x", "1-\n", "9" * 40])
def test_an_unknown_place_is_a_reset_and_not_silence(
    measure: Callable[..., int], last: str
) -> None:
    measure(1)
    reader = Reader("/Observations", last=last)
    assert (reader.kinds, "present state" in reader.events[0]["data"]["reason"]) == (
        ["reset"],
        True,
    )
    measure(2)
    assert results(reader.look()) == [2]


def test_what_was_cut_off_the_log_is_a_reset(measure: Callable[..., int]) -> None:
    reader = Reader("/Observations")
    measure(1, 2)
    seal()
    tend()
    measure(3)
    assert Reader("/Observations", last=reader.last).kinds == ["reset"]
    assert [told["event"] for told in reader.look()] == ["reset"]
    measure(4)
    assert results(reader.look()) == [4]


# --- who hears what ------------------------------------------------------------------------------


def test_what_one_may_not_see_is_not_told(api: Client, measure: Callable[..., int]) -> None:
    from stadtherz.store.models import Thing

    stranger, member = Reader("/Observations"), Reader("/Observations", api.visibility)
    Thing.objects.update(access="organisation")
    measure(1)
    assert (stranger.look(), results(member.look())) == ([], [1])
    member.visibility = ANONYMOUS
    measure(2)
    assert member.look() == []


def test_a_path_that_vanishes_ends_the_answer(measure: Callable[..., int], stream: int) -> None:
    from stadtherz.store.models import Thing

    reader = Reader(f"/Datastreams({stream})/Observations")
    Thing.objects.update(access="organisation")
    with pytest.raises(NotFound):
        reader.look()
    with pytest.raises(NotFound):
        Reader(f"/Datastreams({stream})/Observations")


def test_a_token_that_is_taken_away_ends_the_answer_also_in_silence(stream: int) -> None:
    def revoked() -> Visibility:
        if len(asked) > 2:
            raise Unauthenticated("unknown token")
        asked.append(1)
        return ANONYMOUS

    asked: list[int] = []
    watching = watch("/Observations", "", Urls(ROOT), revoked)
    watching.begin("")
    watching.look()
    watching.look()
    with pytest.raises(Unauthenticated):
        watching.look()


# --- everything else -----------------------------------------------------------------------------


def test_entities_are_told_as_they_are_then_as_they_change_and_go(api: Client) -> None:
    first = api.post("/Things", thing("Mill")).key
    reader = Reader("/Things?$select=id,name")
    assert reader.kinds == ["", "ready"]
    assert reader.events[0]["data"] == {"@iot.id": first, "name": "Mill"}
    api.patch(f"/Things({first})", {"name": "Old mill"})
    second = api.post("/Things", thing("Bridge")).key
    assert [e["data"]["name"] for e in reader.look()] == ["Old mill", "Bridge"]
    api.delete(f"/Things({second})")
    gone = {"@iot.selfLink": f"{ROOT}/Things({second})", "@iot.id": second}
    assert reader.look() == [{"event": "gone", "data": gone}]
    assert reader.look() == []


def test_what_no_longer_matches_or_may_no_longer_be_seen_is_gone(api: Client) -> None:
    from stadtherz.store.models import Thing

    keys = [api.post("/Things", thing(name)).key for name in ("Mill", "Bridge")]
    reader = Reader("/Things?$filter=name ne 'Tower'")
    api.patch(f"/Things({keys[0]})", {"name": "Tower"})
    assert [e["event"] for e in reader.look()] == ["gone"]
    Thing.objects.update(access="organisation")
    assert [e["event"] for e in reader.look()] == ["gone"]


def test_the_newest_observation_of_every_thing_is_told_as_it_comes(
    api: Client, stream: int
) -> None:
    newest = "$expand=Observations($top=1;$orderby=phenomenonTime desc;$select=result)"
    reader = Reader(f"/Things?$select=id&$expand=Datastreams($select=id;{newest})")
    later = observation(42, "2026-06-01T00:00:00Z")
    api.post(f"/Datastreams({stream})/Observations", later)
    (told,) = reader.look()
    assert told["data"]["Datastreams"][0]["Observations"] == [{"result": 42}]


def test_one_entity_can_be_watched_until_it_is_gone(api: Client) -> None:
    key = api.post("/Things", thing("Mill")).key
    reader = Reader(f"/Things({key})")
    api.delete(f"/Things({key})")
    assert [e["event"] for e in reader.look()] == ["gone"]
    with pytest.raises(NotFound):
        Reader(f"/Things({key})")


def test_who_knows_the_state_is_not_told_it_again(api: Client) -> None:
    key = api.post("/Things", thing("Mill")).key
    reader = Reader("/Things")
    assert Reader("/Things", last=reader.last).kinds == ["ready"]
    api.patch(f"/Things({key})", {"name": "Old mill"})
    assert Reader("/Things", last=reader.last).kinds == ["reset", "", "ready"]
    reader.look()
    assert Reader("/Things", last=reader.last).kinds == ["ready"]


def test_too_many_entities_are_refused_at_once(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENTITIES", 1)
    for name in ("Mill", "Bridge"):
        api.post("/Things", thing(name))
    with pytest.raises(TooLarge):
        Reader("/Things")
    Reader("/Things?$filter=name eq 'Mill'")


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/Observations?$top=5",
        "/Observations?$orderby=result",
        "/Observations?$count=true",
        "/Observations?$resultFormat=CSV",
        "/Observations?$apply=aggregate($count as n)",
        "/Observations?$filter=nothing eq 1",
        "/Observations/$count",
        "/Observations/$ref",
        "/Things(1)/name",
        "/Things(1)/name/$value",
        "/Things(1)?$filter=id eq 1",
    ],
)
def test_what_cannot_be_watched_says_why(db: None, address: str) -> None:
    with pytest.raises(Invalid):
        Reader(address)


@pytest.mark.parametrize("address", ["/Nothing", "/Things(99)/Datastreams", "/Things(99)"])
def test_what_is_not_there_is_not_found(db: None, address: str) -> None:
    with pytest.raises(StadtherzError) as caught:
        Reader(address)
    assert isinstance(caught.value, NotFound)


def test_version_2_tells_in_its_own_words(measure: Callable[..., int]) -> None:
    root = ROOT.replace(V1_1.prefix, V2_0.prefix)
    watching = watch("/Observations", "", Urls(root, V2_0), lambda: ANONYMOUS)
    watching.begin("")
    key = measure(4)
    (told,) = watching.look().blocks
    document = orjson.loads(told.partition(b"data: ")[2])
    assert document["@id"] == f"{root}/Observations({key})"
    assert isinstance(document["phenomenonTime"], dict)
