"""A disk that is full: nothing is acknowledged that is not kept, and it goes on when there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.product import ESELSBACH, Product, chirpstack

pytestmark = pytest.mark.process


_SIZE_MB = 96


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A real file system that is soon full."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by root, outside of a container")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def product(small: Path) -> Iterator[Product]:
    product = Product(small / "city").start()
    yield product
    product.kill()


def fill(folder: Path) -> Path:
    """Whatever room is left, to the last block."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return ballast


def post(product: Product, number: int) -> int:
    there = product.facts["ingest"]["chirpstack"]
    document = chirpstack(ESELSBACH, number, "2026-01-01T00:00:00Z", level_cm=number)
    headers = {"Authorization": f"Bearer {there['token']}"}
    url = f"{there['url']}?event=up"
    return httpx.post(url, json=document, headers=headers, timeout=30, trust_env=False).status_code


def stored(product: Product) -> list[float]:
    found = product.api().get("Observations", params={"$top": 1000, "$select": "result"}).json()
    return sorted(each["result"] for each in found["value"])


def test_a_full_disk_acknowledges_nothing_it_does_not_keep_and_goes_on_when_there_is_room(
    product: Product, small: Path
) -> None:
    assert post(product, 0) == 200
    ballast = fill(small)
    # The log may still have some room of its own: what is acknowledged in it must be there at the end.
    answers = {number: post(product, number) for number in range(1, 200)}
    assert set(answers.values()) <= {200, 503}
    assert 503 in answers.values()
    ballast.unlink()
    assert post(product, 200) == 200
    kept = stored(product)
    acknowledged = {number for number, status in answers.items() if status == 200}
    assert {0, 200} | acknowledged <= set(kept)
    for number in answers:
        assert post(product, number) == 200  # as its network sends it again
    assert stored(product) == list(range(201))
