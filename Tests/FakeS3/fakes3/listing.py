"""The XML documents of listings and tags."""

from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .exchange import Reply, Request

_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def list_objects(objects: dict, request: Request) -> Reply:
    """ListObjectsV2 with prefix, start-after, continuation and max-keys; keys are always
    URL-encoded."""
    prefix = request.query.get("prefix", "")
    after = request.query.get("continuation-token") or request.query.get("start-after", "")
    count_max = min(int(request.query.get("max-keys", "1000")), 1000)
    keys = sorted((key for key in objects if key.startswith(prefix)), key=_bytes)
    keys = [key for key in keys if _bytes(key) > _bytes(after)]
    page, truncated = keys[:count_max], len(keys) > count_max
    items = "".join(_contents(key, objects[key]) for key in page)
    token = _next_token(page[-1]) if truncated and page else ""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult {_NAMESPACE}>'
        f"<EncodingType>url</EncodingType><KeyCount>{len(page)}</KeyCount>"
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{token}{items}</ListBucketResult>"
    )
    return Reply(200, {"content-type": "application/xml"}, document.encode())


def _contents(key: str, stored) -> str:
    return (
        f"<Contents><Key>{quote(key)}</Key>"
        f"<LastModified>{stored.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f"<ETag>&quot;{stored.etag}&quot;</ETag><Size>{len(stored.body)}</Size></Contents>"
    )


def _next_token(key: str) -> str:
    return f"<NextContinuationToken>{escape(key)}</NextContinuationToken>"


def tagging_document(tags: dict[str, str]) -> bytes:
    items = "".join(
        f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>"
        for key, value in tags.items()
    )
    return f"<Tagging {_NAMESPACE}><TagSet>{items}</TagSet></Tagging>".encode()


def parse_tagging(document: bytes) -> dict[str, str]:
    root = ElementTree.fromstring(document)
    return {
        tag.findtext("{*}Key"): tag.findtext("{*}Value") or "" for tag in root.iterfind(".//{*}Tag")
    }


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")
