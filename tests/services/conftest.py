"""The demo city without its history: what the pages' examples name."""

from typing import Any

import pytest

from stadtherz.demo.city import City, set_up


@pytest.fixture
def city(transactional_db: Any) -> City:
    return set_up(history=False)
