"""The short way to a rule: what is offered, what the last year proposes, and the rule that comes of it."""

from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.public import Rule, add_contact_list
from stadtherz.base.time import HOUR, Period, now_us
from stadtherz.store.public import Reading, append
from stadtherz.web.alarms.proposals import buffer, proposals, reached, silence
from stadtherz.web.tests.staff_cast import Town, signed_in, town

BEGIN = reverse("rule:begin")
floods = st.lists(st.floats(0, 500, width=32), min_size=48, max_size=300).map(np.array)


@given(floods, st.booleans())
def test_each_proposal_would_have_rung_as_often_as_it_says(levels: Any, below: bool) -> None:
    sign = -1.0 if below else 1.0
    back = buffer(levels)
    for each in proposals(levels, below=below):
        assert each.times == reached(sign * levels, sign * each.limit, back) >= 1


@given(floods)
def test_a_limit_that_rings_less_often_is_never_the_lower_one(levels: Any) -> None:
    found = proposals(levels)
    assert [each.limit for each in found] == sorted({each.limit for each in found})
    assert [each.times for each in found] == sorted({each.times for each in found}, reverse=True)


@pytest.mark.parametrize("levels", [[], [3.0] * 100, [1.0, 2.0]])
def test_nothing_is_proposed_where_nothing_is_known(levels: list[float]) -> None:
    assert proposals(np.array(levels)) == []


def test_a_device_that_sends_every_two_hours_is_silent_after_six() -> None:
    assert silence([0, 2 * HOUR, 4 * HOUR, 6 * HOUR], [1, 1, 1, 1]) == 360


# --- the pages -------------------------------------------------------------------------------------


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    Rule.objects.all().delete()
    return made


@pytest.fixture
def flooded(home: Town) -> Town:
    """Eighty days of an hourly gauge at 40 to 42 cm, with four floods of 90 cm and one of 130 cm."""
    peaks = {200: 90.0, 500: 90.0, 900: 130.0, 1300: 90.0, 1700: 90.0}
    now = now_us()
    append(
        [
            Reading(home.stream, Period(now - n * HOUR), peaks.get(n, 40.0 + n % 3))
            for n in range(80 * 24, 0, -1)
        ]
    )
    return home


pytestmark = pytest.mark.django_db(transaction=True)


def test_the_list_of_rules_leads_to_the_short_way(home: Town) -> None:
    page = signed_in("editor@lautern.example").get(reverse("rule:index")).content.decode()
    assert f'href="{BEGIN}"' in page


def test_only_own_measuring_points_are_offered_and_found(home: Town) -> None:
    other = town("otterbach")
    client = signed_in("editor@lautern.example")
    for asked in (BEGIN, f"{BEGIN}?q=wasser+LAUTERN"):
        page = client.get(asked).content.decode()
        assert f'value="{home.stream}"' in page
        assert "otterbach" not in page
    assert "Nichts passt." in client.get(f"{BEGIN}?q=zzz").content.decode()
    for stream in (other.stream, 10**17):
        for occasion in ("rises", "falls"):
            url = reverse("rule:guided", args=[stream, occasion])
            assert client.get(url).status_code == 404


def test_what_has_not_been_chosen_is_asked_for(home: Town) -> None:
    client = signed_in("editor@lautern.example")
    page = client.get(f"{BEGIN}?go=1").content.decode()
    assert "Wählen Sie eine Messstelle." in page
    assert "Wählen Sie, wann Sie benachrichtigt werden möchten." in page
    chosen = {"go": "1", "datastream": home.stream, "occasion": "rises"}
    answer = client.get(BEGIN, chosen)
    assert answer["Location"] == reverse("rule:guided", args=[home.stream, "rises"])


def test_the_last_year_tells_how_often_a_limit_was_reached(flooded: Town) -> None:
    client = signed_in("editor@lautern.example")
    page = client.get(reverse("rule:guided", args=[flooded.stream, "rises"])).content.decode()
    assert "etwa 5-mal" in page
    assert "etwa einmal" in page
    assert "Was die Messwerte seit" in page


@pytest.mark.parametrize("occasion", ["rises", "falls", "fast", "unusual", "silent"])
def test_each_occasion_becomes_a_rule_that_is_off(flooded: Town, occasion: str) -> None:
    told = add_contact_list(owner=flooded.organisation, name="Wehr")
    url = reverse("rule:guided", args=[flooded.stream, occasion])
    filled = {
        "name": "Steg",
        "buffer": "2,5",
        "limit_warning": "90",
        "name_warning": "Vorwarnung",
        "limit_danger": "20" if occasion == "falls" else "120,5",
        "recipients": told,
        "advice": "Steg sperren.",
    }
    answer = signed_in("editor@lautern.example").post(url, filled)
    rule = Rule.objects.get()
    assert answer["Location"] == reverse("rule:preview", args=[rule.pk])
    assert (rule.active, rule.owner_id, rule.datastream_id) == (
        False,
        flooded.organisation,
        flooded.stream,
    )
    assert (rule.recipients_id, rule.advice) == (told, "Steg sperren.")
    limits = {step.severity: (step.limit, step.name) for step in rule.steps.all()}
    assert limits == {
        "warning": (90.0, "Vorwarnung"),
        "danger": (20.0 if occasion == "falls" else 120.5, "Alarm"),
    }


def test_names_left_as_proposed_are_known_in_both_languages(home: Town) -> None:
    client = signed_in("editor@lautern.example")
    url = reverse("rule:guided", args=[home.stream, "rises"])
    proposed = client.get(url).context["form"]["name"].value()
    filled = {
        "name": proposed,
        "limit_warning": "90",
        "name_danger": "Sirene",
        "limit_danger": "99",
    }
    client.post(url, filled | {"buffer": "0"})
    rule = Rule.objects.get()
    place = proposed.removesuffix(": hoher Wert")
    assert place != proposed
    assert (rule.name_de, rule.name_en) == (proposed, f"{place}: high value")
    steps = list(rule.steps.values_list("name_de", "name_en"))
    assert steps == [("Vorwarnung", "Early warning"), ("Sirene", "")]


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({}, "limit_warning", "Geben Sie mindestens eine Grenze an."),
        ({"limit_warning": "hoch"}, "limit_warning", "Zahl"),
        ({"limit_warning": "90", "limit_danger": "80"}, "__all__", "schwerere Stufe"),
        ({"limit_warning": "90", "limit_danger": "90"}, "__all__", "dieselbe Grenze"),
        ({"limit_warning": "90", "name": ""}, "name", "muss ausgefüllt werden"),
    ],
)
def test_a_mistake_is_said_at_its_field(
    home: Town, given: dict[str, str], field: str, said: str
) -> None:
    url = reverse("rule:guided", args=[home.stream, "rises"])
    filled = {"name": "Steg", "buffer": "0"} | given
    answer = signed_in("editor@lautern.example").post(url, filled)
    errors = answer.context["form"].errors[field]
    assert any(said in error for error in errors), answer.context["form"].errors
    assert not Rule.objects.exists()


def test_a_viewer_makes_no_rules(home: Town) -> None:
    client = signed_in("viewer@lautern.example")
    for url in (BEGIN, reverse("rule:guided", args=[home.stream, "rises"])):
        assert client.get(url).status_code in (302, 403)
