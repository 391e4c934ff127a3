"""A mail server and a provider of SMS that count, as their own process; the product has never seen either.

    python -m bench.gateways FILE PATIENCE

Prints its two ports. Each message that it has taken becomes a line of FILE: the moment (seconds), the way
(email, sms), the message's own id, to whom and its first line. It answers at random after up to PATIENCE
seconds, as such servers do; what it has written down it has taken, whether or not anybody waits for that.
"""

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
FORM = {
    "path": "/messages",
    "body": {"id": "{id}", "to": "{to}", "text": "{text}"},
    "code_path": ["taken"],
    "accepted": ["yes"],
    "id_path": ["id"],
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that a gateway has."""

    at: float
    way: str
    id: str
    to: str
    subject: str


@dataclass(frozen=True, slots=True)
class Gateways:
    """The benchmarks' side."""

    file: Path
    smtp: int
    sms: int

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self.smtp}"

    @property
    def sms_settings(self) -> dict[str, object]:
        return {"url": f"http://127.0.0.1:{self.sms}", "form": FORM}

    def taken(self) -> list[Taken]:
        """All messages so far, in the order in which they came."""
        return [Taken(**json.loads(line)) for line in self.file.read_text().splitlines()]


@contextmanager
def running(folder: Path, patience: float = 0.0) -> Iterator[Gateways]:
    file = folder / "taken"
    file.touch()
    command = [sys.executable, "-m", "bench.gateways", str(file), str(patience)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            smtp, sms = map(int, line.split())
            yield Gateways(file, smtp, sms)
        finally:
            process.kill()


class _Counter:
    def __init__(self, file: Path, patience: float) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND)
        self._patience = patience

    def takes(self, taken: dict[str, object]) -> None:
        line = json.dumps({"at": time.time(), **taken}) + "\n"
        os.write(self._file, line.encode())

    async def thinks(self) -> None:
        if self._patience:
            await asyncio.sleep(random.random() * self._patience)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await self.thinks()
        content = envelope.original_content or b""
        message = message_from_bytes(content, policy=policy.default)
        for recipient in envelope.rcpt_tos:
            mail = {"id": str(message["Message-ID"]), "subject": str(message["Subject"])}
            self.takes({"way": "email", "to": recipient, **mail})
        await self.thinks()
        return "250 OK"

    async def sms(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request for each connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            body = await reader.readexactly(int(found[1]) if found else 0)
            await self.thinks()
            sms = json.loads(body)
            self.takes({"way": "sms", "id": sms["id"], "to": sms["to"], "subject": sms["text"]})
            await self.thinks()
            answer = json.dumps({"taken": "yes", "id": "theirs-" + sms["id"]}).encode()
            lines = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
            writer.write(lines.encode() + answer)
            await writer.drain()
        except (OSError, EOFError):
            pass  # whoever asked has been killed
        finally:
            writer.close()


async def _serve(file: Path, patience: float) -> None:
    counter, loop = _Counter(file, patience), asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(counter), "127.0.0.1", 0)
    sms = await asyncio.start_server(counter.sms, "127.0.0.1", 0)
    print(smtp.sockets[0].getsockname()[1], sms.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(smtp.serve_forever(), sms.serve_forever())


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2])))
