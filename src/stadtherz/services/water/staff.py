"""The back office of water: gauges with their steps."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column

from stadtherz.services.water.levels import mistakes
from stadtherz.services.water.models import Gauge, WarningStep
from stadtherz.web.back_office import StaffViewSet, moment_column


class GaugeForm(WagtailAdminModelForm):
    """Refuses steps that contradict one another, each at its own place."""

    def is_valid(self) -> bool:
        return bool(super().is_valid()) and self._steps_fit()

    def _steps_fit(self) -> bool:
        rows = [row for row in self.formsets["steps"].forms if _is_kept(row)]
        found = mistakes([row.instance for row in rows])
        for step, kind in found:
            row = next(row for row in rows if row.instance is step)
            row.add_error(*_MISTAKES[kind])
        return not found


_MISTAKES = {
    "equal": ("level", _("Another step has the same level.")),
    "hysteresis": ("hysteresis", _("The hysteresis must be greater than zero.")),
    "overlap": (
        "hysteresis",
        _("With this hysteresis the step would outlast the one below it. Choose a smaller one."),
    ),
}


def _is_kept(row: forms.ModelForm[WarningStep]) -> bool:
    return row.has_changed() or (bool(row.instance.pk) and not row.cleaned_data.get("DELETE"))


def _steps_text(gauge: Gauge) -> str:
    return ", ".join(str(step) for step in gauge.steps.all())


class GaugeViewSet(StaffViewSet):
    model = Gauge
    owner_path = "datastream__owner"
    icon = "sh-water"
    menu_label = _("Gauges")
    list_display = [
        "name",
        "water_body",
        Column("steps", label=_("Warning steps"), accessor=_steps_text),
        moment_column("silent_since", _("Silent since")),
    ]
    list_filter = ["kind"]
    search_fields = ["name", "water_body"]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("name"),
                    FieldPanel("slug"),
                    FieldPanel("datastream"),
                    FieldPanel("kind"),
                    FieldPanel("article"),
                    FieldPanel("water_body"),
                    FieldPanel("zero_point"),
                    FieldPanel("interval_minutes"),
                ],
                heading=_("Gauge"),
            ),
            InlinePanel("steps", heading=_("Warning steps"), label=_("Warning step")),
            FieldPanel("recipients"),
            MultiFieldPanel(
                [FieldPanel("meaning_de"), FieldPanel("meaning_en")],
                heading=_("What a level means for the street next to it"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("source"),
                    FieldPanel("licence"),
                    FieldPanel("licence_url"),
                    FieldPanel("attribution"),
                    FieldPanel("origin_de"),
                    FieldPanel("origin_en"),
                ],
                heading=_("Data and licence"),
            ),
        ],
        base_form_class=GaugeForm,
    )
    inspect_view_fields = ["name", "water_body", "kind", "datastream", "recipients", "source"]

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        found = super().rows(user, changing=changing)
        return found.select_related("state").prefetch_related("steps")


def view_sets() -> Sequence[type[StaffViewSet]]:
    return (GaugeViewSet,)
