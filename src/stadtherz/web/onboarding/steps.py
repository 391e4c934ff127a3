"""The steps of the wizard with which a clerk connects a device, each an ordinary form."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.log_actions import log

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.visibility import Scope
from stadtherz.identity.public import issue_token, visibility_of_request
from stadtherz.ingest.public import (
    Device,
    Draft,
    Network,
    Recognised,
    catch_up,
    check_new,
    check_streams,
    go_live,
    merged,
    newest,
    others_of,
    proposed,
    proposed_value,
    rehearse,
    sample_values,
    stations_of,
    streams_of,
    symbol,
    waiting_for_device,
)
from stadtherz.store.public import streams as streams_by_id
from stadtherz.web import formats
from stadtherz.web.onboarding.forms import (
    DeviceForm,
    NewValueForm,
    PlaceForm,
    ReadingForm,
    StreamForm,
    type_label,
)
from stadtherz.web.onboarding.next_device import (
    LikeForm,
    facts_like,
    facts_of_next,
    like_form,
    others,
)
from stadtherz.web.onboarding.start import Onboarding, drafts_of, new_draft
from stadtherz.web.staff.people import administers

_MOST_LISTED = 1_000  # device types a browser offers while somebody types
_FIRST = {"json": ("message", _("Message"))}
STEPS = (
    ("device", _("Device")),
    ("place", _("Name and place")),
    ("values", _("Values")),
    ("test", _("Test")),
    ("done", _("Connected")),
)


class StepLink(NamedTuple):
    title: Any
    url: str
    current: bool
    passed: bool


class StepView(Onboarding):
    """One step of a draft of one's own."""

    step = ""
    draft: Draft

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = drafts_of(request).filter(pk=kwargs["draft"]).first()
        if found is None:
            raise Http404
        self.draft = found
        if found.device_id is not None and self.step != "done":
            return redirect(self.url("connect_done", found.pk))
        return super().dispatch(request, *args, **kwargs)

    def shown(self, context: Mapping[str, Any]) -> HttpResponse:
        return self.page({"draft": self.draft, "steps": self._steps(), **context})

    def _steps(self) -> list[StepLink]:
        steps = (_FIRST.get(self.draft.network, STEPS[0]), *STEPS[1:])
        names = [name for name, _title in steps]
        here = names.index(self.step)
        return [
            StepLink(
                title,
                ""
                if place >= here or self.draft.device_id
                else self.url(f"connect_{name}", self.draft.pk),
                current=place == here,
                passed=place < here,
            )
            for place, (name, title) in enumerate(steps)
        ]

    def next(self, step: str) -> HttpResponse:
        return redirect(self.url(f"connect_{step}", self.draft.pk))


class DeviceStep(StepView):
    step = "device"
    template = "staff/onboarding_device.html"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        if self.draft.network == Network.JSON:
            return self.next("message")
        kind = self.draft.device_type
        initial = {
            "network": self.draft.network,
            "dev_eui": self.draft.dev_eui,
            "kind": type_label(kind) if kind else "",
        }
        return self._form(DeviceForm(draft=self.draft, initial=initial))

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        form = DeviceForm(request.POST, draft=self.draft)
        if form.is_valid():
            given = form.cleaned_data
            try:
                check_new(self.draft.owner_id, given["network"], given["dev_eui"], "")
            except Invalid as problem:
                form.add_error(problem.field, problem.reason)
            else:
                return self._kept(given)
        return self._form(form)

    def _kept(self, given: Mapping[str, Any]) -> HttpResponse:
        draft = self.draft
        if given["device_type"] != draft.device_type:
            draft.streams = []  # another type measures something else
        draft.network, draft.dev_eui = given["network"], given["dev_eui"]
        draft.device_type = given["device_type"]
        draft.save()
        return self.next("place")

    def _form(self, form: DeviceForm) -> HttpResponse:
        return self.shown(
            {
                "form": form,
                "types": [type_label(kind) for kind in form.types[:_MOST_LISTED]],
                "found": [(kind.pk, type_label(kind)) for kind in form.found],
                "message": message_facts(newest(self.draft)),
            }
        )


def message_facts(found: Recognised | None) -> dict[str, Any] | None:
    """What was recognised in a message, for reading."""
    if found is None or found.uplink is None:
        return None
    return {
        "network": Network(found.network).label,
        "name": found.name,
        "device": found.message.dev_eui,
        "at": formats.when(found.uplink.time),
        "decoded": bool(found.uplink.decoded),
    }


