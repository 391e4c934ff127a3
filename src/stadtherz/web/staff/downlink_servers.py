"""Servers that take messages to devices by HTTP, in the back office."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin.ui.tables import BooleanColumn, Column

from stadtherz.ingest.public import (
    DownlinkServer,
    devices_of,
    downlink_server_sentence,
    waiting_of,
)
from stadtherz.web.staff.people import AdministratorViewSet
from stadtherz.web.staff.views import StaffInspectView, local_time, moment_column

_KEPT = "***"
_PLACE = ("url", "network")


class DownlinkServerForm(forms.ModelForm):
    key = forms.CharField(
        label=_("API key"),
        required=False,
        strip=True,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "It must be allowed to write downlinks, and best nothing else. ThingPark: the key of the application"
            " server; messages of its devices are then only taken with a signature."
        ),
    )

    class Meta:
        model = DownlinkServer
        fields = ["owner", "network", "url", "application", "webhook", "active"]

    field_order = ["owner", "network", "url", "key", "application", "webhook", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].help_text = _(
            "The Things Stack: as in the browser, for example https://eu1.cloud.thethings.network. ChirpStack: of its REST"
            " proxy, often on port 8090. LORIOT and ThingPark: of the server where you sign in."
        )
        if self.instance.secret:
            self.fields["key"].help_text = _("One is kept. Empty: it stays.")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        moved = any(field in self.changed_data for field in _PLACE)
        if self.instance.secret and moved and not data.get("key"):
            # Whoever may change the address must not get to know the key that way.
            self.add_error("key", _("Enter it again: it is not sent to another address unasked."))
        if not self.instance.secret and not data.get("key") and data.get("network") != "actility":
            self.add_error("key", _("This network wants a key."))
        return data

    def save(self, commit: bool = True) -> DownlinkServer:
        """The trail of changes reads what was entered, so nothing of the key is left here."""
        if key := self.cleaned_data["key"]:
            self.instance.keep_key(key)
            self.cleaned_data["key"] = _KEPT
        self.instance.problem, self.instance.facts, self.instance.problem_at = "", {}, None
        saved: DownlinkServer = super().save(commit=commit)
        return saved


class DownlinkServerInspectView(StaffInspectView):
    """Sentences on what it does, and what went wrong last, before what is set."""

    template_name = "staff/downlink_server.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "sentences": list(_doing(self.object)),
            "problem": downlink_server_sentence(self.object),
            "problem_at": local_time(self.object.problem_at),
        }


def _doing(server: DownlinkServer) -> Iterable[str]:
    if not server.active:
        yield _text("It is switched off: messages to devices wait.")
    devices, waiting = devices_of(server), waiting_of(server)
    if not devices:
        yield _text("No device of this network is connected by a webhook, so it has nothing to do.")
    else:
        yield ngettext(
            "One device of this network can be told something by it.",
            "%(count)s devices of this network can be told something by it.",
            devices,
        ) % {"count": devices}
    if server.network == DownlinkServer.Network.ACTILITY:
        yield _signature(server)
    if waiting:
        yield ngettext("One message waits for it.", "%(count)s messages wait for it.", waiting) % {
            "count": waiting
        }


def _signature(server: DownlinkServer) -> str:
    if server.secret:
        return _text(
            "Messages that its devices send here by HTTP are only taken with ThingPark’s signature."
        )
    return _text(
        "Without the key of the application server nobody checks whether ThingPark has sent a message. Enter it."
    )


def _problem(row: DownlinkServer) -> str:
    return downlink_server_sentence(row) or "–"


class DownlinkServerViewSet(AdministratorViewSet):
    """Only for administrators: who has the key can tell devices what to do."""

    model = DownlinkServer
    owner_path = "owner"
    inspect_view_class = DownlinkServerInspectView
    icon = "upload"
    menu_label = _("Servers for messages to devices")
    list_display = [
        "network",
        "url",
        "owner",
        BooleanColumn("active", label=_("Active"), sort_key="active"),
        Column("problem", label=_("Problem"), accessor=_problem),
        moment_column("problem_at", _("Last problem")),
    ]
    list_filter = ["network", "active", "owner"]
    search_fields = ["url"]
    inspect_view_fields = ["network", "owner", "url", "application", "webhook", "active"]

    def get_form_class(self, for_update: bool = False) -> Any:
        return DownlinkServerForm
