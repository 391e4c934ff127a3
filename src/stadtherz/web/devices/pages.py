"""What the list and the page of devices have besides the fields: ways on, the sticker, who took whose place."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets.button import Button, HeaderButton

from stadtherz.ingest.public import Device, RefusedUplink, Replacement, is_unknown
from stadtherz.web import formats
from stadtherz.web.devices.health import DeviceFilters
from stadtherz.web.devices.stickers import qr_code, short_url
from stadtherz.web.staff.views import StaffIndexView


class DeviceIndexView(StaffIndexView):
    """The list, with the wizard as the usual way to add one, and a filter by state."""

    base_filterset_class = DeviceFilters

    @cached_property
    def header_buttons(self) -> Sequence[Any]:
        if not self.views.changes(self.request.user):
            return []
        return [HeaderButton(_("Connect a device"), url=self._url("connect"), icon_name="plus")]

    @cached_property
    def header_more_buttons(self) -> Sequence[Any]:
        more = [
            Button(_("Print stickers"), url=self._url("stickers"), icon_name="tag", priority=30)
        ]
        if self.views.changes(self.request.user):
            lists = self._url("connect_lists")
            more += [
                Button(_("Connect devices with a list"), url=lists, icon_name="table", priority=10),
                Button(_("Enter all fields"), url=self._url("add"), icon_name="edit", priority=20),
            ]
        return more

    def _url(self, name: str) -> str:
        return reverse(self.views.get_url_name(name))


def about_device(device: Device, views: Any, *, may_change: bool) -> dict[str, Any]:
    """For a device's page: its code, and which devices stood in its place before and after."""
    after = Replacement.objects.filter(old=device).select_related("new").first()
    before = Replacement.objects.filter(new=device).select_related("old")
    url_name = views.get_url_name("inspect")
    return {
        "short_url": short_url(device.pk),
        "code": qr_code(short_url(device.pk)),
        "sheet_url": f"{reverse(views.get_url_name('stickers'))}?print=1&d={device.pk}",
        "swap_url": reverse(views.get_url_name("swap"), args=[device.pk])
        if may_change and after is None
        else "",
        "after": _other(after.new, after.at, url_name) if after else None,
        "before": [_other(each.old, each.at, url_name) for each in before],
    }


def _other(device: Device, at: int, url_name: str) -> dict[str, Any]:
    return {
        "eui": device.dev_eui,
        "url": reverse(url_name, args=[device.pk]),
        "at": formats.when(at),
    }


def is_stranger(kept: RefusedUplink) -> bool:
    """Whether a message was refused because nobody knows its device."""
    return kept.owner_id is not None and is_unknown(kept)
