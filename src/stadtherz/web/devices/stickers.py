"""Stickers with QR codes for devices, and the short address that they lead to."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from stadtherz.identity.public import visibility_of_request
from stadtherz.ingest.public import Device, DeviceList
from stadtherz.store.public import streams as streams_by_id
from stadtherz.store.public import streams_visible_to
from stadtherz.web.onboarding.steps import entity_url
from stadtherz.web.staff.views import Limited
from stadtherz.web.staff.viewsets import reads

_MOST = 480  # stickers at once: twenty sheets


def short_url(device: int) -> str:
    """The address on a device's sticker, of this instance."""
    return f"{settings.STADTHERZ['public_url']}/d/{device}"


def qr_code(text: str) -> SafeString:
    """A QR code as SVG; dark on light whatever the page's appearance, or scanners fail."""
    import segno  # noqa: PLC0415 - it loads every writer of images, which few pages need

    code = segno.make(text, error="m", micro=False)
    return mark_safe(code.svg_inline(border=2, light="#fff", omitsize=True))  # noqa: S308 - segno's own drawing


def short(request: HttpRequest, device: int) -> HttpResponse:
    """From a sticker to the device's page for staff, else to its station's for everybody.

    What the visitor may not see does not exist.
    """
    row = Device.objects.filter(pk=device).first()
    if row is None:
        raise Http404
    if reads(request.user).limit(Device.objects.filter(pk=device), "owner").exists():
        return redirect("device:inspect", device)
    found = streams_by_id(row.fields.values_list("datastream_id", flat=True))
    seen = streams_visible_to(visibility_of_request(request), found)
    if not seen:
        raise Http404
    return redirect(entity_url("Things", found[min(seen)].thing))


class StickersView(Limited, View):
    """Devices to choose from, and the sheet to print of those that were chosen."""

    permission_required = "view"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.views.sees(request.user):
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        chosen = [int(key) for key in request.GET.getlist("d")[:_MOST] if key.isdecimal()]
        own = self.views.rows(request.user)
        if chosen and "print" in request.GET:
            return self._sheet(own.filter(pk__in=[key for key in chosen if key < 2**31]))
        query = request.GET.get("q", "").strip()
        rows = own.filter(name__icontains=query) if query else own
        listed = self._listed(request)
        if listed is not None:
            rows = rows.filter(pk__in=listed)
        part = Paginator(rows, _MOST).get_page(request.GET.get("p"))
        kept = {name: request.GET[name] for name in ("q", "list") if request.GET.get(name)}
        context = {
            "page_title": _("Stickers"),
            "header_title": _("Stickers"),
            "header_icon": "tag",
            "breadcrumbs_items": [
                {"url": reverse(self.views.get_url_name("index")), "label": self.views.menu_label},
                {"url": "", "label": _("Stickers")},
            ],
            "query": query,
            "devices": part.object_list,
            "part": part,
            "part_url": f"?{urlencode({**kept, 'p': ''})}",
            "all_chosen": listed is not None,
        }
        return TemplateResponse(request, "staff/onboarding_stickers.html", context)

    def _listed(self, request: HttpRequest) -> list[int] | None:
        """The devices of one of their own lists, if one is named."""
        key = request.GET.get("list", "")
        if not key.isdecimal():
            return None
        actor = visibility_of_request(request).actor
        kept = DeviceList.objects.filter(pk=key, actor=actor).first()
        if kept is None:
            return None
        return list(kept.rows.exclude(device=None).values_list("device_id", flat=True))

    def _sheet(self, devices: Any) -> HttpResponse:
        stickers = [
            {
                "name": device.name,
                "eui": device.dev_eui,
                "address": short_url(device.pk).split("://", 1)[-1],
                "code": qr_code(short_url(device.pk)),
            }
            for device in devices[:_MOST]
        ]
        back = reverse(self.views.get_url_name("stickers"))
        context = {"stickers": stickers, "city": settings.STADTHERZ["city"], "back": back}
        return TemplateResponse(self.request, "staff/sticker_sheet.html", context)


def urls_of(views: Any) -> list[URLPattern]:
    return [path("stickers/", views.construct_view(StickersView), name="stickers")]
