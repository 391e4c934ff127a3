"""A gauge's steps are public warnings where its readings are public."""

import pytest

from stadtherz.alerts.public import Alert
from stadtherz.kit.testing import Town
from stadtherz.services.water.tests.factories import make_gauge


@pytest.mark.parametrize(("access", "expected"), [("public", True), ("organisation", False)])
def test_a_step_is_public_where_the_readings_are(
    town: Town, access: str, *, expected: bool
) -> None:
    gauge = make_gauge(town, access=access)
    town.measure(gauge.datastream_id, 130)
    assert Alert.objects.get().public is expected
