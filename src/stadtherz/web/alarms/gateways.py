"""The gateways by which warnings leave, in the back office: set up, how each does, and a message to try it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.alerts.public import (
    GATEWAY_KINDS,
    Channel,
    Gateway,
    door_of,
    spent_today,
    try_gateway,
)
from stadtherz.base.errors import Invalid, StadtherzError
from stadtherz.kit.declaration import Severity
from stadtherz.web import formats
from stadtherz.web.alarms.gateway_form import GatewayForm, reason
from stadtherz.web.staff.people import SuperuserViewSet
from stadtherz.web.staff.views import Limited, StaffCreateView, StaffEditView, StaffInspectView
from stadtherz.web.templatetags.sh import state_icon


def doing(row: Gateway) -> SafeString:
    """An icon and words; never colour alone."""
    level, words = _state(row)
    return format_html(
        '<span class="staff-state staff-now__{}">{}{}</span>', level, state_icon(level), words
    )


def _state(row: Gateway) -> tuple[Severity, str]:
    if not row.active:
        return Severity.UNKNOWN, _text("switched off")
    if row.failing_since is not None:
        since = {"since": formats.when(row.failing_since)}
        return Severity.DANGER, _text("takes no messages since %(since)s") % since
    if row.parts_a_day is not None and spent_today(row) >= row.parts_a_day:
        words = _text("in order; today's limit is reached, only danger is sent")
        return Severity.WARNING, words
    if row.last_success is None and row.checked_at is None:
        return Severity.UNKNOWN, _text("not tried yet")
    return Severity.OK, _text("in order")


class GatewayCreateView(StaffCreateView):
    """First which kind it is, then what that kind wants to be told."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.GET.get("kind", "") not in GATEWAY_KINDS:
            return self._asks_for_kind()
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "kind": self.request.GET["kind"]}

    def get_add_url(self) -> str:
        return f"{super().get_add_url()}?kind={self.request.GET['kind']}"

    def _asks_for_kind(self) -> HttpResponse:
        labels = dict(Gateway.Kind.choices)
        context = {
            "page_title": _("New gateway"),
            "header_title": _("New gateway"),
            "header_icon": "mail",
            "breadcrumbs_items": [
                {"url": reverse(self.views.get_url_name("index")), "label": _("Gateways")},
                {"url": "", "label": _("New gateway")},
            ],
            "kinds": [(name, labels[name]) for name in GATEWAY_KINDS],
        }
        return TemplateResponse(self.request, "staff/gateway_kinds.html", context)


class GatewayEditView(StaffEditView):
    pass


class GatewayInspectView(StaffInspectView):
    """How it does, what has gone by it, and a message to try it."""

    template_name = "staff/gateway.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.object
        more = {
            "doing": doing(row),
            "rests_until": row.retry_at,
            "answers": _answers(row),
            "try_url": reverse(self.views.get_url_name("try"), args=[row.pk]),
            "is_mail": row.channel == Channel.EMAIL,
            "is_broker": row.channel == Channel.MQTT,
            "spent": spent_today(row) if row.channel == Channel.SMS else None,
        }
        return {**super().get_context_data(**kwargs), **more}


def _answers(row: Gateway) -> str:
    """The address to which the provider passes answers and receipts."""
    if not GATEWAY_KINDS[row.kind].door:
        return ""
    return door_of(row)


class TryView(Limited, View):
    """One message, now, to an address somebody has just typed."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = Gateway.objects.get(pk=pk)
        given = {"gateway": row.name, "city": settings.STADTHERZ["city"]}
        text = _text("This is a test of the gateway %(gateway)s of %(city)s.") % given
        try:
            known_as = try_gateway(row.name, request.POST.get("to", "").strip()[:200], text)
        except Invalid as problem:
            messages.error(request, reason(problem))
        except StadtherzError as problem:
            messages.error(request, _text("It was not taken: %(why)s") % {"why": problem})
        else:
            told = _text("The gateway has taken it (%(id)s). Look whether it arrives.")
            messages.success(request, told % {"id": known_as or "–"})
        self.audit("try", row, {})
        return redirect(self.views.get_url_name("inspect"), pk)


def _kind(row: Gateway) -> str:
    return str(row.get_kind_display())


def _inspect_url(row: Gateway) -> str:
    return reverse("gateway:inspect", args=[row.pk])


class GatewayViewSet(SuperuserViewSet):
    """Only for whoever runs the whole city: messages cost money and carry its name."""

    model = Gateway
    owner_path = "told__owner"
    icon = "mail"
    menu_label = _("Gateways")
    add_view_class = GatewayCreateView
    edit_view_class = GatewayEditView
    inspect_view_class = GatewayInspectView
    list_display = [
        TitleColumn("name", label=_("Name"), sort_key="name", get_url=_inspect_url),
        Column("channel", label=_("Way"), accessor="get_channel_display", sort_key="channel"),
        Column("kind", label=_("Kind"), accessor=_kind, sort_key="kind"),
        "position",
        Column("doing", label=_("State"), accessor=doing),
    ]
    list_filter = ["channel", "active"]
    inspect_view_fields = [
        "name",
        "kind",
        "position",
        "per_second",
        "parts_a_day",
        "told",
        "last_success",
        "checked_at",
        "last_error",
    ]
    moments = ("last_success", "checked_at")
    labels: Mapping[str, Any] = {"checked_at": _("last looked at")}
    shown = {"kind": _kind}

    def get_form_class(self, for_update: bool = False) -> Any:
        return GatewayForm

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("try/<int:pk>/", self.construct_view(TryView), name="try"),
        ]
