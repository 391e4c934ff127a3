"""Run by test_newcomer in a process where no service is switched on."""

from django.apps import apps
from django.core.management import call_command
from django.test import Client

from stadtherz.kit.registry import load


def test_no_service_is_there() -> None:
    assert load().services == ()
    assert not apps.is_installed("stadtherz.services.water")


def test_the_checks_find_nothing() -> None:
    call_command("check", fail_level="WARNING")


def test_the_start_page_says_that_nothing_is_measured(db: None) -> None:
    response = Client().get("/")
    assert response.status_code == 200


def test_the_pages_of_the_service_are_gone(db: None) -> None:
    assert Client().get("/pegel/").status_code == 404


def test_the_demo_city_can_be_set_up(transactional_db: None) -> None:
    from stadtherz.demo.city import set_up

    assert set_up(history=False).streams


def test_readings_without_reactors_are_kept(transactional_db: None) -> None:
    from stadtherz.base.vocabulary import WATER_LEVEL
    from stadtherz.kit.testing import Town
    from stadtherz.store.public import latest

    town = Town.found()
    stream = town.datastream(WATER_LEVEL)
    town.measure(stream, 94.0)
    assert latest([stream]).result.tolist() == [94.0]
