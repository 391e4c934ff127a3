"""Where a clerk begins to connect a device: a pasted message, a device that was refused, or by hand.

What has been entered stands in a draft that only its author sees, so an interruption loses nothing.
"""

from collections.abc import Mapping
from typing import Any

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
    Recognised,
    RefusedUplink,
    Unknown,
    of_refused,
    recognise,
    unknown_devices,
)
from stadtherz.web import formats
from stadtherz.web.onboarding_forms import SampleForm
from stadtherz.web.staff import writes
from stadtherz.web.staff_views import Limited

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
            try:
                found = recognise(form.cleaned_data["sample"], received=now_us())
            except Invalid as problem:
                form.add_error("sample", problem.reason)
            else:
                return self._begun(owner, found, form.cleaned_data["sample"])
        return self._shown(form)

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
            same.sample = facts.get("sample") or same.sample
            same.save()
            return same
    old = list(mine.values_list("pk", flat=True)[_MOST_DRAFTS - 1 :])
    Draft.objects.filter(pk__in=old).delete()
    actor = visibility_of_request(request).actor
    return Draft.objects.create(actor=actor, owner_id=owner, **facts)


def first_open_step(draft: Draft) -> str:
    """Where somebody goes on with a draft."""
    if not (draft.network and draft.dev_eui):
        return "device"
    if not draft.streams:
        return "values" if draft.name and draft.longitude is not None else "device"
    return "test"


class FromRefusedView(Onboarding):
    """Begins with a device that has sent already and that nobody knew."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, refused: int) -> HttpResponse:
        rows = writes(request.user).limit(RefusedUplink.objects.all(), "owner")
        row = rows.filter(pk=refused).first()
        found = of_refused(row) if row is not None else None
        if row is None or found is None:
            raise Http404
        draft = new_draft(request, row.owner_id, facts_of(found))
        return redirect(self.url("connect_device", draft.pk))
