"""A request as S3 sees it, and the reply on its way out: plain values that faults may change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

_OPERATIONS = {
    # (method, is there a key, which of these words is in the query) → S3's name for it
    ("HEAD", False, ""): "HeadBucket",
    ("PUT", False, ""): "CreateBucket",
    ("GET", False, ""): "ListObjectsV2",
    ("GET", False, "list-type"): "ListObjectsV2",
    ("GET", False, "location"): "GetBucketLocation",
    ("HEAD", True, ""): "HeadObject",
    ("GET", True, ""): "GetObject",
    ("PUT", True, ""): "PutObject",
    ("DELETE", True, ""): "DeleteObject",
    ("GET", True, "tagging"): "GetObjectTagging",
    ("PUT", True, "tagging"): "PutObjectTagging",
    ("POST", True, "uploads"): "CreateMultipartUpload",
    ("GET", False, "uploads"): "ListMultipartUploads",
    ("PUT", True, "uploadId"): "UploadPart",
    ("GET", True, "uploadId"): "ListParts",
    ("POST", True, "uploadId"): "CompleteMultipartUpload",
    ("DELETE", True, "uploadId"): "AbortMultipartUpload",
}
_QUERY_WORDS = ("list-type", "location", "tagging", "uploads", "uploadId")


@dataclass(frozen=True)
class Request:
    """One request in path style."""

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""
    target: str = ""

    @property
    def operation(self) -> str:
        """S3's name of the operation; "Unknown" for what S3 has no name for."""
        word = next((word for word in _QUERY_WORDS if word in self.query), "")
        return _OPERATIONS.get((self.method, bool(self.key), word), "Unknown")


def parse_request(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    """Takes the request line's target apart. Keys that are no UTF-8 keep their bytes as
    surrogates."""
    path, _, query_text = target.partition("?")
    bucket, _, key = path.removeprefix("/").partition("/")
    return Request(
        method,
        unquote(bucket),
        unquote(key, errors="surrogateescape"),
        dict(parse_qsl(query_text, keep_blank_values=True)),
        headers,
        body,
        target,
    )


@dataclass
class Reply:
    """An answer, and how it leaves: faults set the later fields."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0
    """Waits before the first byte."""
    cut_after: int | None = None
    """Sends only so many bytes of the body, after having promised all; -1 sends not even the
    head."""
    cut_by: str = "close"
    """How the connection ends after the cut: "close" (FIN), "half-close" (FIN, and listens on),
    "reset" (RST) or "stall" (never, the peer has to give up)."""
    close_after: bool = False
    """Closes the connection after the answer without having said so."""
    raw: Callable[["Reply"], Iterator[bytes | float]] | None = None
    """Writes these bytes in place of the answer, whatever HTTP says of them, with pauses of so many
    seconds between them. The connection then ends by `cut_by`."""


def error(status: int, code: str, request: Request, headers=None, message="", extra="") -> Reply:
    """S3's error document. `extra` is XML that goes into it as it is."""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>{escape(message or code)}</Message>"
        f"<Resource>{escape('/' + request.bucket)}</Resource>{extra}"
        "<RequestId>fake-request</RequestId></Error>"
    )
    return Reply(status, {"content-type": "application/xml"} | (headers or {}), document.encode())
