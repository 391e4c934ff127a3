"""Who puts a warning together goes first; who waits for a gateway keeps nobody waiting."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stadtherz.alerts import states
from stadtherz.alerts.outbox import by_sms
from stadtherz.alerts.public import change, send_due
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.served import Quiet, Served
from stadtherz.alerts.tests.test_gateway_health import gateway, ward
from stadtherz.base.hurry import RightOfWay
from stadtherz.base.tests.right_of_way import way

__all__ = ["ward", "way"]


class Asking(Served):
    """A provider that notes whether others had to wait while it was asked."""

    def __init__(self, way: RightOfWay) -> None:
        self.waited: list[bool] = []
        asking = self

        class Handler(Quiet):
            def answer(self) -> None:
                self.body()
                asking.waited.append(way.rest() > 0)
                self.says(200)

        super().__init__(Handler)


@pytest.fixture
def asking(way: RightOfWay) -> Iterator[Asking]:
    found = Asking(way)
    yield found
    found.close()


def _noting(way: RightOfWay, does: Callable[..., Any], into: list[bool]) -> Callable[..., Any]:
    def noted(*given: Any, **named: Any) -> Any:
        into.append(way.rest() > 0)
        return does(*given, **named)

    return noted


def test_writing_a_warning_down_goes_first(
    ward: Ward, way: RightOfWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[bool] = []
    monkeypatch.setattr(states, "set_out", _noting(way, states.set_out, first))
    change(ward.goes(0, 1, observation=1))
    assert first == [True]
    assert way.rest() == 0


def test_a_message_goes_first_until_it_is_handed_over(
    ward: Ward, way: RightOfWay, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[bool] = []
    monkeypatch.setattr(by_sms, "compose", _noting(way, by_sms.compose, first))
    gateway(asking.url, "asking")
    change(ward.goes(0, 1, observation=1))
    send_due()
    assert first == [True] * 3
    assert asking.waited == [False] * 3
    assert way.rest() == 0
