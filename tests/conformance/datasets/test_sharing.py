"""A data set can be shared: its members are then seen by those with whom, on every path."""

import pytest

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.identity.public import issue_token, visibility_of_scope
from stadtherz.sensorthings.doors.http import handle
from stadtherz.sensorthings.standard.faces import V1_1
from stadtherz.sensorthings.tests.bodies import datastream, observation, thing
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.sensorthings.tests.towns import KINDS, SLUG, Towns, manage, names
from stadtherz.store.models import AccessGroup
from stadtherz.store.public import streams_visible_to, with_shares

MEMBERS = {"Lauter level", "Lauter flow", "Mill level"}
HIDDEN = {"Mill secret"}
PUBLIC = {"Elsewhere level"}


def test_before_it_is_shared_nobody_else_sees_its_members(rivers: Towns) -> None:
    assert names(rivers.neighbour, "Datastreams") == PUBLIC
    assert rivers.neighbour.visibility == member(rivers.speyer)


@pytest.mark.parametrize("right", ["readers", "contributors"])
def test_members_and_what_hangs_on_them_are_seen_by_those_it_is_shared_with(
    rivers: Towns, right: str
) -> None:
    rivers.share(**{right: ["speyer"]})
    client = rivers.neighbour
    assert names(client, "Datastreams") == MEMBERS | PUBLIC
    assert names(client, "Things") == {"Lauter", "Mill", "Elsewhere"}
    for plural, word in (
        ("Sensors", "sensor"),
        ("ObservedProperties", "property"),
        ("FeaturesOfInterest", "feature"),
    ):
        assert names(client, plural) == {f"{name} {word}" for name in MEMBERS | PUBLIC}
    assert names(client, "Locations") == {"Lauter place", "Mill place", "Elsewhere place"}
    assert len(client.get("/Observations").value) == 4
    assert len(client.get("/HistoricalLocations").value) == 3
    mill = client.get(f"/Things({rivers.keys['Mill']})?$expand=Datastreams,Locations").json
    assert [stream["name"] for stream in mill["Datastreams"]] == ["Mill level"]
    assert names(rivers.below(client), "Datastreams") == MEMBERS


def test_what_is_not_a_member_stays_hidden(rivers: Towns) -> None:
    rivers.share(readers=["speyer"])
    client, secret = rivers.neighbour, rivers.keys["Mill secret"]
    assert client.get(f"/Datastreams({secret})").status == 404
    assert client.get(f"/Datastreams({secret})/Observations").status == 404
    assert client.get("/Observations?$filter=Datastream/name eq 'Mill secret'").value == []
    assert client.get("/Things?$filter=Datastreams/name eq 'Mill secret'").value == []
    assert secret not in streams_visible_to(client.visibility)


def test_sharing_is_taken_back_at_once(rivers: Towns) -> None:
    rivers.share(readers=["speyer"])
    rivers.share(readers=[])
    assert names(rivers.neighbour, "Datastreams") == PUBLIC


@pytest.mark.parametrize(
    "path", ["/Things", "/Datastreams({})/Observations", "/Datastreams({})/Thing"]
)
def test_who_asks_again_and_again_sees_what_is_shared_at_that_moment(
    rivers: Towns, path: str
) -> None:
    """What was shared a question ago is supposed, and looked at before anything is told."""
    _, text = issue_token("bridge", rivers.speyer, ["read"])
    headers = [(b"authorization", f"Bearer {text}".encode()), (b"host", b"city.example")]
    address = V1_1.prefix + path.format(rivers.keys["Mill level"])
    scope = {"type": "http", "method": "GET", "path": address, "headers": headers}

    def told() -> tuple[int, int]:
        answer = handle(scope, b"", visibility_of_scope)
        return answer.status, answer.body.count(b'"@iot.id"')

    hidden = told()
    rivers.share(readers=["speyer"])
    shared = told()
    assert shared == told() != hidden
    rivers.share(readers=[])
    assert told() == told() == hidden
    rivers.share(contributors=["speyer"])
    assert told() == shared


def test_it_is_shared_with_named_groups_too(rivers: Towns) -> None:
    group = AccessGroup.objects.create(name="Fire brigades", organisation_id=rivers.lautern).pk
    rivers.share(readerGroups=[group])
    brigade = with_shares(member(rivers.speyer, groups=frozenset({group})))
    assert names(Client(brigade), "Datastreams") == MEMBERS | PUBLIC
    assert names(rivers.neighbour, "Datastreams") == PUBLIC


def test_who_shares_gives_away_only_what_is_his(rivers: Towns) -> None:
    """Speyer cannot open what belongs to Lautern by putting it into a data set of its own."""
    rivers.share(readers=["speyer"])
    stream = rivers.keys["Mill level"]
    document = {"slug": "loot", "title": "Loot", "datastreams": [stream], "readers": ["lautern"]}
    assert manage(rivers.neighbour, "POST", "", document).status == 201
    secret = document | {"slug": "more", "datastreams": [rivers.keys["Mill secret"]]}
    assert manage(rivers.neighbour, "POST", "", secret).status == 400
    rivers.share(readers=[])
    assert names(rivers.neighbour, "Datastreams") == PUBLIC
    assert names(rivers.below(rivers.neighbour, "loot"), "Datastreams") == set()
    assert names(rivers.below(rivers.owner, "loot"), "Datastreams") == {"Mill level"}


