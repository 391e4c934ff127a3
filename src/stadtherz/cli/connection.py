"""One HTTP connection that does not wait for ever: uvicorn's own, with limits.

A proxy in front usually does this; a city that is started with one command has none.
"""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024


class BoundedConnection(HttpToolsProtocol):
    """Ends a connection whose client sends too long a head, stops sending, or stops reading.

    While a head is on its way, its whole time counts; of a body, the time since its last piece.
    An answer may take as long as it likes: live streams do.
    """

    patience_s = 30.0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._in_head = True
        self._head = 0
        self._sender: TimerHandle | None = None
        self._reader: TimerHandle | None = None
        self._await_more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await_nothing()
        self._reader_moves()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._sender is not None and not self._in_head:
            self._await_more()
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self.send_400_response("The head of the request is too long.")

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """From here on it is a websocket, which may be silent for long and has limits of its own."""
        self._await_nothing()
        self._reader_moves()
        super().handle_websocket_upgrade()

    # --- what is on its way to us --------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head = 0
        self._await_more()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > LARGEST_HEAD:
            raise ValueError("the head of the request is too long")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._await_more()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._await_nothing()
        super().on_message_complete()

    def _await_more(self) -> None:
        self._await_nothing()
        self._sender = self.loop.call_later(self.patience_s, self._give_up_sender)

    def _await_nothing(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None

    def _give_up_sender(self) -> None:
        if self.flow.read_paused:  # it is us who do not read just now
            self._await_more()
        else:
            self._end()

    # --- what is on its way to the client ------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reader is None:
            self._reader = self.loop.call_later(self.patience_s, self._end)

    def resume_writing(self) -> None:
        self._reader_moves()
        super().resume_writing()

    def _reader_moves(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _end(self) -> None:
        self.transport.abort()
