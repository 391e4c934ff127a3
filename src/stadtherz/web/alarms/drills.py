"""The back office of test alarms: start one, see who was reached and who has answered."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.alerts.public import (
    ContactList,
    Drill,
    end_drill,
    lists_without_drill,
    result,
    start_drill,
)
from stadtherz.base.errors import Conflict
from stadtherz.base.time import MINUTE, SECOND, Micros, now_us
from stadtherz.web.staff.views import Limited, StaffInspectView, local_time, moment_column
from stadtherz.web.staff.viewsets import StaffViewSet, panel, reads

WAYS = {"link": _("by link"), "sms": _("by SMS"), "app": _("in the back office")}


class StartDrillView(Limited, View):
    """Starts a test alarm of a list and shows it."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            drill = start_drill(pk, str(request.user))
        except Conflict:
            told = _text("A test alarm of this list is going on already.")
            messages.warning(request, told)
            return redirect(self.views.get_url_name("inspect"), pk)
        self.audit("drill", ContactList.objects.get(pk=pk), {"drill": drill.pk})
        messages.success(request, _text("The test alarm has begun. This page shows who answers."))
        return redirect("drill:inspect", drill.pk)


class EndDrillView(Limited, View):
    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        end_drill(pk)
        self.audit("end drill", Drill.objects.get(pk=pk), {})
        messages.success(request, _text("The test alarm is over."))
        return redirect(self.views.get_url_name("inspect"), pk)


def duration(us: Micros | None) -> str:
    """How long something took, as people say it."""
    if us is None:
        return "–"
    if us < 2 * MINUTE:
        seconds = max(us // SECOND, 0)
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes = us // MINUTE
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}


class DrillInspectView(StaffInspectView):
    """Who was reached by what in which time, and who has answered."""

    template_name = "staff/drill.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = result(self.object)
        may = self.views.rows(self.request.user, changing=True).filter(pk=self.object.pk).exists()
        answered = [each for each in found.answers if each.at is not None]
        return {
            **super().get_context_data(**kwargs),
            "over": found.over,
            "sentence": _sentence(len(answered), len(found.answers)),
            "missing": ", ".join(found.missing),
            "answers": [
                {
                    "person": each.person,
                    "answered": each.at is not None,
                    "took": duration(each.took),
                    "way": WAYS.get(each.way, each.way),
                }
                for each in found.answers
            ],
            "messages_sent": [
                {
                    "person": each.person,
                    "recipients": each.recipients,
                    "channel": each.delivery.get_channel_display(),
                    "status": each.delivery.get_receipt_display()
                    if each.delivery.receipt
                    else each.delivery.get_status_display(),
                    "took": duration(each.took),
                }
                for each in found.messages
            ],
            "end_url_name": self.views.get_url_name("end") if may and not found.over else "",
        }


def _sentence(answered: int, called: int) -> str:
    if not called:
        return _text("Nobody was called: there is nobody on this list with an address.")
    return ngettext(
        "%(answered)s of %(called)s person has answered.",
        "%(answered)s of %(called)s people have answered.",
        called,
    ) % {"answered": answered, "called": called}


def _state(drill: Drill) -> str:
    if drill.alert is None or drill.alert.cleared_at is not None:
        return _text("over")
    return _text("going on")


class DrillViewSet(StaffViewSet):
    """Test alarms for reading; they are started from their list."""

    model = Drill
    owner_path = "recipients__owner"
    allowed = frozenset()
    icon = "history"
    menu_label = _("Test alarms")
    inspect_view_class = DrillInspectView
    list_display = [
        TitleColumn("recipients", label=_("Contact list"), url_name="drill:inspect"),
        moment_column("at", _("When")),
        "by",
        Column("state", label=_("State"), accessor=_state),
    ]
    inspect_view_fields = ["recipients", "at", "by"]
    moments = ("at",)

    def title_of(self, row: Any) -> str:
        return f"{row.recipients}, {local_time(row.at)}"

    @property
    def end_view(self) -> Any:
        return self.construct_view(EndDrillView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("end/<int:pk>/", self.end_view, name="end")]


def waiting_lists(request: HttpRequest) -> int:
    """How many of the staff member's lists have had no test alarm for a month."""
    return reads(request.user).limit(lists_without_drill(now_us()), "owner").count()


panel(_("lists without a test alarm this month"), waiting_lists, "contactlist:index")
