"""The objects of one fake server, and the rules by which S3 answers for them. No sockets and no
faults here."""

import hashlib
import re
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import parse_qsl

from . import uploads
from .exchange import Reply, Request, error
from .integrity import ALGORITHMS, body_refusal
from .listing import list_objects, parse_tagging, tagging_document

KEPT = {
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "expires",
    "x-amz-website-redirect-location",
    "x-amz-storage-class",
}
"""Headers of a PUT that a GET gives back, besides x-amz-meta-*."""

PLACEHOLDER = "0" * 32 + "-1"
"""The ETag of a server that has none."""


@dataclass(frozen=True)
class Stored:
    """One object."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: datetime = field(
        default_factory=lambda: datetime.now(timezone.utc).replace(microsecond=0)
    )
    part_sizes: tuple[int, ...] = ()
    """In bytes; empty for what came by one PUT."""


@dataclass
class Rules:
    """What this server keeps of S3's rules; every False makes it one of the sloppy servers of the
    world."""

    conditions: bool = True
    """`If-Match` and `If-None-Match` are honoured."""
    replacements: bool = True
    """`If-Match` is honoured by PUT and Complete; else they are carried out whatever is there."""
    ranges: bool = True
    content_md5: bool = True
    tagging: bool = True
    head_bucket_status: int = 200
    tells_tagging_count: bool = True
    """`x-amz-tagging-count` is on a GET (AWS shows it only to those who may read tags)."""
    payload_sha256: bool = True
    """The SHA-256 in the signature is compared with the body's."""
    checksums: tuple[str, ...] = ALGORITHMS
    """Of x-amz-checksum-*, those that are checked; others are ignored, as Ceph ignores all."""
    complete_conditions: bool = True
    """`If-None-Match` is honoured by CompleteMultipartUpload too (Ceph does not)."""
    complete_again: bool = False
    """A second Complete of the same upload is answered as the first one (Ceph)."""
    complete_tells_etag: bool = True
    """Ceph's ETag is empty."""
    composite_etags: bool = True
    """An object of parts gets S3's ETag; rclone gives it the MD5 of the whole."""
    multipart_tagging: bool = True
    """Tags that come with CreateMultipartUpload are kept (Ceph ignores them)."""
    part_numbers: bool = True
    """HEAD and GET know `partNumber` (Ceph and rclone ignore it)."""
    part_bytes_min: int = 5 << 20
    """Of every part but the last."""
    part_bytes_max: int = 5 << 30
    page_max: int = 1000
    """Parts or uploads on one page of a listing."""
    etags: bool = True
    """Objects get the ETag of their bytes; else all get one placeholder, as from a server upon a file system."""
    merges_slashes: bool = False
    """`a//b` is `a/b`, as in a file system."""


