"""The wizard's first step for a device that sends JSON: what in its message names it, and when it measured."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from stadtherz.base.errors import Invalid
from stadtherz.ingest.public import (
    SENML,
    TABLE,
    Draft,
    Recognised,
    Sample,
    check_new,
    device_choices,
    devices_told_of,
    entry_of,
    fitting_forms,
    list_choices,
    payload_choices,
    read_sample,
    sample_of,
    time_choices,
)
from stadtherz.web import formats
from stadtherz.web.onboarding.steps import StepView

_LONGEST_SHOWN = 60
_MOST_CHOICES = 60
_OWN = "own"
_NOW = ""


class ReadForm(forms.Form):
    """How a message is read; of a device whose messages are described already only which it is."""

    form = forms.ChoiceField(
        label=_("Messages like this one"), widget=forms.RadioSelect, required=False
    )
    which = forms.ChoiceField(
        label=_("Which device do you connect?"),
        required=False,
        help_text=_(
            "This message tells of several. Connect the others afterwards, with the same one."
        ),
    )
    device = forms.ChoiceField(
        label=_("What names the device?"),
        help_text=_("What is the same in all its messages and another for each other device."),
    )
    own = forms.CharField(
        label=_("Its name in our system"),
        required=False,
        max_length=100,
        help_text=_(
            "Only if nothing in the message names it. Then its messages need an address of their own."
        ),
    )
    time = forms.ChoiceField(
        label=_("When was it measured?"),
        required=False,
        help_text=_("If its clock is never set, choose the moment of arrival."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone of its clock"),
        help_text=_("Counts only for times that do not name theirs."),
    )
    readings = forms.ChoiceField(
        label=_("Does a message hold several readings?"),
        required=False,
        help_text=_("For example one for each hour, each with a time of its own."),
    )
    payload = forms.ChoiceField(
        label=_("Does a field hold bytes?"),
        required=False,
        help_text=_("A codec or a byte map then reads them in the step “Values”."),
    )

    def __init__(self, *args: Any, draft: Draft, sample: Sample, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.draft, self.sample = draft, sample
        shape = draft.shape
        entry = entry_of(sample.message, shape.get("readings", ""), draft.updated)
        self.fitting = fitting_forms(draft.owner_id, sample, draft.updated)
        known = {str(form.pk): name for form, name in self.fitting}
        if draft.form_id is not None and str(draft.form_id) not in known:
            self.fitting = [*self.fitting, (draft.form, "")]  # type: ignore[list-item]
        devices = [(c.expression, _shown(c.expression, c.value)) for c in device_choices(entry)]
        times = [
            (c.expression, _shown(c.expression, c.value))
            for c in time_choices(entry, draft.updated)
        ]
        payloads = [
            (f"{kind} {c.expression}", _shown(c.expression, c.value))
            for c, kind in payload_choices(entry.content)
        ]
        self.offer("form", [
            *((str(form.pk), form.name) for form, _name in self.fitting),
            ("", _text("are new: I say below how they are read")),
        ])  # fmt: skip
        names = devices_told_of(draft, sample, draft.updated)
        self.has_several = len(names) > 1
        self.offer("which", [(name, _with_state(name, known)) for name, known in names.items()])
        self.offer(
            "device",
            [*_held(devices, shape.get("device", "")), (_OWN, _text("nothing in the message"))],
        )
        self.offer(
            "time",
            [*_held(times, shape.get("time", "")), (_NOW, _text("when the message arrives"))],
        )
        self.offer("time_zone", _zones(shape.get("time_zone", "")))
        lists = [(path, _several(path)) for path in list_choices(sample.content)]
        self.offer("readings", [("", _text("no")), *_held(lists, shape.get("readings", ""))])
        self.offer("payload", [("", _text("no")), *payloads])
        self.has_lists, self.has_payloads = bool(lists), bool(payloads)

    def offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_own = not data.get("form") and data.get("device") == _OWN
        own = (data.get("own") or "").strip()
        if is_own and (not own or '"' in own or not own.isprintable()):
            self.add_error("own", _("Write a name for it, without quotation marks."))
        return data

    def keep(self) -> None:
        """What was chosen, in the draft; not saved."""
        given, draft = self.cleaned_data, self.draft
        chosen = given.get("form") or ""
        draft.form = next((form for form, _name in self.fitting if str(form.pk) == chosen), None)
        kind, _space, payload = (given.get("payload") or "").partition(" ")
        device = f'"{given["own"].strip()}"' if given["device"] == _OWN else given["device"]
        draft.shape = {
            **draft.shape,
            "device": device,
            "time": given["time"],
            "time_zone": given["time_zone"],
            "readings": given["readings"],
            "payload": payload,
            "payload_kind": kind or "hex",
        }


def _with_state(device: str, connected: bool) -> str:
    return _text("{device} – connected already").format(device=device) if connected else device


def _several(readings: str) -> str:
    """How a message holds several readings, in words."""
    if readings == SENML:
        return _text("yes, as SenML")
    if readings == TABLE:
        return _text("yes, it is a table")
    if readings.startswith(TABLE):
        return _text("yes, in the table {path}").format(path=readings.removeprefix(TABLE))
    return _text("yes, in the list {path}").format(path=readings)


def _shown(expression: str, value: Any) -> str:
    text = str(value)
    return f"{expression} – {text[:_LONGEST_SHOWN]}{'…' if len(text) > _LONGEST_SHOWN else ''}"


def _held(choices: Sequence[tuple[str, str]], held: str) -> list[tuple[str, str]]:
    """The first choices, and what is chosen already."""
    few = list(choices[:_MOST_CHOICES])
    if held and not held.startswith('"') and held not in dict(few):
        few.append((held, held))
    return few


def _zones(held: str) -> list[tuple[str, str]]:
    likely = list(dict.fromkeys([held or settings.TIME_ZONE, settings.TIME_ZONE, "UTC"]))
    rest = sorted(z for z in available_timezones() if z.startswith("Europe/") and z not in likely)
    return [(zone, zone) for zone in (*likely, *rest)]


class MessageStep(StepView):
    """Shows what was understood of the message, and lets a person say otherwise."""

    step = "message"
    template = "staff/onboarding_message.html"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        sample = self._sample()
        if sample is None:
            return self._without()
        return self._form(ReadForm(draft=self.draft, sample=sample, initial=self._initial()))

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        sample = self._sample()
        if sample is None:
            return self._without()
        form = ReadForm(request.POST, draft=self.draft, sample=sample)
        if not form.is_valid():
            return self._form(form)
        before = self._name(sample)
        form.keep()
        self.draft.dev_eui = form.cleaned_data["which"]
        try:
            found = read_sample(self.draft, sample, self.draft.updated)
            if "look" not in request.POST:
                check_new(self.draft.owner_id, "json", found.message.dev_eui or "", "")
        except Invalid as problem:
            otherwise = "which" if form.has_several else "device"
            field = problem.field if problem.field in form.fields else otherwise
            form.add_error(field, problem.reason)
            return self._form(form)
        self._keep(found, before)
        return self.next("message" if "look" in request.POST else "place")

    def _name(self, sample: Sample) -> str:
        """What the message calls the device, as it is read now."""
        try:
            return read_sample(self.draft, sample, self.draft.updated).name
        except Invalid:
            return ""

    def _keep(self, found: Recognised, before: str) -> None:
        """What it says now; a name that a person has written stays."""
        draft = self.draft
        draft.dev_eui = found.message.dev_eui or ""
        if draft.name in ("", before):
            draft.name = found.name
        if draft.longitude is None and found.place is not None:
            draft.longitude, draft.latitude = found.place
        draft.streams = []  # the paths may lead elsewhere now
        draft.save()

    def _without(self) -> HttpResponse:
        """Nothing to look at: it is read as a device that is connected already."""
        return self.next("place" if self.draft.dev_eui else "device")

    def _sample(self) -> Sample | None:
        try:
            return sample_of(self.draft.sample, self.draft.query)
        except Invalid:
            return None

    def _initial(self) -> dict[str, str]:
        shape = self.draft.shape
        device = shape.get("device", "")
        is_own = device.startswith('"') and '" + ' not in device
        payload = shape.get("payload", "")
        return {
            **shape,
            "which": self.draft.dev_eui,
            "form": str(self.draft.form_id or ""),
            "device": _OWN if is_own else device,
            "own": device.strip('"') if is_own else "",
            "payload": f"{shape.get('payload_kind', 'hex')} {payload}" if payload else "",
        }

    def _form(self, form: ReadForm) -> HttpResponse:
        understood, problem = self._understood(form.sample)
        return self.shown({"form": form, "understood": understood, "problem": problem})

    def _understood(self, sample: Sample) -> tuple[dict[str, Any] | None, str]:
        try:
            found = read_sample(self.draft, sample, self.draft.updated)
        except Invalid as problem:
            return None, problem.reason
        assert found.uplink is not None
        return {"device": found.message.dev_eui, "at": formats.when(found.uplink.time)}, ""
