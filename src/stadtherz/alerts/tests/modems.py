"""Real daemons for GSM modems: gammu-smsd with its own false telephone, smsd with a false modem."""

import os
import re
import shutil
import subprocess
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from stadtherz.alerts.tests.processes import eventually

_GAMMU = """[gammu]
model = dummy
connection = none
port = {folder}/phone
gammuloc = /dev/null

[smsd]
service = files
logfile = {folder}/log
debuglevel = 255
commtimeout = 1
receivefrequency = 1
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/failed/
"""
_SMSD = """devices = GSM1
logfile = {folder}/log
loglevel = 7
infofile = {folder}/smsd.working
pidfile = {folder}/smsd.pid
outgoing = {folder}/outbox
checked = {folder}/checked
incoming = {folder}/inbox
sent = {folder}/sent
failed = {folder}/failed
delaytime = 1
errorsleeptime = 1
blocktime = 5
decode_unicode_text = no
incoming_utf8 = yes

[GSM1]
device = {device}
init = ATE0
incoming = yes
pre_init = no
check_network = 0
send_delay = -1
baudrate = 115200
cs_convert = yes
using_routed_status_report = no
"""


@dataclass
class Folders:
    """What a daemon works on."""

    folder: Path

    def settings(self) -> dict[str, str]:
        return {
            "folder": str(self.folder / "outbox"),
            "inbox": str(self.folder / "inbox"),
            "sent": str(self.folder / "sent"),
            "failed": str(self.folder / "failed"),
        }

    def names(self, name: str) -> list[str]:
        return sorted(path.name for path in (self.folder / name).iterdir())

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Telephone(Folders):
    """gammu-smsd's."""

    def arrives(self, sender: str, text: str) -> None:
        """Somebody has sent an SMS to this telephone."""
        command = ["gammu", "-c", str(self.folder / "gammurc"), "savesms", "TEXT", "-folder", "1"]
        command += ["-unread", "-sender", sender, "-text", text]
        subprocess.run(command, check=True, capture_output=True, timeout=30)


@contextmanager
def gammu(folder: Path) -> Iterator[Telephone]:
    telephone = Telephone(_made(folder, "phone"))
    configuration = folder / "gammurc"
    configuration.write_text(_GAMMU.format(folder=folder))
    process = subprocess.Popen(
        ["gammu-smsd", "-c", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually((folder / "phone" / "sms" / "1").is_dir)
        yield telephone
    finally:
        process.terminate()
        process.wait(timeout=30)


@dataclass
class Modem(Folders):
    """The other end of a serial line: it knows the few commands (3GPP TS 27.005) that smsd asks."""

    sent: list[str] = field(default_factory=list)  # PDUs in hexadecimal
    waiting: dict[int, str] = field(default_factory=dict)
    refuses: bool = False

    def arrives(self, pdu: str) -> None:
        self.waiting[len(self.waiting) + 1] = pdu

    def talk(self, line: int) -> None:
        heard = b""
        with suppress(OSError):
            while True:
                heard += os.read(line, 1024)
                while (end := re.search(rb"[\r\x1a]", heard)) is not None:
                    said, mark = heard[: end.start()].strip(), end.group()
                    heard = heard[end.end() :]
                    if said:
                        os.write(line, self._answer(said.decode("latin-1"), mark).encode())

    def _answer(self, said: str, mark: bytes) -> str:
        if mark == b"\x1a":
            if self.refuses:
                return "\r\n+CMS ERROR: 500\r\n"
            self.sent.append(said)
            return f"\r\n+CMGS: {len(self.sent)}\r\n\r\nOK\r\n"
        if said.startswith("AT+CMGS="):
            return "\r\n> "
        if said.startswith("AT+CPMS"):
            used = len(self.waiting)
            return f'\r\n+CPMS: "SM",{used},20,"SM",{used},20,"SM",{used},20\r\n\r\nOK\r\n'
        if (asked := re.match(r"AT\+CMGR=(\d+)", said)) and int(asked[1]) in self.waiting:
            pdu = self.waiting[int(asked[1])]
            return f"\r\n+CMGR: 0,,{len(pdu) // 2 - 1}\r\n{pdu}\r\n\r\nOK\r\n"
        if deleted := re.match(r"AT\+CMGD=(\d+)", said):
            self.waiting.pop(int(deleted[1]), None)
        known = {"AT+CPIN?": "+CPIN: READY", "AT+CREG?": "+CREG: 0,1", "AT+CSQ": "+CSQ: 20,0"}
        return f"\r\n{known[said]}\r\n\r\nOK\r\n" if said in known else "\r\nOK\r\n"


@contextmanager
def smsd(folder: Path) -> Iterator[Modem]:
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    modem = Modem(_made(folder, "checked"))
    configuration = folder / "smsd.conf"
    configuration.write_text(_SMSD.format(folder=folder, device=os.ttyname(theirs)))
    thread = threading.Thread(target=modem.talk, args=(ours,), daemon=True)
    thread.start()
    path = shutil.which("smsd") or "/usr/sbin/smsd"
    process = subprocess.Popen(
        [path, "-t", f"-c{configuration}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield modem
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
        os.close(theirs)
        os.close(ours)


def _made(folder: Path, *more: str) -> Path:
    for name in ("outbox", "inbox", "sent", "failed", *more):
        (folder / name).mkdir(parents=True)
    return folder
