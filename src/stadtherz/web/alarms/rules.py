"""Rules for staff: set one up, see what it would have done in the last year, switch it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column

from stadtherz.alerts.public import Rule, note_edit
from stadtherz.base import naming
from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.kit.declaration import Severity, Step
from stadtherz.kit.public import in_words
from stadtherz.store.public import streams
from stadtherz.web import formats
from stadtherz.web.alarms import foresight
from stadtherz.web.alarms.board import AlarmPage
from stadtherz.web.alarms.figures import digits
from stadtherz.web.alarms.foresight import Foreseen
from stadtherz.web.alarms.guided import BeginView, GuidedView
from stadtherz.web.alarms.rule_form import HANDLER
from stadtherz.web.alarms.specimens import told
from stadtherz.web.alarms.story import points_of, summary
from stadtherz.web.charts import LineChart, Mark
from stadtherz.web.staff.views import StaffCreateView, StaffEditView, StaffIndexView
from stadtherz.web.staff.viewsets import StaffViewSet

YEAR = 365 * DAY
_MOST_LINES = 200
_MOST_MARKS = 40


class _LeadsToPreview:
    """Whoever has saved a rule sees at once what it would have done."""

    views: Any
    object: Any

    def get_success_url(self) -> str:
        return reverse(self.views.get_url_name("preview"), args=[self.object.pk])


class RuleIndexView(StaffIndexView):
    """Its button leads to the short way; from there another one to all settings."""

    def get_add_url(self) -> str | None:
        return reverse(self.views.get_url_name("begin")) if super().get_add_url() else None


class RuleCreateView(_LeadsToPreview, StaffCreateView):
    pass


class RuleEditView(_LeadsToPreview, StaffEditView):
    def save_instance(self) -> Any:
        """What it warns of now has been judged by other limits until now: that stands in its time line."""
        rule = super().save_instance()
        if self.form.has_changed():
            note_edit(rule.pk, str(self.request.user), user=self.request.user.pk)
        return rule


@dataclass(frozen=True, slots=True)
class Warned:
    """A line of the preview's table."""

    at: Micros
    step: str
    severity: str
    value: str
    place: str


class PreviewView(AlarmPage):
    """What the rule would have done, and the button that switches it on or off."""

    title = _("What this rule would have done")
    template = "staff/rule_preview.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        rule = Rule.objects.prefetch_related("steps").get(pk=pk)
        until = now_us()
        since = until - YEAR
        seen = foresight.foresight(rule, since, until)
        warnings = list(seen.warnings)
        context = {
            "rule": rule,
            "seen": seen,
            "sentence": sentence(warnings) if seen.done and not seen.problem else "",
            "lines": _lines(warnings[-_MOST_LINES:][::-1]),
            "told": told(rule),
            "chart": _chart(rule, warnings, since, until),
            "names": {name: self.views.get_url_name(name) for name in ("preview", "edit")},
        }
        return self.page(context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.views.rows(request.user, changing=True).filter(pk=pk).exists():
            return HttpResponse(status=403)
        rule = Rule.objects.get(pk=pk)
        on = request.POST.get("active") == "on"
        rule.active = on
        rule.save(update_fields=["active", "changed_at"])
        self.audit("switch on" if on else "switch off", rule, {"active": on})
        told = _text("The rule is switched on.") if on else _text("The rule is switched off.")
        messages.success(request, told)
        return redirect(self.views.get_url_name("preview"), pk)


def sentence(warnings: Sequence[Foreseen]) -> str:
    if not warnings:
        return _text("In the last year this rule would not have warned at all.")
    told = ngettext(
        "In the last year this rule would have warned once.",
        "In the last year this rule would have warned %(n)s times. Here they are.",
        len(warnings),
    )
    return told % {"n": formats.number(len(warnings))}


def _lines(warnings: Sequence[Foreseen]) -> list[Warned]:
    known = streams({each.datastream for each in warnings})
    return [
        Warned(
            at=each.at,
            step=each.step,
            severity=each.severity,
            value=_value(each, known[each.datastream].unit_symbol)
            if each.datastream in known
            else formats.NO_VALUE,
            place=known[each.datastream].thing_name if each.datastream in known else "–",
        )
        for each in warnings
    ]


def _value(each: Foreseen, unit: str) -> str:
    if each.value is None:
        return formats.NO_VALUE
    return formats.measure(each.value, unit, digits(each.value))


def _chart(
    rule: Rule, warnings: Sequence[Foreseen], since: Micros, until: Micros
) -> LineChart | None:
    """The year's curve with the steps: of the datastream, or of the one that would have warned last."""
    chosen = rule.datastream_id or (warnings[-1].datastream if warnings else None)
    stream = streams([chosen]).get(chosen) if chosen is not None else None
    if stream is None:
        return None
    points = points_of(stream.id, since, until)
    if points and until - points[0][0] < (until - since) // 2:  # a young series, drawn finer
        points = points_of(stream.id, points[0][0], until)
    own = [each for each in warnings if each.datastream == stream.id][-_MOST_MARKS:]
    is_value = rule.measure == Rule.Measure.VALUE
    steps = rule.steps.all() if is_value else ()
    return LineChart(
        key=f"rule-{rule.pk}",
        title=stream.thing_name,
        subtitle=naming.beside(stream.name, stream.thing_name),
        unit=stream.unit_symbol,
        points=points,
        summary=summary([value for _at, value in points], stream.unit_symbol),
        steps=[Step(step.name, step.limit, Severity(step.severity)) for step in steps],
        marks=[Mark(each.at, "•", _severity(each.severity)) for each in own],
        span=(points[0][0], until) if points else None,
        gap=3 * DAY,
        digits=max((digits(value) for _at, value in points), default=0),
    )


def _severity(name: str) -> Severity:
    return Severity(name) if name in set(Severity) else Severity.WARNING


def _watched(rule: Rule) -> str:
    if rule.datastream is not None:
        return naming.at(str(rule.datastream.thing), rule.datastream.name, " – ")
    if rule.observed_property is not None:
        return in_words(rule.observed_property.name)
    return rule.expression or "–"


def _steps(rule: Rule) -> str:
    return ", ".join(str(step) for step in rule.steps.all())


def _on(rule: Rule) -> str:
    return _text("on") if rule.active else _text("off")


class RuleViewSet(StaffViewSet):
    """What staff want to be told of."""

    model = Rule
    icon = "sliders"
    menu_label = _("Rules")
    index_view_class = RuleIndexView
    add_view_class = RuleCreateView
    edit_view_class = RuleEditView
    edit_handler = HANDLER
    list_display = [
        "name_de",
        Column("watched", label=_("What is watched"), accessor=_watched),
        Column("steps", label=_("Steps and limits"), accessor=_steps),
        Column("active", label=_("Switched"), accessor=_on, sort_key="active"),
    ]
    list_filter = ["active", "public", "measure"]
    search_fields = ["name_de", "name_en"]
    inspect_view_fields = [
        "name_de",
        "name_en",
        "measure",
        "recipients",
        "public",
        "category",
        "active",
    ]

    def rows(self, user: Any, *, changing: bool = False) -> Any:
        found = super().rows(user, changing=changing)
        return found.select_related("datastream__thing", "observed_property").prefetch_related(
            "steps"
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        guided = self.construct_view(GuidedView)
        return [
            *super().get_urlpatterns(),
            path("preview/<int:pk>/", self.construct_view(PreviewView), name="preview"),
            path("begin/", self.construct_view(BeginView), name="begin"),
            path("begin/<int:stream>/<slug:occasion>/", guided, name="guided"),
        ]
