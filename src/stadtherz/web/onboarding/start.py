"""Where a clerk begins to connect a device: a pasted message, a device that was refused, or by hand.

What has been entered stands in a draft that only its author sees, so an interruption loses nothing.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin import messages

from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.identity.public import organisations, visibility_of_request
from stadtherz.ingest.public import (
    Draft,
    MessageForm,
    OfNoNetwork,
    Recognised,
    RefusedUplink,
    Sample,
    Unknown,
    fitting_forms,
    form_query,
    free_key,
    is_unknown,
    new_shape,
    of_refused,
    read_sample,
    recognise,
    sample_of,
    unknown_devices,
    unread_messages,
)
from stadtherz.web import formats
from stadtherz.web.onboarding.forms import SampleForm
from stadtherz.web.staff.views import Limited
from stadtherz.web.staff.viewsets import writes

_LINKED = ("discard", "refused", "values", "lists")
_MOST_DRAFTS = 30  # of a person; the oldest make room
_MOST_UNKNOWN = 50


class Onboarding(Limited, View):
    """A page of somebody who may connect devices for at least one organisation."""

    permission_required = "add"
    title: Any = _("Connect a device")
    template = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.views.changes(request.user):
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def url(self, name: str, *args: Any) -> str:
        return reverse(self.views.get_url_name(name), args=args)

    def page(self, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
        crumbs = [
            {"url": self.url("index"), "label": self.views.menu_label},
            {"url": "", "label": self.title},
        ]
        shown = {
            "page_title": self.title,
            "header_title": self.title,
            "header_icon": "mobile-alt",
            "breadcrumbs_items": crumbs,
            "names": {name: self.views.get_url_name(f"connect_{name}") for name in _LINKED},
            **context,
        }
        return TemplateResponse(self.request, self.template, shown, status=status)

    def own_organisations(self) -> Any:
        reach = writes(self.request.user)
        return reach.limit(organisations(), "pk").order_by("name")


class StartView(Onboarding):
    """Three ways to begin, and what has been begun."""

    template = "staff/onboarding_start.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._shown(SampleForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        owner = self._owner()
        if request.POST.get("way") != "sample":
            return redirect(self.url("connect_device", self._draft(owner, {}).pk))
        form = SampleForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            try:
                found = recognise(given["sample"], received=now_us())
            except OfNoNetwork:
                return self._as_json(owner, form)
            except Invalid as problem:
                form.add_error("sample", problem.reason)
            else:
                return self._begun(owner, found, given["sample"])
        return self._shown(form)

    def _as_json(self, owner: int, form: SampleForm) -> HttpResponse:
        """A message of no LoRaWAN network: what it says is for the next step."""
        given = form.cleaned_data
        query = form_query("", given["topic"].strip("/")) if given["topic"] else ""
        try:
            facts = json_facts(owner, given["sample"], query)
        except Invalid as problem:
            form.add_error("sample", problem.reason)
            return self._shown(form)
        return redirect(self.url("connect_message", self._draft(owner, facts).pk))

    def _begun(self, owner: int, found: Recognised, sample: str) -> HttpResponse:
        if found.uplink is None:
            told = _text(
                "This message holds no measurements, but it tells which device it is. You can go on; the values"
                " come with the next message."
            )
            messages.warning(self.request, told)
        facts = facts_of(found) | {"sample": sample if found.uplink else ""}
        return redirect(self.url("connect_device", self._draft(owner, facts).pk))

    def _owner(self) -> int:
        own = self.own_organisations()
        chosen = self.request.POST.get("organisation", "")
        if chosen:
            if not chosen.isdecimal() or not own.filter(pk=chosen).exists():
                raise PermissionDenied
            return int(chosen)
        home = visibility_of_request(self.request).home
        first = own.filter(pk=home).first() or own.first()
        if first is None:
            raise PermissionDenied
        return int(first.pk)

    def _draft(self, owner: int, facts: Mapping[str, Any]) -> Draft:
        return new_draft(self.request, owner, facts)

    def _shown(self, form: SampleForm) -> HttpResponse:
        own = list(self.own_organisations())
        found = unknown_devices([each.pk for each in own])[:_MOST_UNKNOWN]
        return self.page(
            {
                "form": form,
                "organisations": own if len(own) > 1 else [],
                "home": visibility_of_request(self.request).home,
                "drafts": [
                    {"draft": each, "url": self.url(f"connect_{first_open_step(each)}", each.pk)}
                    for each in drafts_of(self.request).filter(device=None)
                ],
                "unknown": [_unknown_row(each) for each in found],
                "unread": [
                    {
                        "address": f"/ingest/json/{each.form}",
                        "count": each.count,
                        "last": formats.when(each.last_at),
                        "refused": each.refused,
                    }
                    for each in unread_messages([each.pk for each in own])[:_MOST_UNKNOWN]
                ],
            }
        )


def _unknown_row(each: Unknown) -> dict[str, Any]:
    return {
        "eui": each.dev_eui,
        "network": each.network_name,
        "count": each.count,
        "last": formats.when(each.last_at),
        "refused": each.refused,
    }


def facts_of(found: Recognised) -> dict[str, Any]:
    """What a message tells for the fields of a draft."""
    place = found.place or (None, None)
    return {
        "network": found.network,
        "dev_eui": found.message.dev_eui or "",
        "name": found.name[:150],
        "longitude": place[0],
        "latitude": place[1],
    }


def json_facts(owner: int, text: str, query: str = "", key: str = "") -> dict[str, Any]:
    """What a message of JSON tells for the fields of a draft. Raises Invalid, field `sample`."""
    received = now_us()
    sample = sample_of(text, query)
    shape = {**new_shape(sample, received).told(), "key": key}
    draft = Draft(
        owner_id=owner, network="json", form=_known_form(owner, key, sample, shape), shape=shape
    )
    facts: dict[str, Any] = {
        "network": "json", "sample": text, "query": query, "shape": shape, "form": draft.form
    }  # fmt: skip
    try:
        found = read_sample(draft, sample, received)
    except Invalid:
        name = ""
    else:
        name = found.message.dev_eui or ""
        facts |= {"dev_eui": name, "name": found.name, **_place_of(found)}
    if not key:
        shape["key"] = free_key(owner, name)
    return facts


def _known_form(
    owner: int, key: str, sample: Sample, shape: Mapping[str, str]
) -> MessageForm | None:
    """The form that the sender named, else one that says of this message what we would say."""
    if key:
        return MessageForm.objects.filter(owner_id=owner, key=key).first()
    fitting = (each for each, _name in fitting_forms(owner, sample, now_us()))
    same = (e for e in fitting if (e.device, e.time) == (shape["device"], shape["time"]))
    return next(same, None)


def _place_of(found: Recognised) -> dict[str, float]:
    return {} if found.place is None else {"longitude": found.place[0], "latitude": found.place[1]}


def drafts_of(request: HttpRequest) -> Any:
    """Somebody's own drafts, of organisations for which they may still connect devices."""
    actor = visibility_of_request(request).actor
    return writes(request.user).limit(Draft.objects.filter(actor=actor), "owner")


