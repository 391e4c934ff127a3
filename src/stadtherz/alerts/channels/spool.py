"""SMS through a GSM modem of one's own: files in the folders of gammu-smsd, or of smsd (smstools).

The daemon takes files out of the outgoing folder, so a file that has its final name has been handed over,
and one that has not is nobody's. It moves what it has sent, and what it could not send, to folders of
their own under the same name, and lays what comes in into another.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stadtherz.alerts.channels.heard import Incoming, Receipt, State
from stadtherz.alerts.channels.kinds import KINDS
from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.sms import units
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now

_STUCK = 300.0  # seconds after which a modem that takes nothing is taken for dead
# The daemon writes incoming files in their place: one that is younger may not be whole.
_WRITTEN = 1.0
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came in, and the files that hold it."""

    incoming: Incoming
    files: tuple[Path, ...]


class Dialect(Protocol):
    """How a daemon wants its files named and written, and how it writes what comes in."""

    def name(self, to: str, key: str) -> str: ...

    def unseen(self, name: str) -> str: ...

    def written(self, to: str, text: str, ttl: int) -> bytes: ...

    def ours(self, name: str) -> bool: ...

    def came(self, inbox: Path) -> Iterator[Came]: ...


@dataclass(frozen=True, slots=True)
class Spool:
    """A daemon's folders; without `inbox`, `sent` or `failed` nothing is heard of these."""

    dialect: Dialect
    folder: Path
    inbox: Path | None = None
    sent: Path | None = None
    failed: Path | None = None
    ttl: int = 60  # minutes

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str:
        """Lay the message into the folder, whole or not at all; the file's name is its id.

        Raises NotHandedOver, also if the modem has taken nothing for a while.
        """
        name = self.dialect.name(to, key)
        hidden = self.folder / self.dialect.unseen(name)
        try:
            self._check_alive()
            hidden.write_bytes(self.dialect.written(to, text, self.ttl))
            hidden.chmod(0o660)
            goes_next()
            os.rename(hidden, self.folder / name)  # noqa: PTH104 - atomic, and that is the point
        except OSError as problem:
            raise NotHandedOver(f"{type(problem).__name__}: {problem.strerror}") from problem
        return name

    def answer(self, to: str, text: str) -> None:
        """Send what nobody waits for."""
        self.send(to, text, f"answer-{time.time_ns()}", goes_next=lambda: None)

    def check(self) -> None:
        """Whether files can be laid there, and taken away where they come in. Raises NotHandedOver."""
        for folder in filter(None, (self.folder, self.inbox)):
            if not _is_writable(folder):
                raise NotHandedOver(f"{folder} is not there, or nothing can be written there")
        self._check_alive()

    def knock(self, _seconds: float) -> None:
        """A folder answers at once. Raises NotHandedOver."""
        self._check_alive()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else reads what comes in, as long as this lasts.

        The folder itself is locked, so it holds between installations that share a modem, too.
        """
        if self.inbox is None:
            yield True
            return
        file = os.open(self.inbox, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(file)

    def came(self) -> Iterator[Came]:
        """What has come in; the files stay until `take_away`.

        Nothing where they could not be taken away: they would come in again and again.
        """
        if self.inbox is None or not _is_writable(self.inbox):
            return iter(())
        return self.dialect.came(self.inbox)

    def receipt(self, name: str) -> Receipt | None:
        """What has become of a message; None as long as it waits."""
        if self.failed is not None and (self.failed / name).exists():
            return Receipt(name, State.UNDELIVERED, "the modem could not send it")
        if self.sent is not None and (self.sent / name).exists():
            return Receipt(name, State.BUFFERED)
        return None

    def withdrawn(self) -> Iterator[Receipt]:
        """Take away what has waited for longer than it is worth: nobody needs a warning of yesterday."""
        for path, waited in self._waiting():
            if waited > self.ttl * 60:
                path.unlink(missing_ok=True)
                yield Receipt(path.name, State.UNDELIVERED, "the modem did not take it in time")

    def _check_alive(self) -> None:
        longest = max((waited for _path, waited in self._waiting()), default=0.0)
        if longest > _STUCK:
            raise NotHandedOver(f"the modem has taken nothing for {longest / 60:.0f} minutes")

    def _waiting(self) -> Iterator[tuple[Path, float]]:
        now = time.time()
        for path in list(self.folder.iterdir()):
            if self.dialect.ours(path.name):
                try:
                    yield path, now - path.stat().st_mtime
                except FileNotFoundError:  # taken just now
                    continue


@dataclass(frozen=True, slots=True)
class Gammu:
    """The files of gammu-smsd's FILES service (gammu-smsd-files(7))."""

    def name(self, to: str, key: str) -> str:
        """They go in the order of their names."""
        moment = now()
        return f"OUTC{moment:%Y%m%d_%H%M%S}_00_{to}_stadtherz-{key}.txt"

    def unseen(self, name: str) -> str:
        return f".{name}"

    def written(self, to: str, text: str, ttl: int) -> bytes:  # the number is in the name
        """With the mark of its order: without it gammu guesses by the locale of its process."""
        return b"\xfe\xff" + text.encode("utf-16-be")

    def ours(self, name: str) -> bool:
        return name.startswith("OUT") and "_stadtherz-" in name

    def came(self, inbox: Path) -> Iterator[Came]:
        """IN<date>_<time>_<serial>_<sender>_<part>.txt, each part in a file."""
        groups: dict[str, list[Path]] = {}
        for path in sorted(inbox.glob("IN*_*_*_*_*.txt")):
            groups.setdefault(path.stem.rpartition("_")[0], []).append(path)
        for group, paths in groups.items():
            if all(map(_is_whole, paths)):
                text = "".join(_unicode(path) for path in paths)
                yield Came(Incoming(group.split("_", 3)[3], text), tuple(paths))


