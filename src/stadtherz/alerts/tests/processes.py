"""Starting the sending process on the test's database, killing it, and waiting for effects."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stadtherz.alerts.tests.mailserver import MailServer
from tests.forked import Forked

PROGRAM = Path(__file__).with_name("sender_process.py")


class Sender:
    """One run of the sending process."""

    def __init__(self, server: MailServer | None, dies: str, machine: Path | None) -> None:
        more = {} if machine is None else {"STADTHERZ_DATA": str(machine)}
        url = server.url if server else ""
        self.process = Forked(PROGRAM, STADTHERZ_SMTP_URL=url, STADTHERZ_TEST_DIES=dies, **more)

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for_death(self) -> int:
        return self.process.wait(timeout=30)

    def end(self) -> None:
        self.process.end()


@contextmanager
def sending(
    server: MailServer | None = None, *, dies: str = "", machine: Path | None = None
) -> Iterator[Sender]:
    """A sending process; `dies` is the step before or after which it is killed (sender_process).

    `machine` is a folder of its own, such as a process on another machine has.
    """
    sender = Sender(server, dies, machine)
    try:
        yield sender
    finally:
        sender.end()


def eventually(condition: Callable[[], bool], *, seconds: float = 90) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
