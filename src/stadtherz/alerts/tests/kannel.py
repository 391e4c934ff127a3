"""A real Kannel with a false SMS centre: what is sent, what comes in, and a centre that goes away."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

FAKE = Path("/usr/lib/kannel/test/fakesmsc")
_CONFIGURATION = """group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = test
smsbox-port = {box}
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0
store-type = file
store-location = {folder}/store
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = centre
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 0

group = sendsms-user
username = stadt
password = geheim
max-messages = 5
concatenation = true

group = sms-service
keyword = default
catch-all = true
get-url = "{inbound}"
"""


@dataclass
class Kannel:
    """The tests' side of it."""

    folder: Path
    ports: dict[str, int]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['send']}"

    def received(self) -> list[str]:
        """What has reached the SMS centre: sender, receiver, kind and text of each message, as it logs them."""
        text = (self.folder / "centre.log").read_text(errors="replace")
        return [line for line in text.splitlines() if " got message " in line.lower()]

    def centre(self, *messages: str) -> None:
        """Start the SMS centre; it sends these messages, "FROM TO text words", and then listens."""
        command = [FAKE, "-H", "127.0.0.1", "-r", str(self.ports["centre"]), "-i", "0.1", "-v", "0"]
        command += ["-m", str(len(messages)), *(messages or ("1 2 text nothing",))]
        with (self.folder / "centre.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.processes.append(process)

    def centre_goes(self) -> None:
        """End the SMS centre that was started last."""
        process = self.processes.pop()
        process.kill()
        process.wait()


@contextmanager
def running(folder: Path, inbound: str = "http://127.0.0.1:9/") -> Iterator[Kannel]:
    """bearerbox and smsbox on free ports of the loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(("admin", "box", "centre", "send"), _free_ports(4), strict=True))
    configuration = folder / "kannel.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, inbound=inbound, **ports))
    (folder / "centre.log").touch()
    kannel = Kannel(folder, ports)
    try:
        for program, port in (("bearerbox", "box"), ("smsbox", "send")):
            path = shutil.which(program) or f"/usr/sbin/{program}"
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            kannel.processes.append(
                subprocess.Popen([path, str(configuration)], env={**os.environ}, **quiet)  # type: ignore[call-overload]
            )
            _wait_for(ports[port])
        yield kannel
    finally:
        for process in reversed(kannel.processes):
            process.kill()
            process.wait()


def ask(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")
