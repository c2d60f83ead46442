"""The multipart uploads of one fake server: what was begun, which parts came, and how S3 answers for
them. The objects are the store's."""

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import parse_qsl

from .exchange import Reply, Request, error
from .integrity import body_refusal, checksum, sent_checksums
from .multipart_documents import (
    completed_document,
    initiated_document,
    parse_complete,
    parts_document,
    uploads_document,
)

PART_NUMBER_MAX = 10_000


@dataclass(frozen=True)
class Part:
    """One part as it was received last."""

    number: int
    body: bytes
    etag: str
    checksums: dict[str, str] = field(default_factory=dict)
    modified: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


@dataclass
class Upload:
    """An upload that was neither completed nor aborted."""

    id: str
    bucket: str
    key: str
    headers: dict[str, str]
    tags: dict[str, str]
    algorithm: str
    """The checksum that was announced, in lower case; "" for none."""
    initiated: datetime
    parts: dict[int, Part] = field(default_factory=dict)

    def put(self, number: int, body: bytes, checksums=None) -> Part:
        part = Part(number, bytes(body), hashlib.md5(body).hexdigest(), dict(checksums or {}))
        self.parts[number] = part
        return part


class Uploads:
    """All open uploads of a server. The store's lock guards them."""

    def __init__(self):
        self._open: dict[str, Upload] = {}
        self._completed: dict[str, tuple[str, str, str]] = {}
        self._numbers = itertools.count(1)

    def begin(self, bucket, key, headers=None, tags=None, algorithm="", initiated=None) -> Upload:
        """`initiated` (UTC) makes it an upload of earlier times."""
        upload = Upload(
            f"{next(self._numbers):06}~+/=.id",  # ids are opaque: whoever takes them for words fails
            bucket,
            key,
            dict(headers or {}),
            dict(tags or {}),
            algorithm.lower(),
            initiated or datetime.now(timezone.utc),
        )
        self._open[upload.id] = upload
        return upload

    def of(self, bucket: str, key: str | None = None) -> list[Upload]:
        """The open ones, in the order of a listing."""
        chosen = [
            upload
            for upload in self._open.values()
            if upload.bucket == bucket and key in (None, upload.key)
        ]
        return sorted(chosen, key=lambda one: (one.key.encode("utf-8", "surrogateescape"), one.id))

    def find(self, request: Request) -> Upload | None:
        upload = self._open.get(request.query.get("uploadId", ""))
        named = (request.bucket, request.key)
        return upload if upload and (upload.bucket, upload.key) == named else None

    def forget(self, upload: Upload):
        """As an abort does, or the life cycle rule of a bucket."""
        self._open.pop(upload.id, None)

    def expire(self, bucket: str, key: str):
        """All uploads of the key are gone, as after days by a life cycle rule."""
        for upload in self.of(bucket, key):
            self.forget(upload)

    def complete(self, upload: Upload, etag: str):
        self._completed[upload.id] = (upload.bucket, upload.key, etag)
        self.forget(upload)

    def completed_etag(self, request: Request) -> str | None:
        """Of an upload that was completed before; None when there was none."""
        bucket, key, etag = self._completed.get(request.query.get("uploadId", ""), ("", "", ""))
        return etag if etag and (bucket, key) == (request.bucket, request.key) else None


def composite_etag(parts: list[bytes]) -> str:
    """The ETag that S3 gives to an object of these parts."""
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"


# The answers


def create(store, request: Request) -> Reply:
    tags_text = request.headers.get("x-amz-tagging", "")
    tags = dict(parse_qsl(tags_text, keep_blank_values=True))
    if tags and not store.rules.tagging:
        return error(501, "NotImplemented", request)
    upload = store.uploads.begin(
        request.bucket,
        request.key,
        store.kept_headers(request),
        tags if store.rules.multipart_tagging else {},
        request.headers.get("x-amz-checksum-algorithm", ""),
    )
    return _xml(initiated_document(upload))


def upload_part(store, request: Request) -> Reply:
    upload = store.uploads.find(request)
    if upload is None:
        return error(404, "NoSuchUpload", request)
    number = int(request.query.get("partNumber", "0"))
    if not 1 <= number <= PART_NUMBER_MAX:
        return error(400, "InvalidArgument", request, message="Part number must be 1 to 10000")
    if len(request.body) > store.rules.part_bytes_max:
        return error(400, "EntityTooLarge", request)
    checksums = sent_checksums(request.headers)
    if store.rules.checksums and any(name != upload.algorithm for name in checksums):
        return error(400, "InvalidRequest", request, message="Checksum Type mismatch occurred")
    if refusal := body_refusal(request, store.rules):
        return refusal
    part = upload.put(number, request.body, checksums)
    told = {f"x-amz-checksum-{name}": value for name, value in checksums.items()}
    return Reply(200, {"etag": f'"{part.etag}"'} | (told if store.rules.checksums else {}))


