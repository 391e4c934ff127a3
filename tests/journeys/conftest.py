from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.looking import CHROMIUM
from tests.product import Mailbox, Product


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture(scope="module")
def module_mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The demo with its recordings, one for all tests of a module that only look."""
    product = Product(tmp_path_factory.mktemp("city"), arguments=("demo",)).start()
    yield product
    product.kill()


@pytest.fixture
def empty_city(tmp_path: Path, mailbox: Mailbox) -> Iterator[Product]:
    """The demo without recordings, with a mail server."""
    product = Product(tmp_path / "city", environment={"STADTHERZ_SMTP_URL": mailbox.url}).start()
    yield product
    product.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield chromium
        chromium.close()
