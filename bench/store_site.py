"""Where the benchmark's stores are, and the processes that hold them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


class Worker:
    """A process of `bench.store_worker`; `begun` is when it was started."""

    def __init__(self, folder: Path, engine: str) -> None:
        environment = dict(os.environ) | {"STADTHERZ_ENGINE": engine}
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.store_worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def tell(self, task: str, **arguments: Any) -> Any:
        """What the process answers to the task."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{task} failed with {self._process.wait()}")
        return json.loads(line)

    def kill(self) -> None:
        """As the kernel does it: no chance to tidy up."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


class Site:
    """A store of its own: a folder, or on PostgreSQL a folder and a database."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.folder = root / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._given = os.environ.get("STADTHERZ_ENGINE", "")
        self.engine = self._database() if self._given.startswith("postgres") else ""

    def _database(self) -> str:
        """The address of a database beside the named one, created if it is not there."""
        parts = urlsplit(self._given)
        name = f"{parts.path.lstrip('/')}_{self.name}"
        with psycopg.connect(self._given, autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return urlunsplit(parts._replace(path=f"/{name}"))

    def remove_database(self) -> None:
        """Drop the database; the folder goes with the one it lies in."""
        if not self.engine:
            return
        name = urlsplit(self.engine).path.lstrip("/")
        with psycopg.connect(self._given, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))

    def start(self) -> Worker:
        return Worker(self.folder, self.engine)

    @contextmanager
    def worker(self, *, raw: bool = True) -> Iterator[Worker]:
        """A process on this store while the block runs; `raw` opens plain rows as well."""
        worker = self.start()
        try:
            if raw:
                worker.tell("open_raw")
            yield worker
        finally:
            worker.end()

    def fill(self, plan: dict[str, Any], streams: int, *, raw: bool = False) -> dict[str, Any]:
        """Build and fill the store unless an earlier run did, and say what that took."""
        with self.worker(raw=False) as worker:
            held = worker.tell("filled")
            if held and all(held.get(name) == value for name, value in plan.items()):
                return dict(held["told"])
            if held:
                raise SystemExit(f"{self.folder} holds other readings; name another folder")
            built = worker.tell("build", streams=streams)
            return dict(worker.tell("fill", plan=plan | built, raw=raw))
