from itertools import pairwise

import pytest

from stadtherz.base.time import DAY, MINUTE
from stadtherz.demo.documents import document
from stadtherz.demo.recordings import NEIGHBOUR, STATIONS, Station, rows
from stadtherz.ingest.intake.pipeline import READERS
from stadtherz.ingest.public import Uplink

ALL = (*STATIONS, NEIGHBOUR)


def test_dead_run_has_a_month_of_five_minute_rows() -> None:
    recording = rows("dead-run-2018-06")
    assert len(recording) == 8_928
    assert {b.offset - a.offset for a, b in pairwise(recording)} == {5 * MINUTE}
    assert max(row.values["level_cm"] for row in recording) == pytest.approx(188.0616)


@pytest.mark.parametrize("station", ALL, ids=lambda station: station.key)
def test_a_station_has_a_week_of_history_and_knows_its_fields(station: Station) -> None:
    first, live = rows(station.recording)[0], station.row(0)
    assert live.offset - first.offset >= 7 * DAY
    assert set(station.fields) <= set(live.values)


def test_the_lauter_rises_over_its_pre_warning_step_with_the_first_uplink() -> None:
    lauter = STATIONS[0]
    assert lauter.row(-1).values["level_cm"] < 70 <= lauter.row(0).values["level_cm"]


def test_the_recording_begins_again_at_its_end() -> None:
    lauter = STATIONS[0]
    assert lauter.row(8_928) == lauter.row(0)


@pytest.mark.parametrize("station", ALL, ids=lambda station: station.key)
def test_its_uplinks_are_real_documents_of_its_network(station: Station) -> None:
    at = 1_800_000_000_000_000
    uplink = READERS[station.network](document(station, 17, at), {}, received=at)
    assert isinstance(uplink, Uplink)
    assert uplink.dev_eui == station.dev_eui
    assert uplink.f_cnt == 17
    assert set(uplink.decoded) == set(station.fields)