def new_draft(request: HttpRequest, owner: int, facts: Mapping[str, Any]) -> Draft:
    """A new draft with what is known; one that was begun for this very device is gone on with."""
    mine = drafts_of(request).filter(owner=owner)
    if facts.get("dev_eui"):
        same: Draft | None = mine.filter(
            network=facts["network"], dev_eui=facts["dev_eui"], device=None
        ).first()
        if same is not None:
            for name in ("sample", "query", "form", "shape"):
                setattr(same, name, facts.get(name) or getattr(same, name))
            same.save()
            return same
    old = list(mine.values_list("pk", flat=True)[_MOST_DRAFTS - 1 :])
    Draft.objects.filter(pk__in=old).delete()
    actor = visibility_of_request(request).actor
    return Draft.objects.create(actor=actor, owner_id=owner, **facts)


def first_open_step(draft: Draft) -> str:
    """Where somebody goes on with a draft."""
    if not (draft.network and draft.dev_eui):
        return "message" if draft.network == "json" else "device"
    if not draft.streams:
        return "values" if draft.name and draft.longitude is not None else "device"
    return "test"


class FromRefusedView(Onboarding):
    """Begins with a device that has sent already and that nobody knew."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, refused: int) -> HttpResponse:
        rows = writes(request.user).limit(RefusedUplink.objects.all(), "owner")
        row = rows.filter(pk=refused).first()
        if row is None or row.owner_id is None or not is_unknown(row):
            raise Http404
        if row.network == "json":
            return self._json(row, row.owner_id)
        found = of_refused(row)
        if found is None:
            raise Http404
        draft = new_draft(request, row.owner_id, facts_of(found))
        return redirect(self.url("connect_device", draft.pk))

    def _json(self, row: RefusedUplink, owner: int) -> HttpResponse:
        key = str(parse_qs(row.query).get("form", [""])[0])
        try:
            facts = json_facts(owner, row.document_text, row.query, key)
        except Invalid as problem:
            messages.error(self.request, problem.reason)
            return redirect(self.url("connect"))
        draft = new_draft(self.request, owner, facts)
        return redirect(self.url("connect_message", draft.pk))
