"""Pages are JSON whatever is selected of them and whatever of it is there."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.sensorthings.answers import render
from stadtherz.sensorthings.answers.found import Families, Page
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import SetPlan, plan_set
from stadtherz.sensorthings.standard.schema import DATASTREAM, THING, EntityType

_URLS = Urls("https://city.example/sta/v1.1")
_PATH = "https://city.example/sta/v1.1/Things"
_NAMES = st.sampled_from(["@iot.id", "@iot.selfLink", "name", "description", "properties", "Datastreams"])  # fmt: skip
_documents = st.none() | st.dictionaries(st.text(max_size=5), st.integers(-9, 9), max_size=2)


def _plan(entity: EntityType, query: str) -> SetPlan:
    return plan_set(entity, parse_query(query), now=0)


def _things(plan: SetPlan, documents: list[dict[str, int] | None]) -> Page:
    size = len(documents)
    return Page(
        plan,
        {
            "id": list(range(1, size + 1)),
            "name": [f'Gauge "{number}"' for number in range(size)],
            "description": [""] * size,
            "properties": [None if d is None else orjson.dumps(d).decode() for d in documents],
        },
    )


@given(st.lists(_documents, max_size=5), st.lists(_NAMES, min_size=1, max_size=4))
def test_a_page_shows_what_is_selected_and_there(
    documents: list[dict[str, int] | None], names: list[str]
) -> None:
    found = _things(_plan(THING, "$select=" + ",".join(names)), documents)
    value = orjson.loads(render.page(found, _URLS, _PATH))["value"]
    assert value == render.documents(found, _URLS)
    for number, (entity, properties) in enumerate(zip(value, documents, strict=True)):
        address = f"{_PATH}({number + 1})"
        whole = {
            "@iot.id": number + 1,
            "@iot.selfLink": address,
            "name": f'Gauge "{number}"',
            "description": "",
            "properties": properties,
        }
        expected = {name: value for name, value in whole.items() if name in names}
        if properties is None:
            expected.pop("properties", None)
        if "Datastreams" in names:
            expected["Datastreams@iot.navigationLink"] = f"{address}/Datastreams"
        assert entity == expected


@pytest.mark.parametrize("properties", [None, {"a": 1}])
def test_one_entity_is_the_same_alone_and_in_a_page(properties: dict[str, int] | None) -> None:
    found = _things(_plan(THING, ""), [properties])
    (shown,) = orjson.loads(render.page(found, _URLS, _PATH))["value"]
    assert orjson.loads(render.entity(found, _URLS)) == shown


def test_each_parent_has_its_own_family_count_and_next_page() -> None:
    plan = _plan(THING, "$expand=Datastreams($select=name;$top=1;$count=true)")
    inner = plan.expands[0].plan
    members = Page(inner, {"id": [7, 8], "name": ["a", "b"]}, sorting=[(7, 8)])
    found = _things(plan, [None, None, None])
    found.expanded["Datastreams"] = Families(
        members, [0, 0, 1], [1, 0, 2], [True, False, False], [3, 0, 1]
    )
    first, second, third = render.documents(found, _URLS)
    assert [e["Datastreams"] for e in (first, second, third)] == [
        [{"name": "a"}],
        [],
        [{"name": "b"}],
    ]
    assert [e["Datastreams@iot.count"] for e in (first, second, third)] == [3, 0, 1]
    following = members.tokens([0])[0]
    assert first["Datastreams@iot.nextLink"] == (
        f"{_PATH}(1)/Datastreams?$select=name&$top=1&$count=true&$skip=1&$skiptoken={following}"
    )
    assert "Datastreams@iot.nextLink" not in second
    assert "Datastreams@iot.nextLink" not in third


def test_parents_share_what_is_behind_a_link_to_one() -> None:
    plan = _plan(DATASTREAM, "$select=name&$expand=Thing($select=name)")
    things = _things(plan.expands[0].plan, [None])
    found = Page(plan, {"id": [1, 2, 3], "name": ["a", "b", "c"]})
    found.expanded["Thing"] = Families(things, [0, 0, 0], [1, 0, 1])
    shown = [entity["Thing"] for entity in render.documents(found, _URLS)]
    assert shown == [{"name": 'Gauge "0"'}, None, {"name": 'Gauge "0"'}]
