"""Devices, what their payload means, and what was refused, in the back office."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View
from wagtail.admin import messages
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from stadtherz.base.errors import Conflict, Invalid, Unavailable
from stadtherz.identity.public import actor_name, record, visibility_of_request
from stadtherz.ingest.public import (
    Codec,
    Device,
    DeviceField,
    DeviceType,
    Progress,
    Reason,
    RefusedUplink,
    Which,
    changes_of,
    propose_again,
    proposed_again,
    replay,
    replay_many,
    set_up_datastreams,
    waiting,
)
from stadtherz.web.devices import words as device_words
from stadtherz.web.devices.downlinks import downlink_addresses, downlinks_of
from stadtherz.web.devices.health import page_of, state_column
from stadtherz.web.devices.lists import urls_of as list_urls
from stadtherz.web.devices.pages import DeviceIndexView, about_device, is_stranger
from stadtherz.web.devices.quality import quality_of
from stadtherz.web.devices.stickers import urls_of as sticker_urls
from stadtherz.web.devices.swap import urls_of as swap_urls
from stadtherz.web.onboarding.urls import urls_of as onboarding_urls
from stadtherz.web.staff.views import Limited, StaffInspectView, moment_column
from stadtherz.web.staff.viewsets import StaffViewSet

_PAGE_S = 5.0  # so long a page may take that runs messages again


class DeviceInspectView(StaffInspectView):
    """A device, and the button that makes the datastreams its type proposes."""

    template_name = "staff/device.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        device = self.object
        proposed = device.device_type.proposals if device.device_type else []
        mapped = set(device.fields.values_list("path", flat=True))
        missing = [each for each in proposed if each["path"] not in mapped]
        may = self.views.changes(self.request.user)
        quality = quality_of(device)
        return {
            **super().get_context_data(**kwargs),
            "health": page_of(device, refused=quality["waits"]),
            "quality": quality,
            "proposed": missing,
            "set_up_url_name": self.views.get_url_name("set_up") if missing and may else "",
            **downlinks_of(device, self.views, may=may),
            **about_device(device, self.views, may_change=bool(may)),
        }


class SetUpView(Limited, View):
    """Makes the chosen datastreams among those that the device's type proposes."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        device = Device.objects.get(pk=pk)
        paths = request.POST.getlist("path")
        try:
            made = set_up_datastreams(device, paths=paths) if paths else []
        except (Conflict, Invalid) as problem:
            messages.error(request, str(problem))
        else:
            if made:
                messages.success(request, _text("The datastreams are set up."))
            self.audit("set_up", device, {"fields": paths})
        return redirect(self.views.get_url_name("inspect"), pk)


class DeviceViewSet(StaffViewSet):
    model = Device
    index_view_class = DeviceIndexView
    inspect_view_class = DeviceInspectView
    icon = "mobile-alt"
    menu_label = _("Devices")
    list_display = [
        "name",
        state_column,
        "dev_eui",
        "network",
        BooleanColumn("active", label=_("Active"), sort_key="active"),
        moment_column("last_seen", _("Last seen")),
        Column("battery", label=_("Battery (%)"), sort_key="battery"),
    ]
    list_filter = ["network", "active", "owner"]
    search_fields = ["name", "dev_eui"]
    form_fields = [
        "name",
        "owner",
        "network",
        "dev_eui",
        "device_type",
        "codec",
        "variables",
        "active",
        "time_path",
        "clock_zone",
        "expected_minutes",
        "empty_volts",
        "moves",
        "note",
    ]
    inspect_view_fields = [
        "name",
        "owner",
        "network",
        "dev_eui",
        "device_type",
        "codec",
        "active",
        "moves",
        "last_seen",
        "last_f_cnt",
        "battery",
        "rssi",
        "snr",
        "note",
    ]
    moments = ("last_seen",)

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        return super().rows(user, changing=changing).select_related("health")

    @property
    def set_up_view(self) -> Any:
        return self.construct_view(SetUpView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("set-up/<int:pk>/", self.set_up_view, name="set_up"),
            *downlink_addresses(self),
            *onboarding_urls(self),
            *list_urls(self),
            *swap_urls(self),
            *sticker_urls(self),
        ]


class DeviceTypeInspectView(StaffInspectView):
    """A product, and the way to look again at what it could measure."""

    template_name = "staff/device_type.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.views.changes(self.request.user)
        url_name = self.views.get_url_name("propose") if may else ""
        return {**super().get_context_data(**kwargs), "propose_url_name": url_name}


