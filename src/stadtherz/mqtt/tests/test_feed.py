"""The feed tells every group what was written after it was there, and what is split it puts together."""

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import Period
from stadtherz.base.visibility import ANONYMOUS
from stadtherz.mqtt.clients.messages import NOWHERE, Place
from stadtherz.mqtt.news import announcements
from stadtherz.mqtt.news.feed import Feed, Listeners
from stadtherz.mqtt.news.groups import Group, by_stream
from stadtherz.mqtt.news.heard import Entities
from stadtherz.mqtt.tests.conftest import Town
from stadtherz.mqtt.tests.talk import ROOT
from stadtherz.sensorthings.public import subscription
from stadtherz.store.public import Columns, Reading, append, log_end


class Looking(Feed):
    """A feed without its thread."""

    def look(self, behind: Place) -> list[str]:
        """The topics that are told of."""
        news = self._look(behind)
        return [] if news is None else [group.topic for group, _, _, _ in news.told]


def test_who_joins_while_the_feed_looks_misses_nothing(town: Town) -> None:
    def group(stream: int) -> Group:
        topic = f"v1.1/Datastreams({stream})/Observations"
        return Group(Entities(subscription(topic, ANONYMOUS, ROOT)), ANONYMOUS)

    first, late = group(town.theirs), group(town.level)
    here = [first]

    def listeners() -> Listeners:
        before = [(group, {}) for group in here]
        if late not in here:  # joins, is told so, and only then somebody writes
            here.append(late)
            append([Reading(town.level, Period(0), 1.0)])
        return Listeners(before, 0, NOWHERE)

    loop = asyncio.new_event_loop()
    place = Place(log_end(), announcements.end())
    feed = Looking(listeners, lambda _: None, loop)
    assert feed.look(place) == [late.topic]
    loop.close()


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_readings_fall_apart_by_datastream_in_their_order(streams: list[int]) -> None:
    size = len(streams)
    number = np.arange(size, dtype=np.int64)
    texts = np.array([f"r{i}" for i in range(size)], object)
    notes = [{"i": i} for i in range(size)]
    held = np.array(streams, np.int64)
    whole = Columns(
        number, held, number, number, number, texts, number, number, number, parameters=notes
    )
    parts = by_stream(whole)
    assert set(parts) == set(streams)
    for stream, part in parts.items():
        assert part.id.tolist() == [i for i, each in enumerate(streams) if each == stream]
        assert [note["i"] for note in part.parameters or ()] == part.id.tolist()
