"""Where the listener listens, from the city's settings. What is not safe must be asked for by name."""

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stadtherz.base.errors import Invalid

SETTING = "STADTHERZ_MQTT"
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Listening:
    host: str
    port: int
    tls: bool

    @property
    def scheme(self) -> str:
        return "mqtts" if self.tls else "mqtt"


def listening(text: str, *, plain: bool) -> list[Listening]:
    """The addresses of `mqtt://127.0.0.1:1883,mqtts://0.0.0.0:8883`.

    Raises Invalid for what is no such address, and, unless `plain`, for passwords in clear text on
    anything but the loopback.
    """
    return [_one(part.strip(), plain=plain) for part in text.split(",") if part.strip()]


def _one(text: str, *, plain: bool) -> Listening:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as problem:
        raise Invalid(SETTING, f"{text} is no address: {problem}") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise Invalid(SETTING, f"{text} is not like mqtt://127.0.0.1:1883 or mqtts://0.0.0.0:8883")
    tls = parts.scheme == "mqtts"
    if not (tls or plain or _is_loopback(parts.hostname)):
        raise Invalid(
            SETTING,
            f"{text} would take tokens unencrypted from the network. Use mqtts:// with"
            f" {SETTING}_CERTIFICATE and {SETTING}_KEY, or set {SETTING}_PLAIN=1 where something"
            " else encrypts",
        )
    return Listening(parts.hostname, _PORTS[parts.scheme] if port is None else port, tls)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def endpoints(listening: Sequence[Listening], ports: Sequence[int], name: str) -> list[str]:
    """How clients reach the addresses, under the city's name."""
    shown = f"[{name}]" if ":" in name else name
    return [f"{each.scheme}://{shown}:{port}" for each, port in zip(listening, ports, strict=True)]


class Certificate:
    """A certificate on disk; whoever renews it there need not start the server anew."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self._files = (certificate, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._times()
        self._load()

    def refresh(self) -> None:
        """Use the certificate as it is now; on an error the old one stays in use."""
        times = self._times()
        if times != self._seen:
            self._load()
            self._seen = times

    def _load(self) -> None:
        certificate, key = self._files
        try:
            self.context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as problem:
            raise Invalid(
                f"{SETTING}_CERTIFICATE", f"{certificate} cannot be used: {problem}"
            ) from problem

    def _times(self) -> tuple[float, ...]:
        return tuple(path.stat().st_mtime for path in self._files if path and path.exists())
