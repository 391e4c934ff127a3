"""Which requests come in, what of them is believed, and what may be kept of the answers."""

import asyncio
from typing import Any

import pytest

from stadtherz.project import admission


def request(*headers: tuple[bytes, bytes], path: str = "/", **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "headers": list(headers), **more}


def named(host: bytes, path: str = "/") -> dict[str, Any]:
    return request((b"host", host), path=path)


@pytest.mark.parametrize("host", [b"localhost", b"127.0.0.1:8000", b"[::1]:8000", b"LOCALHOST."])
def test_the_citys_own_names_come_in(host: bytes) -> None:
    assert admission.refusal(named(host)) is None


@pytest.mark.parametrize(
    "host", [b"evil.example", b"localhost@evil.example", b"", b"local\xffhost", b"localhost/x"]
)
@pytest.mark.parametrize("path", ["/", "/sta/v1.1/Things", "/live"])
def test_other_names_are_refused_with_the_way_out(host: bytes, path: str) -> None:
    refused = admission.refusal(named(host, path))
    assert refused is not None
    assert refused.status == 400
    assert "STADTHERZ_HOSTS" in refused.sentence


def test_a_network_server_may_call_us_by_any_name() -> None:
    assert admission.refusal(named(b"city.internal", "/ingest/tts")) is None


@pytest.mark.parametrize("hosts", [(), ((b"host", b"localhost"), (b"host", b"evil.example"))])
def test_a_request_names_exactly_one_host(hosts: tuple[tuple[bytes, bytes], ...]) -> None:
    assert admission.refusal(request(*hosts)) is not None


def test_a_request_for_no_path_is_refused() -> None:
    assert admission.refusal(request((b"host", b"localhost"), path="*")) is not None


@pytest.mark.parametrize(
    "name", [b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"x_forwarded_proto"]
)
def test_nobody_behind_the_door_reads_for_whom_it_was_forwarded(name: bytes) -> None:
    seen = admission.without_hearsay(request((b"host", b"localhost"), (name, b"https")))
    assert seen["headers"] == [(b"host", b"localhost")]
    assert seen["scheme"] == "http"


@pytest.mark.parametrize(
    ("host", "scheme"), [(b"stadt.example", "https"), (b"127.0.0.1:8000", "http")]
)
def test_under_the_citys_name_links_are_what_the_city_is_known_by(
    settings: Any, host: bytes, scheme: str
) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "public_url": "https://stadt.example"}
    seen = admission.without_hearsay(request((b"host", host), scheme="http"))
    assert seen["scheme"] == scheme


def answered(scope: dict[str, Any], *given: tuple[bytes, bytes]) -> dict[bytes, bytes]:
    """The headers of an answer that passed the guard; each must stand there once."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    start = {"type": "http.response.start", "status": 200, "headers": list(given)}
    asyncio.run(admission.guarded(scope, send)(start))
    headers = dict(sent[0]["headers"])
    assert len(headers) == len(sent[0]["headers"])
    return headers


@pytest.mark.parametrize(
    "shown", [(b"authorization", b"Bearer x"), (b"cookie", b"a=b; sessionid=x")]
)
def test_what_somebody_sees_with_credentials_is_kept_by_no_cache(
    shown: tuple[bytes, bytes],
) -> None:
    headers = answered(request(shown), (b"cache-control", b"no-cache"))
    assert headers[b"cache-control"] == b"private, no-store"


def test_what_everybody_sees_may_be_kept() -> None:
    headers = answered(request((b"cookie", b"a=b")), (b"cache-control", b"no-cache"))
    assert headers[b"cache-control"] == b"no-cache"


def test_answers_run_nothing_and_are_framed_by_nobody() -> None:
    headers = answered(request(), (b"x-content-type-options", b"nosniff"))
    assert b"default-src 'none'; frame-ancestors 'none'" in headers[b"content-security-policy"]


def test_https_lasts_where_it_is_spoken(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    assert b"strict-transport-security" in answered(request(scheme="https"))
    assert b"strict-transport-security" not in answered(request(scheme="http"))