@dataclass(frozen=True, slots=True)
class Smstools:
    """The files of smsd: headers, an empty line, the text."""

    def name(self, to: str, key: str) -> str:  # the number is in the file
        return f"stadtherz.{key}"

    def unseen(self, name: str) -> str:
        return f"{name}.LOCK"  # smsd passes such names over, but not hidden files

    def written(self, to: str, text: str, ttl: int) -> bytes:
        head = f"To: {to.removeprefix('+')}\nValidity: {ttl} min\n"
        if units(text) is not None:
            return f"{head}Alphabet: UTF-8\n\n{text}".encode()
        return f"{head}Alphabet: UCS\n\n".encode() + text.encode("utf-16-be")

    def ours(self, name: str) -> bool:
        return name.startswith("stadtherz.") and not name.endswith(".LOCK")

    def came(self, inbox: Path) -> Iterator[Came]:
        for path in sorted(inbox.iterdir()):
            if path.is_file() and not path.name.startswith(".") and _is_whole(path):
                head, _line, text = path.read_bytes()[:_LARGEST].partition(b"\n\n")
                told = dict(re.findall(r"(?m)^(\w+): *(.*?)\r?$", head.decode("utf-8", "replace")))
                coding = "utf-16-be" if told.get("Alphabet", "")[:3] == "UCS" else "utf-8"
                if coding == "utf-8" and told.get("Alphabet", "")[:3] == "ISO":
                    coding = "iso-8859-15"
                yield Came(Incoming(told.get("From", ""), text.decode(coding, "replace")), (path,))


def gammu(settings: Mapping[str, Any]) -> Spool:
    """From a gateway's settings. Raises Invalid, which names one."""
    return _spool("gammu", Gammu(), settings)


def smstools(settings: Mapping[str, Any]) -> Spool:
    return _spool("smstools", Smstools(), settings)


def take_away(came: Came) -> None:
    """It is dealt with, and somebody's words and number need not lie about."""
    for path in came.files:
        path.unlink(missing_ok=True)


def _spool(kind: str, dialect: Dialect, settings: Mapping[str, Any]) -> Spool:
    given, _none = KINDS[kind].read(settings)
    folders = {
        name: Path(given[name]) for name in ("folder", "inbox", "sent", "failed") if given[name]
    }
    for name, folder in folders.items():
        if not folder.is_dir():
            raise Invalid(name, "is not there")
    return Spool(dialect, ttl=given["ttl"], **folders)


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _is_whole(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime >= _WRITTEN
    except FileNotFoundError:
        return False


def _unicode(path: Path) -> str:
    raw = path.read_bytes()[:_LARGEST]
    if raw[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8", "replace")
