"""The back office of duty rosters: who is on duty now, the next weeks, and swapped shifts."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, View
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from stadtherz.alerts.public import Contact, Roster, Shift, Turn, calendar
from stadtherz.base.time import DAY, from_us, now, now_us
from stadtherz.web.staff.native import LOCAL, moment_input
from stadtherz.web.staff.views import Limited, StaffInspectView
from stadtherz.web.staff.viewsets import StaffViewSet

_WEEKS = 8


def shown(moment: datetime) -> str:
    """Day and hour as people of this city read them, with the weekday."""
    return date_format(localtime(moment), "D, j. N Y, H:i")


def _turns(roster: Roster, weeks: int = _WEEKS) -> list[Turn]:
    start = now_us()
    return calendar(roster, start, start + weeks * 7 * DAY)


def duty_sentence(roster: Roster) -> str:
    """Who is on duty now, until when, and who comes next."""
    turns = _turns(roster)
    current, following = turns[0], turns[1:2]
    if current.person is None:
        told = _text("Nobody is on duty now.")
    elif not following:
        told = _text("%(name)s is on duty.") % {"name": current.person}
    else:
        until = shown(from_us(current.duty.until))
        told = _text("%(name)s is on duty until %(until)s.") % {
            "name": current.person,
            "until": until,
        }
    if current.person is not None and not current.person.active:
        told += " " + _text("But this contact is switched off and gets no messages.")
    if following and following[0].person is not None:
        told += " " + _text("Then %(name)s takes over.") % {"name": following[0].person}
    return told


class RosterInspectView(StaffInspectView):
    """A roster in words, as a table of the next weeks, and with its swapped shifts."""

    template_name = "staff/roster.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.views.rows(self.request.user, changing=True).filter(pk=self.object.pk).exists()
        turns = _turns(self.object)
        to_come = self.object.shifts.filter(ends__gt=now()).select_related("contact")
        return {
            **super().get_context_data(**kwargs),
            "sentence": duty_sentence(self.object),
            "turns": [
                {
                    "person": each.person or _text("nobody"),
                    "since": shown(from_us(each.duty.since)),
                    # The last line goes on beyond the weeks that are shown.
                    "until": "…" if each is turns[-1] else shown(from_us(each.duty.until)),
                    "swapped": each.duty.swapped,
                    "now": place == 0,
                    "swap_url": self._swap_url(each) if may else "",
                }
                for place, each in enumerate(turns)
            ],
            "shifts": [
                {
                    "pk": each.pk,
                    "person": each.contact,
                    "since": shown(each.starts),
                    "until": shown(each.ends),
                }
                for each in to_come
            ],
            "take_back": self.views.get_url_name("take_back") if may else "",
        }

    def _swap_url(self, turn: Turn) -> str:
        url = reverse(self.views.get_url_name("swap"), args=[self.object.pk])
        since, until = (localtime(from_us(us)) for us in (turn.duty.since, turn.duty.until))
        return f"{url}?from={since:{LOCAL}}&until={until:{LOCAL}}"


class ShiftForm(forms.ModelForm):
    """Who stands in, from when until when."""

    class Meta:
        model = Shift
        fields = ["contact", "starts", "ends"]
        labels = {"contact": _("Who stands in")}
        widgets = {name: moment_input() for name in ("starts", "ends")}

    def __init__(self, *args: Any, roster: Roster, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Contact.objects.filter(owner=roster.owner_id, active=True)
        self.fields["contact"].queryset = own  # type: ignore[attr-defined]  # a model choice
        for name in ("starts", "ends"):
            self.fields[name].input_formats = [LOCAL, f"{LOCAL}:%S", "%d.%m.%Y %H:%M"]  # type: ignore[attr-defined]  # a time
        self.instance.roster = roster

    def clean_ends(self) -> datetime:
        ends: datetime = self.cleaned_data["ends"]
        if ends <= now():
            raise forms.ValidationError(_("This is over already."))
        return ends


class SwapShiftView(Limited, WagtailAdminTemplateMixin, FormView):
    """Somebody stands in for a time."""

    permission_required = "change"
    template_name = "staff/swap_shift.html"
    form_class = ShiftForm
    page_title = _("Swap a shift")
    header_icon = "date"

    @property
    def roster(self) -> Roster:
        return Roster.objects.get(pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        return str(self.roster)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "roster": self.roster}

    def get_initial(self) -> dict[str, Any]:
        given = {"starts": self.request.GET.get("from"), "ends": self.request.GET.get("until")}
        return {name: _read(text) for name, text in given.items() if text and _read(text)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "back_url": self.get_success_url()}

    def get_success_url(self) -> str:
        return reverse(self.views.get_url_name("inspect"), args=[self.kwargs["pk"]])

    def form_valid(self, form: ShiftForm) -> HttpResponse:
        made = form.save()
        self.audit("swap shift", self.roster, {"from": made.starts, "until": made.ends})
        messages.success(self.request, _text("The shift is swapped."))
        return redirect(self.get_success_url())


class TakeBackView(Limited, View):
    """A swapped shift is taken back; the turns hold again."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, shift: int) -> HttpResponse:
        roster = Roster.objects.get(pk=pk)
        deleted, _tables = roster.shifts.filter(pk=shift).delete()
        if deleted:
            self.audit("take back shift", roster, {"shift": shift})
            messages.success(request, _text("The swap is taken back."))
        return redirect(self.views.get_url_name("inspect"), pk)


class RosterViewSet(StaffViewSet):
    model = Roster
    icon = "date"
    menu_label = _("Duty rosters")
    inspect_view_class = RosterInspectView
    list_display = ["name", Column("now", label=_("On duty"), accessor=duty_sentence)]
    search_fields = ["name"]
    inspect_view_fields = ["name", "turn_days", "first_day", "hand_over", "announce"]
    edit_handler = ObjectList(
        [
            FieldPanel("owner"),
            FieldPanel("name"),
            InlinePanel("members", heading=_("People who take turns"), label=_("Person")),
            FieldRowPanel(
                [FieldPanel("turn_days"), FieldPanel("first_day"), FieldPanel("hand_over")],
                heading=_("Turns"),
            ),
            FieldPanel("announce"),
        ]
    )

    @property
    def swap_view(self) -> Any:
        return self.construct_view(SwapShiftView)

    @property
    def take_back_view(self) -> Any:
        return self.construct_view(TakeBackView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("swap/<int:pk>/", self.swap_view, name="swap"),
            path("back/<int:pk>/<int:shift>/", self.take_back_view, name="take_back"),
        ]


def _read(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, LOCAL)  # noqa: DTZ007 - a local time, as the field shows it
    except ValueError:
        return None
