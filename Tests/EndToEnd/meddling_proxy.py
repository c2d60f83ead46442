"""A proxy before a real server that remembers when each request came and what it brought, holds back answers, and
turns over bits."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from counting_proxy import CountingProxy, _header, _relay_answer_body, _request_line


@dataclass
class Exchange:
    """One request, and its answer when it is there. Times are of the monotonic clock, taken by the proxy: the
    server's deed lies between them."""

    method: str
    key: str
    query: dict[str, str]
    signed: float
    """When it was signed, by the wall clock, in whole seconds (rounded down)."""
    begun: float
    body: bytes = field(repr=False)
    """As it was sent."""
    ended: float = float("inf")
    status: int = 0
    is_flipped: bool = False

    @property
    def upload_id(self) -> str:
        return self.query.get("uploadId", "")

    @property
    def part_number(self) -> int:
        return int(self.query.get("partNumber", 0))

    @property
    def is_object_read(self) -> bool:
        return self.method == "GET" and bool(self.key) and not self.query

    @property
    def is_body_write(self) -> bool:
        return self.method == "PUT" and bool(self.body) and "tagging" not in self.query


def never(_: Exchange) -> bool:
    return False


class MeddlingProxy(CountingProxy):
    """`CountingProxy` for bodies of a few MiB, which it holds whole."""

    def __init__(self, server):
        super().__init__(server)
        self.flips: Callable[[Exchange], bool] = never
        """Whether a bit of this exchange's body is turned over: a PUT's on its way there, a GET's on its way
        back."""
        self.flipped_bit: Callable[[int], int] = lambda bits: bits // 2
        """Which of so many."""
        self.delay_s: Callable[[Exchange], float] = lambda _: 0
        """So long an answer is held back."""
        self._exchanges: list[Exchange] = []

    def exchanges(self) -> list[Exchange]:
        """In the order in which they came."""
        with self._lock:
            return list(self._exchanges)

    async def _pass_one(self, reader, writer, answers, requests) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(_header(head, b"content-length") or 0))
        signed = _time(_header(head, b"x-amz-date"))
        exchange = Exchange(*_request_line(head), signed, time.monotonic(), body)
        with self._lock:
            self._exchanges.append(exchange)
        requests.write(head)
        requests.write(self._spoilt(body, exchange) if exchange.is_body_write else body)
        await requests.drain()
        answer = await answers.readuntil(b"\r\n\r\n")
        exchange.status = int(answer.split(b" ", 2)[1])
        await self._pass_back(exchange, answer, answers, writer)
        return _header(answer, b"connection") != b"close"

    async def _pass_back(self, exchange, answer, answers, writer):
        if not exchange.is_object_read or _header(answer, b"transfer-encoding"):
            exchange.ended = time.monotonic()
            await asyncio.sleep(self.delay_s(exchange))
            writer.write(answer)
            return await _relay_answer_body(
                answers, writer, answer, exchange.method, exchange.status
            )
        body = await answers.readexactly(int(_header(answer, b"content-length") or 0))
        exchange.ended = time.monotonic()
        await asyncio.sleep(self.delay_s(exchange))
        writer.write(answer)
        writer.write(self._spoilt(body, exchange) if exchange.status < 300 else body)
        await writer.drain()

    def _spoilt(self, body: bytes, exchange: Exchange) -> bytes:
        if not body or not self.flips(exchange):
            return body
        spoilt, bit = bytearray(body), self.flipped_bit(len(body) * 8)
        spoilt[bit // 8] ^= 1 << bit % 8
        exchange.is_flipped = True
        return bytes(spoilt)


def one_in(count: int) -> Callable[[Exchange], bool]:
    """Strikes the first body and then each of that number, counted by the first word of the key (up to a slash)."""
    seen = Counter()

    def strikes(exchange: Exchange) -> bool:
        word = exchange.key.partition("/")[0]
        seen[word] += 1
        return seen[word] % count == 1

    return strikes


def _time(stamp: bytes) -> float:
    """Seconds since 1970 of `x-amz-date`, here in lower case."""
    if not stamp:
        return 0.0
    moment = datetime.strptime(stamp.decode(), "%Y%m%dt%H%M%Sz")
    return moment.replace(tzinfo=timezone.utc).timestamp()
