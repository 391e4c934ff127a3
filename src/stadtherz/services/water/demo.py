"""Gauges for the demo city, on the datastreams the city has made."""

from collections.abc import Mapping
from typing import Any, Protocol

from stadtherz.alerts.public import Rule, RuleStep, add_contact, add_contact_list
from stadtherz.kit.declaration import Severity
from stadtherz.services.water.models import Gauge, WarningStep


class Source(Protocol):
    """Where a recording comes from."""

    @property
    def text(self) -> str: ...
    @property
    def measured_at(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def licence_url(self) -> str: ...
    @property
    def attribution(self) -> str: ...


class City(Protocol):
    """What a demo city offers to services."""

    organisation: int
    neighbour: int

    def stream(self, key: str) -> int: ...
    def source(self, key: str) -> Source: ...


_LEVEL: Mapping[str, Mapping[str, Any]] = {
    "lauter.level": {
        "slug": "lauterstrasse",
        "name": "Pegel Lauterstraße",
        "article": "die",
        "water_body": "Lauter",
        "zero_point": 228.4,
        "interval_minutes": 5,
        "meaning_de": "Ab 100 cm steht die Lauter auf dem Radweg der Lauterstraße, "
        "ab 150 cm in den ersten Kellern.",
        "meaning_en": "From 100 cm the Lauter covers the cycle path of Lauterstraße, "
        "from 150 cm it reaches the first cellars.",
    },
    "eselsbach.level": {
        "slug": "eselsbach",
        "name": "Pegel Eselsbach",
        "article": "der",
        "water_body": "Eselsbach",
        "zero_point": 236.1,
        "interval_minutes": 5,
        "meaning_de": "Ab 100 cm steht Wasser auf dem Uferweg der Gartenschau.",
        "meaning_en": "From 100 cm there is water on the river walk of the Gartenschau.",
    },
    "neighbour.level": {
        "slug": "otterbach-intern",
        "name": "Pegel Otterbach (intern)",
        "article": "der",
        "water_body": "Otterbach",
        "interval_minutes": 5,
    },
}
_GROUNDWATER: Mapping[str, Mapping[str, Any]] = {
    "volkspark.groundwater": {
        "slug": "volkspark",
        "name": "Grundwasser Volkspark",
        "kind": Gauge.Kind.GROUNDWATER,
        "article": "das",
        "water_body": "Grundwasser",
        "interval_minutes": 30,
        "meaning_de": "Je größer der Abstand zum Gelände, desto weniger Wasser "
        "erreichen die Wurzeln der Bäume.",
        "meaning_en": "The further below ground the water stands, the less of it "
        "the roots of the trees can reach.",
    },
}
_STEPS = (
    {"name_de": "Vorwarnung", "name_en": "Early warning", "level": 70, "hysteresis": 5,
     "severity": Severity.WARNING},
    {"name_de": "Alarm", "name_en": "Alarm", "level": 100, "hysteresis": 5,
     "severity": Severity.DANGER},
    {"name_de": "Überflutung", "name_en": "Flooding", "level": 150, "hysteresis": 10,
     "severity": Severity.DANGER},
)  # fmt: skip


def set_up(city: City) -> None:
    """The demo's gauges, steps and people to be told; what is there already stays as it is."""
    for key, description in _LEVEL.items():
        owner = city.neighbour if key.startswith("neighbour.") else city.organisation
        gauge = _gauge(city, key, description, recipients=_recipients(owner))
        _steps(gauge)
    for key, description in _GROUNDWATER.items():
        _gauge(city, key, description, recipients=None)
    _rule(city)


def _rule(city: City) -> None:
    """An example of a rule that staff make, switched off until somebody wants it."""
    stream = city.stream("eselsbach.level")
    rule, created = Rule.objects.get_or_create(
        owner_id=city.organisation,
        name_de="Uferweg am Eselsbach",
        defaults={
            "name_en": "River walk at the Eselsbach",
            "datastream_id": stream,
            "advice_de": "Meiden Sie den Uferweg der Gartenschau.",
            "advice_en": "Avoid the river walk of the Gartenschau.",
            "recipients_id": _recipients(city.organisation),
            "public": True,
        },
    )
    if created:
        RuleStep.objects.create(
            rule=rule, name_de="Weg nass", name_en="Path wet", limit=60, hysteresis=5
        )


def _recipients(owner: int) -> int:
    contact = add_contact(
        owner=owner, name="Feuerwehr (Vorführung)", email=f"feuerwehr-{owner}@kommune.example"
    )
    return add_contact_list(owner=owner, name="Feuerwehr", contacts=[contact])


def _gauge(
    city: City, key: str, description: Mapping[str, Any], *, recipients: int | None
) -> Gauge:
    source = city.source(key)
    gauge, _created = Gauge.objects.get_or_create(
        datastream_id=city.stream(key),
        defaults={
            **description,
            "recipients_id": recipients,
            "source": source.text,
            "licence": source.licence,
            "licence_url": source.licence_url,
            "attribution": source.attribution,
            "origin_de": f"an anderem Ort: {source.measured_at}",
            "origin_en": f"at another place: {source.measured_at}",
        },
    )
    return gauge


def _steps(gauge: Gauge) -> None:
    if not WarningStep.objects.filter(gauge=gauge).exists():
        WarningStep.objects.bulk_create(WarningStep(gauge=gauge, **step) for step in _STEPS)