class Store:
    """Buckets of objects; safe to use from several threads."""

    def __init__(self, rules: Rules | None = None):
        self.rules = rules or Rules()
        self.uploads = uploads.Uploads()
        self._buckets: dict[str, dict[str, Stored]] = {}
        self._lock = threading.RLock()

    def put(
        self, bucket: str, key: str, body=b"", headers=None, tags=None, etag=None, age_s=0
    ) -> Stored:
        """Stores an object without any condition, as if it had been written `age_s` seconds ago; the
        bucket is made if need be."""
        stored = Stored(
            bytes(body),
            dict(headers or {}),
            dict(tags or {}),
            etag or (hashlib.md5(body).hexdigest() if self.rules.etags else PLACEHOLDER),
        )
        stored = replace(stored, modified=stored.modified - timedelta(seconds=age_s))
        with self._lock:
            self._buckets.setdefault(bucket, {})[key] = stored
        return stored

    def put_parts(
        self, bucket: str, key: str, parts: list[bytes], headers=None, tags=None
    ) -> Stored:
        """Stores an object as if it had been uploaded in these parts."""
        whole = b"".join(parts)
        etag = uploads.composite_etag(parts) if self.rules.composite_etags else None
        stored = self.put(bucket, key, whole, headers, tags, etag)
        with self._lock:
            laid_out = replace(stored, part_sizes=tuple(map(len, parts)))
            self._buckets[bucket][key] = laid_out
        return laid_out

    def get(self, bucket: str, key: str) -> Stored | None:
        with self._lock:
            return self._buckets.get(bucket, {}).get(key)

    def delete(self, bucket: str, key: str):
        with self._lock:
            self._buckets.get(bucket, {}).pop(key, None)

    def objects(self, bucket: str) -> dict[str, Stored]:
        """A copy of the bucket as it is now."""
        with self._lock:
            return dict(self._buckets.get(bucket, {}))

    def open_uploads(self, bucket: str, key: str | None = None) -> list[uploads.Upload]:
        """The uploads that were neither completed nor aborted."""
        with self._lock:
            return self.uploads.of(bucket, key)

    def begin_upload(self, bucket: str, key: str, initiated=None) -> uploads.Upload:
        """An upload of another client. `initiated` is in UTC; now, if nothing is said."""
        with self._lock:
            return self.uploads.begin(bucket, key, initiated=initiated)

    def make_bucket(self, bucket: str):
        with self._lock:
            self._buckets.setdefault(bucket, {})

    def answer(self, request: Request) -> Reply:
        """S3's answer to the request, its effect on the store included."""
        if self.rules.merges_slashes:
            request = replace(request, key=re.sub("/+", "/", request.key))
        with self._lock:
            if request.bucket not in self._buckets and request.operation != "CreateBucket":
                return error(404, "NoSuchBucket", request)
            rule = _ANSWERS.get(request.operation)
            return rule(self, request) if rule else error(501, "NotImplemented", request)

    def _head_bucket(self, request):
        status = self.rules.head_bucket_status
        return Reply(status) if status < 300 else error(status, "AccessDenied", request)

    def _create_bucket(self, request):
        self.make_bucket(request.bucket)
        return Reply(200)

    def _list(self, request):
        return list_objects(self._buckets[request.bucket], request)

    def _get_object(self, request):
        stored = self.get(request.bucket, request.key)
        if stored is None:
            return error(404, "NoSuchKey", request)
        if refusal := self._read_refusal(request, stored):
            return refusal
        headers = self._object_headers(stored)
        if "partNumber" in request.query and self.rules.part_numbers:
            return _numbered_part(request, stored, headers)
        wanted = request.headers.get("range") if self.rules.ranges else None
        return (
            _part(request, stored.body, headers, wanted)
            if wanted
            else Reply(200, headers, stored.body)
        )

    def _put_object(self, request):
        if self.rules.conditions and (refusal := self.write_refusal(request)):
            return refusal
        if refusal := body_refusal(request, self.rules):
            return refusal
        if "x-amz-tagging" in request.headers and not self.rules.tagging:
            return error(501, "NotImplemented", request)
        tags = dict(parse_qsl(request.headers.get("x-amz-tagging", ""), keep_blank_values=True))
        kept = self.kept_headers(request)
        stored = self.put(request.bucket, request.key, request.body, kept, tags)
        return Reply(200, {"etag": f'"{stored.etag}"'})

    def kept_headers(self, request) -> dict[str, str]:
        """Those that the object shall have."""
        return {
            name: value
            for name, value in request.headers.items()
            if name in KEPT or name.startswith("x-amz-meta-")
        }

    def write_refusal(self, request) -> Reply | None:
        """What the conditions of a PUT or a Complete say to the object that is there now."""
        stored = self.get(request.bucket, request.key)
        return _write_refusal(request, stored, self.rules.replacements)

    def _delete_object(self, request):
        self.delete(request.bucket, request.key)
        return Reply(204)

    def _get_tagging(self, request):
        stored = self.get(request.bucket, request.key)
        if stored is None or not self.rules.tagging:
            return (
                error(404, "NoSuchKey", request)
                if self.rules.tagging
                else error(501, "NotImplemented", request)
            )
        return Reply(200, {"content-type": "application/xml"}, tagging_document(stored.tags))

    def _put_tagging(self, request):
        stored = self.get(request.bucket, request.key)
        if stored is None or not self.rules.tagging:
            return (
                error(404, "NoSuchKey", request)
                if self.rules.tagging
                else error(501, "NotImplemented", request)
            )
        self._buckets[request.bucket][request.key] = replace(
            stored, tags=parse_tagging(request.body)
        )
        return Reply(200)

    def _read_refusal(self, request, stored) -> Reply | None:
        if not self.rules.conditions:
            return None
        if (tag := request.headers.get("if-match")) and tag.strip('"') not in (stored.etag, "*"):
            return error(412, "PreconditionFailed", request)
        if (tag := request.headers.get("if-none-match")) and tag.strip('"') in (stored.etag, "*"):
            return Reply(304)
        return None

    def _object_headers(self, stored) -> dict[str, str]:
        headers = {"content-type": "binary/octet-stream", "accept-ranges": "bytes"} | stored.headers
        headers |= {
            "etag": f'"{stored.etag}"',
            "last-modified": format_datetime(stored.modified, usegmt=True),
        }
        if stored.tags and self.rules.tells_tagging_count:
            headers["x-amz-tagging-count"] = str(len(stored.tags))
        return headers


