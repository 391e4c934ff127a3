"""How fast warnings leave by mail: each on a line of its own, and many on one.

    python bench/mails.py [--messages 500]

A real mail server (aiosmtpd) in a process of its own, on this machine, without and with STARTTLS and a
password. Over a network each round trip that a line of its own costs comes on top.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from email.message import EmailMessage
from pathlib import Path

from stadtherz.alerts.channels.curve import Axes, Curve, Line, png
from stadtherz.alerts.channels.smtp import Lines, hand_over
from stadtherz.base.mailserver import MailServer
from stadtherz.base.time import HOUR, MINUTE

_SERVER = """
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
class Take:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"
async def main(file, certificate):
    options = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options = {"tls_context": context, "authenticator": lambda *a: AuthResult(success=True)}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Take(), **options), "127.0.0.1", 0)
    open(file + ".part", "w").write(str(server.sockets[0].getsockname()[1]))
    __import__("os").rename(file + ".part", file)
    await server.serve_forever()
asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
"""


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--messages", type=int, default=500)
    number = asked.parse_args().messages
    picture = _picture()
    began = time.perf_counter()
    for _time in range(20):
        _picture()
    print(
        f"drawing a curve: {(time.perf_counter() - began) / 20 * 1000:.0f} ms, {len(picture)} bytes"
    )
    mail = _mail(picture)
    with tempfile.TemporaryDirectory() as folder:
        certificate = _certificate(Path(folder))
        for name, tls in (("plain", ""), ("STARTTLS and AUTH", certificate)):
            _measure(Path(folder), name, tls, mail, number)


def _measure(folder: Path, name: str, certificate: str, mail: EmailMessage, number: int) -> None:
    port_file = folder / f"port-{bool(certificate)}"
    command = [sys.executable, "-c", _SERVER, str(port_file), *filter(None, [certificate])]
    process = subprocess.Popen(command, env={**os.environ}, stderr=subprocess.DEVNULL)
    try:
        while not port_file.exists():
            time.sleep(0.02)
        server = MailServer(
            "127.0.0.1",
            int(port_file.read_text()),
            user="stadt" if certificate else "",
            password="geheim" if certificate else "",
            starttls=bool(certificate),
            ca=certificate,
        )
        lines = Lines()
        for way, give in (("a line each", hand_over), ("one line", lines.hand_over)):
            rate = _rate(give, server, mail, number)
            print(f"{name}, {way}: {rate:.0f} messages/s")
        lines.close()
    finally:
        process.terminate()
        process.wait()


def _rate(give: Callable[..., None], server: MailServer, mail: EmailMessage, number: int) -> float:
    began = time.perf_counter()
    for _time in range(number):
        give(
            server,
            mail,
            sender="a@stadt.example",
            recipient="b@stadt.example",
            before_text=lambda: None,
            before_dot=lambda: None,
        )
    return number / (time.perf_counter() - began)


def _picture() -> bytes:
    noon = 1_700_000_000_000_000
    points = [(noon - (144 - i) * 5 * MINUTE, 60 + i / 3) for i in range(144)]
    limits = (Line(90, "Vorwarnung", "warning"), Line(120, "Alarm", "danger"))
    curve = Curve("Pegel", "cm", points, limits, noon - 12 * HOUR, noon, noon, 3 * HOUR)
    return png(curve, Axes(UTC, lambda value: f"{value:g}", str))


def _mail(picture: bytes) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Vorwarnung", "a@stadt.example", "b@stadt.example"
    made.set_content("Die Lauter steigt.\n")
    made.add_attachment(picture, "image", "png")
    return made


def _certificate(folder: Path) -> str:
    """Of 127.0.0.1, by itself."""
    file = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return str(file)


if __name__ == "__main__":
    main()
