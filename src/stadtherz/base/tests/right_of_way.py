"""The right of way of this process for one test, in which nobody's patience ends, however slow the machine."""

import pytest

from stadtherz.base import hurry
from stadtherz.base.hurry import RightOfWay


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> RightOfWay:
    found = RightOfWay()
    monkeypatch.setattr(hurry, "LONGEST", 3600.0)
    monkeypatch.setattr(hurry, "_way", found)
    return found
