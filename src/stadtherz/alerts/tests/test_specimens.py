"""What a rule would say before it says it: the same words as in the messages that leave, and how long they are."""

import pytest
from django.utils.translation import override

from stadtherz.alerts.channels import sms
from stadtherz.alerts.models import AlertEvent, Rule
from stadtherz.alerts.rules.specimens import specimens
from stadtherz.alerts.tests.rule_cast import make_rule
from stadtherz.base import time, vocabulary
from stadtherz.kit.testing import Town
from stadtherz.store.models import Datastream
from stadtherz.stream.public import drain


@pytest.fixture
def town(transactional_db: None) -> Town:
    return Town.found()


@pytest.fixture
def stream(town: Town) -> int:
    return town.datastream(vocabulary.WATER_LEVEL, "Lauter")


@pytest.mark.usefixtures("judging")
@pytest.mark.parametrize(
    ("direction", "limits", "values"),
    [("above", (90, 120), (90, 120)), ("below", (20, 10), (20, 10))],
)
def test_they_are_the_words_that_are_sent(
    town: Town, stream: int, direction: str, limits: tuple[float, ...], values: tuple[float, ...]
) -> None:
    rule = make_rule(town.organisation, *limits, datastream=stream, direction=direction)
    with time.stopped_at(time.now()):
        expected = specimens(rule)
        for value in values:
            Town.keep(stream, value, at=time.now_us())
            drain()
    sent = []
    for language in ("de", "en"):
        with override(language):
            for event in AlertEvent.objects.order_by("pk"):
                wording = event.wording(language)
                sent.append((language, wording["subject"], sms.compose(wording, 123).text))
    assert [(each.language, each.subject, each.sms) for each in expected] == sent
    assert all(each.length.parts == 1 for each in expected)


def test_a_rule_that_is_named_after_its_place_names_it_once_in_a_sentence(
    town: Town, stream: int
) -> None:
    name = {"name_de": "Lauter: hoher Wert", "name_en": "Lauter: high value"}
    german, english = specimens(make_rule(town.organisation, 90, datastream=stream, **name))
    assert german.subject == "Stufe 1: Lauter, hoher Wert bei 90 cm"
    assert "OK 123. Hoher Wert an der Messstelle Lauter erreichte um" in german.sms
    assert english.subject == "Step 1: Lauter, high value at 90 cm"
    assert "OK 123. High value at Lauter reached 90 cm" in english.sms


def test_what_makes_it_long_is_told(town: Town, stream: int) -> None:
    rule = make_rule(town.organisation, 90, datastream=stream, name_de="Hochwasser Ж" * 8)
    german, english = specimens(rule)
    assert (german.length.odd, german.length.parts, german.is_cut) == ("Ж", sms.MOST_PARTS, True)
    assert german.length.places <= german.length.room == 67 * sms.MOST_PARTS
    assert (english.length.odd, english.length.parts, english.is_cut) == ("", 1, False)


@pytest.mark.parametrize("watching", ["property", "expression"])
def test_rules_for_several_show_the_first(town: Town, stream: int, watching: str) -> None:
    town.datastream(vocabulary.WATER_LEVEL, "Mill")
    if watching == "property":
        observed = Datastream.objects.get(pk=stream).observed_property_id
        rule = make_rule(town.organisation, 90, observed_property_id=observed)
    else:
        rule = make_rule(
            town.organisation, 1, inputs={"level": stream}, measure="expression", expression="level"
        )
    assert "Lauter" in specimens(rule)[0].subject


def test_a_rule_that_watches_nothing_yet_has_none(town: Town) -> None:
    assert specimens(Rule(owner_id=town.organisation, name_de="Leer")) == []
