"""The first messages after a start come together, and the process survives it."""

import subprocess
import sys

_PROGRAM = """
import sys, threading
from msgspec import defstruct
from stadtherz.ingest.lorawan.documents import Part, convert

sys.setswitchinterval(1e-6)
for turn in range(400):
    inner = defstruct("Inner", [("a", int | None, None), ("b", str | None, None)], bases=(Part,))
    middle = defstruct("Middle", [("inner", list[inner] | None, None)], bases=(Part,))
    outer = defstruct("Outer", [("middle", middle | None, None)], bases=(Part,))
    ready = threading.Barrier(4)

    def read():
        ready.wait()
        assert convert({"middle": {"inner": [{"a": 1}]}}, outer).middle.inner[0].a == 1

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("alive")
"""


def test_threads_that_read_the_first_documents_together_do_not_end_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
