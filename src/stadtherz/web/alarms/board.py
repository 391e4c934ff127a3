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
    Drill,
    Outcome,
    acknowledge,
    awaits,
    device_link_of,
    silencing,
    unreached,
)
from stadtherz.base.time import Micros
from stadtherz.kit.declaration import Severity
from stadtherz.store.public import streams
from stadtherz.web.alarms import words
from stadtherz.web.alarms.figures import Figure, figures
from stadtherz.web.alarms.reached import Notice, Silence, notice, silence
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
    silence: Silence | None = None
    awaits_you: bool = False  # a test alarm: each person answers for themselves
    drill: int | None = None  # its page

    @property
    def since(self) -> Micros:
        return self.alert.changed_at

    @property
    def is_taken(self) -> bool:
        return self.alert.acknowledged_at is not None

    @property
    def tone(self) -> str:
        """How it looks; a test alarm is graver than nothing for those who are called, and nothing on a board."""
        return Severity.INFO.value if self.alert.drill else self.alert.severity

    @property
    def waits(self) -> str:
        """Names what is new to somebody who listens: this alert at this step."""
        return f"{self.alert.pk}-{self.alert.rank}"


def rows(alerts: Sequence[Alert], url_name: str, reader: int) -> list[Row]:
    """The gravest comes first, then what nobody has taken on, then the newest; test alarms come last."""
    known = figures(streams({a.datastream_id for a in alerts if a.datastream_id}).values())
    said, silent, paused = _said(alerts), unreached(alerts), silencing(alerts)
    drills = dict(Drill.objects.filter(alert__in=alerts).values_list("alert", "pk"))
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
            silence=silence(paused.get(alert.pk)),
            awaits_you=alert.drill and awaits(alert, reader),
            drill=drills.get(alert.pk),
        )
        for alert in alerts
    ]
    return sorted(made, key=_order)


def _order(row: Row) -> tuple[bool, int, bool, int]:
    return row.alert.drill, _RANK.get(row.alert.severity, 3), row.is_taken, -row.since


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
        reader = request.user.pk or 0
        shown = rows(alerts, self.views.get_url_name("inspect"), reader)
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
    """How things stand, before any table. A test alarm is no alarm."""
    real = [row for row in shown if not row.alert.drill]
    told = [_of_alarms(real) if real else _text("Nothing is wrong: no alarm is open.")]
    if len(real) < len(shown):
        told.append(_text("A test alarm is going on."))
    return " ".join(told)


def _of_alarms(shown: Sequence[Row]) -> str:
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
        alert = Alert.objects.get(pk=pk)
        match taken.outcome:
            case Outcome.TAKEN | Outcome.BEFORE if alert.drill:
                told = _text("Thank you. Your answer to the test alarm has arrived.")
                messages.success(request, told)
            case Outcome.TAKEN:
                messages.success(request, _text("You have taken it on. The others are told."))
            case Outcome.BEFORE:
                told = _text("%(who)s has taken it on already.") % {"who": taken.by or "–"}
                messages.warning(request, told)
            case Outcome.OVER:
                messages.warning(request, _text("This alarm is over already."))
        self.audit("acknowledge", alert, {})
        back = "board" if request.POST.get("from") == "board" else "inspect"
        return redirect(self.views.get_url_name(back), *([] if back == "board" else [pk]))
