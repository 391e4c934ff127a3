"""A public warning that is made private, hidden or deleted: one Cancel that says no more than that."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from stadtherz.alerts import shown
from stadtherz.alerts.models import Shown
from stadtherz.alerts.public import Alert, AlertEvent, withdraw
from stadtherz.base import time
from stadtherz.base.time import DAY, HOUR, now_us
from stadtherz.store.models import Datastream, Thing
from stadtherz.web.tests.test_cap import documents, long_ago, value
from stadtherz.web.tests.warning_cast import goes, warned

pytestmark = pytest.mark.django_db(transaction=True)

Way = Callable[[Alert], Any]


def hidden(alert: Alert, model: Any = Datastream, access: str = "organisation") -> None:
    row = model.objects.get()
    row.access = access
    row.save()


WAYS: dict[str, Way] = {
    "made private by its next step": lambda alert: goes(
        alert.datastream_id or 0, 2, 1, public=False
    ),
    "its end is private": lambda alert: goes(alert.datastream_id or 0, 2, 0, public=False),
    "deleted": lambda alert: alert.delete(),
    "deleted with others": lambda _alert: Alert.objects.all().delete(),
    "datastream hidden": hidden,
    "thing hidden": lambda alert: hidden(alert, Thing),
    "datastream deleted": lambda _alert: Datastream.objects.get().delete(),
    "thing deleted": lambda _alert: Thing.objects.get().delete(),
}


def reference(document: ET.Element) -> str:
    return ",".join(value(document, part) for part in ("sender", "identifier", "sent"))


@pytest.mark.parametrize("way", WAYS)
def test_one_cancel_refers_to_all_that_was_told_and_says_nothing_of_it(way: str) -> None:
    alert = warned(rank=1)
    goes(alert.datastream_id or 0, 1, 2)
    told = documents()
    WAYS[way](alert)
    (end,) = documents()
    assert value(end, "msgType") == "Cancel"
    assert value(end, "references") == " ".join(reference(each) for each in reversed(told))
    assert value(end, "info/category") == "Met"
    assert value(end, "info/severity") == "Severe"
    assert (value(end, "info/responseType"), value(end, "info/certainty")) == ("Assess", "Unknown")
    words = ET.tostring(end, encoding="unicode")
    for private in ("Mill", "Wasser", "Alarm", "Vorwarnung", "49.4", "Lautern"):
        assert private not in words
    assert "Eine Warnung wurde zurückgezogen." in words
    assert "A warning was withdrawn." in words


@pytest.mark.parametrize("way", WAYS)
def test_what_was_told_can_not_be_read_any_more(way: str) -> None:
    alert, web = warned(rank=2), Client()
    key = AlertEvent.objects.get().pk
    WAYS[way](alert)
    assert web.get(f"/warnungen/cap/{key}-0.xml").status_code == 404
    for path in ("/warnungen/", "/warnungen/cap.atom"):
        assert "Das Wasser steht" not in web.get(path).content.decode()


def test_it_refers_to_what_was_said_again_while_it_lasted() -> None:
    alert = warned()
    long_ago(hours=49)
    shown.tick(now_us())
    alert.delete()
    (end,) = documents()
    assert len(value(end, "references").split()) == 3


def test_it_never_changes_and_is_given_once_however_often_anybody_looks() -> None:
    alert = warned()
    hidden(alert)
    before = ET.tostring(documents()[0])
    for _ in range(3):
        shown.tick(now_us())
    alert.delete()
    shown.tick(now_us())
    assert [ET.tostring(each) for each in documents()] == [before]


def test_what_was_changed_without_a_word_is_found_by_the_clock() -> None:
    warned()
    Alert.objects.update(public=False)
    assert documents() == []
    shown.tick(now_us())
    shown.tick(now_us())
    assert [value(each, "msgType") for each in documents()] == ["Cancel"]


def test_a_warning_of_before_this_was_written_down_has_its_cancel_too() -> None:
    alert = warned()
    Shown.objects.all().delete()
    shown.tick(now_us())
    alert.delete()
    assert [value(each, "msgType") for each in documents()] == ["Cancel"]


def test_who_missed_the_end_hears_of_it_after_it_was_hidden() -> None:
    alert = warned()
    goes(alert.datastream_id or 0, 1, 0)
    hidden(alert)
    shown.tick(now_us())
    (end,) = documents()
    assert value(end, "msgType") == "Cancel"
    assert len(value(end, "references").split()) == 1


def test_what_ended_long_ago_leaves_without_a_word() -> None:
    alert = warned()
    goes(alert.datastream_id or 0, 1, 0, at=now_us() - 4 * DAY)
    shown.tick(now_us())
    alert.delete()
    assert documents() == []
    assert not Shown.objects.exists()


def test_one_whose_gauge_is_gone_and_that_is_deleted_then_has_another_cancel() -> None:
    alert = warned()
    withdraw(alert.kind, alert.subject)
    first_end = value(documents()[0], "identifier")
    Alert.objects.get().delete()
    (end,) = documents()
    assert value(end, "identifier") != first_end
    assert "Mill" not in ET.tostring(end, encoding="unicode")


def test_one_that_is_shown_again_is_a_new_alert_and_ends_for_itself() -> None:
    alert = warned(rank=1)
    goes(alert.datastream_id or 0, 1, 2)
    old = {value(each, "identifier") for each in documents()}
    hidden(alert)
    hidden(alert, access="public")
    first, cancel = documents()
    assert (value(first, "msgType"), value(cancel, "msgType")) == ("Alert", "Cancel")
    assert value(first, "info/headline") == "Alarm: Mill"
    assert value(first, "identifier") not in old
    goes(alert.datastream_id or 0, 2, 0)
    end = documents()[0]
    assert (value(end, "msgType"), value(end, "references")) == ("Cancel", reference(first))
    alert.delete()
    assert [value(each, "msgType") for each in documents()] == ["Cancel", "Cancel"]
    ends = [value(each, "references").split(",")[1] for each in documents()]
    assert len(set(ends)) == 2


def test_one_that_ended_in_the_dark_is_not_an_alert_when_it_is_opened_again() -> None:
    alert = warned()
    hidden(alert)
    goes(alert.datastream_id or 0, 1, 0)
    hidden(alert, access="public")
    shown.tick(now_us())
    assert [value(each, "msgType") for each in documents()] == ["Cancel"]


def test_what_was_never_public_has_no_cancel() -> None:
    alert = warned(public=False)
    warned("organisation", town="kusel").delete()
    alert.delete()
    shown.tick(now_us())
    assert documents() == []
    assert not Shown.objects.exists()


def test_the_feed_tells_it_for_three_days_and_the_document_stays_for_four_weeks() -> None:
    warned().delete()
    path = "/warnungen/cap/{}.xml".format(value(documents()[0], "identifier").rsplit(".", 1)[-1])
    with time.stopped_at(time.from_us(now_us() + 3 * DAY + HOUR)):
        shown.tick(now_us())
        assert documents() == []
        assert Client().get(path).status_code == 200
    with time.stopped_at(time.from_us(now_us() + 28 * DAY + HOUR)):
        assert Client().get(path).status_code == 404
        shown.tick(now_us())
    assert not Shown.objects.exists()


def test_the_rounds_of_a_warning_in_force_are_not_forgotten() -> None:
    alert = warned()
    hidden(alert)
    shown.tick(now_us() + 60 * DAY)
    assert Shown.objects.count() == 1
