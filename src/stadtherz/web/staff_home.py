"""The staff's start page: how much of what waits."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from wagtail.admin.ui.components import Component

from stadtherz.web.staff import panels


class Figures(Component):
    """Every registered panel as a figure that links to its list."""

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
            for panel in panels()
        ]
        return {"figures": figures}
