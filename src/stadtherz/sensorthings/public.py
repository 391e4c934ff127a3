"""The door of `sensorthings`: an ASGI application below `/sta/v1.1`."""

from stadtherz.sensorthings.http import application

__all__ = ["application"]
