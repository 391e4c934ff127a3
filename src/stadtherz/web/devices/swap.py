"""A broken device's place is taken by another, on the page of the device."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages
from wagtail.log_actions import LogFormatter, log

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.time import now, to_us
from stadtherz.identity.public import visibility_of_request
from stadtherz.ingest.public import (
    Device,
    DeviceField,
    DeviceType,
    Network,
    Source,
    Swap,
    catch_up,
    guessed_paths,
    read_eui,
    swap,
    symbol,
)
from stadtherz.web import formats
from stadtherz.web.onboarding.forms import type_label
from stadtherz.web.staff.native import LOCAL, moment_input
from stadtherz.web.staff.views import Limited


class SwapForm(forms.Form):
    """The new device, and since when it hangs there."""

    network = forms.ChoiceField(label=_("Network"), choices=Network.choices)
    dev_eui = forms.CharField(
        label=_("Device EUI of the new device"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "The 16 digits and letters on the device. You may also scan the QR code of the maker into this field."
        ),
    )
    device_type = forms.ModelChoiceField(
        label=_("Device type"),
        queryset=DeviceType.objects.none(),
        required=False,
        help_text=_("Leave it as it is if the new device is of the same make."),
    )
    at = forms.DateTimeField(
        label=_("Swapped at"),
        required=False,
        widget=moment_input(),
        input_formats=[LOCAL, f"{LOCAL}:%S", "%d.%m.%Y %H:%M"],
        help_text=_(
            "Until then the old device’s messages count, from then on those of the new one. Empty: now."
        ),
    )
    note = forms.CharField(
        label=_("What was wrong?"),
        required=False,
        max_length=500,
        help_text=_("For example “battery leaked”. It is kept with the old device."),
    )

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = DeviceType.objects.filter(owner_id=device.owner_id)
        self.fields["device_type"].queryset = own  # type: ignore[attr-defined]  # a model choice

    def clean_dev_eui(self) -> str:
        if self.cleaned_data.get("network") == Network.JSON:  # named as its messages name it
            return str(self.cleaned_data["dev_eui"])
        try:
            return read_eui(self.cleaned_data["dev_eui"]).dev_eui
        except Invalid as problem:
            raise forms.ValidationError(problem.reason) from problem

    def clean_at(self) -> Any:
        at = self.cleaned_data["at"]
        if at is not None and at > now():
            raise forms.ValidationError(_("This is in the future."))
        return at


class SourceForm(forms.Form):
    """Where the new device, of another type, has what a datastream keeps."""

    path = forms.ChoiceField(label=_("Value of the new device"), required=False)
    factor = forms.FloatField(label=_("Factor"), localize=True)
    offset = forms.FloatField(label=_("Offset"), localize=True)

    def __init__(self, *args: Any, kind: DeviceType, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (each["path"], f"{each['name']} ({each['path']}, {symbol(each['unit']) or '–'})")
            for each in kind.proposals
        ]
        # A plain number says nothing of its unit.
        self.units = {p["path"]: p["unit"] for p in kind.proposals if p["unit"] != "1"}
        self.fields["path"].choices = [("", _text("none: this datastream ends")), *choices]  # type: ignore[attr-defined]  # a choice

    def source(self) -> Source:
        given = self.cleaned_data
        return Source(
            given["path"], given["factor"], given["offset"], self.units.get(given["path"], "")
        )


class SwapView(Limited, View):
    """Asks for the new device and, if it is of another type, where it has the values."""

    permission_required = "change"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        device = Device.objects.get(pk=pk)
        initial = {"network": device.network, "device_type": device.device_type}
        return self._shown(device, SwapForm(device=device, initial=initial))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        device = Device.objects.get(pk=pk)
        form = SwapForm(request.POST, device=device)
        if not form.is_valid():
            return self._shown(device, form)
        kind = form.cleaned_data["device_type"]
        sources: list[tuple[DeviceField, SourceForm]] = []
        if kind is not None and kind.pk != device.device_type_id and kind.proposals:
            sources = self._sources(device, kind, asked="sources" in request.POST)
            if not all(each.is_bound and each.is_valid() for _field, each in sources):
                return self._shown(device, form, sources)
        try:
            new = self._swapped(device, form.cleaned_data, sources)
        except Invalid as problem:
            form.add_error("dev_eui" if problem.field == "dev_eui" else None, problem.reason)
        except Conflict as problem:
            form.add_error(None, str(problem))
        else:
            return redirect(self.views.get_url_name("inspect"), new)
        return self._shown(device, form, sources)

    def _sources(
        self, device: Device, kind: DeviceType, *, asked: bool
    ) -> list[tuple[DeviceField, SourceForm]]:
        fields = list(device.fields.select_related("datastream__observed_property"))
        guessed = guessed_paths(fields, kind)
        return [
            (
                each,
                SourceForm(
                    self.request.POST if asked else None,
                    kind=kind,
                    prefix=f"f{each.pk}",
                    initial={
                        "path": guessed.get(each.pk, ""),
                        "factor": each.factor,
                        "offset": each.offset,
                    },
                ),
            )
            for each in fields
        ]

    def _swapped(
        self, device: Device, given: dict[str, Any], sources: list[tuple[DeviceField, SourceForm]]
    ) -> int:
        at = to_us(given["at"] or now())
        told = _text("Replaced by the device {eui} on {at}.").format(
            eui=given["dev_eui"], at=f"{formats.date(at)}, {formats.clock(at)}"
        )
        asked = Swap(
            network=given["network"],
            dev_eui=given["dev_eui"],
            at=at,
            note=" ".join(filter(None, (told, given["note"]))),
            device_type=given["device_type"].pk if given["device_type"] else None,
            sources={field.pk: form.source() for field, form in sources},
        )
        visibility = visibility_of_request(self.request)
        new = swap(device.pk, asked, visibility)
        self._record(device, Device.objects.get(pk=new), given["note"])
        catch_up(new, visibility, since=at)
        return new

    def _record(self, old: Device, new: Device, note: str) -> None:
        self.audit("swap", old, {"replaced_by": new.dev_eui, "note": note})
        self.audit("swap", new, {"replaces": old.dev_eui})
        log(instance=old, action="stadtherz.swap", data={"eui": new.dev_eui})
        log(instance=new, action="stadtherz.take_over", data={"eui": old.dev_eui})
        told = _text("The new device measures from now on. The datastreams go on without a gap.")
        messages.success(self.request, told)

    def _shown(
        self,
        device: Device,
        form: SwapForm,
        sources: list[tuple[DeviceField, SourceForm]] | None = None,
    ) -> HttpResponse:
        title = _text("Swap a broken device")
        inspect = reverse(self.views.get_url_name("inspect"), args=[device.pk])
        context = {
            "page_title": title,
            "header_title": title,
            "header_icon": "mobile-alt",
            "breadcrumbs_items": [
                {"url": reverse(self.views.get_url_name("index")), "label": self.views.menu_label},
                {"url": inspect, "label": device.name},
                {"url": "", "label": title},
            ],
            "device": device,
            "kind": type_label(device.device_type) if device.device_type else "",
            "form": form,
            "sources": sources or [],
        }
        return TemplateResponse(self.request, "staff/onboarding_swap.html", context)


class SwapFormatter(LogFormatter):
    label = _("Swapped")

    def format_message(self, log_entry: Any) -> str:
        told = _text("Its place was taken by the device {eui}.")
        return told.format(eui=log_entry.data.get("eui"))


class TakeOverFormatter(LogFormatter):
    label = _("Took over")

    def format_message(self, log_entry: Any) -> str:
        told = _text("It took the place of the device {eui}.")
        return told.format(eui=log_entry.data.get("eui"))


def register_actions(actions: Any) -> None:
    """What a device's history says of a swap."""
    actions.register_action("stadtherz.swap")(SwapFormatter)
    actions.register_action("stadtherz.take_over")(TakeOverFormatter)


def urls_of(views: Any) -> list[URLPattern]:
    return [path("swap/<int:pk>/", views.construct_view(SwapView), name="swap")]
