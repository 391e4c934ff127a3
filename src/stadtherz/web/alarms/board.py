"""The board: what is open now, the worst first, who has it, and the button to take it on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.widgets.button import HeaderButton

from stadtherz.alerts.public import (
    Alert,
    AlertEvent,
    Outcome,
    acknowledge,
    device_link_of,
    unreached,
)
from stadtherz.base.time import Micros
from stadtherz.store.public import streams
from stadtherz.web.alarms import words
from stadtherz.web.alarms.figures import Figure, figures
from stadtherz.web.alarms.reached import Notice, notice
from stadtherz.web.staff.views import Limited

_MOST = 200
_RANK = {"danger": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Row:
    """An open alert as the board shows it."""

    alert: Alert
    state: str
    step: str
    place: str
    kind: str
    sentence: str
    figure: Figure | None
    url: str
    notice: Notice | None = None

    @property
    def since(self) -> Micros:
        return self.alert.changed_at

    @property
    def is_taken(self) -> bool:
        return self.alert.acknowledged_at is not None

    @property
    def waits(self) -> str:
        """Names what is new to somebody who listens: this alert at this step."""
        return f"{self.alert.pk}-{self.alert.rank}"


def rows(alerts: Sequence[Alert], url_name: str) -> list[Row]:
    """What nobody has taken on comes first, then the gravest, then the newest."""
    known = figures(streams({a.datastream_id for a in alerts if a.datastream_id}).values())
    said, silent = _said(alerts), unreached(alerts)
    made = [
        Row(
            alert=alert,
            state=words.state(alert.severity),
            step=words.step(alert),
            place=words.place(alert),
            kind=words.kind(alert),
            sentence=words.said(said.get(alert.pk)),
            figure=known.get(alert.datastream_id or 0),
            url=reverse(url_name, args=[alert.pk]),
            notice=notice(alert, silent.get(alert.pk)),
        )
        for alert in alerts
    ]
    return sorted(made, key=_order)


def _order(row: Row) -> tuple[int, bool, int]:
    return _RANK.get(row.alert.severity, 3), row.is_taken, -row.since


def _said(alerts: Sequence[Alert]) -> Mapping[int, AlertEvent]:
    """The newest event of each that tells of the state."""
    told = ("raised", "escalated", "lowered")
    found = AlertEvent.objects.filter(alert__in=alerts, change__in=told).order_by("id")
    return {event.alert_id: event for event in found}


class AlarmPage(Limited, View):
    """A page about alarms in the back office."""

    permission_required = "view"
    title: Any = ""
    template = ""

    def url(self, name: str, *args: Any) -> str:
        return reverse(self.views.get_url_name(name), args=args)

    def page(self, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
        crumbs = [
            {"url": reverse("alert:board"), "label": _("Alarm board")},
            {"url": "", "label": self.title},
        ]
        shown = {
            "page_title": self.title,
            "header_title": self.title,
            "header_icon": "warning",
            "breadcrumbs_items": crumbs[-1:] if self.template == "staff/board.html" else crumbs,
            "may_change": bool(self.views.changes(self.request.user)),
            **context,
        }
        return TemplateResponse(self.request, self.template, shown, status=status)


class BoardView(AlarmPage):
    """What is open now."""

    title = _("Alarm board")
    template = "staff/board.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = self.views.rows(request.user).filter(cleared_at=None)
        alerts = list(found.select_related("rule", "recipients", "datastream__thing")[:_MOST])
        shown = rows(alerts, self.views.get_url_name("inspect"))
        context = {
            "rows": shown,
            "sentence": sentence(shown),
            "streams": {alert.datastream_id for alert in alerts if alert.datastream_id},
            "device_url": self._device_url(),
            "take_url_name": self.views.get_url_name("take"),
            "header_buttons": [
                HeaderButton(_("History"), url=self.url("index"), icon_name="history"),
                HeaderButton(_("Figures"), url=self.url("statistics"), icon_name="table"),
            ],
        }
        return self.page(context)

    def _device_url(self) -> str:
        """Where somebody who is called puts this device among their addresses; empty for others."""
        user, reach = self.request.user, self.views.sees(self.request.user)
        owners = None if reach.everything else reach.organisations
        return device_link_of(str(getattr(user, "email", "")), owners)


def sentence(shown: Sequence[Row]) -> str:
    """How things stand, before any table."""
    if not shown:
        return _text("Nothing is wrong: no alarm is open.")
    waiting = sum(not row.is_taken for row in shown)
    opened = ngettext("%(n)s alarm is open.", "%(n)s alarms are open.", len(shown))
    if not waiting:
        waits = _text("Somebody has taken on each of them.")
    else:
        waits = ngettext(
            "%(n)s waits for somebody to take it on.",
            "%(n)s wait for somebody to take them on.",
            waiting,
        )
    return f"{opened % {'n': len(shown)}} {waits % {'n': waiting}}"


class TakeView(Limited, View):
    """The button: I take it on."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        who = str(request.user)
        why = request.POST.get("why", "")[:500]
        taken = acknowledge(pk, who, "app", why, user=request.user.pk)
        match taken.outcome:
            case Outcome.TAKEN:
                messages.success(request, _text("You have taken it on. The others are told."))
            case Outcome.BEFORE:
                told = _text("%(who)s has taken it on already.") % {"who": taken.by or "–"}
                messages.warning(request, told)
            case Outcome.OVER:
                messages.warning(request, _text("This alarm is over already."))
        self.audit("acknowledge", Alert.objects.get(pk=pk), {})
        back = "board" if request.POST.get("from") == "board" else "inspect"
        return redirect(self.views.get_url_name(back), *([] if back == "board" else [pk]))
