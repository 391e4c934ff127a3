"""The back office of devices: which are silent, and who is told."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, TitleColumn

from stadtherz.base.time import now_us
from stadtherz.ingest.public import Condition, Device, devices_in, known_device
from stadtherz.services.devices.models import Watch
from stadtherz.web.back_office import StaffIndexView, StaffViewSet, moment_column, panel
from stadtherz.web.public import device_words


def _url(device: Device) -> str:
    return reverse("device:inspect", args=[device.pk])


def _sentence(device: Device) -> str:
    known = known_device(device, now_us())
    return device_words.sentence(known.worst, known.facts, now_us())


class SilentIndexView(StaffIndexView):
    page_title = _("Silent devices")  # not all devices, as its model has it


class SilentViewSet(StaffViewSet):
    """The devices of the staff member's organisations that should have been heard and were not.

    Those that have never sent come first: they have no last moment.
    """

    model = Device
    index_view_class = SilentIndexView
    name = "silent"
    allowed = frozenset()
    inspect_view_enabled = False
    icon = "sh-sensor"
    menu_label = _("Silent devices")
    list_display = [
        TitleColumn("name", label=_("Device"), get_url=_url),
        Column("state", label=_("State"), accessor=_sentence, classname="staff-sentence"),
        moment_column("last_seen", _("Last seen")),
        "network",
    ]
    list_filter = ["network", "owner"]
    search_fields = ["name", "dev_eui"]
    ordering = [F("last_seen").asc(nulls_first=True), "name"]

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        rows = super().rows(user, changing=changing).select_related("health")
        return devices_in(rows, [Condition.SILENT, Condition.NEVER_SENT])


class WatchViewSet(StaffViewSet):
    model = Watch
    icon = "sh-bell"
    menu_label = _("Who is told of devices")
    list_display = ["owner", "recipients", "silent", "battery"]
    form_fields = ["owner", "recipients", "silent", "battery"]
    inspect_view_fields = ["owner", "recipients", "silent", "battery"]


def view_sets() -> Sequence[type[StaffViewSet]]:
    return (SilentViewSet, WatchViewSet)


def silent_devices(request: HttpRequest) -> int:
    """How many devices of the staff member's organisations are silent."""
    return SilentViewSet().rows(request.user).count()


panel(_("silent devices"), silent_devices, "silent:index", urgent=True)
