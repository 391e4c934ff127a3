"""Uplinks give way to whoever warns people."""

import threading
import time

from stadtherz.base.hurry import RightOfWay
from stadtherz.base.tests.right_of_way import way
from stadtherz.ingest.tests.factories import Door, Town, results, tts

__all__ = ["way"]


def test_an_uplink_is_taken_once_people_are_told(town: Town, door: Door, way: RightOfWay) -> None:
    order = []

    def tell() -> None:
        time.sleep(0.05)  # in which an uplink that does not give way is answered
        order.append("told")
        way.give_back()

    way.take()
    telling = threading.Thread(target=tell)
    telling.start()
    assert door.post(tts(level_cm=123)).status_code == 200
    order.append("answered")
    telling.join()
    assert order == ["told", "answered"]
    assert results(town.level) == [123]
