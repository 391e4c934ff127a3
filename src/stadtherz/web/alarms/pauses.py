"""The back office of pauses: when nobody is told, why, and the button that ends it."""

from typing import Any

from django import forms
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.alerts.public import Pause, end_pause, note_beginning
from stadtherz.base.time import now
from stadtherz.web.alarms.duty import shown
from stadtherz.web.staff.native import LOCAL, moment_input
from stadtherz.web.staff.views import Limited, StaffCreateView, StaffInspectView, date_column
from stadtherz.web.staff.viewsets import StaffViewSet, panel


def concerns(pause: Pause) -> str:
    """What the pause silences, in words."""
    named = [str(each) for each in (pause.thing, pause.rule) if each is not None]
    if not named:
        return _text("everything of %(owner)s but danger") % {"owner": pause.owner}
    return ", ".join(named)


def state(pause: Pause) -> str:
    moment = now()
    if pause.ends <= moment:
        return _text("over")
    return _text("running") if pause.starts <= moment else _text("planned")


def sentence(pause: Pause) -> str:
    """The pause in one sentence."""
    named = {"what": concerns(pause), "from": shown(pause.starts), "until": shown(pause.ends)}
    if pause.ends <= now():
        return _text("From %(from)s until %(until)s nobody was told about: %(what)s.") % named
    return _text("From %(from)s until %(until)s nobody is told about: %(what)s.") % named


class PauseForm(forms.ModelForm):
    class Meta:
        model = Pause
        fields = ["owner", "thing", "rule", "starts", "ends", "reason"]
        widgets = {name: moment_input() for name in ("starts", "ends")}
        help_texts = {
            "thing": _("Empty, with no rule either: everything of the organisation but danger."),
            "rule": _("Empty: all rules."),
            "reason": _("Stands in the trail of every alert that it concerns."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts", "ends"):
            self.fields[name].input_formats = [LOCAL, f"{LOCAL}:%S", "%d.%m.%Y %H:%M"]  # type: ignore[attr-defined]  # a time
        self.fields["starts"].initial = now

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        starts, ends = data.get("starts"), data.get("ends")
        if starts and ends and ends <= max(starts, now()):
            self.add_error("ends", _("The end must be in the future and after the beginning."))
        for name in ("thing", "rule"):
            chosen = data.get(name)
            if chosen is not None and data.get("owner") and chosen.owner_id != data["owner"].pk:
                self.add_error(name, _("This belongs to another organisation."))
        return data


class PauseCreateView(StaffCreateView):
    def save_instance(self) -> Any:
        self.form.instance.by = str(self.request.user)
        made = super().save_instance()
        note_beginning(made)
        return made


class PauseInspectView(StaffInspectView):
    template_name = "staff/pause.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.views.rows(self.request.user, changing=True).filter(pk=self.object.pk).exists()
        running = self.object.ends > now()
        return {
            **super().get_context_data(**kwargs),
            "sentence": sentence(self.object),
            "end_url_name": self.views.get_url_name("end") if may and running else "",
        }


class EndPauseView(Limited, View):
    permission_required = "add"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = Pause.objects.get(pk=pk)
        self.audit("end pause", row, {"reason": row.reason})
        if end_pause(pk, str(request.user)):
            messages.success(request, _text("The pause is over. What is still wrong is told now."))
        else:
            messages.warning(request, _text("The pause was over already."))
        return redirect(self.views.get_url_name("index"))


class PauseViewSet(StaffViewSet):
    """Pauses are set and ended; what was in force when is never changed afterwards."""

    model = Pause
    allowed = frozenset({"add"})
    icon = "view"
    menu_label = _("Pauses")
    add_view_class = PauseCreateView
    inspect_view_class = PauseInspectView
    list_display = [
        TitleColumn("reason", label=_("Reason"), url_name="pause:inspect"),
        Column("concerns", label=_("Nobody is told about"), accessor=concerns),
        Column("state", label=_("State"), accessor=state),
        date_column("starts", _("From")),
        date_column("ends", _("Until")),
        "by",
    ]
    inspect_view_fields = ["reason", "by"]

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        """Those that run come first, then those to come."""
        moment = now()
        place = Case(
            When(Q(starts__lte=moment, ends__gt=moment), then=Value(0)),
            When(starts__gt=moment, then=Value(1)),
            default=Value(2),
            output_field=IntegerField(),
        )
        found = super().rows(user, changing=changing).select_related("owner", "thing", "rule")
        ordered: QuerySet[Any] = found.annotate(place=place).order_by("place", "-starts")
        return ordered

    def get_form_class(self, for_update: bool = False) -> Any:
        return PauseForm

    @property
    def end_view(self) -> Any:
        return self.construct_view(EndPauseView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("end/<int:pk>/", self.end_view, name="end")]


def running(request: HttpRequest) -> int:
    """How many pauses are in force for the staff member's organisations."""
    return PauseViewSet().rows(request.user).filter(starts__lte=now(), ends__gt=now()).count()


panel(_("running pauses, in which nobody is told"), running, "pause:index")
