"""The history: all alerts with filters, and the same as a table for other programs."""

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.widgets.button import HeaderButton

from stadtherz.alerts.public import Alert, with_reach
from stadtherz.base.time import DAY, now_us
from stadtherz.web import formats
from stadtherz.web.staff.views import StaffIndexView

_OPEN, _OVER = "open", "over"
_PERIODS = {"7": _("last 7 days"), "30": _("last 30 days"), "365": _("last 365 days")}


class AlertFilters(WagtailFilterSet):
    """What the history can be cut to."""

    state = django_filters.ChoiceFilter(
        label=_("State"), choices=[(_OPEN, _("open")), (_OVER, _("over"))], method="having"
    )
    period = django_filters.ChoiceFilter(
        label=_("Begun"), choices=list(_PERIODS.items()), method="within"
    )

    def having(self, rows: QuerySet[Alert], _name: str, value: str) -> QuerySet[Alert]:
        return rows.filter(cleared_at__isnull=value == _OPEN)

    def within(self, rows: QuerySet[Alert], _name: str, value: str) -> QuerySet[Alert]:
        return rows.filter(opened_at__gte=now_us() - int(value) * DAY)


def _moment(at: int | None) -> str:
    """A time that other programs read, on the city's clock."""
    return "" if at is None else formats.local(at).isoformat(timespec="seconds")


def _plain(value: str) -> str:
    """No formula: a table program would run a cell that begins like one."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


class HistoryView(StaffIndexView):
    """All alerts, newest first, with filters and as CSV."""

    base_filterset_class = AlertFilters
    export_filename = "alarms"
    list_export: ClassVar = [
        "pk",
        "kind",
        "datastream.thing.name",
        "step",
        "severity",
        "opened_at",
        "acknowledged_at",
        "cleared_at",
        "false_alarm",
        "drill",
        "public",
    ]
    export_headings: ClassVar = {
        "pk": _("Number"),
        "kind": _("Kind"),
        "datastream.thing.name": _("Measuring point"),
        "step": _("Step"),
        "severity": _("Severity"),
        "opened_at": _("Begun"),
        "acknowledged_at": _("Taken on"),
        "cleared_at": _("Over"),
        "false_alarm": _("False alarm"),
        "drill": _("Test alarm"),
        "public": _("Public"),
    }
    custom_field_preprocess: ClassVar = {
        **{name: {"csv": _moment} for name in ("opened_at", "acknowledged_at", "cleared_at")},
        "datastream.thing.name": {"csv": lambda value: _plain(str(value or ""))},
        "step": {"csv": lambda value: _plain(str(value or ""))},
    }

    def get_base_queryset(self) -> QuerySet[Alert]:
        return with_reach(super().get_base_queryset())

    @cached_property
    def header_buttons(self) -> Sequence[Any]:
        return [
            HeaderButton(_("Alarm board"), url=self._address("board"), icon_name="warning"),
            HeaderButton(_("Figures"), url=self._address("statistics"), icon_name="table"),
        ]

    def _address(self, name: str) -> str:
        return reverse(self.views.get_url_name(name))
