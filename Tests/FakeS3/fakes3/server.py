"""The sockets of a fake server: asyncio carries the bytes, h11 knows HTTP, the store answers, the
script spoils."""

import asyncio
import itertools
import socket
import struct
import threading
from email.utils import formatdate

import h11

from .exchange import Reply, parse_request
from .record import Entry, Record
from .script import Script
from .store import Rules, Store

BODY_CHUNK_BYTES = 1 << 18
"""How much of a reply is handed to the socket at a time."""


class FakeS3:
    """One fake server on a free loopback port, in a thread of its own. Use it as a context
    manager."""

    def __init__(
        self,
        side="target",
        script: Script | None = None,
        record: Record | None = None,
        rules: Rules | None = None,
        latency_s: float = 0,
    ):
        self.side = side
        self.script = script if script is not None else Script()
        self.record = record if record is not None else Record()
        self.store = Store(rules)
        self.latency_s = latency_s
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"fake {side}", daemon=True
        )
        self._listener: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self.connection_numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connection_count(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def put(self, bucket: str, key: str, body=b"", headers=None, tags=None, etag=None, age_s=0):
        return self.store.put(bucket, key, body, headers, tags, etag, age_s)

    def start(self) -> "FakeS3":
        self._thread.start()
        self.listen()
        return self

    def stop(self):
        self.go_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def listen(self):
        """Takes connections, on the port of before if there was one."""
        self._listener = self._on_loop(
            self._loop.create_server(
                lambda: Connection(self), "127.0.0.1", self.port, backlog=1024, reuse_address=True
            )
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def go_down(self):
        """Refuses connections and cuts the open ones, until `listen` is called."""
        self._on_loop(self._close_all())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    async def _close_all(self):
        if self._listener:
            self._listener.close()
            self._listener = None
        for connection in list(self._connections):
            connection.cut("reset")

    def _on_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    def opened(self, connection: "Connection"):
        self._connections.add(connection)

    def closed(self, connection: "Connection"):
        self._connections.discard(connection)


class Connection(asyncio.Protocol):
    """One connection: requests are answered one after the other."""

    def __init__(self, server: FakeS3):
        self._server = server
        self._number = next(server.connection_numbers)
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._answering = False

    def connection_made(self, transport):
        self._transport = transport
        self._server.opened(self)

    def connection_lost(self, exc):
        self._server.closed(self)

    def data_received(self, data):
        self._http.receive_data(data)
        self._advance()

    def eof_received(self):
        return False

    def cut(self, how: str):
        """Ends the connection: "close" after what was written, "reset" at once, "stall" leaves it
        open for ever."""
        if how == "close":
            self._transport.close()
        elif how == "half-close":
            if not self._transport.is_closing():
                self._transport.write_eof()
        elif how == "reset":
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _advance(self):
        """Takes what h11 has understood so far."""
        while not self._answering:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                return self._transport.close()
            match event:
                case h11.NEED_DATA | h11.PAUSED | h11.ConnectionClosed():
                    return
                case h11.Request():
                    self._head, self._body = event, bytearray()
                    self._invite_body()
                case h11.Data():
                    self._body += event.data
                case h11.EndOfMessage():
                    self._answer()

    def _invite_body(self):
        if self._http.they_are_waiting_for_100_continue:
            self._transport.write(
                self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
            )

    def _answer(self):
        self._answering = True
        headers = {name.decode(): value.decode("latin-1") for name, value in self._head.headers}
        request = parse_request(
            self._head.method.decode(),
            self._head.target.decode("latin-1"),
            headers,
            bytes(self._body),
        )
        fault = self._server.script.fault_for(self._server.side, request)
        reply = (
            fault.strike(request, self._server.store)
            if fault
            else self._server.store.answer(request)
        )
        self._server.record.add(
            Entry(
                self._server.side,
                request.operation,
                request.method,
                request.bucket,
                request.key,
                headers,
                len(request.body),
                reply.status,
                fault.name if fault else "",
                request.target,
                self._number,
            )
        )
        wait_s = reply.delay_s + self._server.latency_s
        if wait_s:
            asyncio.get_running_loop().call_later(wait_s, self._send, request.method, reply)
        else:
            self._send(request.method, reply)

    def _send(self, method: str, reply: Reply):
        if self._transport.is_closing():
            return
        if reply.raw:
            return self._send_raw(reply, reply.raw(reply))
        if reply.cut_after == -1:
            return self.cut(reply.cut_by)
        body = b"" if method == "HEAD" else reply.body
        self._write_head(reply)
        if reply.cut_after is not None and reply.cut_after < len(body):
            self._write_body(body[: reply.cut_after])
            # The client shall have those bytes before the reset overtakes them.
            return asyncio.get_running_loop().call_later(0.05, self.cut, reply.cut_by)
        self._write_body(body)
        self._finish(reply)

    def _send_raw(self, reply: Reply, pieces):
        """Waits where a piece is a number, and while the peer does not read."""
        loop = asyncio.get_running_loop()
        for piece in pieces:
            if self._transport.is_closing():
                return
            if isinstance(piece, bytes):
                self._transport.write(piece)
            if not isinstance(piece, bytes) or self._transport.get_write_buffer_size() > 1 << 20:
                wait_s = 0.01 if isinstance(piece, bytes) else piece
                return loop.call_later(wait_s, self._send_raw, reply, pieces)
        # The client shall have those bytes before the reset overtakes them.
        loop.call_later(0.05, self.cut, reply.cut_by)

    def _write_head(self, reply: Reply):
        headers = {
            "date": formatdate(usegmt=True),
            "server": "FakeS3",
            "content-length": str(len(reply.body)),
        }
        if reply.status in (204, 304):
            del headers["content-length"]
        headers |= reply.headers
        fields = [(name, value.encode("latin-1")) for name, value in headers.items()]
        self._transport.write(
            self._http.send(h11.Response(status_code=reply.status, headers=fields))
        )

    def _write_body(self, body: bytes):
        for start in range(0, len(body), BODY_CHUNK_BYTES):
            self._transport.write(
                self._http.send(h11.Data(data=body[start : start + BODY_CHUNK_BYTES]))
            )

    def _finish(self, reply: Reply):
        self._transport.write(self._http.send(h11.EndOfMessage()) or b"")
        if reply.close_after or self._http.our_state is h11.MUST_CLOSE:
            return self._transport.close()
        self._http.start_next_cycle()
        self._answering = False
        self._advance()
