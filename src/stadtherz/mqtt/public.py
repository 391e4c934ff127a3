"""The door of `mqtt`: `Door` is the ASGI application for websockets at `/mqtt`, and starts and stops
the listeners for TCP and TLS. `listening` reads their addresses from the settings. A `Board` is a topic of
the city's own.
"""

from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.doors.addresses import Listening, listening
from stadtherz.mqtt.doors.door import Door, Settings
from stadtherz.mqtt.news.boards import Board, announce, open_board

__all__ = [
    "Board",
    "Door",
    "Limits",
    "Listening",
    "Settings",
    "announce",
    "listening",
    "open_board",
]
