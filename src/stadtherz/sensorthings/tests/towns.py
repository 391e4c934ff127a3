"""Two towns. Lautern has the stations Lauter and Mill, which only it sees, and a public one, Elsewhere."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from stadtherz.base.visibility import ANONYMOUS, AccessLevel, Visibility
from stadtherz.sensorthings.tests.bodies import (
    datastream,
    feature,
    location,
    observation,
    observed_property,
    sensor,
    thing,
)
from stadtherz.sensorthings.tests.client import Client, Reply, in_dataset, member, operator
from stadtherz.store.public import Entity, create_organisation, update, with_shares

SLUG = "rivers"


@dataclass(frozen=True)
class Towns:
    """Organisations by name, and ids of what they have."""

    lautern: int
    speyer: int
    keys: dict[str, int] = field(default_factory=dict)

    @property
    def owner(self) -> Client:
        return Client(member(self.lautern))

    @property
    def neighbour(self) -> Client:
        """Somebody of the other town, with what is shared with it by now."""
        return Client(with_shares(member(self.speyer)))

    @property
    def stranger(self) -> Client:
        return Client(ANONYMOUS)

    @property
    def boss(self) -> Visibility:
        return operator(self.lautern)

    def reveal(self, entity: Any, key: int) -> None:
        """Everybody sees this entity from now on."""
        update(entity, key, {"access": AccessLevel.PUBLIC.value}, self.boss)

    def hide(self, entity: Any, key: int, town: int) -> None:
        """Only the town that owns this entity sees it from now on."""
        update(entity, key, {"access": AccessLevel.ORGANISATION.value}, operator(town))

    def hide_kind(self, entity: Any, plural: str) -> None:
        """Only Lautern sees its entities of this kind from now on."""
        for key in self.owner.get(f"/{plural}").ids:
            self.hide(entity, key, self.lautern)

    def close(self) -> None:
        """Only Lautern opens the data set from now on."""
        self.share(access=AccessLevel.ORGANISATION.value)

    def below(self, client: Client, slug: str = SLUG) -> Client:
        return in_dataset(client, slug)

    def share(self, **changes: Any) -> None:
        """Change the data set, such as whom it is shared with; the rest stays as it is."""
        assert manage(self.owner, "PATCH", SLUG, changes).status == 200


def names(client: Client, address: str) -> set[str]:
    """The names in a set below the client's root."""
    whole = address.startswith("http")
    return {entity["name"] for entity in client.get(address if whole else f"/{address}").value}


def manage(client: Client, method: str, slug: str = "", document: object = None) -> Reply:
    """A request about data sets themselves."""
    path = f"/datasets/{slug}" if slug else "/datasets"
    body = b"" if document is None else orjson.dumps(document)
    return client.ask(method, path, "", body)


def series(name: str, result: float, **more: object) -> dict[str, object]:
    reading = observation(result, FeatureOfInterest=feature(f"{name} feature"))
    links = {
        "Sensor": sensor(f"{name} sensor"),
        "ObservedProperty": observed_property(f"{name} property"),
        "Observations": [reading],
    }
    return datastream(name, **{**links, **more})


def build() -> Towns:
    """The towns with all they have; `keys` names Things and Datastreams by their names."""
    found = Towns(
        create_organisation("lautern", "Lautern"), create_organisation("speyer", "Speyer")
    )
    stations = {
        "Lauter": ["Lauter level", "Lauter flow"],
        "Mill": ["Mill level", "Mill secret"],
        "Elsewhere": ["Elsewhere level"],
    }
    for number, (name, names) in enumerate(stations.items()):
        body = thing(
            name,
            Locations=[location(f"{name} place", 7.0 + number)],
            Datastreams=[series(each, float(number)) for each in names],
        )
        assert found.owner.post("/Things", body).status == 201
    for kind in ("Things", "Datastreams"):
        for entity in found.owner.get(f"/{kind}").value:
            found.keys[entity["name"]] = entity["@iot.id"]
    hide(found, "Lauter", "Mill")
    return found


def hide(towns: Towns, *stations: str) -> None:
    """Only Lautern sees the stations and all that hangs on them."""
    for entity, plural in KINDS.items():
        for found in towns.owner.get(f"/{plural}").value:
            if found["name"].split()[0] in stations:
                change = {"access": AccessLevel.ORGANISATION.value}
                update(entity, found["@iot.id"], change, towns.boss)


KINDS: dict[Entity, str] = {
    "Thing": "Things",
    "Location": "Locations",
    "Datastream": "Datastreams",
    "Sensor": "Sensors",
    "ObservedProperty": "ObservedProperties",
    "FeatureOfInterest": "FeaturesOfInterest",
}


def found_dataset(towns: Towns, **more: object) -> None:
    """The data set, which anybody may open, shared with nobody: Lauter, and one datastream of Mill."""
    document = {
        "slug": SLUG,
        "title": "Rivers",
        "description": "The rivers of Lautern",
        "licence": "https://www.govdata.de/dl-de/by-2-0",
        "things": [towns.keys["Lauter"]],
        "datastreams": [towns.keys["Mill level"]],
        **more,
    }
    assert manage(towns.owner, "POST", "", document).status == 201
