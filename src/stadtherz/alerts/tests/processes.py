"""Starting the sending process on the test's database, killing it, and waiting for effects."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connections

from stadtherz.alerts.tests.mailserver import MailServer

PROGRAM = Path(__file__).with_name("sender_process.py")


def engine_url() -> str:
    """The URL of the database this test runs on, for another process."""
    known = connections["default"].settings_dict
    if "sqlite" in known["ENGINE"]:
        return f"sqlite://{quote(str(known['NAME']))}"
    user = quote(known["USER"]) + (f":{quote(known['PASSWORD'])}" if known["PASSWORD"] else "")
    return f"postgresql://{user}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


def environment(**more: str) -> dict[str, str]:
    source = str(Path(__file__).parents[3])
    path = os.pathsep.join([source, str(Path(source).parent), os.environ.get("PYTHONPATH", "")])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "DJANGO_SETTINGS_MODULE": "stadtherz.project.settings",
        "STADTHERZ_ENGINE": engine_url(),
        "STADTHERZ_SECRET_KEY": settings.SECRET_KEY,  # passwords of gateways are sealed with it
        **more,
    }


class Sender:
    """One run of the sending process."""

    def __init__(self, server: MailServer | None, dies: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            env=environment(
                STADTHERZ_SMTP_URL=server.url if server else "", STADTHERZ_TEST_DIES=dies
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for_death(self) -> int:
        return self.process.wait(timeout=30)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextmanager
def sending(server: MailServer | None = None, *, dies: str = "") -> Iterator[Sender]:
    """A sending process; `dies` is the step before or after which it is killed (sender_process)."""
    sender = Sender(server, dies)
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
