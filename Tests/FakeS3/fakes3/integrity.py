"""The digests that a client may send with a body, and whether they are right. The checksums are
computed here from their definitions, so that they are a second opinion on s3migrate's."""

import hashlib
import zlib
from base64 import b64decode, b64encode
from functools import lru_cache

from .exchange import Reply, Request, error

LANES = 4096
"""How many pieces of a body go through the table at once: Python is slow by the byte, not by the
long integer."""

_POLYNOMIALS = {"crc32c": (0x82F63B78, 4), "crc64nvme": (0x9A6C9329AC4BC9B5, 8)}
"""Reflected, and the width in bytes. Both start with all ones and end inverted."""

ALGORITHMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")


def body_refusal(request: Request, rules) -> Reply | None:
    """The answer to a body that is not what its headers say; None when all is well."""
    sent_md5 = request.headers.get("content-md5")
    if sent_md5 and rules.content_md5:
        if b64decode(sent_md5) != hashlib.md5(request.body).digest():
            return error(400, "BadDigest", request)
    sent_sha = request.headers.get("x-amz-content-sha256", "")
    if len(sent_sha) == 64 and rules.payload_sha256:
        if sent_sha != hashlib.sha256(request.body).hexdigest():
            return error(400, "XAmzContentSHA256Mismatch", request)
    for algorithm, value in sent_checksums(request.headers).items():
        if algorithm in rules.checksums and value != checksum(algorithm, request.body):
            return error(400, "BadDigest", request, message=f"The {algorithm} is wrong.")
    return None


def sent_checksums(headers: dict[str, str]) -> dict[str, str]:
    """Algorithm → value, of the x-amz-checksum-* headers."""
    return {
        name: headers["x-amz-checksum-" + name]
        for name in ALGORITHMS
        if "x-amz-checksum-" + name in headers
    }


def checksum(algorithm: str, body: bytes) -> str:
    """As S3 writes it: base64 of the big-endian value."""
    match algorithm:
        case "crc32":
            value = zlib.crc32(body).to_bytes(4, "big")
        case "sha1" | "sha256":
            value = hashlib.new(algorithm, body).digest()
        case _:
            value = _remembered_crc(algorithm, bytes(body))
    return b64encode(value).decode()


_remembered: dict[tuple[str, bytes], bytes] = {}
"""By the body's digest, which is a hundred times quicker: tests send the same bodies again and
again."""


def _remembered_crc(algorithm: str, body: bytes) -> bytes:
    polynomial, width = _POLYNOMIALS[algorithm]
    name = (algorithm, hashlib.sha256(body).digest())
    if name not in _remembered:
        _remembered[name] = _crc(body, polynomial, width).to_bytes(width, "big")
    return _remembered[name]


def _crc(body: bytes, polynomial: int, width: int) -> int:
    """Beginning with all ones is the same as inverting the first bytes and beginning with zero;
    then zeros before the body change nothing, and all lanes can be of one length."""
    ones = (1 << 8 * width) - 1
    if len(body) < width:
        return _crc_by_the_byte(body, polynomial, ones) ^ ones
    inverted = bytes(byte ^ 0xFF for byte in body[:width]) + body[width:]
    lane_bytes = -(-len(inverted) // LANES)
    padded = bytes(lane_bytes * LANES - len(inverted)) + inverted
    shifted = _zeros_appended(polynomial, width, lane_bytes)
    total = 0
    for lane in _lane_crcs(padded, lane_bytes, polynomial, width):
        total = _product(shifted, total) ^ lane
    return total ^ ones


def _crc_by_the_byte(body: bytes, polynomial: int, value: int) -> int:
    table = _table(polynomial)
    for byte in body:
        value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
    return value


def _lane_crcs(padded: bytes, lane_bytes: int, polynomial: int, width: int) -> list[int]:
    """The state's n-th bytes of all lanes are one long integer."""
    table = _table(polynomial)
    columns = [bytes((entry >> 8 * n) & 0xFF for entry in table) for n in range(width)]
    state = [0] * (width + 1)
    for position in range(lane_bytes):
        index = state[0] ^ int.from_bytes(padded[position::lane_bytes], "little")
        index_bytes = index.to_bytes(LANES, "little")
        for n in range(width):
            looked_up = int.from_bytes(index_bytes.translate(columns[n]), "little")
            state[n] = state[n + 1] ^ looked_up
    by_byte = [value.to_bytes(LANES, "little") for value in state[:width]]
    return [int.from_bytes(lane, "little") for lane in zip(*by_byte)]


@lru_cache
def _table(polynomial: int) -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        return value

    return tuple(map(entry, range(256)))


@lru_cache
def _zeros_appended(polynomial: int, width: int, count: int) -> tuple[int, ...]:
    """The linear map by which `count` zero bytes change a CRC: what becomes of each of its bits."""
    one = tuple(_crc_by_the_byte(b"\0", polynomial, 1 << bit) for bit in range(8 * width))
    result = tuple(1 << bit for bit in range(8 * width))
    while count:
        if count & 1:
            result = tuple(_product(one, value) for value in result)
        one = tuple(_product(one, value) for value in one)
        count >>= 1
    return result


def _product(matrix: tuple[int, ...], vector: int) -> int:
    total = 0
    while vector:
        lowest = vector & -vector
        total ^= matrix[lowest.bit_length() - 1]
        vector ^= lowest
    return total