def test_a_hidden_data_set_is_opened_by_sharing_it(rivers: Towns) -> None:
    rivers.close()
    assert rivers.below(rivers.neighbour).get("/Things").status == 404
    rivers.share(readers=["speyer"])
    assert names(rivers.below(rivers.neighbour), "Things") == {"Lauter", "Mill"}
    assert [each["slug"] for each in manage(rivers.neighbour, "GET").value] == [SLUG]
    assert rivers.below(rivers.stranger).get("/Things").status == 404


# --- readings ------------------------------------------------------------------------------------


def test_contributors_add_correct_and_delete_readings(rivers: Towns) -> None:
    rivers.share(contributors=["speyer"])
    stream = rivers.keys["Mill level"]
    for client in (rivers.neighbour, rivers.below(rivers.neighbour)):
        key = client.post(f"/Datastreams({stream})/Observations", observation(50)).key
        assert client.patch(f"/Observations({key})", {"result": 51}).status == 200
        assert rivers.owner.get(f"/Observations({key})").json["result"] == 51
        assert client.delete(f"/Observations({key})").status == 200
        rows = {"Datastream": {"@iot.id": stream}, "components": ["result"], "dataArray": [[5]]}
        (made,) = client.post("/CreateObservations", [rows]).json
        assert made.startswith("http")
        assert client.delete("/Observations?$filter=result eq 5").status == 200


def test_contributors_change_nothing_else(rivers: Towns) -> None:
    rivers.share(contributors=["speyer"])
    client, stream = rivers.neighbour, rivers.keys["Mill level"]
    for plural in KINDS.values():
        hidden = client.get(f"/{plural}?$filter=startswith(name,'Mill')").ids
        for key in hidden:
            assert client.patch(f"/{plural}({key})", {"description": "ours"}).status == 403
            assert client.delete(f"/{plural}({key})").status == 403
    secret = rivers.keys["Mill secret"]
    assert client.post(f"/Datastreams({secret})/Observations", observation()).status == 404
    thing_key = rivers.keys["Mill"]
    assert client.post(f"/Things({thing_key})/Datastreams", datastream()).status in (400, 403)
    assert manage(client, "PATCH", SLUG, {"title": "Ours"}).status == 403
    assert manage(client, "DELETE", SLUG).status == 403
    assert rivers.owner.get(f"/Datastreams({stream})").json["description"] != "ours"


def test_readers_change_nothing_at_all(rivers: Towns) -> None:
    rivers.share(readers=["speyer"])
    client, stream = rivers.neighbour, rivers.keys["Mill level"]
    reading = rivers.owner.get(f"/Datastreams({stream})/Observations").ids[0]
    assert client.post(f"/Datastreams({stream})/Observations", observation()).status == 403
    assert client.patch(f"/Observations({reading})", {"result": 4}).status == 403
    assert client.delete(f"/Observations({reading})").status == 403
    rows = {"Datastream": {"@iot.id": stream}, "components": ["result"], "dataArray": [[5]]}
    assert client.post("/CreateObservations", [rows]).json == ["error"]
    assert len(rivers.owner.get(f"/Datastreams({stream})/Observations").value) == 1


def test_only_who_may_write_at_home_contributes(rivers: Towns) -> None:
    rivers.share(contributors=["speyer"])
    only_reads = with_shares(Visibility(organisations=frozenset({rivers.speyer})))
    assert names(Client(only_reads), "Datastreams") == MEMBERS | PUBLIC
    assert only_reads.contributions == frozenset()


# --- who it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "seen", "adds"),
    [(["read"], True, 403), (["write"], True, 201), (["ingest"], False, 403)],
)
def test_tokens_of_the_organisation_have_what_is_shared_with_it(
    rivers: Towns, scopes: list[str], seen: bool, adds: int
) -> None:
    rivers.share(contributors=["speyer"])
    _, text = issue_token("bridge", rivers.speyer, scopes)
    headers = [(b"authorization", f"Bearer {text}".encode())]
    visibility = visibility_of_scope({"headers": headers, "method": "GET"})
    client = Client(visibility)
    assert (names(client, "Datastreams") == MEMBERS | PUBLIC) is seen
    stream = rivers.keys["Mill level"]
    if seen:
        assert client.post(f"/Datastreams({stream})/Observations", observation()).status == adds


def test_strangers_have_no_shares_and_ask_for_none(
    rivers: Towns, django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    rivers.share(readers=["speyer"])
    with django_assert_num_queries(0):
        assert with_shares(ANONYMOUS) == ANONYMOUS


def test_other_towns_things_beside_a_member_are_not_opened(rivers: Towns) -> None:
    """A datastream that Speyer hangs on its own Thing is Speyer's, also in Lautern's data set."""
    own = rivers.neighbour.post("/Things", thing("Speyer gauge", Datastreams=[datastream("S")])).key
    (series,) = rivers.neighbour.get(f"/Things({own})/Datastreams").ids
    rivers.share(datastreams=[series], contributors=["speyer"])
    rivers.hide("Datastream", series, rivers.speyer)
    assert "S" not in names(rivers.owner, "Datastreams")
    assert "S" in names(rivers.below(rivers.neighbour), "Datastreams")
