"""The curve in a mail: a picture that can be read anywhere, a table that says the same, the same each time."""

from datetime import UTC
from email.message import EmailMessage
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stadtherz.alerts.channels import curve as drawing
from stadtherz.alerts.channels.curve import Axes, Curve, Line, Picture, png, told
from stadtherz.alerts.models import AlertEvent, Delivery
from stadtherz.alerts.outbox import curves
from stadtherz.alerts.outbox.curves import Curves
from stadtherz.alerts.public import change, send_due
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base.time import HOUR, MINUTE, Period
from stadtherz.store.models import Datastream
from stadtherz.store.public import Reading, append

NOON = 1_700_000_000_000_000
PLAIN = Axes(UTC, lambda value: f"{value:g}", lambda at: f"{at // HOUR % 24:02}:00")


def curve(points: list[tuple[int, float]], *limits: Line) -> Curve:
    return Curve("Pegel Lauterstraße", "cm", points, limits, NOON - 12 * HOUR, NOON, NOON, 3 * HOUR)


def image(points: list[tuple[int, float]], *limits: Line) -> Image.Image:
    return Image.open(BytesIO(png(curve(points, *limits), PLAIN)))


def rising(number: int = 144) -> list[tuple[int, float]]:
    return [(NOON - (number - i) * 5 * MINUTE, 60 + i / 3) for i in range(number)]


def test_the_picture_has_twice_the_size_it_is_shown_in_and_is_small() -> None:
    drawn = png(curve(rising(), Line(90, "Vorwarnung", "warning")), PLAIN)
    assert Image.open(BytesIO(drawn)).size == (2 * drawing.WIDTH, 2 * drawing.HEIGHT)
    assert len(drawn) < 40_000


def test_fifty_thousand_readings_make_no_larger_picture() -> None:
    many = [(NOON - 12 * HOUR + i * 800_000, float(i % 97)) for i in range(50_000)]
    assert len(png(curve(many), PLAIN)) < 40_000


def test_the_same_curve_gives_the_same_bytes() -> None:
    assert png(curve(rising()), PLAIN) == png(curve(rising()), PLAIN)


def test_the_paper_is_light_and_opaque_for_dark_mail_programs() -> None:
    shown = image(rising()).convert("RGBA")
    corner = shown.getpixel((2, 2))
    assert isinstance(corner, tuple)
    assert min(corner[:3]) > 250
    assert corner[3] == 255


@pytest.mark.parametrize("letter", "äöüÄÖÜß³²µ°€–−„“éèçñ")
def test_the_font_has_what_german_and_units_need(letter: str) -> None:
    font = drawing._font(26)
    assert bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


def test_silence_is_no_line() -> None:
    """A line between two pieces would colour the middle of the picture."""
    halves = [p for p in rising() if not NOON - 9 * HOUR < p[0] < NOON - 3 * HOUR]
    level = [(at, 50.0) for at, _value in halves]
    shown = image([*level, (NOON, 60.0)]).convert("RGB")
    middle = shown.size[0] // 2
    column = {shown.getpixel((middle, y)) for y in range(100, shown.size[1] - 70)}
    blue = [c for c in column if isinstance(c, tuple) and c[2] > 100 and c[0] < 40]
    assert blue == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(4, 12))
def test_the_table_has_first_last_and_extremes(values: list[float], most: int) -> None:
    rows = told(list(enumerate(values)), most)
    shown = [values[row] for row in rows]
    assert rows == sorted(set(rows))
    assert len(rows) <= most
    assert (rows[0], rows[-1]) == (0, len(values) - 1)
    assert (min(shown), max(shown)) == (min(values), max(values))


# --- in mails ------------------------------------------------------------------------------------


@pytest.fixture
def gauge(transactional_db: None) -> Ward:
    return make_ward(["a@stadt.example", "b@stadt.example"])


def readings(ward: Ward, *values: float, until: int = NOON) -> int:
    """One each ten minutes, the last at `until`; its id."""
    stream = ward.datastream
    first = until - (len(values) - 1) * 10 * MINUTE
    given = [Reading(stream, Period(first + i * 10 * MINUTE), v) for i, v in enumerate(values)]
    return append(given)[-1].id


