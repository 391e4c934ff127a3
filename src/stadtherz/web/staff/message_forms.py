"""Message forms in the back office: how messages of a city's own devices are read, and what one makes of an example."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from stadtherz.ingest.public import FormTrial, MessageForm, try_form
from stadtherz.web.staff.views import (
    StaffCreateView,
    StaffEditView,
    StaffInspectView,
    local_time,
)
from stadtherz.web.staff.viewsets import StaffViewSet

_LARGEST = 100_000  # characters of an example


class ExampleForm(forms.Form):
    """A message as a device would send it."""

    message = forms.CharField(
        label=_("Example message"),
        max_length=_LARGEST,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_("Paste what a device sends: JSON, or a=1&b=2 as weather stations push it."),
    )
    topic = forms.CharField(
        label=_("Topic"),
        max_length=400,
        required=False,
        help_text=_("Only if the form looks there: what follows the form’s key in the address."),
    )
    query = forms.CharField(
        label=_("Parameters of the address"),
        max_length=400,
        required=False,
        help_text=_("Only if the form looks there, for example station=7."),
    )


class MessageFormInspectView(StaffInspectView):
    """The form, where devices send to, and a box to try it with an example; nothing is stored."""

    template_name = "staff/message_form.html"
    http_method_names = ["get", "head", "options", "post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """An example changes nothing, so who sees the form may try it."""
        response: HttpResponse = self.get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sent = self.request.POST if self.request.method == "POST" else None
        example = ExampleForm(sent)
        trial = self._trial(example.cleaned_data) if sent and example.is_valid() else None
        return {
            **super().get_context_data(**kwargs),
            "example": example,
            "trial": trial,
            "readings": [(each, local_time(each.time)) for each in trial.readings] if trial else (),
            "more": trial.total - len(trial.readings) if trial else 0,
            "address": self.request.build_absolute_uri(f"/ingest/json/{self.object.key}"),
            "topic": f"ingest/json/{self.object.key}",
        }

    def _trial(self, told: dict[str, Any]) -> FormTrial:
        body = told["message"].encode("utf-8", "replace")
        return try_form(self.object, body, topic=told["topic"], query=told["query"])


class _ThenTry:
    """After saving, the page with the box to try the form."""

    object: MessageForm

    def get_success_url(self) -> str:
        return reverse("messageform:inspect", args=[self.object.pk])


class MessageFormCreateView(_ThenTry, StaffCreateView):
    pass


class MessageFormEditView(_ThenTry, StaffEditView):
    pass


class MessageFormViewSet(StaffViewSet):
    """How messages of devices are read that speak no LoRaWAN."""

    model = MessageForm
    add_view_class = MessageFormCreateView
    edit_view_class = MessageFormEditView
    inspect_view_class = MessageFormInspectView
    icon = "form"
    menu_label = _("Message forms")
    list_display = ["name", "key", "device", "owner"]
    list_filter = ["owner"]
    search_fields = ["name", "key"]
    form_fields = [
        "name",
        "owner",
        "key",
        "device",
        "time",
        "time_zone",
        "message_id",
        "readings",
        "payload",
        "payload_kind",
        "note",
    ]
    inspect_view_fields = form_fields