class PlaceStep(StepView):
    step = "place"
    template = "staff/onboarding_place.html"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        fields = ("name", "description", "longitude", "latitude", "access", "station")
        initial = {name: getattr(self.draft, name) for name in fields}
        return self._form(PlaceForm(stations=self._stations(), initial=initial))

    def _stations(self) -> list[str]:
        return stations_of(self.draft.owner_id)

    def _form(self, form: PlaceForm) -> HttpResponse:
        return self.shown({"form": form, "stations": form.stations})

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        form = PlaceForm(request.POST, stations=self._stations())
        if form.is_valid():
            given = form.cleaned_data
            try:
                check_new(
                    self.draft.owner_id,
                    self.draft.network,
                    self.draft.dev_eui,
                    given["name"],
                    station=given["station"],
                )
            except Invalid as problem:
                form.add_error("station" if problem.field == "station" else "name", problem.reason)
            else:
                for name, value in given.items():
                    setattr(self.draft, name, value)
                self.draft.save()
                return self.next("values")
        return self._form(form)


class ValuesStep(StepView):
    step = "values"
    template = "staff/onboarding_values.html"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        reading = ReadingForm(
            draft=self.draft,
            initial={"codec": self.draft.codec, "byte_map": self.draft.byte_map},
        )
        return self._read(reading)

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        if "read" in request.POST:
            return self._choose_codec(request)
        forms = self._forms(request.POST)
        invalid = [form for form in forms if form.is_bound and not form.is_valid()]
        if not invalid:
            self._keep(forms)
            if "add" in request.POST:
                return self._add(request)
            try:
                check_streams(streams_of(self.draft.streams))
            except Invalid as problem:
                messages.error(request, problem.reason)
            else:
                return self.next("test")
        return self._read(ReadingForm(draft=self.draft), forms=forms)

    def _choose_codec(self, request: HttpRequest) -> HttpResponse:
        form = ReadingForm(request.POST, draft=self.draft)
        if not form.is_valid():
            return self._read(form)
        self.draft.codec = form.cleaned_data["codec"]
        self.draft.byte_map = form.cleaned_data["byte_map"]
        self.draft.save()
        return self.next("values")

    def _add(self, request: HttpRequest) -> HttpResponse:
        form = NewValueForm(request.POST)
        if form.is_valid() and (told := form.cleaned_data["path"]):
            try:
                added = proposed_value(told)
            except Invalid as problem:
                messages.error(request, problem.reason)
            else:
                if all(each["path"] != added.path for each in self.draft.streams):
                    self.draft.streams = [*self.draft.streams, added.told()]
                    self.draft.save()
        return self.next("values")

    def _keep(self, forms: list[StreamForm]) -> None:
        held = streams_of(self.draft.streams)
        said = {form.initial["path"]: form.value() for form in forms if form.is_bound}
        self.draft.streams = [said.get(each.path, each).told() for each in held]
        self.draft.save()

    def _forms(self, data: Any = None) -> list[StreamForm]:
        forms = []
        for each in self.draft.streams:
            prefix = f"v{crc32(each['path'].encode())}"
            posted = data if data is not None and f"{prefix}-path" in data else None
            forms.append(StreamForm(posted, prefix=prefix, initial=each))
        return forms

    def _asks_for_codec(self, found: Recognised | None) -> bool:
        """Of a message of JSON only where one of its fields holds bytes."""
        if found is None or found.uplink is None:
            return self.draft.network != Network.JSON
        is_json = self.draft.network == Network.JSON
        return bool(found.uplink.payload) if is_json else not found.uplink.decoded

    def _read(self, reading: ReadingForm, forms: list[StreamForm] | None = None) -> HttpResponse:
        found = newest(self.draft)
        values = sample_values(found, self.draft)
        streams = merged(streams_of(self.draft.streams), proposed(self.draft, values.data))
        if forms is None:
            self.draft.streams = [each.told() for each in streams]
            self.draft.save()
            forms = self._forms()
        message = message_facts(found)
        return self.shown(
            {
                "forms": [(form, _example(form.initial)) for form in forms],
                "reading": reading,
                "new_value": NewValueForm(),
                "message": message,
                "values": values,
                "asks_for_codec": self._asks_for_codec(found),
            }
        )


