"""A real Mosquitto on the loopback, and clients that publish there."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
PATIENCE_S = 30


class Broker:
    """`lines` are more lines of its configuration."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = _free_port()
        self._folder = folder
        self._configuration = folder / "mosquitto.conf"
        folder.chmod(0o777)  # started by root, Mosquitto becomes somebody else
        self.configure(*(lines or ("allow_anonymous true",)))
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, *lines: str) -> None:
        common = [f"listener {self.port} 127.0.0.1", "persistence true", "max_queued_messages 0"]
        places = [f"persistence_location {self._folder}/", "user root", "log_dest none"]
        text = "\n".join([*common, *places, *lines, ""])
        self._configuration.write_text(text)

    def start(self) -> "Broker":
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._configuration)])
        eventually(self._listens, "Mosquitto listens")
        return self

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """As `systemctl stop` does: sessions are kept on disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None

    def passwords(self, **users: str) -> Path:
        file = self._folder / "passwords"
        file.touch(mode=0o600)
        for name, password in users.items():
            subprocess.run(["mosquitto_passwd", "-b", file, name, password], check=True)
        return file

    def certificate(self) -> str:
        """Speak TLS from the next start on; the certificate, which vouches for itself."""
        key, file = self._folder / "key.pem", self._folder / "certificate.pem"
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        names = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]
        places = ["-nodes", "-days", "30", "-keyout", str(key), "-out", str(file)]
        subprocess.run([*make, *names, *places], check=True, capture_output=True)
        self.configure("allow_anonymous true", f"certfile {file}", f"keyfile {key}")
        return file.read_text()

    def rights(self, **access: bool) -> list[str]:
        """Lines for what everybody may do: its plain list of rights knows no subscriptions."""
        (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
        file = self._folder / "rights.json"
        acls = [{"acltype": kind, "allow": may} for kind, may in access.items()]
        rights = {"defaultACLAccess": access, "groups": [{"groupname": "all"}], "acls": acls}
        file.write_bytes(orjson.dumps({**rights, "anonymousGroup": "all"}))
        return [f"plugin {plugin}", f"plugin_opt_config_file {file}"]

    def publish(self, topic: str, *documents: Any, qos: int = 1, **more: Any) -> None:
        """Returns when the broker has them."""
        with publisher(self.port, **more) as client:
            sent = [client.publish(topic, _bytes(each), qos) for each in documents]
            for each in sent:
                each.wait_for_publish(PATIENCE_S)


@contextmanager
def publisher(port: int, user: str = "", password: str = "") -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    if user:
        client.username_pw_set(user, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _bytes(document: Any) -> bytes:
    return document if isinstance(document, bytes) else orjson.dumps(document)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(0.05)
