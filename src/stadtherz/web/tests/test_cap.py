"""CAP 1.2: documents are valid, refer to those before, never change, and hold only what is public."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.public import (
    Alert,
    AlertEvent,
    Category,
    PublicWarning,
    WarningChange,
    withdraw,
)
from stadtherz.base.time import HOUR, SECOND
from stadtherz.kit.declaration import Severity
from stadtherz.web.tests.warning_cast import goes, warned
from stadtherz.web.warnings import cap

# The standard's own schema, and ours for what the standard demands in words; see cap/README.md.
SCHEMAS = [
    xmlschema.XMLSchema(str(Path(__file__).parent / "cap" / name))
    for name in ("CAP-v1.2.xsd", "strict.xsd")
]
CAP = {"c": cap.NAMESPACE}
ATOM = {"a": "http://www.w3.org/2005/Atom"}
db = pytest.mark.django_db(transaction=True)
START = 1_800_000_000 * SECOND


def check(document: str) -> None:
    """Raises XMLSchemaValidationError where one of the schemas does not hold."""
    for schema in SCHEMAS:
        schema.validate(document)


def documents(client: Client | None = None) -> list[ET.Element]:
    """What the feed leads to, newest first, each valid."""
    client = client or Client()
    feed = ET.fromstring(client.get("/warnungen/cap.atom").content)
    found = []
    for link in feed.findall("a:entry/a:link", ATOM):
        response = client.get("/" + link.attrib["href"].split("/", 3)[3])
        assert response.status_code == 200
        assert response["Content-Type"].startswith("application/cap+xml")
        check(response.content.decode())
        found.append(ET.fromstring(response.content))
    return found


def value(document: ET.Element, path: str) -> str:
    return document.findtext("/".join(f"c:{part}" for part in path.split("/")), "", CAP)


def long_ago(**ago: int) -> None:
    """Everything that is recorded happened earlier."""
    for event in AlertEvent.objects.all():
        event.recorded_at -= ago["hours"] * HOUR
        event.save()


@db
def test_a_warning_is_an_alert_in_both_languages() -> None:
    warned(rank=2)
    (document,) = documents()
    assert value(document, "msgType") == "Alert"
    assert value(document, "status") == "Actual"
    assert value(document, "scope") == "Public"
    assert value(document, "references") == ""
    assert [each.text for each in document.findall("c:info/c:language", CAP)] == ["de-DE", "en-GB"]
    assert value(document, "info/category") == "Met"
    assert value(document, "info/urgency") == "Immediate"
    assert value(document, "info/severity") == "Severe"
    assert value(document, "info/certainty") == "Observed"
    assert value(document, "info/senderName") == "Lautern"
    assert value(document, "info/headline") == "Alarm: Mill"
    assert value(document, "info/area/circle") == "49.44000,7.77000 1"
    assert value(document, "info/area/areaDesc").startswith("Mill")
    assert value(document, "info/expires") > value(document, "info/effective")


@db
def test_later_changes_refer_to_all_before_them() -> None:
    alert = warned(rank=1)
    goes(alert.datastream_id or 0, 1, 2)
    goes(alert.datastream_id or 0, 2, 0)
    end, update, first = documents()
    assert [value(each, "msgType") for each in (first, update, end)] == [
        "Alert",
        "Update",
        "Cancel",
    ]

    def reference(document: ET.Element) -> str:
        return ",".join(value(document, part) for part in ("sender", "identifier", "sent"))

    assert value(update, "references") == reference(first)
    assert value(end, "references") == f"{reference(first)} {reference(update)}"
    assert value(end, "info/responseType") == "AllClear"
    assert value(end, "info/urgency") == "Past"
    assert value(end, "info/severity") == "Severe"


@db
def test_what_ends_without_a_word_is_cancelled_without_an_all_clear() -> None:
    alert = warned(rank=2)
    withdraw(alert.kind, alert.subject)
    end, first = documents()
    assert value(end, "msgType") == "Cancel"
    assert value(end, "references").split(",")[1] == value(first, "identifier")
    assert (value(end, "info/responseType"), value(end, "info/certainty")) == ("Assess", "Unknown")
    assert value(end, "info/severity") == "Severe"
    assert value(end, "info/headline").startswith("Die Warnung für Mill wurde zurückgezogen.")


@db
def test_what_goes_on_is_said_again_before_it_expires() -> None:
    warned()
    long_ago(hours=49)
    again, after, first = documents()
    assert [value(each, "msgType") for each in (first, after, again)] == [
        "Alert",
        "Update",
        "Update",
    ]
    assert value(after, "sent") == value(first, "info/expires")


@db
def test_a_document_never_changes(settings: Any) -> None:
    alert = warned()
    before = [ET.tostring(each) for each in documents()]
    goes(alert.datastream_id or 0, 1, 2)
    assert ET.tostring(documents()[-1]) == before[0]


@db
@pytest.mark.parametrize("changes", [{"public": False}, {"access": "organisation"}])
def test_only_what_everybody_may_see_is_in_it(changes: dict[str, Any]) -> None:
    warned(**changes)
    event = AlertEvent.objects.get()
    assert documents() == []
    assert Client().get(f"/warnungen/cap/{event.pk}-0.xml").status_code == 404


@db
def test_a_test_alarm_has_no_document() -> None:
    alert = warned()
    Alert.objects.filter(pk=alert.pk).update(drill=True)
    assert documents() == []


@db
def test_the_regional_key_and_an_area_stand_in_it(settings: Any) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "regional_key": "073120000000"}
    alert = warned()
    location = alert.datastream.thing.locations.get()  # type: ignore[union-attr]
    ring = [[7.7, 49.4], [7.8, 49.4], [7.8, 49.5], [7.7, 49.4]]
    location.location = {"type": "Polygon", "coordinates": [ring]}
    location.save()
    (document,) = documents()
    assert value(document, "info/area/geocode/value") == "073120000000"
    assert value(document, "info/area/polygon").startswith("49.40000,7.70000 49.40000,7.80000")


@db
def test_who_has_it_gets_no_second_copy() -> None:
    warned()
    client = Client()
    for path in ("/warnungen/cap.atom", f"/warnungen/cap/{AlertEvent.objects.get().pk}-0.xml"):
        first = client.get(path)
        same = client.get(path, headers={"if-none-match": first["ETag"]})
        assert (same.status_code, same.content) == (304, b"")
        later = client.get(path, headers={"if-modified-since": first["Last-Modified"]})
        assert later.status_code == 304


@db
def test_an_empty_feed_is_a_feed() -> None:
    response = Client().get("/warnungen/cap.atom")
    feed = ET.fromstring(response.content)
    assert feed.findtext("a:title", "", ATOM).startswith("Warnungen")
    assert feed.findtext("a:updated", "", ATOM)


anything = st.text(max_size=300)


@given(
    texts=st.lists(anything, min_size=6, max_size=6),
    severity=st.sampled_from(Severity),
    category=st.sampled_from(Category.values),
    changes=st.lists(st.integers(1, 80 * HOUR // SECOND), min_size=1, max_size=4),
    ends=st.booleans(),
)
def test_whatever_people_write_the_document_is_valid(
    texts: list[str], severity: Severity, category: str, changes: list[int], *, ends: bool
) -> None:
    """Texts with any characters, any order of times: the schema holds, and identifiers are unique."""
    warning = _warning(severity, changes, ends=ends)
    told = cap.messages(warning, START + 400 * HOUR)
    sender = cap.Sender("stadt.example", texts[0])
    words = [cap.Words("de", "Pegel", *texts[1:4], "https://stadt.example/warnungen/")]
    area = cap.Area(f"Stadt {texts[4]}", (7.77, 49.44, 1.0))
    for message in told[-3:]:
        check(cap.document(message, sender, words, area, category).decode())
    keys = [cap.identifier(message, sender) for message in told]
    assert len(set(keys)) == len(keys)
    assert [m.sent for m in told] == sorted(m.sent for m in told)
    assert told[0].kind == "Alert"
    assert (told[-1].kind == "Cancel") == (ends and len(changes) > 1)


def _warning(severity: Severity, gaps: list[int], *, ends: bool) -> PublicWarning:
    made, at = [], START
    for place, gap in enumerate(gaps):
        at += gap * SECOND
        is_last = ends and place == len(gaps) - 1 and place > 0
        change = AlertEvent.Change.CLEARED if is_last else AlertEvent.Change.ESCALATED
        made.append(WarningChange(place + 1, change, severity, at, at, {}, {}, {}))
    over = made[-1].recorded if ends and len(made) > 1 else None
    return PublicWarning(
        9, "x", 1, severity, {}, START, at, over=over, advice={}, changes=tuple(made)
    )
