"""Which process is a connection's client: one at a time, or two would throw each other out.

A lease in the database; a process that is gone is noticed at once by those who share its data folder,
since the lock on its file falls with it, and by others when the lease is over. No message depends on it:
what two of them took is recognised as the same.
"""

import fcntl
import os
import uuid
from contextlib import suppress
from pathlib import Path

from django.db.models import Q

from stadtherz.base.time import SECOND, Micros
from stadtherz.ingest.connections.models import ConnectionClient

LEASE: Micros = 30 * SECOND
RENEWED: Micros = 10 * SECOND  # after it was taken, or renewed the last time


class Holder:
    """This process, as leases name it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = uuid.uuid4().hex
        self._folder = folder
        hidden = folder / f"new.{self.name}"
        self._file = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        hidden.rename(folder / self.name)  # nobody ever sees it unlocked

    def close(self) -> None:
        (self._folder / self.name).unlink(missing_ok=True)
        os.close(self._file)

    def is_gone(self, name: str) -> bool:
        """Whether that process has ended; False if this folder cannot tell."""
        try:
            file = os.open(self._folder / name, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            (self._folder / name).unlink(missing_ok=True)
            return True
        finally:
            os.close(file)

    def take(self, client: ConnectionClient, now: Micros) -> bool:
        """Whether this process is the client from now on."""
        free = Q(holder="") | Q(holder=self.name) | Q(until__lt=now)
        if client.holder not in ("", self.name) and client.until >= now:
            if not self.is_gone(client.holder):
                return False
            free = Q(holder=client.holder)
        rows = ConnectionClient.objects.filter(free, pk=client.pk)
        return bool(rows.update(holder=self.name, until=now + LEASE))

    def renew(self, client: int, now: Micros) -> bool:
        """Whether it still is."""
        rows = ConnectionClient.objects.filter(pk=client, holder=self.name)
        return bool(rows.update(until=now + LEASE))

    def give_back(self, client: int) -> None:
        rows = ConnectionClient.objects.filter(pk=client, holder=self.name)
        rows.update(holder="", until=0)


def forget_the_dead(folder: Path) -> None:
    """Remove the files of processes that have ended and held nothing any more."""
    for path in folder.glob("*"):
        with suppress(OSError):
            file = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not ConnectionClient.objects.filter(holder=path.name).exists():
                    path.unlink(missing_ok=True)
            finally:
                os.close(file)
