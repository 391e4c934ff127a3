"""What is told to those who come back to a place of the log: everything, or that it is gone."""

from typing import Any

import numpy as np
import pytest

from stadtherz.base.time import Period
from stadtherz.store.public import (
    LogPlace,
    NewColumns,
    News,
    Reading,
    append,
    append_columns,
    by_id,
    correct,
    delete_readings,
    log_end,
    log_place,
    news_after,
    seal,
    tend,
)
from stadtherz.store.tests.factories import reading, stream, town

pytestmark = pytest.mark.django_db


def told(place: LogPlace, limit: int = 100) -> News:
    news = news_after(place, limit)
    assert news is not None
    return news


def keep(level: int, *numbers: Any) -> list[int]:
    return [append([reading(level, i, number)])[0].id for i, number in enumerate(numbers)]


def test_at_the_end_there_is_nothing_to_tell() -> None:
    for level in (None, stream()):
        if level is not None:
            keep(level, 1)
        news = told(log_place())
        assert (len(news.ids), news.places, news.place) == (0, [], log_place())


def test_readings_are_told_in_the_order_of_their_commits() -> None:
    owner = town()
    one, other, start = stream(owner, name="a"), stream(owner, name="b"), log_place()
    ids = [*keep(one, 3, "high"), *keep(other, 1)]
    news = told(start)
    assert (news.ids.tolist(), news.streams) == (ids, {one, other})
    assert news.places[-1] == news.place == log_place()


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_behind_each_of_the_places_follows_the_rest(limit: int) -> None:
    level, start = stream(), log_place()
    number = np.arange(5, dtype=np.int64)
    many = append_columns(NewColumns(np.full(5, level), number, number.astype(float)))
    ids = [*many.ids.tolist(), *keep(level, 7)]
    seen: list[int] = []
    place = start
    while len((news := told(place, limit)).ids):
        seen += news.ids.tolist()
        place = news.place
    assert (seen, place) == (ids, log_place())
    for told_so_far, behind in enumerate(told(start).places, start=1):
        assert told(behind).ids.tolist() == ids[told_so_far:]


def test_corrections_and_deletions_are_told_of_old_and_new_datastream() -> None:
    owner = town()
    one, other = stream(owner, name="a"), stream(owner, name="b")
    first, second = keep(one, 1, 2)
    start = log_place()
    correct(first, Reading(other, Period(0), 5.0))
    delete_readings([second])
    news = told(start)
    assert news.ids.tolist() == [first, second]
    assert {one, other} <= news.streams
    assert by_id(news.ids.tolist()).id.tolist() == [first]


def test_what_was_cut_off_is_not_passed_over_in_silence() -> None:
    level, start = stream(), log_place()
    keep(level, 1, 2)
    middle = log_place()
    keep(level, 3)
    seal()
    tend()
    assert news_after(start, 100) is None
    assert news_after(middle, 100) is None
    assert len(told(log_place()).ids) == 0


def test_a_place_of_another_log_is_none_of_this_one() -> None:
    level = stream()
    keep(level, 1)
    end = log_place()
    assert news_after(LogPlace(end.position, end.stamp + 1), 100) is None
    assert news_after(LogPlace(log_end() + 1, end.stamp), 100) is None
    assert news_after(LogPlace(-1, 0), 100) is None
