"""The door of `mqtt`: `Door` is the ASGI application for websockets at `/mqtt`, and starts and stops
the listeners for TCP and TLS. `listening` reads their addresses from the settings.
"""

from stadtherz.mqtt.addresses import Listening, listening
from stadtherz.mqtt.door import Door, Settings
from stadtherz.mqtt.limits import Limits

__all__ = ["Door", "Limits", "Listening", "Settings", "listening"]
