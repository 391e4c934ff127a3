"""The door of `ingest`.

`application(visibility_of)` answers the networks; `deliver` takes many deliveries at once;
`register_device` sets a device up, `register_codec` what reads its payload, which `try_codec` shows;
`import_types` keeps device types of a collection, from which `set_up_device` makes a device with its
datastreams (`set_up_datastreams`: only these);
`add_connection` keeps a broker, whose messages `start_connections` takes in until `stop_connections`;
`send_downlink`, `send_again` and `withdraw` are about messages to devices;
`device_state` tells how it is; `replay` runs a refused uplink again; `stop` finishes what is under
way. `tables` takes in CSV files and workbooks. The models are for the back office, which shows and edits them.
"""

from stadtherz.ingest.connections.keeper import start_connections, stop_connections
from stadtherz.ingest.connections.models import Connection, ConnectionClient
from stadtherz.ingest.connections.register import add_connection
from stadtherz.ingest.connections.words import ConnectionState
from stadtherz.ingest.deliveries import Delivered, deliver
from stadtherz.ingest.downlinks.asking import send_again, send_downlink, withdraw
from stadtherz.ingest.downlinks.models import Downlink
from stadtherz.ingest.downlinks.states import State as DownlinkState
from stadtherz.ingest.flags import sentence as quality_sentence
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.forms.reading import query_of as form_query
from stadtherz.ingest.http import application
from stadtherz.ingest.lanes import stop
from stadtherz.ingest.library.importing import Imported, Report, import_types
from stadtherz.ingest.library.setting_up import set_up_datastreams, set_up_device
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType, RefusedUplink
from stadtherz.ingest.pipeline import NETWORKS, Answer, Delivery
from stadtherz.ingest.refused import replay
from stadtherz.ingest.register import (
    DeviceState,
    NewField,
    codec_id,
    device_id,
    device_state,
    register_codec,
    register_device,
)
from stadtherz.ingest.replaying import Progress, Which, replay_many, waiting
from stadtherz.ingest.replaying import counts as refused_counts
from stadtherz.ingest.tables import door as tables
from stadtherz.ingest.tables.models import TableImport, TableMapping, WatchedFolder
from stadtherz.ingest.trial import Trial, try_codec
from stadtherz.ingest.uplink import Uplink

__all__ = [
    "NETWORKS",
    "Answer",
    "Codec",
    "Connection",
    "ConnectionClient",
    "ConnectionState",
    "Delivered",
    "Delivery",
    "Device",
    "DeviceField",
    "DeviceState",
    "DeviceType",
    "Downlink",
    "DownlinkState",
    "Imported",
    "MessageForm",
    "NewField",
    "Progress",
    "RefusedUplink",
    "Report",
    "TableImport",
    "TableMapping",
    "Trial",
    "Uplink",
    "WatchedFolder",
    "Which",
    "add_connection",
    "application",
    "codec_id",
    "deliver",
    "device_id",
    "device_state",
    "form_query",
    "import_types",
    "quality_sentence",
    "refused_counts",
    "register_codec",
    "register_device",
    "replay",
    "replay_many",
    "send_again",
    "send_downlink",
    "set_up_datastreams",
    "set_up_device",
    "start_connections",
    "stop",
    "stop_connections",
    "tables",
    "try_codec",
    "waiting",
    "withdraw",
]
