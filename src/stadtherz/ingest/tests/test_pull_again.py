"""What was corrected or removed at the source after it had been copied."""

from typing import Any

import pytest

from stadtherz.base.time import DAY, MINUTE, iso, now_us
from stadtherz.ingest.public import PullSource
from stadtherz.ingest.pull.models import PulledStream
from stadtherz.ingest.pull.words import Problem
from stadtherz.ingest.tests.outer_server import OuterServer
from stadtherz.ingest.tests.test_pull import outer, pull, source  # noqa: F401 - fixtures
from stadtherz.store.public import Selection, select

pytestmark = pytest.mark.django_db


def row(key: int | str, minutes_ago: int, result: Any = 1.0, **more: Any) -> dict[str, Any]:
    at = iso((now_us() // MINUTE - minutes_ago) * MINUTE)
    return {"@iot.id": key, "phenomenonTime": at, "resultTime": None, "result": result, **more}


def held() -> list[Any]:
    columns = select(Selection())
    order = columns.phenomenon_start.argsort()
    return [columns.result.tolist()[place] for place in order]


def a_day_later() -> None:
    PulledStream.objects.update(again_at=0)


def asked_again(server: OuterServer) -> int:
    return sum("phenomenonTime ge" in each for each in server.asked)


def test_what_was_corrected_there_is_corrected_here(outer: OuterServer, source: PullSource) -> None:  # noqa: F811
    outer.observations = [row(n, 100 - n, float(n)) for n in range(5)]
    pull(source)
    ids = sorted(select(Selection()).id.tolist())
    outer.observations[2] |= {"result": 22.5, "resultQuality": {"checked": True}}
    outer.observations[3]["result"] = "dry"
    pull(source)
    assert held() == [0, 1, 2, 3, 4]  # once a day is enough
    a_day_later()
    found = pull(source)
    assert (found.readings, found.corrected, found.removed) == (0, 2, 0)
    assert held() == [0, 1, 22.5, "dry", 4]
    columns = select(Selection())
    assert sorted(columns.id.tolist()) == ids
    assert columns.result_quality is not None
    assert {"checked": True} in list(columns.result_quality)
    a_day_later()
    assert pull(source).corrected == 0


def test_what_is_older_than_the_days_is_left_alone(outer: OuterServer, source: PullSource) -> None:  # noqa: F811
    outer.observations = [row(1, 5 * 24 * 60), row(2, 10)]
    pull(source)
    outer.observations[0]["result"] = outer.observations[1]["result"] = 9.0
    a_day_later()
    assert pull(source).corrected == 1
    PullSource.objects.update(again_days=7)
    a_day_later()
    assert pull(source).corrected == 1
    PullSource.objects.update(again_days=0)
    before = asked_again(outer)
    a_day_later()
    pull(source)
    assert asked_again(outer) == before


def test_what_was_removed_there_is_removed_here_only_if_somebody_wants_it(
    outer: OuterServer,  # noqa: F811
    source: PullSource,  # noqa: F811
) -> None:
    outer.observations = [row(n, 100 - n, float(n)) for n in range(5)]
    pull(source)
    del outer.observations[1]
    a_day_later()
    assert pull(source).removed == 0
    PullSource.objects.update(remove=True)
    a_day_later()
    assert pull(source).removed == 1
    assert held() == [0, 2, 3, 4]
    outer.observations = []
    a_day_later()
    assert pull(source).removed == 0  # an empty answer removes nothing
    assert len(held()) == 4


def test_a_server_that_has_lost_most_of_it_takes_nothing_with_it(
    outer: OuterServer,  # noqa: F811
    source: PullSource,  # noqa: F811
) -> None:
    outer.observations = [row(n, 200 - n, float(n)) for n in range(100)]
    PullSource.objects.update(remove=True)
    pull(source)
    outer.observations = outer.observations[90:]
    a_day_later()
    found = pull(source)
    assert (found.problem, found.done) == (Problem.VANISHED, True)
    assert len(held()) == 100


def test_what_comes_late_where_identifiers_are_texts_is_seen_now(
    outer: OuterServer,  # noqa: F811
    source: PullSource,  # noqa: F811
) -> None:
    outer.observations = [row("b", 100, 1.0), row("c", 50, 2.0)]
    pull(source)
    outer.observations.insert(0, row("a", 2 * 24 * 60, 0.5))
    assert pull(source).readings == 0
    a_day_later()
    assert pull(source).readings == 1
    assert held() == [0.5, 1.0, 2.0]
    assert DAY
