"""The XML documents of multipart uploads."""

import re
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .exchange import Request
from .integrity import ALGORITHMS

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def initiated_document(upload) -> bytes:
    """The key comes back raw, control characters as references that XML 1.0 forbids: so does S3."""
    return _document(
        "InitiateMultipartUploadResult",
        f"<Bucket>{upload.bucket}</Bucket><Key>{_raw_key(upload.key)}</Key>"
        f"<UploadId>{escape(upload.id)}</UploadId>",
    )


def parts_document(upload, parts: list, truncated: bool) -> bytes:
    items = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber><LastModified>{_time(part.modified)}"
        f"</LastModified><ETag>&quot;{part.etag}&quot;</ETag><Size>{len(part.body)}</Size>"
        f"{_checksum_elements(part.checksums)}</Part>"
        for part in parts
    )
    marker = parts[-1].number if parts else 0
    return _document(
        "ListPartsResult",
        f"<Bucket>{upload.bucket}</Bucket><Key>{_raw_key(upload.key)}</Key>"
        f"<UploadId>{escape(upload.id)}</UploadId>"
        f"<NextPartNumberMarker>{marker}</NextPartNumberMarker><MaxParts>1000</MaxParts>"
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{items}",
    )


def uploads_document(request: Request, uploads: list, truncated: bool) -> bytes:
    """Keys are URL-encoded where the client asked for it, else raw."""
    encoded = request.query.get("encoding-type") == "url"
    written = _url if encoded else _raw_key
    items = "".join(
        f"<Upload><Key>{written(upload.key)}</Key><UploadId>{escape(upload.id)}</UploadId>"
        f"<Initiated>{_time(upload.initiated)}</Initiated></Upload>"
        for upload in uploads
    )
    markers = (
        f"<NextKeyMarker>{written(uploads[-1].key)}</NextKeyMarker>"
        f"<NextUploadIdMarker>{escape(uploads[-1].id)}</NextUploadIdMarker>"
        if truncated and uploads
        else ""
    )
    return _document(
        "ListMultipartUploadsResult",
        f"<Bucket>{request.bucket}</Bucket>{'<EncodingType>url</EncodingType>' * encoded}"
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{markers}{items}",
    )


def completed_document(request: Request, etag: str) -> bytes:
    return _document(
        "CompleteMultipartUploadResult",
        f"<Location>http://fake/{request.bucket}</Location><Bucket>{request.bucket}</Bucket>"
        f"<Key>{_raw_key(request.key)}</Key><ETag>{escape(etag)}</ETag>",
    )


def parse_complete(document: bytes) -> list[tuple[int, str, dict[str, str]]]:
    """Number, ETag and checksums of every part, in the order of the document; nothing of what is no
    such document."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError:
        return []
    return [
        (
            int(part.findtext("{*}PartNumber")),
            (part.findtext("{*}ETag") or "").strip('"'),
            _checksums(part),
        )
        for part in root.iterfind("{*}Part")
    ]


def _checksum_elements(checksums: dict[str, str]) -> str:
    return "".join(
        f"<Checksum{name.upper()}>{value}</Checksum{name.upper()}>"
        for name, value in checksums.items()
    )


def _checksums(part) -> dict[str, str]:
    found = {name: part.findtext("{*}Checksum" + name.upper()) for name in ALGORITHMS}
    return {name: value for name, value in found.items() if value}


def _document(name: str, content: str) -> bytes:
    return f"{_HEAD}<{name} {_NAMESPACE}>{content}</{name}>".encode("utf-8", "surrogateescape")


def _raw_key(key: str) -> str:
    return re.sub(r"[\x00-\x1f]", lambda found: f"&#x{ord(found[0]):x};", escape(key))


def _url(key: str) -> str:
    return quote(key, safe="/", errors="surrogateescape")


def _time(moment) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
