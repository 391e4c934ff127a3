"""Starting, stopping and starting again, as an operator or a script does it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.product import Product, eventually

pytestmark = pytest.mark.process


def test_the_ready_line_tells_a_script_all_it_needs(city: Product) -> None:
    facts = city.facts
    assert facts["sta"] == f"{facts['url']}sta/v1.1"
    networks = {"tts", "chirpstack", "actility", "loriot", "helium", "json"}
    assert set(facts["ingest"]) == networks
    assert all(door["token"] for door in facts["ingest"].values())
    assert {"admin", "editor", "viewer", "neighbour"} <= set(facts["accounts"])
    assert facts["admin_token"]
    assert {device["network"] for device in facts["devices"]} == {"tts", "chirpstack"}
    assert city.process is not None
    assert facts["pid"] == city.process.pid


def test_the_demo_has_history_and_plays_on(city: Product) -> None:
    api = city.api()
    count = "Observations?$count=true&$top=0"
    before = api.get(count).json()["@iot.count"]
    assert before > 5_000
    eventually(lambda: api.get(count).json()["@iot.count"] > before, what="a live uplink")


def test_the_demo_says_where_its_data_was_really_measured(city: Product) -> None:
    page = city.client().get("/pegel/lauterstrasse/").text
    assert "Dead Run" in page
    assert "U.S. Geological Survey" in page


def test_ctrl_c_ends_cleanly_and_the_next_start_goes_on(tmp_path: Path) -> None:
    product = Product(tmp_path / "city", arguments=("demo", "--speed", "100")).start()
    first = product.facts
    api = product.api()
    before = api.get("Observations?$count=true&$top=0").json()["@iot.count"]
    assert product.end() == 0
    product.start()
    api = product.api()
    count = "Observations?$count=true&$top=0"
    assert api.get(count).json()["@iot.count"] >= before
    eventually(lambda: api.get(count).json()["@iot.count"] > before + 3, what="the replay goes on")
    assert product.facts["accounts"] == first["accounts"]
    assert product.facts["ingest"]["tts"]["token"] == first["ingest"]["tts"]["token"]
    product.kill()


def test_an_empty_demo_ends_cleanly_and_shows_what_it_promised(tmp_path: Path) -> None:
    product = Product(tmp_path / "city").start()
    assert product.client().get("/pegel/lauterstrasse/").status_code == 200
    assert product.end() == 0


def test_init_and_serve_start_an_empty_real_instance(tmp_path: Path) -> None:
    product = Product(tmp_path / "real", arguments=("serve",))
    product.run("init", "--city", "Eppishausen", "--email", "rathaus@eppishausen.example")
    product.start()
    page = product.client().get("/")
    assert page.status_code == 200
    assert "Eppishausen" in page.text
    assert product.api().get("Things").json() == {"value": []}
    assert product.client("admin").get("/verwaltung/").status_code == 200
    assert product.end() == 0


def test_serve_without_a_city_says_how_to_set_one_up(tmp_path: Path) -> None:
    product = Product(tmp_path / "nothing")
    done = subprocess.run(
        [*product.command(), "serve", "--data", str(tmp_path / "nothing"), "--port", "0"],
        check=False,
        env=product.full_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "stadtherz init" in done.stderr


def test_secrets_are_readable_by_their_owner_only(city: Product) -> None:
    for name in ("credentials.json", "secret.key"):
        assert (city.data / name).stat().st_mode & 0o077 == 0
    accounts = json.loads((city.data / "credentials.json").read_text())["accounts"]
    database = b"".join(path.read_bytes() for path in city.data.glob("stadtherz.sqlite3*"))
    for account in accounts.values():
        assert account["password"].encode() not in database
    assert city.facts["admin_token"].encode() not in database


@pytest.mark.skipif(
    "STADTHERZ_TEST_POSTGRES" not in os.environ, reason="needs PostgreSQL, see tests/run.sh"
)
def test_the_demo_runs_on_postgresql_too(tmp_path: Path) -> None:
    engine = os.environ["STADTHERZ_TEST_POSTGRES"]
    server, name = engine.rsplit("/", 1)
    fresh = f"{name}_demo_{os.getpid()}"
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'create database "{fresh}"')
    product = Product(
        tmp_path / "city",
        arguments=("demo",),
        environment={"STADTHERZ_ENGINE": f"{server}/{fresh}"},
    ).start()
    api = product.api()
    assert api.get("Observations?$count=true&$top=0").json()["@iot.count"] > 5_000
    assert product.client().get("/pegel/lauterstrasse/").status_code == 200
    assert product.end() == 0
