"""What a public warning says besides its texts: its category, how certain it is, and what to do.

It is written down with each change, because a message that other programs have read never changes: not
when staff edit or delete the rule, either.
"""

from typing import Any, TypedDict

from stadtherz.alerts.models import Rule
from stadtherz.alerts.rules.categories import category_of
from stadtherz.alerts.values import Transition


class Said(TypedDict, total=False):
    """What is kept in `AlertEvent.public`. Without `category` the kind of the alert has one."""

    category: str
    certainty: str
    advice: dict[str, str]


def said(transition: Transition) -> dict[str, Any]:
    """Empty for what is not public. Certainty is in the words of CAP 1.2."""
    if not transition.public:
        return {}
    found: Said = {"certainty": "Observed"}
    rule = None if transition.rule is None else _rule(transition.rule)
    if rule is not None and transition.datastream is not None:
        found["category"] = category_of(rule, transition.datastream)
        found["advice"] = advice_of(rule)
        found["certainty"] = _certainty(rule)
    if not transition.watched:
        found["certainty"] = "Unknown"
    return {**found}


def advice_of(rule: Rule | None) -> dict[str, str]:
    """What to do, by language; empty where staff have written nothing."""
    if rule is None:
        return {}
    advice = {"de": rule.advice_de, "en": rule.advice_en or rule.advice_de}
    return {language: text for language, text in advice.items() if text}


def _rule(pk: int) -> Rule | None:
    return Rule.objects.select_related("observed_property").filter(pk=pk).first()


def _certainty(rule: Rule) -> str:
    """An instrument has measured it; not where it is silent, and less so where it may be wrong."""
    if rule.measure == Rule.Measure.MISSING:
        return "Unknown"
    return "Likely" if rule.doubtful else "Observed"
