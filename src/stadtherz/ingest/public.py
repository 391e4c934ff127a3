"""The door of `ingest`.

`application(visibility_of)` answers the networks; `register_device` sets a device up;
`device_state` tells how it is; `replay` runs a refused uplink again; `stop` finishes what is under
way. The models are for the back office, which shows and edits them.
"""

from stadtherz.ingest.http import application
from stadtherz.ingest.lanes import stop
from stadtherz.ingest.models import Device, DeviceField, RefusedUplink
from stadtherz.ingest.pipeline import Answer
from stadtherz.ingest.refused import replay
from stadtherz.ingest.register import DeviceState, NewField, device_state, register_device
from stadtherz.ingest.uplink import Uplink

__all__ = [
    "Answer",
    "Device",
    "DeviceField",
    "DeviceState",
    "NewField",
    "RefusedUplink",
    "Uplink",
    "application",
    "device_state",
    "register_device",
    "replay",
    "stop",
]
