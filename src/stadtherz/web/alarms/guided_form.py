"""The short form of a rule: limits in up to three grades, who is told, and what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from stadtherz.alerts.public import ContactList, Rule, RuleStep, mistakes
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import StreamInfo
from stadtherz.web.alarms.occasions import Advice, Occasion


@dataclass(frozen=True, slots=True)
class Grade:
    """A row of the form: how grave, and what the step is called if nobody says otherwise."""

    key: str
    severity: Severity
    label: Any
    name: Any


GRADES = (
    Grade("info", Severity.INFO, _("For information"), _("Notice")),
    Grade("warning", Severity.WARNING, _("Warning"), _("Early warning")),
    Grade("danger", Severity.DANGER, _("Danger: comes through in quiet hours"), _("Alarm")),
)


class GuidedForm(forms.Form):
    """One limit at least; the rest is filled in as most would want it."""

    name = forms.CharField(
        label=_("What the warning is called"),
        max_length=100,
        help_text=_("Stands first in every message, for example “Flood at the footbridge”."),
    )
    buffer = forms.FloatField(
        label=_("Over only after it has gone back by"),
        min_value=0,
        localize=True,
        help_text=_("So that a value that swings around the limit does not ring again and again."),
    )
    recipients = forms.ModelChoiceField(
        label=_("Who is told"),
        queryset=ContactList.objects.none(),
        required=False,
        empty_label=_("nobody; it only stands on the alarm board"),
    )
    advice = forms.CharField(
        label=_("What they should do"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One sentence, for example “Close the footbridge with the barrier.”"),
    )

    def __init__(
        self, *args: Any, stream: StreamInfo, occasion: Occasion, advice: Advice, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stream, self.occasion = stream, occasion
        self.fields["name"].initial = self._proposed_name()
        self.fields["buffer"].initial = advice.buffer
        if occasion.minutes:
            del self.fields["buffer"]
        lists = ContactList.objects.filter(owner=stream.owner).order_by("name")
        self.fields["recipients"].queryset = lists  # type: ignore[attr-defined]  # a model choice
        for grade in GRADES:
            self.fields[f"limit_{grade.key}"] = self._limit_field(grade)
            self.fields[f"name_{grade.key}"] = forms.CharField(
                label=_("Name of the step"), max_length=60, required=False, initial=grade.name
            )

    def _proposed_name(self) -> str:
        return f"{self.stream.thing_name}: {self.occasion.name}"[:100]

    def _limit_field(self, grade: Grade) -> forms.FloatField:
        unit = _text("minutes") if self.occasion.minutes else self.stream.unit_symbol
        attributes = {"list": "proposed-limits", "autocomplete": "off"}
        return forms.FloatField(
            label=f"{grade.label} ({unit})" if unit else grade.label,
            required=False,
            localize=True,
            widget=forms.TextInput(attrs={"inputmode": "decimal", **attributes}),
        )

    def grades(self) -> Iterator[tuple[Any, Any]]:
        """The limit and the name of each row, as the page shows them."""
        for grade in GRADES:
            yield self[f"limit_{grade.key}"], self[f"name_{grade.key}"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given = [data.get(f"limit_{grade.key}") for grade in GRADES]
        if not self.errors and all(limit is None for limit in given):
            self.add_error("limit_warning", _("Give at least one limit."))
        known = [limit for limit in given if limit is not None]
        if known != sorted(known, reverse=self.occasion.below) and not self.errors:
            self.add_error(None, _("A graver step needs a limit that is reached later."))
        elif not self.errors:
            for name, told in mistakes(self.rule(), self.steps(), ()).items():
                self.add_error(name if name in self.fields else None, told)
        return data

    def rule(self) -> Rule:
        """The rule, switched off and not saved yet."""
        data = self.cleaned_data
        return Rule(
            owner_id=self.stream.owner,
            **_names(data["name"], self._proposed_name),
            advice_de=data.get("advice", ""),
            measure=self.occasion.measure,
            direction=self.occasion.direction,
            datastream_id=self.stream.id,
            recipients=data.get("recipients"),
        )

    def steps(self) -> list[RuleStep]:
        data = self.cleaned_data
        return [
            RuleStep(
                **_names(
                    data.get(f"name_{grade.key}") or str(grade.name), partial(str, grade.name)
                ),
                limit=data[f"limit_{grade.key}"],
                hysteresis=data.get("buffer") or 0,
                severity=grade.severity.value,
            )
            for grade in GRADES
            if data.get(f"limit_{grade.key}") is not None
        ]


def _names(given: str, proposed: Callable[[], str]) -> dict[str, str]:
    """A name that was left as proposed is known in every language; another one stands for all."""
    if given != proposed():
        return {"name_de": given}
    names = {}
    for code, _language in settings.LANGUAGES:
        with override(code):
            names[f"name_{code}"] = proposed()
    return names
