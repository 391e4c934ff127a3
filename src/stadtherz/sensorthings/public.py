"""The door of `sensorthings`: an ASGI application below `/sta/v1.1` and `/sta/v2.0`.

`Inquiry` asks the same within the product; `is_for_people` tells requests that want a page instead.
"""

from stadtherz.sensorthings.http import application
from stadtherz.sensorthings.inquiry import Inquiry, Subject, is_for_people
from stadtherz.sensorthings.model import EntityType, Link, Property, Shape

__all__ = [
    "EntityType",
    "Inquiry",
    "Link",
    "Property",
    "Shape",
    "Subject",
    "application",
    "is_for_people",
]
