"""What the back office consists of: our view sets and start page in, Wagtail's own areas out."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSetGroup

from stadtherz.kit import registry
from stadtherz.kit.declaration import Service
from stadtherz.web.alarms.alerts import AlertViewSet
from stadtherz.web.alarms.deliveries import DeliveryViewSet
from stadtherz.web.alarms.drills import DrillViewSet
from stadtherz.web.alarms.duty import RosterViewSet
from stadtherz.web.alarms.gateways import GatewayViewSet
from stadtherz.web.alarms.pauses import PauseViewSet
from stadtherz.web.alarms.people import ContactListViewSet, ContactViewSet
from stadtherz.web.alarms.rules import RuleViewSet
from stadtherz.web.devices.ingest import (
    CodecViewSet,
    DeviceFieldViewSet,
    DeviceTypeViewSet,
    DeviceViewSet,
    RefusedUplinkViewSet,
    open_refusals,
)
from stadtherz.web.devices.swap import register_actions
from stadtherz.web.staff.connections import ConnectionViewSet
from stadtherz.web.staff.datasets import DatasetViewSet
from stadtherz.web.staff.downlink_servers import DownlinkServerViewSet
from stadtherz.web.staff.entities import DatastreamViewSet, ThingViewSet
from stadtherz.web.staff.home import Figures
from stadtherz.web.staff.message_forms import MessageFormViewSet
from stadtherz.web.staff.native import use_native_fields
from stadtherz.web.staff.people import (
    AccessGroupViewSet,
    AccountViewSet,
    AuditViewSet,
    GroupMemberViewSet,
    MemberViewSet,
    OrganisationViewSet,
)
from stadtherz.web.staff.pull import PullSourceViewSet
from stadtherz.web.staff.tokens import TokenViewSet
from stadtherz.web.staff.viewsets import panel
from stadtherz.web.tables.steps import (
    TableImportViewSet,
    TableMappingViewSet,
    WatchedFolderViewSet,
)

# Menu entries of Wagtail for what this product does not have (their addresses: staff_urls.py).
_HIDDEN = frozenset({"explorer", "images", "documents", "reports", "settings", "help"})


class Alerts(ViewSetGroup):
    menu_label = _("Alerts")
    menu_icon = "warning"
    menu_order = 50
    items = (
        AlertViewSet,
        RuleViewSet,
        DeliveryViewSet,
        PauseViewSet,
        ContactViewSet,
        ContactListViewSet,
        RosterViewSet,
        DrillViewSet,
        GatewayViewSet,
    )


class Data(ViewSetGroup):
    menu_label = _("Data")
    menu_icon = "folder-open-inverse"
    menu_order = 700
    items = (
        DeviceViewSet,
        DeviceFieldViewSet,
        DeviceTypeViewSet,
        CodecViewSet,
        MessageFormViewSet,
        ConnectionViewSet,
        DownlinkServerViewSet,
        RefusedUplinkViewSet,
        TableImportViewSet,
        TableMappingViewSet,
        WatchedFolderViewSet,
        PullSourceViewSet,
        ThingViewSet,
        DatastreamViewSet,
        DatasetViewSet,
    )


class People(ViewSetGroup):
    menu_label = _("Organisation")
    menu_icon = "group"
    menu_order = 800
    items = (
        MemberViewSet,
        TokenViewSet,
        AuditViewSet,
        OrganisationViewSet,
        AccountViewSet,
        AccessGroupViewSet,
        GroupMemberViewSet,
    )


def service_group(service: Service, order: int) -> ViewSetGroup:
    """A menu of its own for a service, with the view sets that it declares."""
    attributes = {
        "menu_label": service.name,
        "menu_name": service.key,
        "menu_icon": f"sh-{service.icon}",
        "menu_order": order,
        "items": tuple(service.staff()),
    }
    return type(f"{service.key.title()}Group", (ViewSetGroup,), attributes)()


def our_icons(icons: list[str]) -> list[str]:
    return [*icons, "staff/icons.svg"]


def staff_view_sets() -> Sequence[Any]:
    declared = [service for service in registry.services() if service.staff()]
    groups = [service_group(service, 100 + place) for place, service in enumerate(declared)]
    return [Alerts(), *groups, Data(), People()]


def hide_unused(request: HttpRequest, items: list[MenuItem]) -> None:
    items[:] = [item for item in items if item.name not in _HIDDEN]


def start_page(request: HttpRequest, panels: list[Any]) -> None:
    panels[:] = [Figures()]


def starter() -> SafeString:
    return format_html('<script src="{}"></script>', static("staff/staff.js"))


def styles() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', static("staff/staff.css"))


use_native_fields()
hooks.register("register_admin_viewset", staff_view_sets)
hooks.register("register_icons", our_icons)
hooks.register("construct_main_menu", hide_unused)
hooks.register("construct_homepage_panels", start_page)
hooks.register("insert_global_admin_js", starter)
hooks.register("insert_global_admin_css", styles)
hooks.register("register_log_actions", register_actions)

panel(_("refused uplinks to look at"), open_refusals, "refused:index", urgent=True)
