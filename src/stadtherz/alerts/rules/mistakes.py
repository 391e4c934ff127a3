"""What is wrong with a rule that staff are making, each at its field, with the way out."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from stadtherz.alerts.models import Rule, RuleInput, RuleStep
from stadtherz.alerts.rules import expression
from stadtherz.base.errors import QuerySyntaxError

Measure = Rule.Measure


def mistakes(
    rule: Rule, steps: Iterable[RuleStep], inputs: Iterable[RuleInput]
) -> Mapping[str, str]:
    """By field of the rule (`steps` and `inputs` for those as a whole); empty if it can be switched on."""
    return {
        **_of_target(rule),
        **_of_steps(rule, list(steps)),
        **(_of_expression(rule, list(inputs)) if rule.measure == Measure.EXPRESSION else {}),
    }


def _of_target(rule: Rule) -> Mapping[str, str]:
    if rule.measure == Measure.EXPRESSION:
        return {}
    if rule.datastream_id is None and rule.observed_property_id is None:
        return {
            "datastream": _("Choose a datastream, or below a property for all that observe it.")
        }
    if rule.datastream_id is not None and rule.observed_property_id is not None:
        return {"observed_property": _("Choose either one datastream or a property, not both.")}
    return {}


def _of_steps(rule: Rule, steps: Sequence[RuleStep]) -> Mapping[str, str]:
    if not steps:
        return {"steps": _("A rule needs at least one step.")}
    limits = [step.limit for step in steps]
    if len(set(limits)) < len(limits):
        return {"steps": _("Two steps have the same limit.")}
    if rule.measure == Measure.MISSING and min(limits) < 1:
        return {"steps": _("The limit is a number of minutes, at least 1.")}
    turn = -1 if rule.direction == Rule.Direction.BELOW else 1
    ascending = sorted(steps, key=lambda step: turn * step.limit)
    releases = [turn * step.limit - step.hysteresis for step in ascending]
    if releases != sorted(releases):
        return {
            "steps": _("With its hysteresis a step would outlast a milder one. Make it smaller.")
        }
    return {}


def _of_expression(rule: Rule, inputs: Sequence[RuleInput]) -> Mapping[str, str]:
    if not inputs:
        return {"inputs": _("An expression needs at least one input.")}
    try:
        parsed = expression.parse(rule.expression)
    except QuerySyntaxError as problem:
        words = {
            "position": problem.position + 1,
            "written": rule.expression[problem.position :][:20],
        }
        return {
            "expression": _(
                "This cannot be read from character %(position)s on (“%(written)s”). Write for example: "
                "level > 80 and rain > 10"
            )
            % words
        }
    unknown = parsed.names - {each.name for each in inputs}
    if unknown:
        names = {"names": ", ".join(sorted(unknown))}
        return {"expression": _("There is no input named %(names)s. Add it below.") % names}
    return {}
