"""A gauge with two steps in a town, and the people who are told."""

from collections.abc import Sequence

from stadtherz.alerts.public import add_contact, add_contact_list
from stadtherz.base.vocabulary import GROUNDWATER_DEPTH, WATER_LEVEL
from stadtherz.kit.testing import Town
from stadtherz.services.water.models import Gauge, WarningStep

STEPS = (("Vorwarnung", "Early warning", 90, "warning"), ("Alarm", "Alarm", 120, "danger"))


def make_gauge(
    town: Town,
    slug: str = "lauterstrasse",
    *,
    access: str = "public",
    kind: str = "level",
    owner: int | None = None,
    steps: Sequence[tuple[str, str, float, str]] = STEPS,
) -> Gauge:
    observed = GROUNDWATER_DEPTH if kind == "groundwater" else WATER_LEVEL
    owned_by = town.organisation if owner is None else owner
    contact = add_contact(owner=owned_by, name="Wehr", email="wehr@stadt.example")
    gauge = Gauge.objects.create(
        datastream_id=town.datastream(observed, slug.title(), access=access, owner=owner),
        slug=slug,
        name=f"Pegel {slug.title()}",
        water_body="Lauter",
        kind=kind,
        interval_minutes=5,
        recipients_id=add_contact_list(owner=owned_by, name="Wehr", contacts=[contact]),
        source="Stadtwerke",
        licence="dl-de/by-2-0",
        licence_url="https://www.govdata.de/dl-de/by-2-0",
        attribution="Stadt",
        origin_de="Aufgezeichnet am Dead Run",
        origin_en="Recorded at Dead Run",
        meaning_de="Ab 90 cm steht Wasser auf dem Radweg.",
        meaning_en="From 90 cm there is water on the cycle path.",
    )
    for name_de, name_en, level, severity in steps:
        WarningStep.objects.create(
            gauge=gauge, name_de=name_de, name_en=name_en, level=level, severity=severity
        )
    return gauge
