"""Messages to a device: asked for on its page, which shows what became of the last ones."""

from typing import Any

import orjson
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from stadtherz.base.errors import Conflict, Invalid, NotFound, Unavailable
from stadtherz.identity.public import actor_name, visibility_of_request
from stadtherz.ingest.public import (
    Device,
    Downlink,
    DownlinkState,
    send_again,
    send_downlink,
    withdraw,
)
from stadtherz.web.staff.views import Limited, local_time
from stadtherz.web.templatetags.sh import state_icon

_SHOWN = 10


def downlinks_of(device: Device, views: Any, *, may: bool) -> dict[str, Any]:
    """What the device's page shows of its messages; `may`: this person may send some."""
    rows = [_row(row, may=may) for row in device.downlinks.all()[:_SHOWN]]
    return {
        "downlinks": rows,
        "send_url": reverse(views.get_url_name("send_downlink"), args=[device.pk]) if may else "",
        "downlink_url_name": views.get_url_name("downlink"),
    }


def _row(row: Downlink, *, may: bool) -> dict[str, Any]:
    open_end = row.state in (DownlinkState.UNKNOWN, DownlinkState.FAILED)
    return {
        "pk": row.pk,
        "level": row.level,
        "icon": state_icon(row.level),
        "state": row.get_state_display(),
        "sentence": row.sentence,
        "content": row.hexadecimal,
        "f_port": row.f_port,
        "who": actor_name(row.created_by),
        "created_at": local_time(row.created_at),
        "changed_at": local_time(row.changed_at),
        "may_send_again": may and open_end and row.reason != "replaced",
        "may_withdraw": may and row.state == DownlinkState.QUEUED,
    }


class DownlinkForm(forms.Form):
    content = forms.CharField(
        label=_("message"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            'Hexadecimal digits such as 01 0f, or a JSON object such as {"interval": 15} if the'
            " device’s codec can encode. The maker’s manual tells which."
        ),
    )
    f_port = forms.IntegerField(
        label=_("LoRaWAN port"),
        required=False,
        help_text=_("As the manual says. Empty: what the codec says."),
    )
    confirmed = forms.BooleanField(
        label=_("the device has to acknowledge it"),
        required=False,
    )


class SendView(Limited, WagtailAdminTemplateMixin, FormView):
    """The page on which a message is written."""

    permission_required = "change"
    template_name = "staff/send_downlink.html"
    form_class = DownlinkForm
    page_title = _("Send a message to the device")
    header_icon = "mobile-alt"

    @property
    def device(self) -> Device:
        return Device.objects.select_related("device_type").get(pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        return str(self.device)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "back_url": self.get_success_url(),
            "examples": self._examples(),
        }

    def get_initial(self) -> dict[str, Any]:
        """Empty, or the chosen one of the maker's examples."""
        number = self.request.GET.get("example", "")
        chosen = [each for each in self._examples() if str(each["number"]) == number]
        return {"content": chosen[0]["content"], "f_port": chosen[0]["f_port"]} if chosen else {}

    def _examples(self) -> list[dict[str, Any]]:
        """What the device can be told as its maker writes it: its codec has made bytes of each when the type was imported."""
        device = self.device
        kind = device.device_type
        told = kind.downlinks if kind is not None and device.codec_id is None else []
        return [
            {
                "number": number,
                "name": each["name"],
                "content": orjson.dumps(each["data"]).decode(),
                "f_port": each["f_port"],
            }
            for number, each in enumerate(told, 1)
        ]

    def get_success_url(self) -> str:
        return reverse(self.views.get_url_name("inspect"), args=[self.kwargs["pk"]])

    def form_valid(self, form: DownlinkForm) -> HttpResponse:
        data = form.cleaned_data
        try:
            made = send_downlink(
                self.device,
                data["content"],
                data["f_port"],
                actor=visibility_of_request(self.request).actor,
                confirmed=data["confirmed"],
            )
        except Invalid as problem:
            form.add_error("f_port" if problem.field == "port" else problem.field, problem.reason)
            return self.form_invalid(form)
        except (Conflict, Unavailable) as problem:
            form.add_error(None, str(problem))
            return self.form_invalid(form)
        self.audit("send_downlink", self.device, {"payload": made.hexadecimal})
        messages.success(
            self.request,
            _text("The message waits for its connection. This page shows what becomes of it."),
        )
        return redirect(self.get_success_url())


class DownlinkView(Limited, View):
    """Sends one again whose end is uncertain, or takes one back that still waits."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, downlink: int) -> HttpResponse:
        device = Device.objects.get(pk=pk)
        row = device.downlinks.filter(pk=downlink).first()
        again = request.POST.get("action") == "again"
        try:
            if row is None:
                raise NotFound("Downlink")
            if again:
                send_again(row, actor=visibility_of_request(request).actor)
            else:
                withdraw(row)
        except NotFound:
            messages.error(request, _text("That is not possible any more: see its state."))
        else:
            verb = "send_downlink" if again else "withdraw_downlink"
            self.audit(verb, device, {"payload": row.hexadecimal})
        return redirect(self.views.get_url_name("inspect"), pk)


def downlink_addresses(views: Any) -> list[URLPattern]:
    send, change = views.construct_view(SendView), views.construct_view(DownlinkView)
    return [
        path("send/<int:pk>/", send, name="send_downlink"),
        path("downlink/<int:pk>/<int:downlink>/", change, name="downlink"),
    ]
