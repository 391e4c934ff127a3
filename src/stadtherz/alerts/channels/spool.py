"""SMS through a GSM modem of one's own: a file in the outgoing folder of smstools (smsd).

smsd takes files out of the folder, so a file that has its final name has been handed over, and one that
has not is nobody's.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stadtherz.alerts.channels.outcomes import NotHandedOver
from stadtherz.alerts.channels.sms import units


@dataclass(frozen=True, slots=True)
class Smstools:
    """The outgoing folder, such as /var/spool/sms/outgoing."""

    folder: Path

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str:
        """Lay the message into the folder, whole or not at all; the file's name is its id."""
        name = f"stadtherz.{key}"
        hidden = self.folder / f"{name}.LOCK"  # smsd passes such names over, but not hidden files
        try:
            hidden.write_bytes(_written(to, text))
            hidden.chmod(0o660)
            goes_next()
            os.rename(hidden, self.folder / name)  # noqa: PTH104 - atomic, and that is the point
        except OSError as problem:
            raise NotHandedOver(f"{type(problem).__name__}: {problem.strerror}") from problem
        return name


def _written(to: str, text: str) -> bytes:
    number = to.removeprefix("+")
    if units(text) is not None:
        return f"To: {number}\nAlphabet: UTF-8\n\n{text}".encode()
    return f"To: {number}\nAlphabet: UCS\n\n".encode() + text.encode("utf-16-be")