def _example(told: Mapping[str, Any]) -> str:
    unit = told.get("source") or told.get("unit", "")
    return amount(told.get("example"), symbol(unit))


def amount(value: Any, unit: str) -> str:
    """A measured value as people read it: with the digits that it has, up to four."""
    if not isinstance(value, int | float):
        return ""
    digits = len(f"{round(float(value), 4):.4f}".rstrip("0").partition(".")[2])
    return formats.measure(float(value), unit, digits)


class TryStep(StepView):
    step = "test"
    template = "staff/onboarding_test.html"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        wanted = [each for each in streams_of(self.draft.streams) if each.wanted]
        if not wanted:
            return self.next("values")
        found = newest(self.draft)
        values = sample_values(found, self.draft)
        lines = rehearse(wanted, found.uplink, values.data) if found and found.uplink else []
        return self.shown(
            {
                "lines": [
                    {
                        "name": each.name,
                        "text": amount(each.value, each.unit),
                        "at": formats.when(each.at) if each.at is not None else "",
                        "problem": each.problem,
                        "hint": each.hint,
                        "missing": each.missing,
                    }
                    for each in lines
                ],
                "values": values,
                "usable": any(each.value is not None for each in lines),
                "message": message_facts(found),
                "wanted": wanted,
                "webhook": webhook(self.draft.network),
                "waits_url": self.url("connect_waits", self.draft.pk),
                "tokens_url": tokens_url(request),
            }
        )

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        try:
            device = go_live(self.draft.pk)
        except (Conflict, Invalid) as problem:
            messages.error(
                request, problem.reason if isinstance(problem, Invalid) else str(problem)
            )
            step = {"name": "place", "station": "place", "dev_eui": "device", "streams": "values"}
            step |= dict.fromkeys(("device", "time", "readings", "payload", "key"), "device")
            field = problem.field if isinstance(problem, Invalid) else ""
            return self.next(step.get(field, "test"))
        self._told(Device.objects.get(pk=device))
        self.draft.refresh_from_db()
        catch_up(device, visibility_of_request(request), form=form_key(self.draft))
        return self.next("done")

    def _told(self, device: Device) -> None:
        names = [each.name for each in streams_of(self.draft.streams) if each.wanted]
        self.audit(
            "connect", device, {"name": device.name, "dev_eui": device.dev_eui, "values": names}
        )
        log(instance=device, action="wagtail.create")


class WaitsView(StepView):
    """Whether the draft still waits for a message; a script asks."""

    step = "test"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        return JsonResponse({"waits": newest(self.draft) is None})


class DiscardView(StepView):
    step = "device"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        self.draft.delete()
        messages.success(request, _text("The draft is deleted."))
        return redirect(self.url("connect"))


class DoneStep(StepView):
    step = "done"
    title = _("Device connected")
    template = "staff/onboarding_done.html"

    def get(self, request: HttpRequest, draft: int) -> HttpResponse:
        return self._page()

    def _page(self, token: str = "", like: LikeForm | None = None) -> HttpResponse:
        request, device = self.request, self.draft.device
        if device is None:
            return self.next("test")
        fields = device.fields.values_list("datastream_id", flat=True)
        streams = sorted(streams_by_id(fields).values(), key=lambda each: each.id)
        key = form_key(self.draft)
        left = waiting_for_device(device.owner_id, device.network, device.dev_eui, key).count()
        next_ones, more = others(self.draft)
        return self.shown(
            {
                "device": device,
                "device_url": self.url("inspect", device.pk),
                "thing_url": entity_url("Things", streams[0].thing) if streams else "",
                "streams": [(each.name, entity_url("Datastreams", each.id)) for each in streams],
                "public": bool(streams) and streams[0].access == "public",
                "left": left,
                "webhook": webhook(device.network),
                "tokens_url": tokens_url(request),
                "start_url": self.url("connect"),
                "doors": doors(key, token) if device.network == Network.JSON else None,
                "token": token,
                "others": next_ones,
                "more": more,
                "like": like or like_form(self.draft),
            }
        )

    def post(self, request: HttpRequest, draft: int) -> HttpResponse:
        """Go on with the messages that waited, or make the device's own token, which only this answer shows."""
        if self.draft.device is None:
            raise Http404
        if "next" in request.POST:
            return self._next(request.POST["next"])
        if "dev_eui" in request.POST:
            return self._like(request)
        if "token" in request.POST:
            return self._page(self._token(self.draft.device))
        catch_up(self.draft.device.pk, visibility_of_request(request), form=form_key(self.draft))
        return self.next("done")

    def _next(self, dev_eui: str) -> HttpResponse:
        if dev_eui not in others_of(self.draft):  # it has been connected meanwhile
            return self.next("done")
        return self._begun(facts_of_next(self.draft, dev_eui))

    def _like(self, request: HttpRequest) -> HttpResponse:
        form = like_form(self.draft, request.POST)
        if form is None:
            raise Http404
        if not form.is_valid():
            return self._page(like=form)
        return self._begun(facts_like(self.draft, form.cleaned_data["dev_eui"]))

    def _begun(self, facts: Mapping[str, Any]) -> HttpResponse:
        begun = new_draft(self.request, self.draft.owner_id, facts)
        return redirect(self.url("connect_place", begun.pk))

    def _token(self, device: Device) -> str:
        """Whoever may connect a device may let it deliver, and nothing else, until somebody revokes that."""
        if device.network != Network.JSON:
            raise Http404
        made, text = issue_token(device.name, device.owner_id, [Scope.INGEST], device=device.pk)
        self.audit("token", device, {"token": made.prefix})
        return text


