"""The door of `ingest`.

`application(visibility_of)` answers the networks; `deliver` takes many deliveries at once; `stop` finishes what is
under way. `replay` and `replay_many` run refused uplinks again.

`register_device` sets a device up, `register_codec` what reads its payload, which `try_codec` shows; `import_types`
keeps device types of a collection, from which `set_up_device` makes a device with its datastreams
(`set_up_datastreams`: only these); `propose_again` looks again at what a type could measure (`proposed_again`, `changes_of`: only tell). `register_form` says how messages of other devices are read, which `try_form`
shows; `form_query` is how a delivery names the form and its topic.

Connecting step by step is `Draft`, what `recognise` finds in a document and `unknown_devices` among the refused,
`proposed` values, `rehearse` and `go_live`; of a message of JSON (`sample_of`) `new_shape` guesses how it is read,
`…_choices` say what else it could be, and `read_sample` what comes out; by a list `read_sheet`, `Reader`, `keep_list`, `go_on`, `connect_rows`;
`swap` gives a device's place to another.

`add_connection` keeps a broker, whose messages `start_connections` takes in until `stop_connections`; `send_downlink`,
`send_again` and `withdraw` are about messages to devices, which `start_servers` hands to networks by HTTP. `add_source` keeps another SensorThings server, of which
`start_pulling` copies what is new until `stop_pulling`, `start_tasks` sends what Tasks say until `stop_tasks`; `pull_now` does so at once. `tables` takes in CSV files and
workbooks.

`device_state` tells how a device is, `known_devices`, `devices_in` and `report_of` what is known of it and in which
state that puts it. The models are for the back office, which shows and edits them.
"""

from stadtherz.ingest.connections.keeper import start_connections, stop_connections
from stadtherz.ingest.connections.models import Connection, ConnectionClient
from stadtherz.ingest.connections.register import add_connection
from stadtherz.ingest.connections.words import ConnectionState
from stadtherz.ingest.devices.messages import Message
from stadtherz.ingest.devices.register import (
    NewField,
    codec_id,
    device_id,
    register_codec,
    register_device,
)
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.doors.deliveries import Delivered, deliver
from stadtherz.ingest.doors.http import application
from stadtherz.ingest.doors.influx import ADDRESSES as WRITING
from stadtherz.ingest.downlinks.asking import send_again, send_downlink, withdraw
from stadtherz.ingest.downlinks.models import Downlink, DownlinkServer
from stadtherz.ingest.downlinks.servers import devices_of, start_servers, stop_servers, waiting_of
from stadtherz.ingest.downlinks.servers import sentence_of as downlink_server_sentence
from stadtherz.ingest.downlinks.states import State as DownlinkState
from stadtherz.ingest.downlinks.tasks import start_tasks, stop_tasks
from stadtherz.ingest.forms.arranged import TABLE
from stadtherz.ingest.forms.models import MessageForm
from stadtherz.ingest.forms.proposing import (
    Shape,
    device_choices,
    entry_of,
    list_choices,
    payload_choices,
    time_choices,
)
from stadtherz.ingest.forms.reading import query_of as form_query
from stadtherz.ingest.forms.register import message_form, register_form
from stadtherz.ingest.forms.senml import SENML
from stadtherz.ingest.health.conditions import Condition, Facts, has_never_sent, is_late, is_silent
from stadtherz.ingest.health.counters import share
from stadtherz.ingest.health.doubts import Doubts, Marked, doubts_of
from stadtherz.ingest.health.doubts import Waiting as WaitingMessages
from stadtherz.ingest.health.models import DeviceDay, DeviceHealth, DeviceMessages
from stadtherz.ingest.health.reading import DeviceState, device_state
from stadtherz.ingest.health.reading import Known as KnownDevice
from stadtherz.ingest.health.reading import Report as DeviceReport
from stadtherz.ingest.health.reading import having as devices_in
from stadtherz.ingest.health.reading import known as known_devices
from stadtherz.ingest.health.reading import known_of as known_device
from stadtherz.ingest.health.reading import report as report_of
from stadtherz.ingest.intake.lanes import stop
from stadtherz.ingest.intake.pipeline import NETWORKS, READERS, Answer, Delivery
from stadtherz.ingest.library.importing import Imported, Report, import_types
from stadtherz.ingest.library.proposing import changes_of, propose_again, proposed_again
from stadtherz.ingest.library.setting_up import set_up_datastreams, set_up_device
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType, Network, unit_sentence
from stadtherz.ingest.moving.following import consumer as moving_consumer
from stadtherz.ingest.onboarding.bulk import (
    Looked,
    Reader,
    connect_rows,
    go_on,
    keep_list,
)
from stadtherz.ingest.onboarding.connecting import (
    NewDevice,
    catch_up,
    check_new,
    connect,
    go_live,
    name_is_taken,
    stations_of,
)
from stadtherz.ingest.onboarding.euis import Sticker, read_eui
from stadtherz.ingest.onboarding.messages import (
    Sample,
    devices_told_of,
    fitting_forms,
    form_of,
    free_key,
    new_shape,
    others_of,
    read_sample,
    sample_of,
    takes_others,
)
from stadtherz.ingest.onboarding.models import DeviceList, Draft, ListedDevice, Replacement
from stadtherz.ingest.onboarding.names import property_choices, symbol, unit_choices
from stadtherz.ingest.onboarding.recognise import OfNoNetwork, Recognised, recognise
from stadtherz.ingest.onboarding.rehearsal import Line, rehearse
from stadtherz.ingest.onboarding.samples import (
    Unknown,
    Unread,
    is_unknown,
    newest,
    of_refused,
    unknown_devices,
    unread_messages,
)
from stadtherz.ingest.onboarding.samples import waiting as waiting_for_device
from stadtherz.ingest.onboarding.sheet import Listed, read_sheet
from stadtherz.ingest.onboarding.sheet import template as sheet_template
from stadtherz.ingest.onboarding.swapping import Source, Swap, guessed_paths, swap
from stadtherz.ingest.onboarding.values import (
    Decoded,
    Wanted,
    check_streams,
    merged,
    proposed,
    proposed_value,
    sample_values,
    streams_of,
)
from stadtherz.ingest.pull.keeper import start_pulling, stop_pulling
from stadtherz.ingest.pull.models import PullSource
from stadtherz.ingest.pull.register import add_source
from stadtherz.ingest.pull.run import Round
from stadtherz.ingest.pull.run import run_source as pull_now
from stadtherz.ingest.quality.flags import sentence as quality_sentence
from stadtherz.ingest.quality.reasons import Reason
from stadtherz.ingest.quality.reasons import sentence as refusal_sentence
from stadtherz.ingest.refused.codec_trial import Trial, try_codec
from stadtherz.ingest.refused.form_trial import (
    FormTrial,
    TriedReading,
    TriedValue,
    try_form,
)
from stadtherz.ingest.refused.keeping import replay
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.refused.replaying import Progress, Which, replay_many, waiting
from stadtherz.ingest.refused.replaying import counts as refused_counts
from stadtherz.ingest.tables import door as tables
from stadtherz.ingest.tables.models import TableImport, TableMapping, WatchedFolder
from stadtherz.ingest.values.units import Inconvertible, conversion

