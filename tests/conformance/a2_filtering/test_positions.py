"""Errors of a query name the option as it was written, and where in it the mistake stands."""

import pytest

from stadtherz.sensorthings.tests.client import Client, in_version_2


@pytest.mark.parametrize(
    ("query", "option", "position"),
    [
        ("$select=nmae", "$select", 0),
        ("$select=name, nmae", "$select", 6),
        ("$select=name,Datastreams/name", "$select", 5),
        ("$select=name,Datastreams&$expand=Datastreams($select=name,nmae)", "$select", 5),
        ("$format=xml", "$format", 0),
        ("$resultFormat=xml", "$resultFormat", 0),
        ("$expand=Datastreams($format=CSV)", "$format", 20),
        ("$orderby=name,nmae", "$orderby", 5),
    ],
)
def test_a_mistake_is_named_where_it_stands(
    city: Client, query: str, option: str, position: int
) -> None:
    reply = city.get(f"/Things?{query}")
    assert (reply.status, reply.json["position"]) == (400, position), reply.body
    assert reply.message.startswith(f"{option}: ")
    error = in_version_2(city).get(f"/Things?{query}").json["error"]
    assert (error["target"], error["innererror"]["position"]) == (option, position)