def form_key(draft: Draft) -> str:
    """The key of the message form; empty for devices that need none."""
    return draft.form.key if draft.form is not None else str(draft.shape.get("key", ""))


def entity_url(entities: str, key: int) -> str:
    """The page of an entity, for people."""
    where = {"version": "1.1", "path": f"/{entities}({key})"}
    return reverse("web:entities", kwargs=where)


def webhook(network: str) -> dict[str, Any]:
    """What has to be entered at a network so that it delivers here."""
    where = {
        "tts": _(
            "In the console: your application, Integrations, Webhooks, Add webhook, Custom webhook."
        ),
        "chirpstack": _("In ChirpStack: your application, Integrations, HTTP, Add."),
        "actility": _("In ThingPark: Application servers, create an HTTP application server."),
        "loriot": _("In LORIOT: your application, Output, Add new output, HTTP push."),
        "helium": _("In the console: Integrations, Add new integration, HTTP."),
    }
    base, path_ = "/ingest", f"/{network}"
    return {
        "network": Network(network).label if network in Network.values else network,
        "where": where.get(network, ""),
        "address": f"{settings.STADTHERZ['public_url']}{base}{path_}",
        "base": f"{settings.STADTHERZ['public_url']}{base}" if network == "tts" else "",
        "path": path_,
        "format": _("JSON"),
        "header": "Authorization",
        "value": _("Bearer, a space, then the token"),
        "hint": _SIGNED if network == "actility" else "",
    }


_SIGNED = _(
    "ThingPark signs its messages. As soon as an administrator has entered the key of the application server under"
    " “Servers for messages to devices”, messages without that signature are refused."
)


def doors(key: str, token: str = "") -> dict[str, Any]:
    """Where a device that sends JSON delivers, and what it shows there."""
    root = settings.STADTHERZ["public_url"]
    listens = [urlsplit(each.strip()) for each in settings.STADTHERZ["mqtt"].split(",")]
    ports = [(each.scheme, each.port) for each in listens if each.port]
    shown = token or "sh_…"
    return {
        "root": root,
        "form": key,
        "address": f"{root}/ingest/json/{key}",
        "with_token": f"{root}/ingest/json/{shown}/{key}",
        "bearer": f"Bearer {shown}",
        "password": shown,
        "open": not token,
        "host": urlsplit(root).hostname or "",
        "ports": [(port, scheme == "mqtts") for scheme, port in ports],
        "topic": f"ingest/json/{key}",
        "influx": f"{root}/api/v2/write?org=any&bucket={key}",
        "influx_1": f"{root}/write?db={key}",
        "telegraf": _TELEGRAF.format(root=root, token=shown, key=key),
    }


_TELEGRAF = """\
[[outputs.influxdb_v2]]
  urls = ["{root}"]
  token = "{token}"
  organization = "any"
  bucket = "{key}"
"""


def tokens_url(request: HttpRequest) -> str:
    """Where a token is made, for those who may."""
    return reverse("token:add") if administers(request.user) else ""
