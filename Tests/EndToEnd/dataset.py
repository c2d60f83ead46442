"""Objects made from a seed: the same seed makes the same objects, so what the target must hold
needs no second copy."""

import hashlib
import random
from dataclasses import dataclass, field
from functools import lru_cache

MEBIBYTE = 1 << 20
THRESHOLD_BYTES = 64 * MEBIBYTE
"""The multipart threshold: the largest object that is copied by one PUT."""

EDGE_SIZES = [
    0,
    0,
    0,
    1,
    2,
    15,
    16,
    4095,
    4096,
    65_535,
    65_536,
    MEBIBYTE - 1,
    MEBIBYTE,
    MEBIBYTE + 1,
    8 * MEBIBYTE - 1,
    8 * MEBIBYTE,
    8 * MEBIBYTE + 1,
    THRESHOLD_BYTES - 1,
    THRESHOLD_BYTES,
]
"""Sizes at which programs change their mind: the first ranged GET, the part size, the threshold."""

STANDARD_HEADERS = [
    {"content-type": "text/plain; charset=utf-8"},
    {"content-type": "image/png", "cache-control": "max-age=31536000, immutable"},
    {"content-type": "application/json", "content-disposition": 'attachment; filename="a b.json"'},
    {"content-type": "text/html", "content-language": "de, en"},
    {"content-type": "application/x-gzip", "content-encoding": "gzip"},
    {"content-type": "binary/octet-stream"},
    {},
]

USER_METADATA = [
    {},
    {"x-amz-meta-owner": "alice"},
    {"x-amz-meta-mtime": "1700000000.123456789", "x-amz-meta-mode": "33188"},
    {"x-amz-meta-text": "=?UTF-8?Q?gr=C3=BC=C3=9Fe?="},
    {"x-amz-meta-base64": "=?UTF-8?B?5ryi5a2X?="},
    {
        "x-amz-meta-inner-spaces": "a b c",
        "x-amz-meta-symbols": "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\",
    },
    {"x-amz-meta-long": "v" * 1200},
]


@dataclass(frozen=True)
class Object:
    """One object as the target has to hold it in the end."""

    key: str
    size_bytes: int
    offset: int
    """Where in the seed's block of random bytes the body begins."""
    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def body(self) -> memoryview:
        return memoryview(_block(self.seed))[self.offset : self.offset + self.size_bytes]

    @property
    def md5(self) -> str:
        return hashlib.md5(self.body).hexdigest()


def make_objects(
    count: int,
    total_bytes: int,
    seed: int,
    odd_keys=(),
    tags=False,
    size_max=THRESHOLD_BYTES,
    expires=True,
) -> list[Object]:
    """`count` objects of `total_bytes` altogether, in key order; the odd keys are among them.

    Sizes are skewed as in real buckets: most objects are small, most bytes are in a few large ones.
    """
    chance = random.Random(seed)
    keys = [*odd_keys, *(_key(chance, number) for number in range(count - len(odd_keys)))]
    sizes = _sizes(chance, count, total_bytes, size_max)
    objects = [
        Object(
            key,
            size,
            chance.randrange(MEBIBYTE),
            _headers(chance, expires),
            _tags(chance) if tags else {},
            seed,
        )
        for key, size in zip(keys, sizes, strict=True)
    ]
    return sorted(objects, key=lambda item: item.key.encode())


def _key(chance: random.Random, number: int) -> str:
    depth = chance.randrange(4)
    folders = "".join(
        f"{chance.choice(['logs', 'data', 'img', 'a-b', 'a.b', 'ünï', '2024'])}/"
        for _ in range(depth)
    )
    extension = chance.choice(["txt", "bin", "json", "gz"])
    return f"{folders}{chance.randrange(16):x}-{number:06}.{extension}"


def _sizes(chance: random.Random, count: int, total_bytes: int, size_max: int) -> list[int]:
    """The edges that fit into half of the total, then a log-normal rest scaled to reach the total
    exactly."""
    edges = []
    for size in (size for size in EDGE_SIZES if size <= size_max):
        if len(edges) < count // 2 and sum(edges) + size <= total_bytes // 2:
            edges.append(size)
    raw = [chance.lognormvariate(0, 2.2) for _ in range(count - len(edges))]
    scale = (total_bytes - sum(edges)) / sum(raw)
    rest = [min(int(value * scale), size_max) for value in raw]
    _fill_up(rest, total_bytes - sum(edges) - sum(rest), size_max)
    sizes = edges + rest
    chance.shuffle(sizes)
    return sizes


def _fill_up(sizes: list[int], missing: int, size_max: int):
    """Gives the bytes that rounding and capping took back to the largest objects with room."""
    for index in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        given = min(missing, size_max - sizes[index])
        sizes[index] += given
        missing -= given
    assert missing == 0, "the total does not fit into so few objects"


def _headers(chance: random.Random, expires: bool) -> dict[str, str]:
    headers = chance.choice(STANDARD_HEADERS) | chance.choice(USER_METADATA)
    if expires and chance.random() < 0.1:
        headers["expires"] = chance.choice(["Wed, 21 Oct 2015 07:28:00 GMT", "0", "5d"])
    return headers


def _tags(chance: random.Random) -> dict[str, str]:
    if chance.random() > 0.05:
        return {}
    return {"project": "a+b & c=d", "stage": chance.choice(["test", "live", ""]), "größe": "x/y:z"}


@lru_cache(maxsize=4)
def _block(seed: int) -> bytes:
    return random.Random(seed).randbytes(THRESHOLD_BYTES + 2 * MEBIBYTE)
