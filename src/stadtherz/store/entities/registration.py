"""Organisations, and the datastreams they measure with."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from stadtherz.base.errors import Conflict, Invalid, NotFound
from stadtherz.base.geometry import centre, check_geometry
from stadtherz.base.time import now_us
from stadtherz.store.arrivals.checks import check_text
from stadtherz.store.models import (
    Datastream,
    HistoricalLocation,
    Location,
    ObservedProperty,
    Organisation,
    Sensor,
    Thing,
)
from stadtherz.store.values import NewStream, StreamInfo


class OrganisationInfo(NamedTuple):
    id: int
    slug: str
    name: str


def organisations() -> list[OrganisationInfo]:
    """All organisations by name."""
    rows = Organisation.objects.order_by("name", "pk").values_list("pk", "slug", "name")
    return [OrganisationInfo(*row) for row in rows]


def create_organisation(slug: str, name: str, email: str = "") -> int:
    """A new organisation's id. Raises Conflict if the short name is taken."""
    for field, text in (("slug", slug), ("name", name)):
        if not check_text(field, text).strip():
            raise Invalid(field, "must not be empty")
    try:
        with transaction.atomic():
            return int(Organisation.objects.create(slug=slug, name=name, email=email).pk)
    except IntegrityError:
        raise Conflict(f"there is an organisation {slug} already") from None


# --- datastreams ---------------------------------------------------------------------------------


def register_stream(new: NewStream) -> int:
    """The id of the datastream described, created with everything it needs.

    Calling it twice gives the same id: a Thing and a Sensor are recognised by owner and name, an
    ObservedProperty by owner and definition, a Datastream by its Thing, name and property.
    """
    if not Organisation.objects.filter(pk=new.owner).exists():
        raise NotFound(f"Organisation {new.owner}")
    with transaction.atomic():
        owned = {"owner_id": new.owner, "access": new.access, "group_id": new.group}
        stream, _ = Datastream.objects.get_or_create(
            thing=_thing(new, owned),
            name=new.name,
            observed_property=_property(new, owned),
            defaults={
                **owned,
                "description": new.description,
                "sensor": _sensor(new, owned),
                "properties": new.properties or None,
                "unit_of_measurement": {
                    "name": new.observed.unit.name,
                    "symbol": new.observed.unit.symbol,
                    "definition": new.observed.unit.definition,
                },
            },
        )
        return int(stream.pk)


def _thing(new: NewStream, owned: dict[str, Any]) -> Thing:
    thing, created = Thing.objects.get_or_create(
        owner_id=new.owner,
        name=new.thing_name,
        defaults={
            **owned,
            "description": new.thing_description,
            "properties": new.thing_properties or None,
        },
    )
    if created and new.location is not None:
        location = Location.objects.create(
            name=new.thing_name,
            description=new.thing_description,
            location=check_geometry(new.location),
            **owned,
        )
        thing.locations.set([location])
        HistoricalLocation.objects.create(thing=thing, time=now_us()).locations.set([location])
    return thing


def _sensor(new: NewStream, owned: dict[str, Any]) -> Sensor:
    sensor, _ = Sensor.objects.get_or_create(
        owner_id=new.owner,
        name=new.sensor_name,
        defaults={
            **owned,
            "description": new.sensor_description,
            "encoding_type": "text/plain",
            "metadata": new.sensor_description,
        },
    )
    return sensor


def _property(new: NewStream, owned: dict[str, Any]) -> ObservedProperty:
    wanted = new.observed
    observed, _ = ObservedProperty.objects.get_or_create(
        owner_id=new.owner,
        definition=wanted.definition,
        defaults={**owned, "name": wanted.name, "description": wanted.description},
    )
    return observed


def streams(ids: Iterable[int]) -> dict[int, StreamInfo]:
    """What is known about these datastreams; those that do not exist are left out."""
    found = (
        Datastream.objects.filter(pk__in=set(ids))
        .select_related("thing", "observed_property", "owner")
        .prefetch_related("thing__locations")
    )
    return {stream.pk: _info(stream) for stream in found}


def _info(stream: Datastream) -> StreamInfo:
    unit = stream.unit_of_measurement or {}
    return StreamInfo(
        id=stream.pk,
        name=stream.name,
        description=stream.description,
        unit_symbol=unit.get("symbol") or "",
        observed_property=stream.observed_property.definition,
        thing=stream.thing_id,
        thing_name=stream.thing.name,
        position=_position(stream.thing),
        owner=stream.owner_id,
        owner_name=stream.owner.name,
        access=stream.access,
        group=stream.group_id,
        properties=stream.properties or {},
    )


def _position(thing: Thing) -> tuple[float, float] | None:
    """Of the first Location that is a geometry; a Location may hold any JSON."""
    for location in sorted(thing.locations.all(), key=lambda place: place.pk):
        try:
            return centre(check_geometry(location.location))
        except Invalid:
            continue
    return None


def streams_observing(definitions: Iterable[str]) -> frozenset[int]:
    """Datastreams whose observed property has one of these definition URIs."""
    found = Datastream.objects.filter(observed_property__definition__in=list(definitions))
    return frozenset(found.values_list("pk", flat=True))


def streams_by_property(properties: Iterable[int]) -> Mapping[tuple[int, int], list[int]]:
    """The datastreams of each owner that observe one of these properties, by (owner, property)."""
    found: dict[tuple[int, int], list[int]] = {}
    rows = Datastream.objects.filter(observed_property__in=list(properties)).order_by("pk")
    for owner, observed, pk in rows.values_list("owner", "observed_property", "pk"):
        found.setdefault((owner, observed), []).append(pk)
    return found
