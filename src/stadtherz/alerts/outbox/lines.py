"""The lines to SMS centres that this process holds, and what is done with what comes in by them.

Many providers allow one line for an account. So only one process sends SMS, as soon as there is a gateway
by SMPP. Of those of one machine it is the one that has the lock, which falls with its process; of several
machines on one database the one that has the lease, which lapses some seconds after its machine is gone.
"""

import atexit
import fcntl
import os
import threading
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import connections

from stadtherz.alerts.channels.smpp import Smpp, Wishes
from stadtherz.alerts.channels.smpp_session import Account, Session
from stadtherz.alerts.outbox.hearing import hears
from stadtherz.alerts.outbox.leases import MachineLease
from stadtherz.store.public import on_sqlite

_lines: dict[tuple[int, str], Session] = {}
_lock = threading.RLock()
_holds: int | None = None
_lease: MachineLease | None = None


class StandsBy(Exception):
    """Another process has the lines; it sends."""


def ours() -> bool:
    """Whether the lines are this process's; it takes them if they are nobody's, and ends them if it lost them."""
    with _lock:
        if not _locked():
            return False
        if on_sqlite() or _leased():
            return True
    only([])
    return False


def _locked() -> bool:
    """Whether it has the lock of this machine."""
    global _holds  # noqa: PLW0603 - a process has it or not
    if _holds is not None:
        return True
    folder = Path(settings.DATA) / "delivery"
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / "smpp-lines", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _holds = file
    return True


def _leased() -> bool:
    """Whether this machine has the lease. Whoever has the lock goes on with the one of its predecessor.

    Its number stands in the locked file, and each process takes another: a copy of this machine may take it
    once, and then it is the copy that has it.
    """
    global _lease  # noqa: PLW0603 - a process has it or not
    assert _holds is not None
    if _lease is None:
        _lease = MachineLease("smpp-lines", os.pread(_holds, 40, 0).decode(errors="replace"))
    fresh = not _lease.sure
    if not _lease.ours():
        return False
    if fresh:
        os.pwrite(_holds, _lease.holder.encode(), 0)
    return True


def smpp(gateway: int, name: str, account: Account, wishes: Wishes) -> Smpp:
    """What sends by this gateway's line; the line is made when it is needed."""
    sends = account if account.bind != "pair" else replace(account, bind="transmitter")
    hearing = replace(account, bind="receiver")

    def session() -> Session:
        return _line((gateway, "sends"), name, sends, wishes)

    def other() -> Session | None:
        if account.bind != "pair":
            return None
        return _line((gateway, "hears"), name, hearing, wishes)

    return Smpp(account, wishes, session, other)


def _line(key: tuple[int, str], name: str, account: Account, wishes: Wishes) -> Session:
    """The one that there is; a new one if there is none, or its settings have changed."""
    with _lock:
        known = _lines.get(key)
        if known is not None and known.account == account:
            return known
        if known is not None:
            known.end()
        back = Smpp(account, wishes, lambda: _lines[key[0], "sends"])
        made = Session(account, hears(name, back.answer), connections.close_all)
        _lines[key] = made
        return made


def only(gateways: Collection[int]) -> None:
    """End the lines of all other gateways: they were taken away or switched off."""
    with _lock:
        gone = [_lines.pop(key) for key in list(_lines) if key[0] not in gateways]
    for line in gone:
        line.end()


def let_go() -> None:
    """End lines that were opened for a trial, where another process has them."""
    if _lines and not ours():
        only([])


def end_all() -> None:
    """Take leave of every centre, and let another process have the lines."""
    global _holds, _lease  # noqa: PLW0603
    only([])
    with _lock:
        if _lease is not None:
            _lease.release()
            _lease = None
        if _holds is not None:
            os.close(_holds)
            _holds = None


atexit.register(end_all)
