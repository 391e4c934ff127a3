"""Staff set up a rule: what fits, what is said where, and that it is off until somebody switches it on."""

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.alerts.public import Alert, AlertNote, Rule, RuleStep, add_contact_list
from stadtherz.base.time import DAY, HOUR, Period, now_us
from stadtherz.base.visibility import SYSTEM
from stadtherz.store.models import Datastream
from stadtherz.store.public import Reading, append, update
from stadtherz.web.alarms.rules import _chart
from stadtherz.web.tests.staff_cast import Town, client_of, signed_in, town

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    Rule.objects.all().delete()
    return made


def editor() -> Client:
    return signed_in("editor@lautern.example")


def filled(home: Town, **changes: Any) -> dict[str, Any]:
    """What a browser sends when a clerk has filled in the least that is needed."""
    values = {
        "owner": home.organisation,
        "name_de": "Hochwasser am Steg",
        "datastream": home.stream,
        "measure": "value",
        "direction": "above",
        "window": "newest",
        "window_minutes": 60,
        "samples": 1,
        "hold_minutes": 0,
        "calm_minutes": 0,
        "max_age_minutes": 120,
        "steps-TOTAL_FORMS": 1,
        "steps-INITIAL_FORMS": 0,
        "steps-MIN_NUM_FORMS": 1,
        "steps-MAX_NUM_FORMS": 1000,
        "steps-0-name_de": "Vorwarnung",
        "steps-0-limit": "70",
        "steps-0-hysteresis": "5",
        "steps-0-severity": "warning",
        "steps-0-months": ["10", "11"],
        "inputs-TOTAL_FORMS": 0,
        "inputs-INITIAL_FORMS": 0,
        "inputs-MIN_NUM_FORMS": 0,
        "inputs-MAX_NUM_FORMS": 1000,
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def test_a_rule_is_saved_switched_off_and_leads_to_its_preview(home: Town) -> None:
    answer = editor().post(reverse("rule:add"), filled(home))
    rule = Rule.objects.get()
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("rule:preview", args=[rule.pk]),
    )
    assert not rule.active
    step = rule.steps.get()
    assert (step.limit, step.hysteresis, step.months, step.weekdays) == (70.0, 5.0, [10, 11], [])


def test_a_change_during_a_warning_stands_in_its_time_line(home: Town) -> None:
    client = editor()
    client.post(reverse("rule:add"), filled(home))
    rule = Rule.objects.get()
    alert = Alert.objects.create(
        kind="alerts.rule", subject=f"{rule.pk}:{home.stream}", datastream_id=home.stream, rule=rule,
        rank=1, severity="warning", title={}, opened_at=1, changed_at=1,
    )  # fmt: skip
    step = {"steps-INITIAL_FORMS": 1, "steps-0-id": rule.steps.get().pk, "steps-0-limit": "90"}
    answer = client.post(reverse("rule:edit", args=[rule.pk]), filled(home, **step))
    assert answer.status_code == 302
    (note,) = AlertNote.objects.filter(alert=alert)
    assert (note.act, note.who) == (AlertNote.Act.EDITED, "editor lautern")
    page = client.get(reverse("alert:inspect", args=[alert.pk])).content.decode()
    assert "Regel geändert" in page


def test_a_colour_nobody_chose_is_not_asked_for(home: Town) -> None:
    """A browser's field for colours is never empty: each step became black."""
    assert 'type="color"' not in editor().get(reverse("rule:add")).content.decode()


def test_a_place_is_not_named_twice_and_a_quantity_in_the_readers_words(home: Town) -> None:
    update("Thing", home.thing, {"name": "Steg"}, SYSTEM)
    update("Datastream", home.stream, {"name": "Steg: Wasserstand"}, SYSTEM)
    page = editor().get(reverse("rule:add")).content.decode()
    assert "Steg – Wasserstand" in page
    assert ">Wasserstand</option>" in page
    rule = Rule.objects.create(
        owner_id=home.organisation, name_de="Radweg", datastream_id=home.stream
    )
    assert "Steg – Wasserstand" in editor().get(reverse("rule:index")).content.decode()
    Rule.objects.filter(pk=rule.pk).update(
        datastream=None, observed_property=Datastream.objects.get().observed_property
    )
    listed = editor().get(reverse("rule:index")).content.decode()
    assert "Stufen und Grenzen" in listed
    assert 'data-label="Was beobachtet wird">Wasserstand<' in listed


def test_the_form_shows_what_is_measured_now(home: Town) -> None:
    append([Reading(home.stream, Period(now_us()), 42.5)])
    page = editor().get(reverse("rule:add")).content.decode()
    assert "Wasserstand lautern (jetzt 42,5\N{NO-BREAK SPACE}cm)" in page
    assert "Oktober" in page


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"datastream": None}, "datastream", "Wählen Sie eine Messreihe oder eine"),
        ({"measure": "expression", "datastream": None}, "expression", "Schreiben Sie den Ausdruck"),
        ({"steps-0-from_time": "08:00"}, "name_de", "Eine Stufe ist nicht vollständig"),
    ],
)
def test_a_mistake_is_said_at_its_field(
    home: Town, changes: dict[str, Any], field: str, said: str
) -> None:
    answer = editor().post(reverse("rule:add"), filled(home, **changes))
    assert answer.status_code == 200
    errors = answer.context["form"].errors[field]
    assert any(said in error for error in errors), errors
    assert not Rule.objects.exists()


