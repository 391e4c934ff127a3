"""Connections to outside brokers in the back office: where, as whom, and how each is doing."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column

from stadtherz.ingest.public import Connection, ConnectionState
from stadtherz.web.staff.people import AdministratorViewSet
from stadtherz.web.staff.views import StaffInspectView, local_time
from stadtherz.web.templatetags.sh import state_icon

_KEPT = "***"
_PLACE = ("host", "port", "tls", "ca")


def doing(state: ConnectionState) -> SafeString:
    """An icon and words; never colour alone."""
    return format_html(
        '<span class="staff-state staff-now__{}">{}{}</span>',
        *(state.level, state_icon(state.level), state.text),
    )


class ConnectionForm(forms.ModelForm):
    password = forms.CharField(
        label=_("Password or API key"),
        required=False,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Connection
        fields = [
            "name",
            "owner",
            "network",
            "form",
            "host",
            "port",
            "tls",
            "ca",
            "user_name",
            "topic",
            "group",
            "clients",
            "active",
        ]

    field_order = [*Meta.fields[: Meta.fields.index("user_name") + 1], "password"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.secret:
            self.fields["password"].help_text = _("One is kept. Empty: it stays.")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        moved = any(field in self.changed_data for field in _PLACE)
        if self.instance.secret and moved and data.get("user_name") and not data.get("password"):
            # Whoever may change the address must not get to know the password that way.
            self.add_error(
                "password", _("Enter it again: it is not sent to another address unasked.")
            )
        return data

    def save(self, commit: bool = True) -> Connection:
        """The trail of changes reads what was entered, so nothing of the password is left here."""
        if password := self.cleaned_data["password"]:
            self.instance.keep_password(password)
            self.cleaned_data["password"] = _KEPT
        saved: Connection = super().save(commit=commit)
        return saved


class ConnectionInspectView(StaffInspectView):
    """What is set, and how each client is doing."""

    template_name = "staff/connection.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.object
        clients = [
            {
                "number": client.number + 1,
                "doing": doing(client.doing),
                "connected_at": local_time(client.connected_at),
                "last_message": local_time(client.last_message),
                "messages": client.messages,
                "problem": client.problem_sentence,
                "problem_at": local_time(client.problem_at),
            }
            for client in row.states.filter(number__lt=row.clients)
        ]
        more = {"doing": doing(row.doing), "clients": clients}
        return {**super().get_context_data(**kwargs), **more}


def _last_message(row: Connection) -> str:
    times = row.states.values_list("last_message", flat=True)
    return local_time(max((time for time in times if time), default=None))


class ConnectionViewSet(AdministratorViewSet):
    """Only for administrators: a connection lets messages in, and has a password."""

    model = Connection
    owner_path = "owner"
    icon = "link"
    menu_label = _("Connections")
    inspect_view_class = ConnectionInspectView
    list_display = [
        "name",
        "network",
        "host",
        Column("doing", label=_("State"), accessor=lambda row: doing(row.doing)),
        Column("last_message", label=_("Last message"), accessor=_last_message),
    ]
    list_filter = ["network", "active", "owner"]
    search_fields = ["name", "host"]
    inspect_view_fields = [
        "name",
        "owner",
        "network",
        "form",
        "host",
        "port",
        "tls",
        "user_name",
        "topic",
        "group",
        "clients",
        "active",
        "client_id",
    ]

    shown = {
        "tls": lambda row: _text("yes") if row.tls else _text("no"),
        "active": lambda row: _text("yes") if row.active else _text("no"),
    }

    def get_form_class(self, for_update: bool = False) -> Any:
        return ConnectionForm
