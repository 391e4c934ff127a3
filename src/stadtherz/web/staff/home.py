"""The staff's start page: how much of what waits."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.components import Component

from stadtherz.identity.public import visibility_of_request
from stadtherz.web.staff.people import administers
from stadtherz.web.staff.viewsets import panels, writes
from stadtherz.web.start import read_tiles


class Figures(Component):
    """Every registered panel as a figure that links to its list, the city's own figures, and ways on."""

    name = "figures"
    order = 10
    template_name = "staff/figures.html"

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        request = parent_context["request"]
        figures = [
            {
                "title": panel.title,
                "count": panel.count(request),
                "url": reverse(panel.url_name),
                "urgent": panel.urgent,
            }
            for panel in sorted(panels(), key=lambda panel: not panel.urgent)
        ]
        return {
            "figures": figures,
            "quiet": not any(figure["count"] for figure in figures),
            "tiles": read_tiles(visibility_of_request(request)),
            "ways": [{"title": title, "url": reverse(name)} for title, name in _ways(request)],
        }


def _ways(request: HttpRequest) -> Iterator[tuple[Any, str]]:
    """Where people go from here: first what they may do, then what everybody may."""
    if writes(request.user):
        yield _("Connect a device"), "device:connect"
    if administers(request.user):
        yield _("Add a member"), "member:add"
    yield _("See all devices"), "device:index"
    yield _("To the public pages"), "web:start"
    yield _("My account"), "account_own"
