"""One uplink that two network servers deliver, as where two networks' gateways hear a device.

Each has its own key for it. The counter and the payload tell that it is the same, if both come within a
minute; then the second delivery goes by the key of the first, and a datastream that both feed takes it once.
"""

import threading
from collections import OrderedDict

from stadtherz.base.time import LATEST, MINUTE, Micros
from stadtherz.ingest.documents.uplink import Uplink

_APART: Micros = MINUTE
_REMEMBERED = 2048

_Mark = tuple[str, int | None, bytes]
_NOTHING = ("", "", -LATEST)


class _Recent:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[_Mark, tuple[str, str, Micros]] = OrderedDict()

    def key_of(self, message: Uplink) -> str:
        """The key of the same uplink in another network, else its own."""
        if not message.payload:
            return message.key
        mark = (message.dev_eui, message.f_cnt, message.payload)
        with self._lock:
            network, key, time = self._known.get(mark, _NOTHING)
            if network != message.network and abs(time - message.time) <= _APART:
                return key
            self._known[mark] = (message.network, message.key, message.time)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return message.key


_recent = _Recent()
key_of = _recent.key_of
