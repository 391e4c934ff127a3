"""Data sets: an extension of the standard, below `/datasets/<slug>/sta/`."""

import pytest

from stadtherz.sensorthings.tests.towns import Towns, build, found_dataset


@pytest.fixture
def towns(db: None) -> Towns:
    return build()


@pytest.fixture
def rivers(towns: Towns) -> Towns:
    found_dataset(towns)
    return towns