def page(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_mail_shows_the_curve_beside_its_page_and_as_a_table(
    gauge: Ward, mails: MailServer
) -> None:
    newest = readings(gauge, *(60.0 + i for i in range(30)), 94.5)
    change(gauge.goes(0, 1, observation=newest, at=NOON))
    send_due()
    message = mails.received()[0]
    assert message.get_content_type() == "multipart/alternative"
    plain, related = message.iter_parts()
    assert (plain.get_content_type(), related.get_content_type()) == (
        "text/plain", "multipart/related",
    )  # fmt: skip
    _page, picture = related.iter_parts()
    assert picture["Content-ID"] == "<curve>"
    assert picture.get_content_type() == "image/png"
    assert Image.open(BytesIO(picture.get_content())).format == "PNG"
    assert 'src="cid:curve"' in page(message)
    assert 'alt="Vom 14. Nov' in page(message)
    assert "94,5" in page(message)
    table = [line for line in text(message).splitlines() if line.startswith("14. Nov")]
    assert 4 <= len(table) <= 12
    assert table[0].split()[-2:] == ["60", "niedrigster"]
    assert table[-1].split()[-2:] == ["94,5", "höchster"]


def test_a_repeated_message_leaves_out_what_came_later(gauge: Ward) -> None:
    newest = readings(gauge, *(60.0 + i for i in range(20)))
    change(gauge.goes(0, 1, observation=newest, at=NOON))
    event = AlertEvent.objects.get()
    before = Curves().of(event, "de", public=False)
    readings(gauge, 500.0, until=NOON - 5 * MINUTE)  # late, from before
    readings(gauge, 900.0, until=NOON + 5 * MINUTE)
    assert before is not None
    assert Curves().of(event, "de", public=False) == before


def test_it_is_drawn_once_for_all_readers(
    gauge: Ward, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(curves, "png", lambda *given: drawn.append(given) or b"")
    newest = readings(gauge, 60.0, 70.0, 94.0)
    change(gauge.goes(0, 1, observation=newest, at=NOON))
    assert send_due() == 2
    assert len(drawn) == 1


@pytest.mark.parametrize("broken", ["png", "_readings"])
def test_a_mail_that_cannot_show_it_goes_without(
    gauge: Ward, mails: MailServer, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_given: object) -> None:
        raise OSError("no font")

    newest = readings(gauge, 60.0, 70.0, 94.0)
    change(gauge.goes(0, 1, observation=newest, at=NOON))
    monkeypatch.setattr(curves, broken, fail)
    send_due()
    assert list(Delivery.objects.values_list("status", flat=True)) == ["sent", "sent"]
    message = mails.received()[0]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert ("niedrigster Wert" in text(message)) == (broken == "png")
    assert "Pegel: Pegel" not in text(message)  # the place's name once


def test_the_public_sees_no_curve_of_what_is_internal(gauge: Ward) -> None:
    newest = readings(gauge, 60.0, 70.0, 94.0)
    change(gauge.goes(0, 1, observation=newest, at=NOON))
    event = AlertEvent.objects.get()
    assert isinstance(Curves().of(event, "de", public=True), Picture)
    Datastream.objects.update(access="internal")
    assert Curves().of(event, "de", public=True) is None
    assert isinstance(Curves().of(event, "de", public=False), Picture)


def test_a_mail_about_a_datastream_without_readings_has_no_curve(
    gauge: Ward, mails: MailServer
) -> None:
    change(gauge.goes(0, 1, observation=1, at=NOON))
    send_due()
    assert [part.get_content_type() for part in mails.received()[0].iter_parts()] == [
        "text/plain",
        "text/html",
    ]


def test_mails_of_one_alert_lie_together(gauge: Ward, mails: MailServer) -> None:
    change(gauge.goes(0, 1, observation=1))
    send_due()
    change(gauge.goes(1, 2, observation=2))
    change(gauge.goes(2, 0, observation=3))
    send_due()
    mine = [m for m in mails.received() if "a@stadt.example" in m["To"]]
    first = mine[0]["Message-ID"]
    assert mine[0]["References"] is None
    assert [(m["In-Reply-To"], m["References"]) for m in mine[1:]] == [(first, first)] * 2
    others = [m for m in mails.received() if "b@stadt.example" in m["To"]]
    assert others[1]["References"] == others[0]["Message-ID"] != first


def test_a_mail_tells_the_number_that_is_answered_by_sms(gauge: Ward, mails: MailServer) -> None:
    change(gauge.goes(0, 1, observation=1))
    code = AlertEvent.objects.get().alert.code
    change(gauge.goes(1, 0, observation=2))
    Delivery.objects.filter(event__change="cleared").update(urgency=0)
    send_due()
    assert all(f"OK {code}" not in text(m) for m in mails.received())  # over: nothing to take on
    change(gauge.goes(0, 1, observation=3))
    code = AlertEvent.objects.latest("pk").alert.code
    send_due()
    newest = mails.received()[-1]
    assert f"„OK {code}“" in text(newest)
    assert f"„OK {code}“" in page(newest)
