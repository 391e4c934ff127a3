"""The back office's door: what services build their pages for staff from."""

from stadtherz.web.staff.views import (
    Limited,
    StaffIndexView,
    StaffInspectView,
    date_column,
    moment_column,
)
from stadtherz.web.staff.viewsets import Panel, Reach, StaffViewSet, panel, panels

__all__ = [
    "Limited",
    "Panel",
    "Reach",
    "StaffIndexView",
    "StaffInspectView",
    "StaffViewSet",
    "date_column",
    "moment_column",
    "panel",
    "panels",
]
