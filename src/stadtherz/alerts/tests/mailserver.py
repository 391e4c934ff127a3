"""A real SMTP server in a process of its own; each accepted mail becomes a file.

    python mailserver.py FOLDER PORT_FILE

A file `FOLDER/kill` with "STAGE PID" makes it kill that process (SIGKILL) when a conversation reaches
the stage: connect, mail, rcpt, data, body (some of the text has come, not the dot), accepted (after
the dot, before the 250). `FOLDER/answers` with "STAGE CODE TEXT" makes it give that answer once.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

STAGES = ("connect", "mail", "rcpt", "data", "accepted")


@dataclass(frozen=True, slots=True)
class MailServer:
    """The tests' side of the server."""

    folder: Path
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def received(self) -> list[EmailMessage]:
        """What was accepted, in order."""
        files = sorted(self.folder.glob("*.eml"))
        return [message_from_bytes(f.read_bytes(), policy=policy.default) for f in files]  # type: ignore[misc]

    def subjects(self) -> list[str]:
        return [message["Subject"] for message in self.received()]

    def kill_at(self, stage: str, pid: int) -> None:
        _write(self.folder / "kill", f"{stage} {pid}")

    def kill_server(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def answer(self, stage: str, reply: str) -> None:
        _write(self.folder / "answers", f"{stage} {reply}")


@contextmanager
def running(folder: Path) -> Iterator[MailServer]:
    folder.mkdir(parents=True, exist_ok=True)
    port_file = folder / "port"
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder), str(port_file)], env={**os.environ}
    )
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield MailServer(folder, int(port_file.read_text()), process.pid)
    finally:
        process.terminate()
        process.wait()


class Handler:
    """Follows the orders in the folder; otherwise accepts everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reach(self, stage: str) -> str | None:
        """What to answer at this stage instead of the usual; kills whoever is to be killed."""
        if (pid := self._order("kill", stage)) is not None:
            os.kill(int(pid), signal.SIGKILL)
        return self._order("answers", stage)

    def _order(self, name: str, stage: str) -> str | None:
        path = self.folder / name
        if not path.exists():
            return None
        wanted, _, rest = path.read_text().partition(" ")
        if wanted != stage:
            return None
        path.unlink()
        return rest

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (reply := self.reach("mail")) is not None:
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (reply := self.reach("rcpt")) is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if (pid := self._order("kill", "accepted")) is not None:
            os.kill(int(pid), signal.SIGKILL)
            # Blocking, not awaiting: like a real server it keeps what it took, whoever has gone.
            time.sleep(0.2)  # noqa: ASYNC251
        if (reply := self._order("answers", "accepted")) is not None:
            return reply
        content = envelope.original_content or b""
        _write(self.folder / f"{time.time_ns():020}.eml", content)
        return "250 OK"


class Server(SMTP):
    """aiosmtpd with two more stages: when a line comes in, and at the DATA command."""

    def connection_made(self, transport: Any) -> None:
        self.event_handler.reach("connect")
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if (reply := self.event_handler.reach("data")) is not None:
            await self.push(reply)
            return
        await super().smtp_DATA(arg)


def _write(path: Path, content: str | bytes) -> None:
    """Whole or not at all: somebody else reads at the same time."""
    raw = content.encode() if isinstance(content, str) else content
    part = path.with_name(path.name + ".part")
    part.write_bytes(raw)
    part.rename(path)


async def _serve(folder: Path, port_file: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(Handler(folder)), "127.0.0.1", 0)
    _write(port_file, str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
