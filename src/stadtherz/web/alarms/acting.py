"""One alert's page, and what a person may do with it there: take on, comment, silence, close, judge."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin import messages

from stadtherz.alerts.public import (
    Alert,
    Drill,
    Pause,
    close,
    comment,
    judge,
    pause,
    silencing,
    unreached,
)
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now, to_us
from stadtherz.identity.public import visibility_of_request
from stadtherz.web import formats
from stadtherz.web.alarms import story, words
from stadtherz.web.alarms.reached import notice, silence
from stadtherz.web.staff.views import Limited, StaffInspectView

SILENCES = (1, 4, 12, 24, 72, 168)
"""Hours for which one may silence an alarm with one press; longer ones are planned as a pause."""

_MOST_TEXT = 500


class AlertView(StaffInspectView):
    """What happened, the curve, all that was done, and what can be done now."""

    template_name = "staff/alert.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        alert: Alert = self.object
        events = story.events_of(alert)
        visibility = visibility_of_request(self.request)
        return {
            **super().get_context_data(**kwargs),
            "state": words.state(alert.severity),
            "step": words.step(alert),
            "kind": words.kind(alert),
            "place": words.place(alert),
            "taken": words.taken(alert),
            "sentences": list(story.sentences(alert, events)),
            "notice": notice(
                alert, unreached([alert] if alert.cleared_at is None else []).get(alert.pk)
            ),
            "drill": Drill.objects.filter(alert=alert).values_list("pk", flat=True).first(),
            "silence": silence(_pause_of(alert)),
            "chart": story.chart(alert, events, visibility),
            "lines": story.time_line(alert, events),
            "may_change": bool(self.views.changes(self.request.user)),
            "silences": silences(),
            "names": {name: self.views.get_url_name(name) for name in ("take", "act", "board")},
            "streams": {alert.datastream_id} if alert.datastream_id else (),
        }


def _pause_of(alert: Alert) -> Pause | None:
    """The pause that keeps everybody from being told of it; none of what is over."""
    return silencing([alert]).get(alert.pk) if alert.cleared_at is None else None


def silences() -> list[tuple[int, str]]:
    """Hours, and until when that is."""
    begin = now()
    return [(hours, formats.when(to_us(begin + timedelta(hours=hours)))) for hours in SILENCES]


class ActView(Limited, View):
    """What a person does with an alert; each act is written down with who, when and why."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        alert = Alert.objects.select_related("datastream").get(pk=pk)
        try:
            told = _ACTS[act](alert, request)
        except Invalid as problem:
            messages.error(request, str(problem.reason))
        else:
            messages.success(request, told)
            self.audit(act, alert, {})
        return redirect(self.views.get_url_name("inspect"), pk)


def _comment(alert: Alert, request: HttpRequest) -> str:
    comment(alert.pk, str(request.user), _why(request), user=request.user.pk)
    return _("The comment stands in the time line.")


def _close(alert: Alert, request: HttpRequest) -> str:
    if close(alert.pk, str(request.user), _why(request), user=request.user.pk):
        return _("The alarm is closed. Whoever was told of it is told.")
    return _("This alarm is over already.")


def _judge(alert: Alert, request: HttpRequest) -> str:
    judged = {"false": True, "right": False}.get(request.POST.get("judgement", ""))
    judge(alert.pk, judged, str(request.user), _why(request), user=request.user.pk)
    return _("Your judgement is written down.")


def _silence(alert: Alert, request: HttpRequest) -> str:
    hours = request.POST.get("hours", "")
    if hours not in {str(each) for each in SILENCES}:
        raise Invalid("hours", _("Choose until when nobody shall be told."))
    if alert.owner_id is None:
        raise Invalid("alert", _("This alarm belongs to no organisation and cannot be silenced."))
    ends = now() + timedelta(hours=int(hours))
    of_rule = alert.rule_id is not None and alert.datastream is None
    pause(
        owner=alert.owner_id,
        ends=ends,
        reason=_why(request),
        by=str(request.user),
        thing=None if alert.datastream is None else alert.datastream.thing_id,
        rule=alert.rule_id if of_rule else None,
    )
    return _("Silenced until %(end)s.") % {"end": formats.when(to_us(ends))}


_ACTS: Mapping[str, Any] = {
    "comment": _comment,
    "close": _close,
    "judge": _judge,
    "silence": _silence,
}
ACTS = tuple(_ACTS)


def _why(request: HttpRequest) -> str:
    return request.POST.get("why", "").strip()[:_MOST_TEXT]
