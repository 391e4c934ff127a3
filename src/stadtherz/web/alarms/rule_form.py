"""The form of a rule: what is watched with its value now, steps with their times, mistakes at their fields."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
)

from stadtherz.alerts.public import Rule, RuleStep, mistakes
from stadtherz.base import naming
from stadtherz.kit.public import in_words
from stadtherz.store.public import latest
from stadtherz.web import formats
from stadtherz.web.alarms.figures import digits

MONTHS = [
    (1, gettext_lazy("January")),
    (2, gettext_lazy("February")),
    (3, gettext_lazy("March")),
    (4, gettext_lazy("April")),
    (5, gettext_lazy("May")),
    (6, gettext_lazy("June")),
    (7, gettext_lazy("July")),
    (8, gettext_lazy("August")),
    (9, gettext_lazy("September")),
    (10, gettext_lazy("October")),
    (11, gettext_lazy("November")),
    (12, gettext_lazy("December")),
]
WEEKDAYS = [
    (1, gettext_lazy("Monday")),
    (2, gettext_lazy("Tuesday")),
    (3, gettext_lazy("Wednesday")),
    (4, gettext_lazy("Thursday")),
    (5, gettext_lazy("Friday")),
    (6, gettext_lazy("Saturday")),
    (7, gettext_lazy("Sunday")),
]


class Ticks(forms.CheckboxSelectMultiple):
    """Numbers of a JSON list as boxes to tick; none ticked means all."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        ticked = super().value_from_datadict(data, files, name) or []
        return json.dumps([int(each) for each in ticked if str(each).isdecimal()])

    def format_value(self, value: Any) -> list[str]:
        listed = json.loads(value) if isinstance(value, str) and value else value or []
        return [str(each) for each in listed] if isinstance(listed, list) else []


class RuleForm(WagtailAdminModelForm):
    """Says at each field what does not fit, before a rule can be switched on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["datastream"]
        field.queryset = field.queryset.select_related("thing")
        field.label_from_instance = _Labels()
        observed: Any = self.fields["observed_property"]
        observed.label_from_instance = lambda each: in_words(each.name)

    def is_valid(self) -> bool:
        return bool(super().is_valid()) and self._fits()

    def _fits(self) -> bool:
        rule: Rule = self.instance
        found = dict(self._contradictions())
        if not found:
            kept = {name: self._kept(name) for name in ("steps", "inputs")}
            found |= mistakes(rule, kept["steps"], kept["inputs"])
        for name, text in found.items():
            self.add_error(name if name in self.fields else None, text)
        return not found

    def _contradictions(self) -> Mapping[str, str]:
        data = self.cleaned_data
        found: dict[str, str] = {}
        by_expression = data.get("measure") == Rule.Measure.EXPRESSION
        both = bool(data.get("datastream")) + bool(data.get("observed_property"))
        if not by_expression and both != 1:
            found["datastream"] = _("Choose one datastream or one observed property, not both.")
        if by_expression and not data.get("expression"):
            found["expression"] = _("Write the expression over the names of the inputs.")
        for name in ("datastream", "recipients"):
            chosen = data.get(name)
            if chosen is not None and data.get("owner") and chosen.owner_id != data["owner"].pk:
                found[name] = _("This belongs to another organisation.")
        rows = [row for row in self.formsets["steps"].forms if _is_kept(row)]
        if not rows:
            found["name_de"] = _("Add at least one step with a limit.")
        for row in rows:
            self._check_step(row, found)
        return found

    def _kept(self, name: str) -> list[Any]:
        return [row.instance for row in self.formsets[name].forms if _is_kept(row)]

    def _check_step(self, row: Any, found: dict[str, str]) -> None:
        data = row.cleaned_data
        if bool(data.get("from_time")) != bool(data.get("until_time")):
            text = _("Give both times or none.")
            row.add_error("until_time", text)
            found["name_de"] = _("A step is not complete: see below.")


def _is_kept(row: forms.ModelForm[RuleStep]) -> bool:
    deleted = row.cleaned_data.get("DELETE") if hasattr(row, "cleaned_data") else False
    return not deleted and (row.has_changed() or bool(row.instance.pk))


class _Labels:
    """A datastream as a choice: its place, its name, and what it shows now."""

    def __init__(self) -> None:
        self._values: dict[int, Any] | None = None

    def __call__(self, stream: Any) -> str:
        if self._values is None:
            newest = latest(type(stream).objects.values_list("pk", flat=True))
            pairs = zip(newest.datastream.tolist(), newest.result.tolist(), strict=True)
            self._values = dict(pairs)
        value = self._values.get(stream.pk)
        name = naming.at(str(stream.thing), stream.name, " – ")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return name
        unit = (stream.unit_of_measurement or {}).get("symbol") or ""
        now = formats.measure(float(value), unit, digits(float(value)))
        return _("%(name)s (now %(value)s)") % {"name": name, "value": now}


_STEPS = [
    FieldRowPanel([FieldPanel("name_de"), FieldPanel("name_en")]),
    FieldRowPanel([FieldPanel("limit"), FieldPanel("hysteresis")]),
    FieldPanel("severity"),
    FieldPanel("months", widget=Ticks(choices=MONTHS)),
    FieldPanel("weekdays", widget=Ticks(choices=WEEKDAYS)),
    FieldRowPanel([FieldPanel("from_time"), FieldPanel("until_time")]),
]

HANDLER = ObjectList(
    [
        MultiFieldPanel(
            [
                FieldPanel("owner"),
                FieldRowPanel([FieldPanel("name_de"), FieldPanel("name_en")]),
            ],
            heading=gettext_lazy("Name"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("datastream"),
                FieldPanel("observed_property"),
                FieldPanel("measure"),
                FieldRowPanel([FieldPanel("window"), FieldPanel("window_minutes")]),
                FieldPanel("direction"),
                FieldPanel("expression"),
            ],
            heading=gettext_lazy("What is watched"),
        ),
        InlinePanel(
            "inputs",
            heading=gettext_lazy("Inputs of the expression"),
            label=gettext_lazy("Input"),
        ),
        InlinePanel(
            "steps",
            _STEPS,
            heading=gettext_lazy("Steps of the warning"),
            label=gettext_lazy("Step"),
            min_num=1,
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("samples"), FieldPanel("hold_minutes")]),
                FieldRowPanel([FieldPanel("steep"), FieldPanel("calm_minutes")]),
                FieldRowPanel([FieldPanel("max_age_minutes"), FieldPanel("doubtful")]),
            ],
            heading=gettext_lazy("When it counts"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("recipients"),
                FieldRowPanel([FieldPanel("public"), FieldPanel("category")]),
                FieldPanel("advice_de"),
                FieldPanel("advice_en"),
            ],
            heading=gettext_lazy("Who is told, and what"),
        ),
    ],
    base_form_class=RuleForm,
)
