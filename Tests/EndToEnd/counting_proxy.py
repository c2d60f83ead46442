"""A proxy before a real server that counts what passes: which parts were sent, and which of them the
server acknowledged to somebody who was still listening."""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Passed:
    """One request whose answer came back."""

    method: str
    key: str
    query: dict[str, str]
    status: int
    heard: bool
    """The client was still there when the answer was passed on."""

    @property
    def part_number(self) -> int:
        is_part = self.method == "PUT" and "uploadId" in self.query
        return int(self.query["partNumber"]) if is_part else 0


class CountingProxy:
    """Takes the place of `server` in a migration. Use it as a context manager.

    HTTP/1.1 without pipelining and without `Expect: 100-continue`, as s3migrate speaks it; the
    signature holds, since the Host header passes through as it is.
    """

    def __init__(self, server):
        self.key, self.secret = server.key, server.secret
        self.part_delay_s = 0.0
        """So long the answer to a part is held back, so that a copy has a middle."""
        self._upstream = urlsplit(server.url)
        self._passed: list[Passed] = []
        self._sent: list[tuple[str, int]] = []
        self._heard: set[tuple[str, int]] = set()
        self._sent_again: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "CountingProxy":
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=PIECE_BYTES)
        self._listener = asyncio.run_coroutine_threadsafe(start, self._loop).result(30)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def passed(self, key: str | None = None) -> list[Passed]:
        with self._lock:
            return [one for one in self._passed if key in (None, one.key)]

    def parts_sent(self, key: str) -> Counter:
        """Part number → how often its head came, whatever became of it."""
        with self._lock:
            return Counter(number for name, number in self._sent if name == key)

    def parts_acknowledged(self, key: str) -> Counter:
        """Part number → how often a living client heard that the server has it."""
        return Counter(
            one.part_number
            for one in self.passed(key)
            if one.part_number and one.status == 200 and one.heard
        )

    def parts_taken(self, key: str) -> Counter:
        """Part number → how often the server took it, whether or not anybody heard so."""
        return Counter(
            one.part_number for one in self.passed(key) if one.part_number and one.status == 200
        )

    def parts_sent_again(self, key: str) -> list[int]:
        """Numbers of parts that were begun once more after a living client had heard that the server
        has them: never, but for another upload of the key."""
        with self._lock:
            return [number for name, number in self._sent_again if name == key]

    def is_completed(self, key: str) -> bool:
        """Whether a Complete of the key was answered with 200."""
        return any(
            one.method == "POST" and "uploadId" in one.query and one.status == 200
            for one in self.passed(key)
        )

    async def _end(self):
        self._listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader, writer):
        """One connection of the client, and one to the server for it alone."""
        upstream = await asyncio.open_connection(
            self._upstream.hostname, self._upstream.port, limit=PIECE_BYTES
        )
        try:
            while await self._pass_one(reader, writer, *upstream):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # one side is gone, so the other one goes too
        finally:
            for one in (writer, upstream[1]):
                one.transport.abort()

    async def _pass_one(self, reader, writer, answers, requests) -> bool:
        """A request there, its answer back; whether there may be another one."""
        head = await reader.readuntil(b"\r\n\r\n")
        method, key, query = _request_line(head)
        if method == "PUT" and "partNumber" in query:
            self._note_sent((key, int(query["partNumber"])))
        requests.write(head)
        await _relay(reader, requests, int(_header(head, b"content-length") or 0))
        answer = await answers.readuntil(b"\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        if "partNumber" in query:
            await asyncio.sleep(self.part_delay_s)
        self._note_passed(Passed(method, key, query, status, heard=not reader.at_eof()))
        writer.write(answer)
        await _relay_answer_body(answers, writer, answer, method, status)
        return _header(answer, b"connection") != b"close"

    def _note_sent(self, part: tuple[str, int]):
        with self._lock:
            self._sent.append(part)
            if part in self._heard:
                self._sent_again.append(part)

    def _note_passed(self, passed: Passed):
        with self._lock:
            self._passed.append(passed)
            if passed.part_number and passed.status == 200 and passed.heard:
                self._heard.add((passed.key, passed.part_number))


def _request_line(head: bytes) -> tuple[str, str, dict[str, str]]:
    method, target, _ = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    path, _, query = target.partition("?")
    _, _, key = path.removeprefix("/").partition("/")
    return method, unquote(key), dict(parse_qsl(query, keep_blank_values=True))


def _header(head: bytes, name: bytes) -> bytes:
    """The field's value in lower case; empty when it is not there."""
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip().lower()
    return b""


async def _relay_answer_body(answers, writer, head: bytes, method: str, status: int):
    if method == "HEAD" or status in (204, 304):
        await writer.drain()
    elif _header(head, b"transfer-encoding") == b"chunked":
        size = None
        while size != 0:
            line = await answers.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            writer.write(line)
            await _relay(answers, writer, size + 2)
    else:
        await _relay(answers, writer, int(_header(head, b"content-length") or 0))


async def _relay(reader, writer, size_bytes: int):
    while size_bytes:
        piece = await reader.read(min(size_bytes, PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", size_bytes)
        writer.write(piece)
        await writer.drain()
        size_bytes -= len(piece)
    await writer.drain()
