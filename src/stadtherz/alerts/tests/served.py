"""A server of somebody else's in a thread of the tests, on a free port of the loopback."""

import http.server
import threading
from typing import Any


class Quiet(http.server.BaseHTTPRequestHandler):
    """Reads what is posted and writes no log; what it answers, says `answer`."""

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.says(200)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def says(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        return


class Served:
    """Answers by a handler until it is closed."""

    def __init__(self, handler: type[Quiet]) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
