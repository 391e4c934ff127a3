"""The door of `sensorthings`: an ASGI application below `/sta/v1.1` and `/sta/v2.0`."""

from stadtherz.sensorthings.http import application

__all__ = ["application"]
