"""The back office of alerts: what is and was wrong."""

from typing import Any

from django.db.models import JSONField, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path, re_path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.alerts.public import Alert, AlertEvent
from stadtherz.kit.declaration import Severity
from stadtherz.web.alarms import words
from stadtherz.web.alarms.acting import ACTS, ActView, AlertView
from stadtherz.web.alarms.board import BoardView, TakeView
from stadtherz.web.alarms.history import HistoryView
from stadtherz.web.alarms.reached import told
from stadtherz.web.alarms.statistics import StatisticsView
from stadtherz.web.staff.views import moment_column
from stadtherz.web.staff.viewsets import StaffViewSet, panel

SEVERITIES = {
    Severity.INFO.value: _("Information"),
    Severity.WARNING.value: _("Warning"),
    Severity.DANGER.value: _("Danger"),
}


def _title(alert: Alert) -> str:
    """The step's name; an alert that is over has none, so what it said at its worst."""
    named = words.part(alert.title)
    told: dict[str, dict[str, str]] = getattr(alert, "worst", None) or {}
    return named or words.part({code: each["subject"] for code, each in told.items()}) or "–"


def _worst() -> Subquery:
    """The texts of an alert's gravest change."""
    events = AlertEvent.objects.filter(alert=OuterRef("pk")).order_by("-rank", "-id")
    return Subquery(events.values("texts")[:1], output_field=JSONField())


def _alert_url(alert: Alert) -> str:
    return reverse("alert:inspect", args=[alert.pk])


def _kind(alert: Alert) -> str:
    """What the service, or the rule, that raised it calls this kind of alert."""
    return words.kind(alert)


def _severity(alert: Alert) -> str:
    return str(SEVERITIES.get(alert.severity, alert.severity))


class AlertViewSet(StaffViewSet):
    """What was and is wrong, for reading."""

    model = Alert
    owner_path = "owner"
    allowed = frozenset()
    icon = "warning"
    menu_label = _("Alarm board")
    list_display = [
        TitleColumn("title", label=_("Step"), accessor=_title, get_url=_alert_url),
        Column("told", label=_("Told"), accessor=told),
        Column("datastream", label=_("Measuring point"), accessor=words.place),
        moment_column("opened_at", _("Since")),
        moment_column("cleared_at", _("Over")),
    ]
    index_view_class = HistoryView
    inspect_view_class = AlertView
    list_filter = ["severity", "false_alarm", "drill", "public"]
    inspect_view_fields = [
        "kind",
        "datastream",
        "severity",
        "opened_at",
        "changed_at",
        "cleared_at",
    ]
    moments = ("opened_at", "changed_at", "cleared_at")
    shown = {"kind": _kind, "severity": _severity, "datastream": words.place}
    labels = {"datastream": _("Measuring point")}

    def title_of(self, row: Any) -> str:
        return f"{_kind(row)}: {words.place(row)}"

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        found: QuerySet[Any] = super().rows(user, changing=changing).annotate(worst=_worst())
        return found.select_related("datastream__thing", "rule", "recipients")

    @property
    def menu_url(self) -> str:
        """The menu leads to the board: at night nobody looks for it in a history."""
        return reverse(self.get_url_name("board"))

    def get_urlpatterns(self) -> list[URLPattern]:
        act = self.construct_view(ActView)
        return [
            *super().get_urlpatterns(),
            path("board/", self.construct_view(BoardView), name="board"),
            path("statistics/", self.construct_view(StatisticsView), name="statistics"),
            path("take/<int:pk>/", self.construct_view(TakeView), name="take"),
            re_path(rf"^act/(?P<pk>\d+)/(?P<act>{'|'.join(ACTS)})/$", act, name="act"),
        ]


def open_alerts(request: HttpRequest) -> int:
    """How many alerts of the staff member's organisations are open; a test alarm is none."""
    return AlertViewSet().rows(request.user).filter(cleared_at=None, drill=False).count()


panel(_("open alerts"), open_alerts, "alert:board", urgent=True)