def list_parts(store, request: Request) -> Reply:
    upload = store.uploads.find(request)
    if upload is None:
        return error(404, "NoSuchUpload", request)
    count_max = _page_size(store, request, "max-parts")
    after = int(request.query.get("part-number-marker") or 0)
    parts = [upload.parts[number] for number in sorted(upload.parts) if number > after]
    return _xml(parts_document(upload, parts[:count_max], len(parts) > count_max))


def list_uploads(store, request: Request) -> Reply:
    prefix = request.query.get("prefix", "")
    after = (request.query.get("key-marker", ""), request.query.get("upload-id-marker", ""))
    found = [
        upload
        for upload in store.uploads.of(request.bucket)
        if upload.key.startswith(prefix) and _is_behind(upload, *after)
    ]
    count_max = _page_size(store, request, "max-uploads")
    return _xml(uploads_document(request, found[:count_max], len(found) > count_max))


def complete(store, request: Request) -> Reply:
    upload = store.uploads.find(request)
    if upload is None:
        earlier = store.uploads.completed_etag(request)
        if earlier and store.rules.complete_again:
            return _completed(store, request, earlier)
        return error(404, "NoSuchUpload", request)
    if store.rules.complete_conditions and (refusal := store.write_refusal(request)):
        return refusal
    named = parse_complete(request.body)
    if refusal := _parts_refusal(store, request, upload, named):
        return refusal
    bodies = [upload.parts[number].body for number, _, _ in named]
    if refusal := _whole_refusal(store, request, bodies):
        return refusal
    stored = store.put_parts(upload.bucket, upload.key, bodies, upload.headers, upload.tags)
    store.uploads.complete(upload, stored.etag)
    return _completed(store, request, stored.etag)


def abort(store, request: Request) -> Reply:
    upload = store.uploads.find(request)
    if upload is None:
        return error(404, "NoSuchUpload", request)
    store.uploads.forget(upload)
    return Reply(204)


ANSWERS = {
    "CreateMultipartUpload": create,
    "UploadPart": upload_part,
    "ListParts": list_parts,
    "ListMultipartUploads": list_uploads,
    "CompleteMultipartUpload": complete,
    "AbortMultipartUpload": abort,
}


def _completed(store, request: Request, etag: str) -> Reply:
    told = f'"{etag}"' if store.rules.complete_tells_etag else ""
    return _xml(completed_document(request, told))


def _parts_refusal(store, request, upload: Upload, named) -> Reply | None:
    """What is wrong with the list of parts, as S3 looks at it: order, presence, sizes."""
    numbers = [number for number, _, _ in named]
    if not numbers:
        return error(400, "MalformedXML", request)
    if numbers != sorted(set(numbers)):
        return error(400, "InvalidPartOrder", request)
    for number, etag, _ in named:
        if number not in upload.parts or upload.parts[number].etag != etag:
            return error(400, "InvalidPart", request, message=f"Part {number} could not be found")
    if any(len(upload.parts[number].body) < store.rules.part_bytes_min for number in numbers[:-1]):
        return error(400, "EntityTooSmall", request)
    return _part_checksums_refusal(store, request, upload, named)


def _part_checksums_refusal(store, request, upload: Upload, named) -> Reply | None:
    """An upload with a checksum that is composed of its parts' wants to hear them again."""
    composed = upload.algorithm not in ("", "crc64nvme")
    if not composed or upload.algorithm not in store.rules.checksums:
        return None
    for number, _, checksums in named:
        if upload.algorithm not in checksums:
            return error(400, "InvalidRequest", request, message=f"no checksum of part {number}")
        if checksums[upload.algorithm] != checksum(upload.algorithm, upload.parts[number].body):
            return error(400, "InvalidPart", request)
    return None


def _whole_refusal(store, request: Request, bodies: list[bytes]) -> Reply | None:
    """What the request says of the whole object: its size, its checksum."""
    size = request.headers.get("x-amz-mp-object-size")
    if size and int(size) != sum(map(len, bodies)):
        return error(400, "InvalidRequest", request, message="The object's size is another one")
    for algorithm, value in sent_checksums(request.headers).items():
        if algorithm in store.rules.checksums and value != checksum(algorithm, b"".join(bodies)):
            return error(400, "BadDigest", request)
    return None


def _is_behind(upload: Upload, key_marker: str, id_marker: str) -> bool:
    if upload.key == key_marker and id_marker:
        return upload.id > id_marker
    encoded = upload.key.encode("utf-8", "surrogateescape")
    return encoded > key_marker.encode("utf-8", "surrogateescape")


def _page_size(store, request: Request, name: str) -> int:
    return min(int(request.query.get(name, "1000")), store.rules.page_max)


def _xml(document: bytes) -> Reply:
    return Reply(200, {"content-type": "application/xml"}, document)
