"""Objects of any size made from a seed, a piece at a time: neither the tests nor their judge ever
hold one whole."""

import hashlib
import io
import random
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from buckets import header_differences
from dataset import MEBIBYTE
from s3client import S3Client


@dataclass(frozen=True)
class LargeObject:
    """One object as the target has to hold it in the end. Another `version` has other bytes, and the
    same size."""

    key: str
    size_bytes: int
    part_bytes: tuple[int, ...] = ()
    """The sizes of its parts at the source; empty when one PUT brought it."""
    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    version: int = 0

    def piece(self, offset: int, size_bytes: int) -> bytes:
        """Bytes from `offset` on. Each mebibyte has its number in it, so that exchanged parts show."""
        end = min(offset + size_bytes, self.size_bytes)
        pieces, at = [], offset
        while at < end:
            number, skipped = divmod(at, MEBIBYTE)
            pieces.append(self._block(number)[skipped : skipped + end - at])
            at += len(pieces[-1])
        return b"".join(pieces)

    def pieces(self):
        """All of it, a mebibyte at a time."""
        return map(lambda at: self.piece(at, MEBIBYTE), range(0, self.size_bytes, MEBIBYTE))

    @cached_property
    def md5(self) -> str:
        digest = hashlib.md5()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def etag(self, part_bytes: tuple[int, ...] | None = None) -> str:
        """What S3 gives to it in its own layout, or in another."""
        sizes = self.part_bytes if part_bytes is None else part_bytes
        if not sizes:
            return self.md5
        digests = [hashlib.md5(self.piece(*span)).digest() for span in spans(sizes)]
        return f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(sizes)}"

    def _block(self, number: int) -> bytes:
        noise = _noise(self.seed, self.version)
        start = number * 4097 % MEBIBYTE
        return number.to_bytes(8, "big") + noise[start : start + MEBIBYTE - 8]


@lru_cache(maxsize=8)
def _noise(seed: int, version: int) -> bytes:
    return random.Random(f"{seed} {version}").randbytes(2 * MEBIBYTE)


def in_parts(key: str, part_bytes: int, whole: int, last_bytes: int, **more) -> LargeObject:
    """`whole` parts of one size and a last one, which may be empty (then there is none)."""
    sizes = (part_bytes,) * whole + ((last_bytes,) if last_bytes else ())
    return LargeObject(key, sum(sizes), sizes, **more)


def spans(sizes) -> list[tuple[int, int]]:
    """Offset and size of each part."""
    offsets = [sum(sizes[:index]) for index in range(len(sizes))]
    return list(zip(offsets, sizes))


class _Reader(io.RawIOBase):
    """The object as a file, for a client that sends files."""

    def __init__(self, item: LargeObject):
        self._item, self._at = item, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._at

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._item.size_bytes}
        self._at = base[whence] + offset
        return self._at

    def readinto(self, buffer):
        piece = self._item.piece(self._at, len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def put_large(client: S3Client, bucket: str, item: LargeObject):
    """By boto3, in the object's own layout."""
    s3, named = client.boto(), {"Bucket": bucket, "Key": item.key} | _boto_headers(item)
    if not item.part_bytes:
        body = io.BufferedReader(_Reader(item), MEBIBYTE)
        s3.put_object(**named, Body=body, ContentLength=item.size_bytes)
    else:
        _send_parts(s3, named, item)()
    if item.tags:
        # Ceph drops tags that come with an upload.
        tags = [{"Key": key, "Value": value} for key, value in item.tags.items()]
        s3.put_object_tagging(Bucket=bucket, Key=item.key, Tagging={"TagSet": tags})


def prepare_large(client: S3Client, bucket: str, item: LargeObject):
    """Sends the parts of an object; it becomes visible, at once, when what is returned is called."""
    return _send_parts(
        client.boto(), {"Bucket": bucket, "Key": item.key} | _boto_headers(item), item
    )


def _send_parts(s3, named: dict, item: LargeObject):
    upload_id = s3.create_multipart_upload(**named)["UploadId"]
    upload = {"Bucket": named["Bucket"], "Key": item.key, "UploadId": upload_id}
    parts = []
    for number, span in enumerate(spans(item.part_bytes), start=1):
        answer = s3.upload_part(**upload, PartNumber=number, Body=item.piece(*span))
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return lambda: s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


_BOTO_NAMES = {
    "content-type": "ContentType",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-disposition": "ContentDisposition",
    "cache-control": "CacheControl",
}


def _boto_headers(item: LargeObject) -> dict:
    headers = {_BOTO_NAMES[name]: item.headers[name] for name in _BOTO_NAMES if name in item.headers}
    metadata = {
        name.removeprefix("x-amz-meta-"): value
        for name, value in item.headers.items()
        if name.startswith("x-amz-meta-")
    }
    return headers | ({"Metadata": metadata} if metadata else {})


def large_differences(client: S3Client, bucket: str, item: LargeObject) -> list[str]:
    """What is wrong with the bytes, headers and tags of one object, in sentences; boto3 reads it as a
    stream."""
    answer = client.boto().get_object(Bucket=bucket, Key=item.key)
    digest, size_bytes = hashlib.md5(), 0
    for piece in answer["Body"].iter_chunks(MEBIBYTE):
        digest.update(piece)
        size_bytes += len(piece)
    found = []
    if digest.hexdigest() != item.md5:
        found.append(f"bytes of {item.key!r} differ ({size_bytes} of {item.size_bytes})")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    found += header_differences(item, {name.lower(): value for name, value in headers.items()})
    if item.tags and (tags := client.tags(bucket, item.key)) != item.tags:
        found.append(f"tags of {item.key!r}: {tags}, should be {item.tags}")
    return found


def open_uploads(client: S3Client, bucket: str) -> list[tuple[str, str]]:
    """Key and id of every upload that was neither completed nor aborted."""
    boto = client.boto()
    pages = boto.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
    try:
        return [(one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", [])]
    except boto.exceptions.NoSuchUpload:
        # rclone's word for none at all.
        return []


def parts_there(client: S3Client, bucket: str, key: str, upload_id: str) -> dict[int, str]:
    """Number → ETag of the parts that an open upload has."""
    pages = client.boto().get_paginator("list_parts").paginate(
        Bucket=bucket, Key=key, UploadId=upload_id
    )
    return {part["PartNumber"]: part["ETag"] for page in pages for part in page.get("Parts", [])}