def _write_refusal(
    request: Request, stored: Stored | None, replacements: bool = True
) -> Reply | None:
    if request.headers.get("if-none-match") == "*" and stored is not None:
        return error(412, "PreconditionFailed", request)
    if replacements and (wanted := request.headers.get("if-match")):
        if stored is None:
            return error(404, "NoSuchKey", request)
        if wanted.strip('"') != stored.etag:
            return error(412, "PreconditionFailed", request)
    return None


def _numbered_part(request: Request, stored: Stored, headers: dict[str, str]) -> Reply:
    """The part as it was uploaded; an object of one PUT is its own first part."""
    sizes = stored.part_sizes or (len(stored.body),)
    number = int(request.query["partNumber"])
    if not 1 <= number <= len(sizes):
        return error(416, "InvalidPartNumber", request)
    first, size = sum(sizes[: number - 1]), sizes[number - 1]
    headers = dict(headers)
    if stored.part_sizes:
        headers["x-amz-mp-parts-count"] = str(len(sizes))
    if not stored.body:
        return Reply(200, headers)
    span = f"bytes {first}-{first + size - 1}/{len(stored.body)}"
    return Reply(206, headers | {"content-range": span}, stored.body[first : first + size])


def _part(request: Request, body: bytes, headers: dict[str, str], wanted: str) -> Reply:
    """RFC 9110, section 14: one range; anything else is answered whole."""
    unit, _, span = wanted.partition("=")
    first_text, dash, last_text = span.partition("-")
    if unit != "bytes" or not dash or "," in span:
        return Reply(200, headers, body)
    size = len(body)
    first = int(first_text) if first_text else max(size - int(last_text), 0)
    last = min(int(last_text), size - 1) if first_text and last_text else size - 1
    if first >= size or last < first:
        return error(416, "InvalidRange", request, {"content-range": f"bytes */{size}"})
    return Reply(
        206, headers | {"content-range": f"bytes {first}-{last}/{size}"}, body[first : last + 1]
    )


_ANSWERS = {
    "HeadBucket": Store._head_bucket,
    "CreateBucket": Store._create_bucket,
    "ListObjectsV2": Store._list,
    "GetObject": Store._get_object,
    "HeadObject": Store._get_object,
    "PutObject": Store._put_object,
    "DeleteObject": Store._delete_object,
    "GetObjectTagging": Store._get_tagging,
    "PutObjectTagging": Store._put_tagging,
} | uploads.ANSWERS
