"""Documents that `bench.sender` posts as its own process, and what it tells of them."""

import json
import subprocess
import sys
from urllib.parse import urlsplit

from bench.town import Town


def posted(
    place: Town, url: str, count: int, *, connections: int, session: str, decoded: bool = True
) -> dict[str, float]:
    """Post so many documents, each acknowledged after it is on disk; ends the benchmark if any is refused."""
    address = urlsplit(url)
    order = {
        "host": address.hostname,
        "port": address.port,
        "token": place.token,
        "devices": place.devices,
        "session": session,
        "count": count,
        "connections": connections,
        "decoded": decoded,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.sender"],
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    if told["refused"]:
        raise SystemExit(f"{told['refused']} documents were refused")
    return told
