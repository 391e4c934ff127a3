"""The back office of alerts: people to be told, what is wrong, and which message reached whom."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, re_path, reverse
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.alerts.public import Alert, Delivery, send_again
from stadtherz.kit.declaration import Severity
from stadtherz.web.alarms import words
from stadtherz.web.alarms.acting import ACTS, ActView, AlertView
from stadtherz.web.alarms.board import BoardView, TakeView
from stadtherz.web.alarms.history import HistoryView
from stadtherz.web.alarms.statistics import StatisticsView
from stadtherz.web.staff import Limited, StaffInspectView, StaffViewSet, moment_column, panel

SEVERITIES = {
    Severity.INFO.value: _("Information"),
    Severity.WARNING.value: _("Warning"),
    Severity.DANGER.value: _("Danger"),
}


def _title(alert: Alert) -> str:
    """The step's name; an alert that is over has none."""
    return str(alert.title.get(get_language() or "de") or "–")


def _alert_url(alert: Alert) -> str:
    return reverse("alert:inspect", args=[alert.pk])


def _kind(alert: Alert) -> str:
    """What the service, or the rule, that raised it calls this kind of alert."""
    if alert.drill:
        return gettext("Test alarm")
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
        found = super().rows(user, changing=changing)
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


class DeliveryInspectView(StaffInspectView):
    """How far a message has come, and the button to send it again where that makes sense."""

    template_name = "staff/delivery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = bool(self.views.changes(self.request.user))
        stuck = self.object.status in {Delivery.Status.UNCERTAIN, Delivery.Status.FAILED}
        url_name = self.views.get_url_name("again") if may and stuck else ""
        return {**super().get_context_data(**kwargs), "again_url_name": url_name}


class SendAgainView(Limited, View):
    """A person decides that a message whose fate is unknown is sent once more."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if send_again(pk):
            messages.success(request, str(_("The message will be sent again.")))
            self.audit("send again", Delivery.objects.get(pk=pk), {})
        else:
            messages.warning(request, str(_("This message is not stuck; nothing was changed.")))
        return redirect(self.views.get_url_name("inspect"), pk)


def _subject(delivery: Delivery) -> str:
    return str(delivery.event.wording(get_language() or "de")["subject"])


def _error(delivery: Delivery) -> str:
    """Our own words in the reader's language; a mail server's as they came."""
    return gettext(delivery.error) if delivery.error else ""


def _receipt(delivery: Delivery) -> str:
    return str(delivery.get_receipt_display()) if delivery.receipt else "–"


def _instead(delivery: Delivery) -> str:
    """The message that failed, for which this one stands in."""
    return _way_of(delivery.instead_of) if delivery.instead_of is not None else "–"


def _replaced(delivery: Delivery) -> str:
    found = Delivery.objects.filter(instead_of=delivery).first()
    return "–" if found is None else _way_of(found)


def _way_of(delivery: Delivery) -> str:
    return f"{delivery.get_channel_display()}, {delivery.get_status_display()}"


# What `alerts` may leave in a delivery, for the translators.
_ERRORS = (
    gettext_noop("No mail server is set (STADTHERZ_SMTP_URL)."),
    gettext_noop("No gateway is set for this way."),
    gettext_noop("This is no telephone number."),
    gettext_noop("The gateways do not take messages at present. It is tried again."),
    gettext_noop("The gateway has sent as many SMS today as it may; only danger is still sent."),
    gettext_noop("The process ended before the server's answer came."),
)


class DeliveryViewSet(StaffViewSet):
    """Which message reached whom; sending again is the only change."""

    model = Delivery
    owner_path = "event__alert__owner"
    allowed = frozenset()
    icon = "mail"
    menu_label = _("Messages")
    inspect_view_class = DeliveryInspectView
    list_display = [
        "contact",
        Column("event", label=_("What happened"), accessor=_subject),
        Column("channel", label=_("Way"), accessor="get_channel_display", sort_key="channel"),
        Column("status", label=_("Status"), accessor="get_status_display", sort_key="status"),
        Column("receipt", label=_("Receipt"), accessor=_receipt, sort_key="receipt"),
        Column("error", label=_("Error"), accessor=_error),
        moment_column("changed_at", _("Last changed")),
    ]
    list_filter = ["status", "channel", "receipt", "gateway"]
    inspect_view_fields = [
        "contact",
        "channel",
        "status",
        "receipt",
        "receipt_at",
        "gateway",
        "parts",
        "attempts",
        "next_attempt",
        "message_id",
        "instead_of",
        "replacement",
        "error",
        "owed_at",
        "changed_at",
    ]
    moments = ("next_attempt", "changed_at", "owed_at", "receipt_at")
    labels = {"replacement": _("Was sent another way instead")}
    shown = {"error": _error, "receipt": _receipt, "instead_of": _instead, "replacement": _replaced}

    def title_of(self, row: Any) -> str:
        return _subject(row)

    @property
    def again_view(self) -> Any:
        return self.construct_view(SendAgainView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("again/<int:pk>/", self.again_view, name="again"),
        ]


def open_alerts(request: HttpRequest) -> int:
    """How many alerts of the staff member's organisations are open."""
    return AlertViewSet().rows(request.user).filter(cleared_at=None).count()


def stuck_messages(request: HttpRequest) -> int:
    """How many messages have failed or may not have arrived, and wait for a person's decision."""
    stuck = (Delivery.Status.UNCERTAIN, Delivery.Status.FAILED)
    return DeliveryViewSet().rows(request.user).filter(status__in=stuck).count()


panel(_("open alerts"), open_alerts, "alert:board", urgent=True)
panel(_("messages that may not have arrived"), stuck_messages, "delivery:index", urgent=True)
