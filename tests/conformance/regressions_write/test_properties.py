"""Every property of every type with values that it cannot have: named, refused with 400, nothing kept.

istSOS4 answers such with 422, FROST-Server a U+0000 with 500 and a PUT without a needed property with
200 (research on the data plane, section 3).
"""

import pytest

from stadtherz.sensorthings.standard.schema import ENTITY_SETS
from stadtherz.sensorthings.tests.client import Client
from tests.conformance.regressions_write.forms import (
    WHOLE,
    checked,
    create,
    given,
    needed,
    nothing_is_there,
    wrong,
)


def _cut(case: tuple[str, str]) -> str:
    return "/".join(case)


@pytest.mark.parametrize("case", checked(), ids=_cut)
def test_a_wrong_value_is_refused_by_post_and_patch(api: Client, case: tuple[str, str]) -> None:
    name, prop = case
    values = wrong(ENTITY_SETS[name].property(prop))
    for value in values:
        refused = api.post(f"/{name}", {**WHOLE[name], prop: value})
        assert (refused.status, prop in refused.message) == (400, True), (value, refused.body)
    assert nothing_is_there(api)
    address = create(api, name)
    before = api.get(address).json
    for value in values:
        changed = api.patch(address, {prop: value})
        assert (changed.status, prop in changed.message) == (400, True), (value, changed.body)
    assert api.get(address).json == before


@pytest.mark.parametrize("case", needed(), ids=_cut)
def test_what_is_needed_is_missed_by_post_and_put(api: Client, case: tuple[str, str]) -> None:
    name, missing = case
    lacking = {key: value for key, value in WHOLE[name].items() if key != missing}
    refused = api.post(f"/{name}", lacking)
    assert (refused.status, missing in refused.message) == (400, True), refused.body
    assert nothing_is_there(api)


@pytest.mark.parametrize("case", [case for case in needed() if case[1] != "result"], ids=_cut)
def test_what_is_needed_cannot_be_null(api: Client, case: tuple[str, str]) -> None:
    name, emptied = case
    refused = api.post(f"/{name}", {**WHOLE[name], emptied: None})
    assert (refused.status, emptied in refused.message) == (400, True), refused.body
    address = create(api, name)
    changed = api.patch(address, {emptied: None})
    assert (changed.status, emptied in changed.message) == (400, True), changed.body


def _properties_needed() -> list[tuple[str, str]]:
    return [(name, p.name) for name in WHOLE for p in given(name) if p.required]


@pytest.mark.parametrize("case", _properties_needed(), ids=_cut)
def test_put_misses_what_is_needed(api: Client, case: tuple[str, str]) -> None:
    """update-entity-put: FROST-Server accepts it"""
    name, missing = case
    address = create(api, name)
    before = api.get(address).json
    own = {prop.name: WHOLE[name][prop.name] for prop in given(name) if prop.name in WHOLE[name]}
    del own[missing]
    refused = api.put(address, own)
    assert (refused.status, missing in refused.message) == (400, True), refused.body
    assert api.get(address).json == before


@pytest.mark.parametrize("name", WHOLE)
def test_only_an_object_is_an_entity(api: Client, name: str) -> None:
    address = create(api, name)
    for document in ([], 5, "text", None, True, [{}]):
        assert api.post(f"/{name}", document).status == 400
        assert api.patch(address, document).status == 400
        assert api.put(address, document).status == 400


@pytest.mark.parametrize("name", WHOLE)
def test_a_property_that_a_type_has_not_is_named(api: Client, name: str) -> None:
    refused = api.post(f"/{name}", {**WHOLE[name], "colour": "red"})
    assert (refused.status, "colour" in refused.message) == (400, True)
    address = create(api, name)
    assert api.patch(address, {"colour": "red"}).status == 400


@pytest.mark.parametrize("name", WHOLE)
def test_control_information_is_not_read(api: Client, name: str) -> None:
    """An entity can be sent back as it was shown; ids, links and counts of it mean nothing."""
    address = create(api, name)
    shown = api.get(address).json
    assert api.patch(address, shown).status == 200
    wrong = {k: 5 if "Link" in k else 4711 if k == "@iot.id" else v for k, v in shown.items()}
    wrong["Observations@iot.count"] = 3
    assert api.patch(address, wrong).status == 200
    assert api.put(address, shown).status == 200
    assert api.get(address).json == shown


@pytest.mark.parametrize("name", WHOLE)
def test_derived_properties_are_not_read(api: Client, name: str) -> None:
    """table 6: phenomenonTime and resultTime of a Datastream are made from its Observations"""
    derived = [prop.name for prop in ENTITY_SETS[name].properties if prop.derived]
    sent = dict.fromkeys(derived, "2020-01-01T00:00:00Z/2021-01-01T00:00:00Z")
    shown = api.get(create(api, name, **sent)).json
    assert all(shown.get(prop) != value for prop, value in sent.items())
