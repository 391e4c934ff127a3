"""The demo's gauges, on a city that offers only what the hook needs."""

from dataclasses import dataclass

from stadtherz.base.vocabulary import GROUNDWATER_DEPTH, WATER_LEVEL
from stadtherz.kit.testing import Town
from stadtherz.services.water.demo import set_up
from stadtherz.services.water.models import Gauge, WarningStep


@dataclass(frozen=True, slots=True)
class Recording:
    text: str = "U.S. Geological Survey"
    measured_at: str = "Dead Run, Franklintown, Maryland"
    licence: str = "Public Domain"
    licence_url: str = "https://www.usgs.gov/"
    attribution: str = "U.S. Geological Survey"


@dataclass
class City:
    town: Town

    @property
    def organisation(self) -> int:
        return self.town.organisation

    @property
    def neighbour(self) -> int:
        return self.town.neighbour

    def stream(self, key: str) -> int:
        observed = GROUNDWATER_DEPTH if key.endswith("groundwater") else WATER_LEVEL
        owner = self.neighbour if key.startswith("neighbour") else None
        return self.town.datastream(observed, key, owner=owner)

    def source(self, key: str) -> Recording:
        return Recording()


def test_each_demo_gauge_says_where_it_was_really_recorded(town: Town) -> None:
    set_up(City(town))  # type: ignore[arg-type]
    assert Gauge.objects.count() == 4
    assert all("Dead Run" in gauge.origin_de for gauge in Gauge.objects.all())


def test_setting_up_twice_makes_nothing_twice(town: Town) -> None:
    set_up(City(town))  # type: ignore[arg-type]
    WarningStep.objects.filter(level=70).update(level=75)
    set_up(City(town))  # type: ignore[arg-type]
    assert (Gauge.objects.count(), WarningStep.objects.count()) == (4, 9)
    assert WarningStep.objects.filter(level=75).count() == 3


def test_recipients_belong_to_the_gauges_owner(town: Town) -> None:
    set_up(City(town))  # type: ignore[arg-type]
    for gauge in Gauge.objects.exclude(recipients=None):
        assert gauge.recipients.owner_id == gauge.datastream.owner_id