class ProposeView(Limited, WagtailAdminTemplateMixin, TemplateView):
    """What the type's examples would be proposed as now, beside what they are, and the button that takes it."""

    permission_required = "change"
    template_name = "staff/device_type_again.html"
    page_title = _("What it measures, looked at again")
    header_icon = "tag"

    @property
    def kind(self) -> DeviceType:
        return DeviceType.objects.select_related("codec").get(pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        return str(self.kind)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kind = self.kind
        context = {"kind": kind, "back_url": self._back()}
        try:
            context["changes"] = changes_of(kind, proposed_again(kind))
        except Unavailable as problem:
            context["problem"] = str(problem)
        return {**super().get_context_data(**kwargs), **context}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        kind = self.kind
        try:
            changes = propose_again(kind)
        except (Invalid, Unavailable) as problem:
            messages.error(request, str(problem))
        else:
            told = _text(
                "The proposals are those of today. Devices that are connected stay as they are."
            )
            messages.success(request, told)
            self.audit("update", kind, {"proposals": [each.path for each in changes]})
        return redirect(self._back())

    def _back(self) -> str:
        return reverse(self.views.get_url_name("inspect"), args=[self.kwargs["pk"]])


class DeviceTypeViewSet(StaffViewSet):
    """Products: their codec, and what they can measure."""

    model = DeviceType
    inspect_view_class = DeviceTypeInspectView
    icon = "tag"
    menu_label = _("Device types")
    list_display = ["name", "vendor", "key", "codec", "tests_held", "tests_total"]
    list_filter = ["vendor", "owner"]
    search_fields = ["name", "vendor", "key", "description", "measures"]
    form_fields = ["vendor", "name", "key", "owner", "description", "codec", "proposals"]
    inspect_view_fields = [
        "vendor",
        "name",
        "key",
        "description",
        "owner",
        "codec",
        "source",
        "tests_held",
        "tests_total",
        "test_problems",
        "proposals",
        "downlinks",
    ]
    shown = {
        "proposals": lambda row: (
            ", ".join(f"{e['name']} ({e['path']})" for e in row.proposals) or "–"
        ),
        "test_problems": lambda row: "; ".join(row.test_problems) or "–",
        "downlinks": lambda row: ", ".join(e["name"] for e in row.downlinks) or "–",
    }

    @property
    def propose_view(self) -> Any:
        return self.construct_view(ProposeView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("propose/<int:pk>/", self.propose_view, name="propose"),
        ]

    def rows(self, user: Any, *, changing: bool = False) -> QuerySet[Any]:
        """With the text of `measures`, to search in."""
        found: QuerySet[Any] = super().rows(user, changing=changing)
        annotated: QuerySet[Any] = found.annotate(measures=Cast("proposals", TextField()))
        return annotated


class CodecViewSet(StaffViewSet):
    """How payloads are read that no network decodes."""

    model = Codec
    icon = "code"
    menu_label = _("Codecs")
    list_display = ["name", "kind", "owner"]
    list_filter = ["kind", "owner"]
    search_fields = ["name"]
    form_fields = ["name", "owner", "kind", "text", "encoder"]
    inspect_view_fields = ["name", "owner", "kind", "text", "encoder"]


class DeviceFieldViewSet(StaffViewSet):
    """Which value of a payload becomes a reading of which datastream."""

    model = DeviceField
    owner_path = "device__owner"
    icon = "list-ul"
    menu_label = _("Device fields")
    list_display = ["path", "device", "datastream", "factor", "offset"]
    list_filter = ["device"]
    search_fields = ["path", "device__name"]
    form_fields = [
        "device",
        "path",
        "f_port",
        "time_path",
        "datastream",
        "unit",
        "factor",
        "offset",
        "minimum",
        "maximum",
        "jump",
        "jump_minutes",
        "frozen_minutes",
    ]


class RefusedInspectView(StaffInspectView):
    """What came, why it was refused, what became of it, and the button to try again."""

    template_name = "staff/refused.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kept = self.object
        may = self.views.changes(self.request.user) and not kept.truncated
        done = kept.outcome == RefusedUplink.REPLAYED
        url_name = self.views.get_url_name("replay")
        return {
            **super().get_context_data(**kwargs),
            "replay_url_name": url_name if may and not done else "",
            "together": self._together() if self.views.changes(self.request.user) else (),
            "connect": bool(may) and not done and is_stranger(kept),
            "sentences": list(_told(kept)),
            "mend": _to_mend(kept) if may and not done else None,
            "quality": quality_of(kept.device) if kept.device else None,
        }

    def _together(self) -> list[tuple[Which, int]]:
        """Which others wait with it: those of its device, and those of its reason."""
        kept = self.object
        choices = [Which(reason=kept.reason)]
        device = kept.device.dev_eui if kept.device else kept.facts.get("dev_eui")
        if device:
            choices.insert(0, Which(device=str(device)))
        by = visibility_of_request(self.request)
        counted = [(which, waiting(which, by).count()) for which in choices]
        return [(which, count) for which, count in counted if count > 1]

    def get_document_text_display_value(self) -> str:
        return format_html('<pre class="staff-document">{}</pre>', self.object.document_text)


@dataclass(frozen=True, slots=True)
class Mend:
    """Where staff mend what a message was refused for."""

    label: str
    url: str


def _to_mend(kept: RefusedUplink) -> Mend | None:
    """The codec that failed, or the fields that do not fit the values; None where nothing here helps."""
    device = kept.device
    if device is None:
        return None
    if kept.reason == Reason.CODEC_FAILED:
        codec = device.codec or (device.device_type and device.device_type.codec)
        if codec is None:
            return None
        label = _text("Mend the codec “{name}”").format(name=codec.name)
        return Mend(label, reverse("codec:edit", args=[codec.pk]))
    if kept.reason in (Reason.IMPOSSIBLE_VALUE, Reason.NOTHING_USABLE, Reason.UNIT_UNFIT):
        label = _text("The fields of this device, with their limits")
        return Mend(label, f"{reverse('devicefield:index')}?device={device.pk}")
    return None


def _told(kept: RefusedUplink) -> Iterable[str]:
    """What happened to a message, before any figures."""
    yield kept.sentence
    if kept.count > 1:
        told = _text("The same came %(count)s times, the last time %(since)s.")
        yield told % {"count": kept.count, "since": device_words.since(kept.last_at)}
    if kept.replayed_at is None:
        return
    values = {"since": device_words.since(kept.replayed_at)}
    if kept.outcome == RefusedUplink.REPLAYED:
        yield _text("It was run again (%(since)s) and is stored now.") % values
    else:
        told = _text("It was run again (%(since)s) and refused again:") % values
        yield f"{told} {kept.outcome_sentence}"


class ReplayManyView(Limited, View):
    """Runs the refused uplinks of a device, or of a reason, again: as many as a page may take.

    The page that comes then says how many are left, with a button to go on.
    """

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.views.changes(request.user):
            raise PermissionDenied
        which = Which(
            device=request.POST.get("device", ""),
            reason=request.POST.get("reason", ""),
            before=whole_number(request.POST.get("before", "")),
        )
        try:
            progress = replay_many(which, visibility_of_request(request), seconds=_PAGE_S)
        except Unavailable as problem:
            messages.error(request, str(problem))
            return redirect(self.views.get_url_name("index"))
        self._trail(which, progress)
        context = {
            "progress": progress,
            "done": progress.stored + progress.refused,
            "which": replace(which, before=progress.began),
            "replay_url_name": self.views.get_url_name("replay"),
            "index_url_name": self.views.get_url_name("index"),
            "page_title": _("Messages run again"),
            "header_title": _("Messages run again"),
            "header_icon": self.views.icon,
            "breadcrumbs_items": [
                {"url": reverse(self.views.get_url_name("index")), "label": self.views.menu_label},
                {"url": "", "label": _("Messages run again")},
            ],
        }
        return TemplateResponse(request, "staff/replayed.html", context)

    def _trail(self, which: Which, progress: Progress) -> None:
        told = {"device": which.device, "reason": which.reason, "stored": progress.stored}
        entity = RefusedUplink._meta.label_lower
        record(visibility_of_request(self.request), "replay", entity, "", told)


def whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class ReplayView(Limited, View):
    """Runs a refused uplink through the pipeline again."""

    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            given = replay(pk, visibility_of_request(request))
        except (Invalid, Unavailable) as problem:
            messages.error(request, str(problem))
        else:
            self._tell(given.status)
            self.audit("replay", RefusedUplink.objects.get(pk=pk), {"status": given.status})
        return redirect(self.views.get_url_name("inspect"), pk)

    def _tell(self, status: int) -> None:
        if status < 300:
            messages.success(self.request, _text("The measurements are stored now."))
        else:
            messages.warning(self.request, _text("Refused again: see the reason below."))


def _sender(kept: RefusedUplink) -> str:
    """The name of the token that delivered, not its key."""
    return actor_name(kept.who)


class RefusedUplinkViewSet(StaffViewSet):
    """What was not stored, for reading; a replay is the only change."""

    model = RefusedUplink
    name = "refused"
    allowed = frozenset()
    icon = "warning"
    menu_label = _("Refused uplinks")
    inspect_view_class = RefusedInspectView
    list_display = [
        "sentence",
        "device",
        "network",
        Column("who", label=_("Sender"), accessor=_sender, sort_key="who"),
        Column("count", label=_("How often"), sort_key="count"),
        moment_column("last_at", _("Last received")),
        Column("outcome", label=_("Replay"), accessor="get_outcome_display"),
    ]
    list_filter = ["reason", "network", "outcome"]
    search_fields = ["who", "facts"]
    inspect_view_fields = [
        "sentence",
        "outcome_sentence",
        "network",
        "who",
        "device",
        "count",
        "received_at",
        "last_at",
        "replayed_at",
        "document_text",
    ]
    moments = ("received_at", "last_at", "replayed_at")
    shown = {"who": _sender}
    labels = {
        "sentence": _("Why it was refused"),
        "outcome_sentence": _("What became of the replay"),
        "document_text": _("The message as it came"),
    }

    def title_of(self, row: Any) -> str:
        return str(row.get_reason_display())

    @property
    def replay_view(self) -> Any:
        return self.construct_view(ReplayView)

    @property
    def replay_many_view(self) -> Any:
        return self.construct_view(ReplayManyView)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("replay/<int:pk>/", self.replay_view, name="replay"),
            path("replay/", self.replay_many_view, name="replay"),
        ]


def open_refusals(request: HttpRequest) -> int:
    """How many refused uplinks of the staff member's organisations nobody has settled."""
    rows = RefusedUplinkViewSet().rows(request.user)
    return rows.filter(outcome=RefusedUplink.OPEN).count()
