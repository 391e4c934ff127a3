"""Whatever happens in whatever order: exactly the promised messages, each once.

A model of a few lines says who has to be told of what. Random schedules of levels, answers, late and
doubled ticks are played to it and to the product; then processes are killed in the middle of a tick, and
several tick at once.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.alerts.models import AlertEvent, Chase, ContactList, Delivery
from stadtherz.alerts.public import acknowledge, change
from stadtherz.alerts.tests.cast import Time, alert, goes, listed, person
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.processes import eventually
from stadtherz.base.time import SECOND, now_us
from tests.forked import forked

PROGRAM = Path(__file__).with_name("clock_process.py")
REMIND = {"a": 7, "b": 10, "c": None}
ONWARDS = {"a": ("b", 15), "b": ("c", 20), "c": ("a", 5)}  # the chain leads back to itself


@dataclass
class Model:
    """Who is owed what, in minutes and plain words."""

    now: int = 0
    rank: int = 0
    taken: bool = False
    told: set[str] = field(default_factory=set)
    asked: dict[str, list[int | None]] = field(default_factory=dict)  # remind at, pass on at
    owed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def goes(self, rank: int) -> None:
        before, self.rank = self.rank, rank
        if rank == 0:
            self._tell("cleared", self.told)
            self.told, self.asked, self.taken = set(), {}, False
        elif before == 0:
            self._tell("raised", {"a"})
            self._ask("a")
        elif rank < before:
            self._tell("lowered", self.told)
        else:
            self._graver()

    def takes(self) -> None:
        if self.rank and not self.taken:
            self.taken, self.asked = True, {}
            self._tell("acknowledged", self.told)

    def tick(self, minutes: int) -> None:
        self.now += minutes
        due = [name for name, times in self.asked.items() if self._due(times)]
        for name in sorted(due, key=list(self.asked).index):
            self._look_at(name)

    def _look_at(self, name: str) -> None:
        remind, onwards = self.asked[name]
        if onwards is not None and onwards <= self.now:
            self.asked[name][1] = None
            target, _minutes = ONWARDS[name]
            if target not in self.asked:
                self._tell("forwarded", {target})
                self._ask(target)
        if remind is not None and remind <= self.now:
            self.asked[name][0] = self.now + (REMIND[name] or 0)
            self._tell("reminded", {name})

    def _graver(self) -> None:
        if self.taken:
            self.taken, self.asked = False, {}
        self._tell("escalated", self.told | {"a"})
        if "a" not in self.asked:
            self._ask("a")
        else:
            self.asked["a"][0] = self.now + (REMIND["a"] or 0)

    def _due(self, times: list[int | None]) -> bool:
        return any(each is not None and each <= self.now for each in times)

    def _ask(self, name: str) -> None:
        remind = REMIND[name]
        self.asked[name] = [
            None if remind is None else self.now + remind,
            self.now + ONWARDS[name][1],
        ]

    def _tell(self, what: str, whom: set[str]) -> None:
        self.told |= whom
        self.owed.update((what, name) for name in whom)


def chain(ward: Ward) -> None:
    first = ContactList.objects.get(pk=ward.recipients)
    lists = {"a": first, **{name: listed(ward, name) for name in "bc"}}
    for name, each in lists.items():
        each.contacts.set([person(ward, name)])
        target, each.escalate_minutes = ONWARDS[name]
        each.escalate_to, each.remind_minutes = lists[target], REMIND[name]
        each.save()


def owed() -> Counter[tuple[str, str]]:
    rows = Delivery.objects.values_list("event__change", "contact__name")
    return Counter((str(what), str(name)) for what, name in rows)


steps = st.one_of(
    st.tuples(st.just("level"), st.integers(0, 2)),
    st.tuples(st.just("takes"), st.just(0)),
    st.tuples(st.just("tick"), st.integers(1, 45)),
    st.tuples(st.just("tick"), st.integers(1, 8)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=3, max_size=25))
def test_random_schedules_owe_what_the_model_says(
    transactional_db: None, schedule: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        _play(schedule)
        transaction.set_rollback(True)


def _play(schedule: list[tuple[str, int]]) -> None:
    ward, model, time = make_ward(()), Model(), Time()
    chain(ward)
    for what, number in schedule:
        if what == "level" and number != model.rank:
            goes(ward, time, model.rank, number)
            model.goes(number)
        elif what == "takes" and model.rank:
            with time.at():
                acknowledge(alert().pk, "jemand", "app")
                acknowledge(alert().pk, "jemand anders", "app")
            model.takes()
        elif what == "tick":
            time.goes_on(minutes=number)
            time.goes_on(seconds=0)  # a second process, or the same one after a restart
            model.tick(number)
        assert owed() == model.owed


@pytest.fixture
def late(ward: Ward) -> int:
    """Open alerts whose reminder and next list are long due; says how many."""
    chain(ward)
    for number in range(12):
        raised = ward.goes(0, 1, observation=number + 1, at=now_us())
        change(replace(raised, subject=f"n{number}"))
    due = now_us() - 100 * SECOND
    Chase.objects.update(remind_at=due, escalate_at=due, next_at=due)
    return 12


def promised(alerts: int) -> Counter[tuple[str, str]]:
    return Counter({("raised", "a"): alerts, ("reminded", "a"): alerts, ("forwarded", "b"): alerts})


@pytest.mark.process
@pytest.mark.parametrize("dies_at", [1, 2, 7])
def test_killed_in_the_middle_of_a_tick_nothing_is_lost_or_told_twice(
    late: int, dies_at: int
) -> None:
    with forked(PROGRAM, dies_at) as doomed:
        assert doomed.wait(timeout=60) == -9
    done = AlertEvent.objects.filter(change="forwarded").count()
    assert done < late
    with forked(PROGRAM):
        assert eventually(lambda: owed() == promised(late), seconds=60)
        assert not eventually(lambda: owed() != promised(late), seconds=2)


@pytest.mark.process
def test_several_processes_tick_at_once_and_each_message_is_owed_once(late: int) -> None:
    with forked(PROGRAM), forked(PROGRAM), forked(PROGRAM, 5):
        assert eventually(lambda: owed() == promised(late), seconds=60)
        assert not eventually(lambda: owed() != promised(late), seconds=2)
