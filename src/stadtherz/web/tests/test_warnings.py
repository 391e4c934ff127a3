"""The public warnings page and the banner: what is in force, for whom, and what never gets out."""

from typing import Any

import pytest
from django.test import Client

from stadtherz.alerts.public import Alert, AlertEvent
from stadtherz.base.time import DAY, now_us
from stadtherz.web.tests.staff_cast import signed_in, town
from stadtherz.web.tests.warning_cast import goes, warned

pytestmark = pytest.mark.django_db(transaction=True)


def text(path: str, client: Client | None = None) -> str:
    response = (client or Client()).get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_without_a_warning_the_page_says_so_and_there_is_no_banner() -> None:
    page = text("/warnungen/")
    assert "Es gilt keine Warnung." in page
    assert "<sh-banner" not in text("/impressum/")


def test_a_warning_stands_on_its_page_and_above_every_other() -> None:
    warned(rank=2)
    page = text("/warnungen/")
    assert "Gefahr: Alarm – Mill" in page
    assert "Es gilt eine Warnung." in page
    assert "112" in page
    assert "NINA" in page
    for path in ("/", "/impressum/", "/sta/v1.1"):
        assert "<sh-banner" in Client().get(path, headers={"accept": "text/html"}).content.decode()
    assert "<sh-banner" not in page, "the page itself says it already"


def test_the_english_page_speaks_english() -> None:
    warned()
    page = text("/en/warnungen/")
    assert "Warning: Early warning – Mill" in page
    assert "One warning is in force." in page


def test_the_worst_comes_first_and_the_banner_tells_how_many_others() -> None:
    warned(rank=1, town="eins")
    warned(rank=2, town="zwei")
    page = text("/warnungen/")
    assert page.index("Gefahr: Alarm") < page.index("Warnung: Vorwarnung")
    banner = text("/impressum/")
    assert "Gefahr: Alarm" in banner
    assert "Und 1 weitere Warnung." in banner


@pytest.mark.parametrize("changes", [{"public": False}, {"access": "organisation"}])
def test_what_is_not_for_everybody_is_not_shown(changes: dict[str, Any]) -> None:
    warned(**changes)
    assert "Vorwarnung" not in text("/warnungen/")
    assert "<sh-banner" not in text("/impressum/")


def test_a_test_alarm_is_never_public() -> None:
    alert = warned()
    Alert.objects.filter(pk=alert.pk).update(drill=True)
    assert "Vorwarnung" not in text("/warnungen/")


def test_staff_see_what_their_own_datastreams_warn_of() -> None:
    home = town("lautern")
    goes(home.stream, 0, 1)
    assert "Vorwarnung" not in text("/warnungen/")
    assert "Vorwarnung" in text("/warnungen/", signed_in("viewer@lautern.example"))


def test_a_warning_that_is_over_moves_to_the_history_for_four_weeks() -> None:
    alert = warned(rank=2)
    goes(alert.datastream_id or 0, 2, 0)
    page = text("/warnungen/")
    assert "Es gilt keine Warnung." in page
    assert "Alarm: Mill" in page
    Alert.objects.update(cleared_at=now_us() - 29 * DAY)
    assert "Alarm: Mill" not in text("/warnungen/")


def test_the_reason_a_person_wrote_does_not_get_out() -> None:
    alert = warned()
    secret = {"de": {"subject": "Max Muster schließt", "sentence": "Max sagt: Ente.", "link": ""}}
    AlertEvent.objects.create(
        alert=alert,
        change="cleared",
        rank_before=1,
        rank=0,
        severity="ok",
        cause="closed",
        at=now_us(),
        recorded_at=now_us(),
        texts=secret,
    )
    Alert.objects.filter(pk=alert.pk).update(cleared_at=now_us(), rank=0)
    everything = text("/warnungen/") + text("/warnungen/cap.atom")
    for event in AlertEvent.objects.all():
        everything += text(f"/warnungen/cap/{event.pk}-0.xml")
    assert "Max" not in everything
    assert "Die Warnung für Mill ist vorbei." in everything


def test_a_name_with_markup_is_text() -> None:
    warned(title={"de": "<script>alert(1)</script>"})
    for path in ("/warnungen/", "/impressum/"):
        assert "<script>alert(1)" not in text(path)