LORAWAN: tuple[tuple[str, str], ...] = tuple((name, str(Network(name).label)) for name in READERS)
"""The networks whose documents are understood by themselves, with their names."""

__all__ = [
    "LORAWAN",
    "NETWORKS",
    "SENML",
    "TABLE",
    "WRITING",
    "Answer",
    "Codec",
    "Condition",
    "Connection",
    "ConnectionClient",
    "ConnectionState",
    "Decoded",
    "Delivered",
    "Delivery",
    "Device",
    "DeviceDay",
    "DeviceField",
    "DeviceHealth",
    "DeviceList",
    "DeviceMessages",
    "DeviceReport",
    "DeviceState",
    "DeviceType",
    "Doubts",
    "Downlink",
    "DownlinkServer",
    "DownlinkState",
    "Draft",
    "Facts",
    "FormTrial",
    "Imported",
    "Inconvertible",
    "KnownDevice",
    "Line",
    "Listed",
    "ListedDevice",
    "Looked",
    "Marked",
    "Message",
    "MessageForm",
    "Network",
    "NewDevice",
    "NewField",
    "OfNoNetwork",
    "Progress",
    "PullSource",
    "Reader",
    "Reason",
    "Recognised",
    "RefusedUplink",
    "Replacement",
    "Report",
    "Round",
    "Sample",
    "Shape",
    "Source",
    "Sticker",
    "Swap",
    "TableImport",
    "TableMapping",
    "Trial",
    "TriedReading",
    "TriedValue",
    "Unknown",
    "Unread",
    "Uplink",
    "WaitingMessages",
    "Wanted",
    "WatchedFolder",
    "Which",
    "add_connection",
    "add_source",
    "application",
    "catch_up",
    "changes_of",
    "check_new",
    "check_streams",
    "codec_id",
    "connect",
    "connect_rows",
    "conversion",
    "deliver",
    "device_choices",
    "device_id",
    "device_state",
    "devices_in",
    "devices_of",
    "devices_told_of",
    "doubts_of",
    "downlink_server_sentence",
    "entry_of",
    "fitting_forms",
    "form_of",
    "form_query",
    "free_key",
    "go_live",
    "go_on",
    "guessed_paths",
    "has_never_sent",
    "import_types",
    "is_late",
    "is_silent",
    "is_unknown",
    "keep_list",
    "known_device",
    "known_devices",
    "list_choices",
    "merged",
    "message_form",
    "moving_consumer",
    "name_is_taken",
    "new_shape",
    "newest",
    "of_refused",
    "others_of",
    "payload_choices",
    "property_choices",
    "propose_again",
    "proposed",
    "proposed_again",
    "proposed_value",
    "pull_now",
    "quality_sentence",
    "read_eui",
    "read_sample",
    "read_sheet",
    "recognise",
    "refusal_sentence",
    "refused_counts",
    "register_codec",
    "register_device",
    "register_form",
    "rehearse",
    "replay",
    "replay_many",
    "report_of",
    "sample_of",
    "sample_values",
    "send_again",
    "send_downlink",
    "set_up_datastreams",
    "set_up_device",
    "share",
    "sheet_template",
    "start_connections",
    "start_pulling",
    "start_servers",
    "start_tasks",
    "stations_of",
    "stop",
    "stop_connections",
    "stop_pulling",
    "stop_servers",
    "stop_tasks",
    "streams_of",
    "swap",
    "symbol",
    "tables",
    "takes_others",
    "time_choices",
    "try_codec",
    "try_form",
    "unit_choices",
    "unit_sentence",
    "unknown_devices",
    "unread_messages",
    "waiting",
    "waiting_for_device",
    "waiting_of",
    "withdraw",
]
