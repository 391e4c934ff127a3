"""kill -9 while messages go to a network by HTTP: none is lost, none goes out twice, what is uncertain is said."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest
from django.conf import settings

from stadtherz.base.time import now_us
from stadtherz.ingest.downlinks import handing, servers
from stadtherz.ingest.downlinks.models import Downlink, DownlinkServer
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.models import Device
from stadtherz.ingest.public import send_again, send_downlink
from stadtherz.ingest.tests.broker import eventually
from stadtherz.ingest.tests.factories import Town
from tests.forked import Forked, forked

PROGRAM = Path(__file__).with_name("downlink_process.py")

pytestmark = pytest.mark.process


class Network:
    """A real HTTP server. It may kill the process that calls it: when it has `connected`, when its message
    has been `read`, or when it has been `answered`.
    """

    def __init__(self) -> None:
        self.came: list[str] = []
        self.kill_at: tuple[str, int] | None = None
        network = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                if not network.kills("connected"):
                    super().handle()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                network.came.append(orjson.loads(body)["data"])
                if network.kills("read"):
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                self.wfile.flush()
                network.kills("answered")

            def log_message(self, *_told: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def kills(self, stage: str) -> bool:
        if self.kill_at is None or self.kill_at[0] != stage:
            return False
        _stage, pid = self.kill_at
        self.kill_at = None
        os.kill(pid, signal.SIGKILL)
        return True

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    monkeypatch.setattr(settings, "PULL_PRIVATE", True)
    started = Network()
    yield started
    started.stop()


@contextmanager
def running(data: Path, *dies: str) -> Iterator[Forked]:
    """The thread at work; at the end comes kill -9."""
    more = {"STADTHERZ_DATA": str(data), "STADTHERZ_PULL_PRIVATE": "1"}
    with forked(PROGRAM, *dies, **more) as process:
        assert process.stdout.readline() == "runs\n"
        yield process


@pytest.fixture
def device(transactional_db: None, town: Town, network: Network) -> Device:
    Device.objects.filter(pk=town.device).update(network="loriot")
    row = DownlinkServer(
        owner_id=town.organisation, network="loriot", url=network.url, application="BE7A0001"
    )
    row.keep_key("secret")
    row.save()
    return Device.objects.get(pk=town.device)


def ask(device: Device, count: int) -> list[Downlink]:
    return [send_downlink(device, f"{number:02X}", 1, actor="test") for number in range(count)]


def texts(rows: list[Downlink]) -> list[str]:
    return [bytes(row.payload).hex().upper() for row in rows]


def later() -> None:
    """As if what was being handed over had been so for a while."""
    rows = Downlink.objects.filter(state=State.HANDING_OVER)
    rows.update(changed_at=now_us() - 3 * handing.ABANDONED - 1)


def in_state(*states: State) -> list[Downlink]:
    return list(Downlink.objects.filter(state__in=states).order_by("pk"))


def finish() -> None:
    """Another process takes up what is left."""
    later()
    for _ in range(5):
        servers.hand_over()


def check(network: Network, asked: list[Downlink]) -> list[Downlink]:
    """Nothing lost, nothing twice, and what a person has to decide; gives those."""
    assert len(network.came) == len(set(network.came)), network.came
    handed, uncertain = in_state(State.HANDED_OVER), in_state(State.UNKNOWN)
    assert {row.pk for row in (*handed, *uncertain)} == {row.pk for row in asked}
    assert set(texts(handed)) <= set(network.came) <= set(texts([*handed, *uncertain]))
    assert all("not known" in row.sentence or "nicht bekannt" in row.sentence for row in uncertain)
    return uncertain


@pytest.mark.parametrize(
    ("dies", "came"),
    [
        (("after", "begin"), False),  # claimed, and nothing has gone out
        (("before", "record"), True),  # answered, and nobody has noted it
    ],
)
def test_killed_between_two_steps_it_is_uncertain_and_not_repeated(
    device: Device, network: Network, tmp_path: Path, dies: tuple[str, str], came: bool
) -> None:
    asked = ask(device, 3)
    with running(tmp_path, *dies) as doomed:
        assert doomed.wait(30) == -signal.SIGKILL
    assert network.came == (["00"] if came else [])
    assert [row.state for row in in_state(*State)] == [
        State.HANDING_OVER, State.QUEUED, State.QUEUED,
    ]  # fmt: skip
    finish()
    assert texts(check(network, asked)) == ["00"]


def test_killed_after_it_is_recorded_nothing_is_uncertain(
    device: Device, network: Network, tmp_path: Path
) -> None:
    asked = ask(device, 3)
    with running(tmp_path, "after", "record") as doomed:
        assert doomed.wait(30) == -signal.SIGKILL
    assert texts(in_state(State.HANDED_OVER)) == ["00"]
    finish()
    assert check(network, asked) == []


@pytest.mark.parametrize("stage", ["connected", "read", "answered"])
def test_killed_while_the_network_talks_to_it_nothing_goes_out_twice(
    device: Device, network: Network, tmp_path: Path, stage: str
) -> None:
    with running(tmp_path) as doomed:
        network.kill_at = (stage, doomed.pid)
        asked = ask(device, 3)
        assert doomed.wait(30) == -signal.SIGKILL
    finish()
    uncertain = texts(check(network, asked))
    assert uncertain == ["00"] or (stage == "answered" and uncertain in ([], ["00"]))
    assert ("00" in network.came) is (stage != "connected")


def test_what_somebody_is_handing_over_right_now_is_left_to_them(
    device: Device, network: Network, tmp_path: Path
) -> None:
    ask(device, 1)
    with running(tmp_path, "after", "begin") as doomed:
        assert doomed.wait(30) == -signal.SIGKILL
    servers.hand_over()
    assert len(in_state(State.HANDING_OVER)) == 1
    assert network.came == []


def test_what_is_uncertain_goes_out_once_more_when_a_person_says_so(
    device: Device, network: Network, tmp_path: Path
) -> None:
    ask(device, 1)
    with running(tmp_path, "after", "begin") as doomed:
        assert doomed.wait(30) == -signal.SIGKILL
    finish()
    (uncertain,) = in_state(State.UNKNOWN)
    send_again(uncertain, actor="test")
    finish()
    assert network.came == ["00"]


def test_killed_again_and_again_between_two_processes_nothing_is_lost_or_sent_twice(
    device: Device, network: Network, tmp_path: Path
) -> None:
    """Two processes take messages at once; one after the other is killed wherever it just is."""
    asked = ask(device, 20)
    rounds = 0
    with running(tmp_path):
        while in_state(State.QUEUED) and rounds < 8:
            rounds += 1
            with running(tmp_path) as doomed:
                network.kill_at = (("connected", "read", "answered")[rounds % 3], doomed.pid)
                eventually(
                    lambda: network.kill_at is None or not in_state(State.QUEUED),
                    "somebody was killed, or all has gone out",
                )
        eventually(lambda: not in_state(State.QUEUED), "all is taken")
    finish()
    assert len(check(network, asked)) <= rounds + 1
