"""A bucket with one of everything, copied from a server to another, and what became of each object.

The judge is boto3: it says what the source holds, and what the target holds afterwards.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from dataset import MEBIBYTE, Object
from features import FEATURES
from large_objects import in_parts, put_large
from logs import LogLine
from odd_keys import odd_keys_for
from program import Migration, Run, Side
from s3client import S3Client, S3RequestFailed, at_once

SIZES = [0, 1, 4096, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1]
"""Every size class of what moves whole; most objects have the third."""

PART_BYTES = 5 * MEBIBYTE

FEATURE = "features/"
"""Before the name of a feature, for the key of the object that has it."""

HEADERS = [
    {"content-type": "text/plain"},
    {"content-type": "image/png", "cache-control": "max-age=60", "x-amz-meta-owner": "alice"},
    {},
]


def make_pair_objects(kind: str, count: int, seed: int) -> list[Object]:
    """`count` objects that a server of this kind can be asked to hold: the odd keys, every feature, every size."""
    odd = list(odd_keys_for(kind).values())
    plain = [f"plain/{number:04}" for number in range(max(0, count - len(odd) - len(FEATURES) - 2))]
    keyed = [
        Object(key, _size(number), number, HEADERS[number % len(HEADERS)], seed=seed)
        for number, key in enumerate(odd + plain)
    ]
    featured = [
        Object(FEATURE + name, 4096, number, feature.headers, feature.tags, seed)
        for number, (name, feature) in enumerate(FEATURES.items())
    ]
    return keyed + featured


def _size(number: int) -> int:
    return SIZES[number % 50] if number % 50 < len(SIZES) else SIZES[2]


class Filled:
    """A bucket of a server, filled once, as boto3 finds it: a server's own losses are not the copy's."""

    bucket = "pairs"

    def __init__(self, kind: str, server, count: int, seed: int):
        self.kind, self.server, self.client = kind, server, S3Client.of(server)
        self.client.make_bucket(self.bucket)
        objects = make_pair_objects(kind, count, seed)
        at_once(self._put, objects, threads=8)
        for whole in (1, 2):
            key = f"parts/{whole}"
            headers = {"content-type": "video/mp4", "x-amz-meta-owner": "bob"}
            put_large(
                self.client, self.bucket, in_parts(key, PART_BYTES, whole, 12345, headers=headers)
            )
        self.held = read_all(server, self.bucket)

    def _put(self, item: Object):
        headers = dict(item.headers)
        if item.tags:
            if not self.server.capabilities.tagging:
                return
            headers["x-amz-tagging"] = urlencode(item.tags, quote_via=quote)
        for _ in range(5):
            try:
                self.client.put(self.bucket, item.key, item.body, headers)
                return
            except S3RequestFailed as failure:
                # rclone answers 500 now and then while two PUTs make the same new folder.
                if failure.answer.status != 500 and not item.key.startswith(FEATURE):
                    raise
        if not item.key.startswith(FEATURE):
            raise AssertionError(f"{self.kind} does not take {item.key!r}")


@dataclass(frozen=True)
class Held:
    """What boto3 reads of an object."""

    body: bytes
    etag: str
    headers: dict[str, str]
    metadata: dict[str, str]
    tags: dict[str, str]

    @property
    def described(self):
        return self.headers, self.metadata, self.tags

    def has(self, name: str) -> bool:
        """Whether it has this feature, unchanged."""
        feature = FEATURES[name]
        given = self.headers | {f"x-amz-meta-{key}": value for key, value in self.metadata.items()}
        return feature.tags.items() <= self.tags.items() and all(
            given.get(header) == value for header, value in feature.headers.items()
        )


_CARRIED = {
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "expires",
    "x-amz-website-redirect-location",
}


def read_all(server, bucket: str) -> dict[str, Held]:
    """All that the bucket holds, by its listing."""
    client = S3Client.of(server)
    boto = client.boto(retries=3)

    def read(key: str) -> tuple[str, Held]:
        answer = boto.get_object(Bucket=bucket, Key=key)
        sent = answer["ResponseMetadata"]["HTTPHeaders"]
        tags = {}
        if server.capabilities.tagging:
            found = boto.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
            tags = {tag["Key"]: tag["Value"] for tag in found}
        metadata = {name.lower(): value for name, value in answer["Metadata"].items()}
        headers = {name: value for name, value in sent.items() if name in _CARRIED}
        if expires := answer.get("ExpiresString"):
            headers["expires"] = expires  # boto3 takes one that is no date out of the headers
        return key, Held(
            answer["Body"].read(), answer["ETag"].strip('"'), headers, metadata, tags
        )

    return dict(at_once(read, client.listing(bucket), threads=4))


class Pair:
    """One migration from a filled bucket to an empty one of another server."""

    def __init__(self, source: Filled, target_kind: str, target, folder: Path, *options: str):
        self.source, self.kind, self.target = source, target_kind, target
        self.bucket = f"from-{source.kind}-{folder.name}".lower()
        S3Client.of(target).make_bucket(self.bucket)
        holdable = set(odd_keys_for(source.kind, target_kind).values())
        refusable = set(odd_keys_for(source.kind).values()) - holdable
        self.keys = sorted(source.held.keys() - refusable)
        weak = () if target.capabilities.conditional_put else ("--allow-weak-conditions",)
        self.migration = Migration(
            Side.of(source.server, source.bucket),
            Side.of(target, self.bucket),
            folder,
            self.keys,
            options=[*weak, "--retries", "4", *options],
        )
        self.run: Run = self.migration.run(timeout_s=600)
        self.arrived = read_all(target, self.bucket)
        self.lines: dict[str, LogLine] = {line.key: line for line in self.run.logs.lines}
        self.failed = {line.key: line for line in self.run.logs.failed}

    def wrong(self) -> list[str]:
        """Where the logs do not tell the truth, or something was lost without a word."""
        found = [f"not expected: {key!r}" for key in self.arrived.keys() - set(self.keys)]
        found += [f"not in the log: {key!r}" for key in set(self.keys) - self.lines.keys()]
        return found + sum((self._wrong(line) for line in self.lines.values()), [])

    def _wrong(self, line: LogLine) -> list[str]:
        key, arrived = line.key, self.arrived.get(line.key)
        if line.outcome == "fail":
            told = key in self.failed
            return [] if told and arrived is None else [f"failed, and yet there: {key!r}"]
        if line.outcome != "copied" or arrived is None:
            return [f"{key!r} is {line.outcome}, at the target: {arrived is not None}"]
        was = self.source.held[key]
        found = [] if arrived.body == was.body else [f"bytes of {key!r} differ"]
        lacks = {"no-tags": arrived.tags != was.tags, "no-meta": _meta(arrived) != _meta(was)}
        for word, is_lacking in lacks.items():
            if (word in line.proof.split(",")) != is_lacking:
                found.append(
                    f"{key!r} is logged as {line.proof}, and has {arrived.described}, "
                    f"at the source {was.described}"
                )
        return found

    def losses(self) -> Counter:
        """How many objects the log marks, by the words of the summary."""
        words = [word for line in self.lines.values() for word in line.proof.split(",")[1:]]
        return Counter(words)

    def comes_to(self, name: str) -> str | None:
        """What became of the object with a feature; nothing where the source itself does not hold it."""
        key = FEATURE + name
        if key not in self.source.held or not self.source.held[key].has(name):
            return None
        line = self.lines[key]
        if line.outcome == "fail":
            return f"`fail` ({self.failed[key].error_class})"
        return ", ".join([f"`{line.outcome}`", *(f"`{word}`" for word in line.proof.split(",")[1:])])


TITLES = {"ceph": "Ceph", "rclone": "rclone", "swift": "Swift", "localstack": "LocalStack"}

DEFAULT_TYPES = {"binary/octet-stream", "application/octet-stream", None}


def _meta(held: Held):
    """Headers and metadata, where the type of what has none is nobody's loss."""
    headers = dict(held.headers)
    if headers.get("content-type") in DEFAULT_TYPES:
        headers.pop("content-type", None)
    return headers, held.metadata


def as_table(comes: dict[tuple[str, str], str]) -> str:
    """(target's kind, feature) → what became of it, in Markdown: only what does not arrive whole."""
    rows = ["| target | an object with | becomes |", "| --- | --- | --- |"]
    short = {place: word for place, word in comes.items() if word != "`copied`"}
    for kind, word in dict.fromkeys((kind, word) for (kind, _), word in sorted(short.items())):
        names = [name for name in FEATURES if short.get((kind, name)) == word]
        rows.append(f"| {TITLES[kind]} | {', '.join(names)} | {word} |")
    return "\n".join(rows)
