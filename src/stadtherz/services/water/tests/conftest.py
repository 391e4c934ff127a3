"""A town with one gauge, and the demo's gauges for the contract."""

import pytest

from stadtherz.kit.testing import Town
from stadtherz.services.water.models import Gauge
from stadtherz.services.water.tests.factories import make_gauge


@pytest.fixture
def town(transactional_db: None) -> Town:
    return Town.found()


@pytest.fixture
def gauge(town: Town) -> Gauge:
    return make_gauge(town)
