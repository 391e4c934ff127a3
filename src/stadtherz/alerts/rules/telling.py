"""A verdict becomes a change of the alert, with its words in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from stadtherz.alerts.models import Alert, AlertNote, Rule, RuleStep
from stadtherz.alerts.rules.judge import Verdict
from stadtherz.alerts.rules.known import KnownRule
from stadtherz.alerts.states import change
from stadtherz.alerts.values import Transition, Wording
from stadtherz.base.hurry import hurry
from stadtherz.base.naming import beside
from stadtherz.base.time import Micros, from_us, now_us
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import StreamInfo, streams

KIND = "alerts.rule"
Measure = Rule.Measure


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened: which rule at which datastream went from one step to another, and why."""

    rule: Rule
    stream: StreamInfo
    before: RuleStep | None
    after: RuleStep | None
    worse: bool
    value: float
    at: Micros


def subject_of(rule: int, stream: int) -> str:
    """Under what the alert of a rule at a datastream stands."""
    return f"{rule}:{stream}"


@hurry()
def tell(
    known: KnownRule, stream: int, verdict: Verdict, value: float, observation: int | None
) -> None:
    """Change the alert, in the caller's transaction."""
    rule = Rule.objects.prefetch_related("steps").get(pk=known.id)
    steps = {step.pk: step for step in rule.steps.all()}
    occasion = Occasion(
        rule=rule,
        stream=streams([stream])[stream],
        before=_step(known, steps, verdict.before),
        after=_step(known, steps, verdict.after),
        worse=verdict.after > verdict.before,
        value=value,
        at=verdict.at,
    )
    change(
        Transition(
            kind=KIND,
            subject=subject_of(known.id, stream),
            datastream=stream,
            before=verdict.before,
            after=verdict.after,
            step=str(occasion.after.pk) if occasion.after else "",
            severity=Severity(occasion.after.severity) if occasion.after else Severity.OK,
            title=titles(occasion.after),
            texts=texts(occasion),
            observation=observation,
            at=verdict.at,
            recipients=known.recipients,
            public=known.public,
            rule=known.id,
            owner=known.owner,
        )
    )
    if verdict.damped:
        _note_damping(known.id, stream)


def _step(known: KnownRule, steps: Mapping[int, RuleStep], rank: int) -> RuleStep | None:
    return steps.get(known.steps[rank - 1]) if 0 < rank <= len(known.steps) else None


def _note_damping(rule: int, stream: int) -> None:
    alert = Alert.objects.filter(
        kind=KIND, subject=subject_of(rule, stream), cleared_at=None
    ).first()
    if alert is not None:
        AlertNote.objects.create(alert=alert, act=AlertNote.Act.DAMPED, at=now_us())


# --- words ---------------------------------------------------------------------------------------


def titles(step: RuleStep | None) -> Mapping[str, str]:
    """The name of the state by language code."""
    if step is None:
        return {}
    return {"de": step.name_de or step.name_en, "en": step.name_en or step.name_de}


def texts(occasion: Occasion) -> dict[str, Wording]:
    """The occasion's wording by language code."""
    return {code: _in_language(code, occasion) for code, _name in settings.LANGUAGES}


def _in_language(code: str, occasion: Occasion) -> Wording:
    with override(code):
        path = f"/Datastreams({occasion.stream.id})"
        return Wording(
            subject=_subject(occasion) % _words(occasion),
            sentence=_capital(_sentence(occasion) % _words(occasion)),
            facts=tuple(_facts(occasion)),
            link=reverse("web:entities", kwargs={"version": "1.1", "path": path}),
        )


def _subject(occasion: Occasion) -> str:
    if occasion.after is None:
        return _("All clear: %(place)s, %(rule)s")
    if occasion.worse:
        return _("%(after)s: %(place)s, %(rule)s at %(value)s")
    return _("%(after)s still holds: %(place)s, %(rule)s at %(value)s")


def _sentence(occasion: Occasion) -> str:
    if occasion.after is None:
        return _("%(rule)s at %(place)s: all clear since %(time)s, the value is %(value)s.")
    if occasion.rule.measure == Measure.MISSING:
        return _("%(place)s has sent nothing for %(value)s. Step “%(after)s” (%(rule)s).")
    if not occasion.worse:
        return _("%(rule)s at %(place)s is at %(value)s; the step “%(after)s” still holds.")
    if occasion.rule.direction == Rule.Direction.BELOW:
        return _(
            "%(rule)s at %(place)s fell to %(value)s at %(time)s, the limit of “%(after)s” is %(limit)s."
        )
    return _(
        "%(rule)s at %(place)s reached %(value)s at %(time)s, the limit of “%(after)s” is %(limit)s."
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _words(occasion: Occasion) -> dict[str, str]:
    return {
        "place": occasion.stream.thing_name,
        "rule": beside(occasion.rule.name, occasion.stream.thing_name),
        "value": _amount(occasion, occasion.value),
        "limit": _amount(occasion, occasion.after.limit) if occasion.after else "",
        "after": occasion.after.name if occasion.after else "",
        "time": formats.time_format(localtime(from_us(occasion.at))),
    }


def _facts(occasion: Occasion) -> list[tuple[str, str]]:
    local = localtime(from_us(occasion.at))
    facts = [
        (_("Place"), occasion.stream.thing_name),
        (_("Rule"), occasion.rule.name),
        (_("Value"), _amount(occasion, occasion.value)),
        (_("Time"), f"{formats.date_format(local)}, {formats.time_format(local)}"),
        (_("Data series"), occasion.stream.name),
    ]
    if occasion.rule.advice and occasion.after is not None:
        facts.append((_("What to do"), occasion.rule.advice))
    return facts


def _amount(occasion: Occasion, value: float) -> str:
    """With its unit; a condition over several datastreams has none."""
    plain = f"{value:.2f}".rstrip("0").rstrip(".")
    number = formats.number_format(Decimal(plain), use_l10n=True)
    if occasion.rule.measure == Measure.MISSING:
        return _("%(minutes)s minutes") % {"minutes": formats.number_format(round(value))}
    if occasion.rule.measure == Measure.EXPRESSION:
        return number
    return f"{number} {occasion.stream.unit_symbol}".strip()
