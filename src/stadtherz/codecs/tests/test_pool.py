"""Workers: bare of everything, replaced when they end, and nobody waits long for another's codec."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stadtherz.codecs import pool as pools
from stadtherz.codecs import process
from stadtherz.codecs.limits import Limits
from stadtherz.codecs.lines import Line, Suspects, Ticket
from stadtherz.codecs.outcomes import Decoded, Failed, Fault
from stadtherz.codecs.pool import Pool
from stadtherz.codecs.process import Job, Lost, Worker

GOOD = "function Decoder(bytes) { return {n: bytes.length} }"
SLOW = "function Decoder() { for (;;); }"
STUCK = "function Decoder() { return {a: new Array(2e9).join('ab')} }"
LIMITS = Limits(cpu=0.2, patience=3.0, alarm=30.0)


@pytest.fixture
def limits() -> Limits:
    return LIMITS


@pytest.fixture
def pool(limits: Limits) -> Iterator[Pool]:
    pool = Pool(limits)
    yield pool
    pool.stop()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(LIMITS)
    yield worker
    worker.kill()


def job(text: str = GOOD, owner: object = 0) -> Job:
    return Job(text=text, payload=b"\x01", f_port=1, received=0, owner=owner)


def ticket(text: str = GOOD, owner: object = 0, since: float = 0.0) -> Ticket:
    return Ticket(job(text, owner), since)


def test_a_worker_has_only_utc_for_its_environment_no_open_files_and_no_network_of_ours(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc = Path(f"/proc/{worker._process.pid}")
    assert (proc / "environ").read_bytes() == b"TZ=UTC\0"
    assert (proc / "cwd").resolve() == Path("/")
    assert {entry.name for entry in (proc / "fd").iterdir()} == {"0", "1", "2"}
    limits = (proc / "limits").read_text()
    for name in ("Max open files", "Max file size", "Max core file size", "Max address space"):
        line = next(line for line in limits.splitlines() if line.startswith(name))
        assert "unlimited" not in line, line


def test_a_worker_that_nobody_watches_ends_by_itself() -> None:
    """As after a kill of the parent in the middle of a decode."""
    script = Path(process.__file__).parent / "worker.py"
    limits = json.dumps(Limits(cpu=60.0, alarm=0.2).told())
    with subprocess.Popen(
        [sys.executable, "-I", str(script), limits],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={},
    ) as run:
        assert run.stdin is not None
        run.stdin.write(job(SLOW).request(known=False, forget=False))
        run.stdin.flush()
        assert run.wait(60) == -14  # SIGALRM


def test_a_worker_without_a_parent_ends(worker: Worker) -> None:
    assert worker._process.stdin is not None
    worker._process.stdin.close()
    assert worker._process.wait(20) == 0


def test_many_large_jobs_at_once_do_not_block_each_other(worker: Worker) -> None:
    """Requests and answers are each larger than a pipe holds."""
    text = "function Decoder(b) { return {a: 'x'.repeat(60000)} } //" + "x" * 200_000
    jobs = [job(f"{text}{number}") for number in range(16)]
    answers = list(worker.answers(jobs))
    assert all(isinstance(answer.outcome, Decoded) for answer in answers)


def test_a_worker_remembers_texts_and_forgets_some_when_they_are_many(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_REMEMBERED", 2)
    for number in (1, 2, 3, 1, 3, 2):
        (answer,) = worker.answers([job(f"function Decoder() {{ return {{n: {number}}} }}")])
        assert answer.outcome == Decoded({"n": number})


@pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{}", b"\x00\x00\x00"])
def test_a_worker_that_says_anything_else_is_given_up(
    said: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "worker.py"
    script.write_text(f"import sys; sys.stdout.buffer.write({said!r})")
    monkeypatch.setattr(process, "_SCRIPT", script)
    with pytest.raises(Lost):
        Worker(LIMITS)


def test_where_no_worker_starts_the_message_is_not_the_codecs_fault(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_SCRIPT", tmp_path / "missing.py")
    assert pool.submit(job()).result(60) == Failed(Fault.UNAVAILABLE)
    monkeypatch.undo()
    assert pool.submit(job()).result(60) == Decoded({"n": 1})


def test_who_comes_together_with_a_codec_that_hangs_waits_no_longer_than_its_limit(
    pool: Pool,
) -> None:
    """Six devices with stuck codecs come first; the next worker takes what they left."""
    pool.submit(job()).result(60)
    stuck = [pool.submit(job(STUCK, f"bad {number}")) for number in range(6)]
    began = time.monotonic()
    good = [pool.submit(job(owner=number)) for number in range(30)]
    assert all(future.result(60) == Decoded({"n": 1}) for future in good)
    assert not all(future.done() for future in stuck)
    assert time.monotonic() - began < len(stuck) * LIMITS.patience


@pytest.mark.parametrize("limits", [Limits(cpu=0.2, patience=1.0, alarm=30.0)])
def test_of_jobs_that_go_together_only_the_one_that_ends_the_worker_is_to_blame(
    pool: Pool,
) -> None:
    """The codec was quick before, so answers to the first jobs are held back when it gets stuck."""
    text = "function Decoder(b) { return {n: b[0] === 9 ? new Array(2e9).join('ab') : b[0]} }"
    jobs = [Job(text, bytes([number]), 1, 0, owner=number) for number in range(16)]
    assert pool.submit(jobs[0]).result(60) == Decoded({"n": 0})
    outcomes = [future.result(60) for future in pool.submit_all(jobs)]
    assert outcomes[9] == Failed(Fault.KILLED)
    sound = [outcome for number, outcome in enumerate(outcomes) if number != 9]
    assert sound == [Decoded({"n": number}) for number in range(16) if number != 9]


def test_answers_do_not_wait_for_a_slow_job_behind_them(worker: Worker) -> None:
    """A codec that runs for the first time may take long: what is ready is sent before."""
    slow = "function Decoder() { for (var n = 0; n < 5e5; n++); return {n: n} }"
    list(worker.answers([job()]))
    answers = worker.answers([job(), job(), job(slow)])
    began = time.monotonic()
    assert [next(answers).outcome for _ in range(2)] == [Decoded({"n": 1})] * 2
    quick = time.monotonic() - began
    (last,) = answers
    assert last.outcome == Decoded({"n": 500_000})
    assert quick < time.monotonic() - began


def test_a_codec_known_to_be_slow_delays_only_its_like(pool: Pool) -> None:
    assert pool.submit(job(SLOW)).result(60) == Failed(Fault.TOO_SLOW)
    slow = [pool.submit(job(SLOW, number)) for number in range(8)]
    good = [pool.submit(job(owner=number)) for number in range(8)]
    assert all(isinstance(future.result(60), Decoded) for future in good)
    assert not slow[-1].done()


def test_a_flood_of_slow_messages_is_turned_away_at_a_bound(
    pool: Pool,
) -> None:
    pool.submit(job(SLOW)).result(60)
    flood = [pool.submit(job(SLOW, number)) for number in range(pools._MOST_SLOW + 10)]
    assert sum(future.done() for future in flood) >= 9
    assert flood[-1].result(0) == Failed(Fault.BUSY)


def test_a_job_that_has_waited_too_long_is_not_begun(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_PATIENCE_S", -1.0)
    assert pool.submit(job()).result(60) == Failed(Fault.BUSY)


def test_a_worker_is_replaced_after_many_decodes(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_DECODES", 2)
    started: list[Worker] = []
    monkeypatch.setattr(
        pools, "Worker", lambda limits: started.append(Worker(limits)) or started[-1]
    )
    for _ in range(6):
        assert isinstance(pool.submit(job()).result(60), Decoded)
    assert len(started) >= 2


def test_a_pool_that_ends_finishes_what_is_quick_and_gives_up_what_is_slow(pool: Pool) -> None:
    pool.submit(job(SLOW)).result(60)
    slow = [pool.submit(job(SLOW, number)) for number in range(20)]
    good = [pool.submit(job(owner=number)) for number in range(20)]
    pool.stop()
    assert all(isinstance(future.result(0), Decoded) for future in good)
    assert slow[-1].result(0) == Failed(Fault.BUSY)


def test_a_stopped_pool_has_no_processes_and_starts_again(pool: Pool) -> None:
    pool.submit(job()).result(60)
    pool.stop()
    assert not any(thread.name == "codecs" for thread in threading.enumerate())
    assert pool.submit(job()).result(60) == Decoded({"n": 1})


def test_a_cancelled_job_does_not_end_the_worker(pool: Pool) -> None:
    waiting = [pool.submit(job(owner=number)) for number in range(20)]
    waiting[-1].cancel()
    assert all(isinstance(future.result(60), Decoded) for future in waiting[:-1])


def test_owners_take_turns() -> None:
    line = Line(10)
    for owner in ("a", "a", "a", "b", "c"):
        line.put(ticket(owner=owner))
    owners = [each.job.owner for _ in range(3) for each in line.take(2)]
    assert owners == ["a", "b", "c", "a", "a"]
    assert len(line) == 0


def test_a_suspicion_ends() -> None:
    suspects = Suspects()
    suspects.judge(job(SLOW).code, 1.0, now=100.0)
    suspects.judge(job(GOOD).code, 0.001, now=100.0)
    assert ticket(SLOW, since=101.0) in suspects
    assert ticket(SLOW, since=200.0) not in suspects
    assert ticket(GOOD, since=101.0) not in suspects


def test_nothing_of_ours_is_imported_by_a_worker() -> None:
    """Whatever a script got hold of there, it would find no code that knows the database."""
    text = Path(process.__file__).with_name("worker.py").read_text()
    assert "import stadtherz" not in text
    assert "from stadtherz" not in text
    assert os.environ.get("STADTHERZ_DATA")