def test_the_judges_mistakes_are_said_at_their_fields(home: Town) -> None:
    broken = {"measure": "expression", "expression": "level >", "datastream": ""}
    inputs = {
        "inputs-TOTAL_FORMS": 1,
        "inputs-0-name": "level",
        "inputs-0-datastream": home.stream,
        "inputs-0-window": "newest",
        "inputs-0-window_minutes": 60,
    }
    answer = editor().post(reverse("rule:add"), filled(home, **broken, **inputs))
    (said,) = answer.context["form"].errors["expression"]
    assert "ab Zeichen" in said


def test_only_own_datastreams_and_lists_can_be_chosen(home: Town) -> None:
    other = town("otterbach")
    foreign = add_contact_list(owner=other.organisation, name="Fremde Wehr")
    page = editor().get(reverse("rule:add")).content.decode()
    assert "otterbach" not in page
    assert "Fremde Wehr" not in page
    for changes in ({"datastream": other.stream}, {"recipients": foreign}):
        editor().post(reverse("rule:add"), filled(home, **changes))
    assert not Rule.objects.filter(owner=home.organisation).exists()


def previewed(client: Client, rule: Rule) -> str:
    """The page once the reckoning is done, as a browser that follows it sees it."""
    for _ in range(200):
        page = client.get(reverse("rule:preview", args=[rule.pk])).content.decode()
        if "data-staff-live" not in page:
            return page
    raise AssertionError("the preview never came")


def test_the_preview_says_how_often_it_would_have_warned(home: Town) -> None:
    """Two floods, the second of which came to the higher step and back."""
    levels = {200: 50.0, 150: 71.0, 149: 50.0, 100: 72.0, 99: 95.0, 98: 50.0}
    append([Reading(home.stream, Period(now_us() - n * HOUR), v) for n, v in levels.items()])
    rule = Rule.objects.create(
        owner_id=home.organisation, name_de="Steg", datastream_id=home.stream
    )
    for name, limit, severity in (("Vorwarnung", 70, "warning"), ("Alarm", 90, "danger")):
        RuleStep.objects.create(rule=rule, name_de=name, limit=limit, severity=severity)
    page = previewed(editor(), Rule.objects.get(pk=rule.pk))
    assert "Im letzten Jahr hätte diese Regel 2-mal gewarnt." in page
    assert len(re.findall("sh-plot__mark--warning", page)) == 1
    assert len(re.findall("sh-plot__mark--danger", page)) == 1
    assert "71\N{NO-BREAK SPACE}cm" in page
    assert "95\N{NO-BREAK SPACE}cm" in page


@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("Steg", ["Eine SMS: ", "von 160 Zeichen."]),
        ("Steg Ж", ["von 201 Zeichen.", "Wegen Ж fasst jede 70 statt 160."]),
        ("Steg am Wehr " * 7, ["2 SMS: ", "von 306 Zeichen."]),
        ("Steg am Wehr Ж" * 7, ["3 SMS: ", "Der Rest steht nur in der E-Mail"]),
    ],
)
def test_the_preview_shows_what_people_read_and_how_long_an_sms_is(
    home: Town, name: str, lengths: list[str]
) -> None:
    rule = Rule.objects.create(owner_id=home.organisation, name_de=name, datastream_id=home.stream)
    RuleStep.objects.create(rule=rule, name_de="Alarm", name_en="Alert", limit=90)
    page = html.unescape(previewed(editor(), Rule.objects.get(pk=rule.pk)))
    assert "Was die Menschen lesen" in page
    assert "OK 123" in page
    assert '<span lang="en">Alert: ' in page
    for each in lengths:
        assert each in page


def test_a_young_series_is_drawn_finer_than_days(home: Town) -> None:
    end = now_us()
    append([Reading(home.stream, Period(end - n * HOUR), 50.0 + n) for n in range(72)])
    rule = Rule.objects.create(
        owner_id=home.organisation, name_de="Steg", datastream_id=home.stream
    )
    chart = _chart(rule, (), end - 365 * DAY, end)
    assert chart is not None
    assert len(chart.points) > 48


def test_a_rule_is_switched_on_and_off_by_those_who_may(home: Town) -> None:
    rule = Rule.objects.create(owner_id=home.organisation, name_de="Steg")
    url = reverse("rule:preview", args=[rule.pk])
    for role, status in (("viewer", 403), ("stranger", 404), ("anonymous", 302)):
        client = client_of(role, home, home if role != "stranger" else town("otterbach"))
        assert client.post(url, {"active": "on"}).status_code == status
        rule.refresh_from_db()
        assert not rule.active
    for given, expected in (("on", True), ("off", False)):
        editor().post(url, {"active": given})
        rule.refresh_from_db()
        assert rule.active is expected
