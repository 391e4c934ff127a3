"""CAP documents of rules that staff made: their category, how certain they are, and what never changes."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from stadtherz.alerts.public import Alert, AlertEvent, Category, Rule, RuleState
from stadtherz.alerts.rules.changes import settle
from stadtherz.alerts.tests.rule_cast import make_rule
from stadtherz.base.time import now_us
from stadtherz.store.public import streams
from stadtherz.web.tests.test_cap import SCHEMAS, check, documents, value
from stadtherz.web.tests.warning_cast import goes
from stadtherz.web.tests.web_cast import stream

db = pytest.mark.django_db(transaction=True)
VALID = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a.1</identifier><sender>a.example</sender>
<sent>2026-11-28T03:00:00+01:00</sent><status>Actual</status><msgType>Update</msgType><scope>Public</scope>
<references>a.example,a.0,2026-11-28T02:00:00+01:00</references>
<info><language>de-DE</language><category>Met</category><event>Pegel</event><responseType>Monitor</responseType>
<urgency>Expected</urgency><severity>Moderate</severity><certainty>Observed</certainty>
<area><areaDesc>Mill</areaDesc><circle>49.44,7.77 1</circle></area></info></alert>"""


def ruled(**more: Any) -> tuple[Rule, int]:
    """A public rule that has just warned, and where."""
    where = stream()
    rule = make_rule(streams([where])[where].owner, 90, datastream=where, public=True, **more)
    warns(rule, where, 0, 1)
    return rule, where


def warns(rule: Rule, where: int, before: int, after: int) -> None:
    goes(where, before, after, kind="alerts.rule", subject=f"{rule.pk}:{where}", rule=rule.pk)


@db
def test_without_a_choice_what_is_observed_gives_the_category() -> None:
    ruled()
    (document,) = documents()
    assert value(document, "info/category") == "Met"
    assert value(document, "info/certainty") == "Observed"


@db
@pytest.mark.parametrize("category", Category.values)
def test_what_staff_have_chosen_stands_in_it(category: str) -> None:
    ruled(category=category)
    (document,) = documents()
    assert [each.text for each in document.iter() if each.tag.endswith("category")] == [
        category
    ] * 2


@db
@pytest.mark.parametrize(
    ("more", "category", "certainty"),
    [({"measure": "missing"}, "Infra", "Unknown"), ({"doubtful": True}, "Met", "Likely")],
)
def test_what_nobody_has_measured_for_sure_says_so(
    more: dict[str, Any], category: str, certainty: str
) -> None:
    ruled(**more)
    (document,) = documents()
    assert value(document, "info/category") == category
    assert value(document, "info/certainty") == certainty


@db
def test_a_document_stays_the_same_when_its_rule_is_changed_or_deleted() -> None:
    rule, where = ruled(advice_de="Keller räumen.", category="Safety")
    before = ET.tostring(documents()[0])
    assert value(documents()[0], "info/instruction") == "Keller räumen."
    rule.advice_de, rule.category = "Weitergehen.", "Rescue"
    rule.save()
    warns(rule, where, 1, 2)
    newest, first = documents()
    assert ET.tostring(first) == before
    assert (value(newest, "info/category"), value(newest, "info/instruction")) == (
        "Rescue",
        "Weitergehen.",
    )
    Alert.objects.update(rule=None)
    assert ET.tostring(documents()[-1]) == before


@db
def test_an_older_event_takes_what_the_rule_says_now() -> None:
    ruled(advice_de="Keller räumen.")
    AlertEvent.objects.update(public={})
    (document,) = documents()
    assert value(document, "info/instruction") == "Keller räumen."


def switched_off(rule: Rule) -> None:
    rule.active = False
    rule.save()
    settle(now_us())


def deleted(rule: Rule) -> None:
    rule.delete()


@db
@pytest.mark.parametrize("ended", [switched_off, deleted])
def test_where_nobody_watches_any_more_no_all_clear_is_given(
    ended: Callable[[Rule], None],
) -> None:
    rule, where = ruled()
    RuleState.objects.create(rule=rule, datastream_id=where, rank=1)
    ended(rule)
    end, first = documents()
    assert value(end, "msgType") == "Cancel"
    assert value(end, "references").split(",")[1] == value(first, "identifier")
    assert value(end, "info/responseType") == "Assess"
    assert (value(end, "info/urgency"), value(end, "info/certainty")) == ("Unknown", "Unknown")


@db
def test_a_rule_that_is_made_private_takes_its_warning_back_at_once() -> None:
    rule, where = ruled()
    assert len(documents()) == 1
    rule.public = False
    rule.save()
    settle(now_us())
    (end,) = documents()
    assert value(end, "msgType") == "Cancel"
    assert not Alert.objects.get(datastream=where).public
    assert Alert.objects.get().cleared_at is None


def test_the_standards_schema_is_whole() -> None:
    """As OASIS published it: what it counts, and that it takes a document that fits."""
    check(VALID)
    assert len(SCHEMAS[0].elements) == 3
    assert "Copyright OASIS Open 2010" in (SCHEMAS[0].source.get_text())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<status>Actual</status>", ""),
        ("<msgType>Update</msgType>", "<msgType>Updated</msgType>"),
        ("+01:00</sent>", "Z</sent>"),
        ("<category>Met</category>", "<category>Flood</category>"),
        ("<urgency>Expected</urgency>", "<urgency>Soon</urgency>"),
        ("<severity>Moderate</severity><certainty>", "<certainty>"),
        ("<scope>Public</scope>", "<scope>Public</scope><code>1</code><source>x</source>"),
    ],
)
def test_what_does_not_fit_fails_in_both_schemas(old: str, new: str) -> None:
    """So that a document which passes has been looked at."""
    wrong = re.sub(re.escape(old), new, VALID)
    assert wrong != VALID
    for schema in SCHEMAS:
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            schema.validate(wrong)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<identifier>a.1", "<identifier>a,1"),
        ("<sender>a.example", "<sender>the town"),
        ("a.example,a.0,2026", "a.example a.0 2026"),
        ("49.44,7.77 1", "49.44 7.77 1"),
    ],
)
def test_what_the_standard_says_in_words_only_ours_finds(old: str, new: str) -> None:
    wrong = VALID.replace(old, new)
    SCHEMAS[0].validate(wrong)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        SCHEMAS[1].validate(wrong)
