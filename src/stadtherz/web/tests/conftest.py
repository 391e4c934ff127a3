"""The town of the back office's tests, and somebody who works there."""

import pytest
from django.test import Client

from stadtherz.web.tests.staff_cast import Town, signed_in, town


@pytest.fixture
def home() -> Town:
    return town("lautern")


@pytest.fixture
def editor(home: Town) -> Client:
    return signed_in("editor@lautern.example")
