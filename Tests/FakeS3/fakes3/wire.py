"""Faults below HTTP's manners: bytes that no library would send. Each has its effect in the store, unless it says
else; what goes wrong is the answer's way."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate

from .exchange import Reply
from .faults import Fault

MEBIBYTE = 1 << 20
Pieces = Iterator[bytes | float]


def _raw(name: str, write: Callable[[Reply], Pieces], ends="close", *, has_effect=True) -> Fault:
    def strike(request, store):
        reply = store.answer(request) if has_effect else Reply(200)
        if request.method == "HEAD":
            # Its length is the object's all the same.
            length = {"content-length": str(len(reply.body))}
            reply = replace(reply, headers=length | reply.headers, body=b"")
        return replace(reply, raw=write, cut_by=ends)

    return Fault(name, strike)


def head(reply: Reply, length: int | str | None = None, extra=b"", without=()) -> bytes:
    """The answer's head as it should be, but for what is said."""
    # Every server tells its time; uploads whose id was lost are known again by it.
    fields = {"date": formatdate(usegmt=True)}
    fields["content-length"] = str(len(reply.body) if length is None else length)
    fields = {name: value for name, value in (fields | reply.headers).items() if name not in without}
    lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n" + extra + b"\r\n"


# The connection's end


def reset_in_head() -> Fault:
    return _raw("reset in the head", lambda reply: iter([head(reply)[:40]]), "reset")


def close_in_head() -> Fault:
    return _raw("close in the head", lambda reply: iter([head(reply)[:40]]))


def reset_after() -> Fault:
    """RST behind a good answer."""
    return _raw("reset after the answer", lambda reply: iter([head(reply) + reply.body]), "reset")


def half_close() -> Fault:
    """FIN behind half of the answer; the server would still listen."""
    return _raw(
        "half-close", lambda reply: iter([head(reply) + reply.body[: len(reply.body) // 2]]), "half-close"
    )


def refused_before_the_body() -> Fault:
    """503 and RST, as soon as the request was there; nothing is done."""
    write = lambda reply: iter([b"HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"])
    return _raw("503 and reset", write, "reset", has_effect=False)


# Lengths


def long_body() -> Fault:
    """Promises less than it sends."""
    return _raw(
        "long body", lambda reply: iter([head(reply, max(0, len(reply.body) - 7)) + reply.body + b"more"])
    )


def length_is_none(value: str) -> Fault:
    return _raw(f"Content-Length: {value}", lambda reply: iter([head(reply, value) + reply.body]))


def endless_error() -> Fault:
    """An error whose body does not end."""

    def write(reply: Reply) -> Pieces:
        yield b"HTTP/1.1 500 Internal Error\r\nContent-Type: application/xml\r\n\r\n<Error>"
        for _ in range(4096):
            yield b" " * MEBIBYTE

    return _raw("endless error", write, has_effect=False)


def chunked() -> Fault:
    """A good answer in chunks, without a length."""

    def write(reply: Reply) -> Pieces:
        yield head(reply, extra=b"transfer-encoding: chunked\r\n", without=["content-length"])
        for start in range(0, len(reply.body), 1000):
            piece = reply.body[start : start + 1000]
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"

    return _raw("chunked", write)


def broken_chunks() -> Fault:
    write = lambda reply: iter(
        [head(reply, extra=b"transfer-encoding: chunked\r\n", without=["content-length"]), b"zz\r\nabc\r\n"]
    )
    return _raw("broken chunks", write)


# Time


def drip(seconds: float = 60) -> Fault:
    """A byte of the answer every tenth of a second."""

    def write(reply: Reply) -> Pieces:
        for byte in (head(reply) + reply.body)[: int(seconds * 10)]:
            yield bytes([byte])
            yield 0.1

    return _raw("drip", write)


# Heads


def garbage() -> Fault:
    return _raw("garbage", lambda reply: iter([b"\x16\x03\x01 220 smtp ready\r\n\r\n" * 3]), has_effect=False)


def strange_status(line: bytes) -> Fault:
    return _raw(f"status line {line!r}", lambda reply: iter([line + b"\r\n\r\n"]), has_effect=False)


def huge_head(mebibytes: int = 100) -> Fault:
    def write(reply: Reply) -> Pieces:
        yield b"HTTP/1.1 200 OK\r\n"
        for _ in range(mebibytes):
            yield (b"x-filler: " + b"a" * 1000 + b"\r\n") * 1036

    return _raw("huge head", write, has_effect=False)


def one_huge_header() -> Fault:
    def write(reply: Reply) -> Pieces:
        yield b"HTTP/1.1 200 OK\r\nx-filler: "
        for _ in range(100):
            yield b"a" * MEBIBYTE

    return _raw("one huge header", write, has_effect=False)


def odd_headers() -> Fault:
    """A good answer with lines that are no headers, and with bytes that belong into none."""
    odd = b"no colon here\r\n: no name\r\nx-empty:\r\nx-eight: \xff\xfe\x01\r\nx-long: " + b"y" * 5000 + b"\r\n"
    return _raw("odd headers", lambda reply: iter([head(reply, extra=odd) + reply.body]))


def interim() -> Fault:
    """Answers before the answer: 100, 102 and 103."""
    before = b"".join(
        b"HTTP/1.1 %s\r\nx-interim: 1\r\ncontent-length: 5\r\n\r\n" % status
        for status in (b"100 Continue", b"102 Processing", b"103 Early Hints")
    )
    return _raw("1xx", lambda reply: iter([before + head(reply) + reply.body]))


def gzipped() -> Fault:
    """Compressed, though nobody asked for it."""

    def write(reply: Reply) -> Pieces:
        body = gzip.compress(reply.body)
        yield head(reply, len(body), b"content-encoding: gzip\r\n", without=["content-range"]) + body

    return _raw("gzip", write)


def redirect(status: int, to: str) -> Fault:
    write = lambda reply: iter(
        [f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()]
    )
    return _raw(f"redirect {status}", write, has_effect=False)


# Bodies


def _document(name: str, body: bytes, status: bytes = b"500 Internal Error") -> Fault:
    length = str(len(body)).encode()
    start = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/xml\r\nContent-Length: " + length
    return _raw(name, lambda reply: iter([start + b"\r\n\r\n" + body]), has_effect=False)


def xml_bomb() -> Fault:
    """A billion laughs."""
    entities = b'<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (ord("a") + n, b"&%c;" % (ord("a") + n - 1) * 10) for n in range(1, 10)
    )
    return _document("XML bomb", b"<?xml version='1.0'?><!DOCTYPE Error [" + entities + b"]><Error><Code>&j;</Code></Error>")


def truncated_xml() -> Fault:
    return _document("truncated XML", b"<?xml version='1.0'?><Error><Code>Internal")


def foreign_entity(path: str = "/etc/passwd") -> Fault:
    """A document that wants a file to be read."""
    text = f'<!DOCTYPE Error [<!ENTITY x SYSTEM "file://{path}">]><Error><Code>InternalError</Code><Message>&x;</Message></Error>'
    return _document("foreign entity", text.encode())
