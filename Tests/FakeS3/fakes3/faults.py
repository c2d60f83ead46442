"""The catalogue of what servers and networks do wrong. A fault gets the request and the store, and
makes the reply."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime

from .exchange import Reply, Request, error
from .store import Store


@dataclass(frozen=True)
class Fault:
    """`strike` makes the reply; whether the store changes is up to it."""

    name: str
    strike: Callable[[Request, Store], Reply]


def _instead(name: str, make: Callable[[Request], Reply]) -> Fault:
    """The request has no effect; another answer is given."""
    return Fault(name, lambda request, store: make(request))


def _spoilt(name: str, spoil: Callable[[Reply], Reply]) -> Fault:
    """The request has its effect; the answer is changed on its way."""
    return Fault(name, lambda request, store: spoil(store.answer(request)))


# The connection


def reset() -> Fault:
    """RST before anything was done."""
    return _instead("reset", lambda request: Reply(200, cut_after=-1, cut_by="reset"))


def close() -> Fault:
    """FIN before anything was done, as a server does with a connection that was idle too long."""
    return _instead("close", lambda request: Reply(200, cut_after=-1, cut_by="close"))


def lost_answer() -> Fault:
    """Does what was asked, then closes without a word: the client cannot know."""
    return _spoilt("lost answer", lambda reply: replace(reply, cut_after=-1, cut_by="close"))


def reset_in_body(after: int = 1000) -> Fault:
    return _spoilt("reset in body", lambda reply: replace(reply, cut_after=after, cut_by="reset"))


def short_body(after: int = 1000) -> Fault:
    """Promises the whole length, and ends cleanly after `after` bytes."""
    return _spoilt("short body", lambda reply: replace(reply, cut_after=after, cut_by="close"))


def stall(after: int = -1) -> Fault:
    """Says nothing more after `after` bytes of the body (-1: not even a status line), and keeps the
    connection."""
    return _spoilt("stall", lambda reply: replace(reply, cut_after=after, cut_by="stall"))


def close_after_answer() -> Fault:
    """A good answer, then FIN, though nothing had announced it."""
    return _spoilt("close after answer", lambda reply: replace(reply, close_after=True))


def delay(seconds: float) -> Fault:
    """A good answer, late."""
    return _spoilt("delay", lambda reply: replace(reply, delay_s=seconds))


# The server's trouble


def slow_down(retry_after_s: int | None = None) -> Fault:
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return failure(503, "SlowDown", "Please reduce your request rate.", headers)


def internal_error() -> Fault:
    return failure(500, "InternalError", "We encountered an internal error. Please try again.")


def failure(status: int, code: str, message="", headers=None, extra="") -> Fault:
    """Any error document of S3."""
    return _instead(code, lambda request: error(status, code, request, headers, message, extra))


def error_in_200() -> Fault:
    """200 with an error document, as S3 does for long operations."""
    return failure(200, "InternalError")


def html_page(status: int = 502) -> Fault:
    """What a proxy says when the server behind it does not answer."""
    page = b"<html><head><title>Bad Gateway</title></head><body><h1>502</h1></body></html>"
    return _instead("html page", lambda request: Reply(status, {"content-type": "text/html"}, page))


# Credentials, region, clock


def access_denied() -> Fault:
    return failure(403, "AccessDenied", "Access Denied")


def signature_does_not_match() -> Fault:
    return failure(
        403, "SignatureDoesNotMatch", "The request signature we calculated does not match."
    )


def invalid_access_key() -> Fault:
    return failure(403, "InvalidAccessKeyId", "The access key does not exist in our records.")


def skewed(server_date: str) -> Fault:
    """`server_date`: the Date header (RFC 9110, section 5.6.7) of the server's clock."""
    return failure(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the server's time is too large.",
        {"date": server_date},
    )


def expired_token() -> Fault:
    return failure(400, "ExpiredToken", "The provided token has expired.")


def permanent_redirect(region: str) -> Fault:
    """The bucket is in another region."""
    return failure(
        301,
        "PermanentRedirect",
        "The bucket must be addressed using the specified endpoint.",
        {"x-amz-bucket-region": region},
        f"<Endpoint>s3.{region}.example.com</Endpoint>",
    )


def wrong_region(region: str) -> Fault:
    """The signature is for another region."""
    return failure(
        400,
        "AuthorizationHeaderMalformed",
        f"The region is wrong; expecting '{region}'",
        {"x-amz-bucket-region": region},
        f"<Region>{region}</Region>",
    )


# Multipart uploads


def done_but(fault: Fault) -> Fault:
    """Does what was asked, and then answers as another fault: the client is told a failure that was
    none."""

    def strike(request: Request, store: Store) -> Reply:
        store.answer(request)
        return fault.strike(request, store)

    return Fault("done, but " + fault.name, strike)


def spaces_first(count: int = 2000) -> Fault:
    """Spaces behind the XML declaration, by which S3 keeps a connection alive while it assembles an
    object."""

    def spoil(reply: Reply) -> Reply:
        declaration, _, rest = reply.body.partition(b"?>")
        return replace(reply, body=declaration + b"?>" + b" " * count + rest)

    return _spoilt("spaces first", spoil)


def no_such_upload() -> Fault:
    """The upload is there, but the server does not find it."""
    return failure(404, "NoSuchUpload", "The specified upload does not exist.")


def upload_expired() -> Fault:
    """The server throws the key's uploads away (a life cycle rule), just before a good answer."""

    def strike(request: Request, store: Store) -> Reply:
        store.uploads.expire(request.bucket, request.key)
        return store.answer(request)

    return Fault("upload expired", strike)


def part_lost(number: int) -> Fault:
    """The server has lost a part that it had acknowledged, just before a good answer."""

    def strike(request: Request, store: Store) -> Reply:
        for upload in store.uploads.of(request.bucket, request.key):
            upload.parts.pop(number, None)
        return store.answer(request)

    return Fault(f"part {number} lost", strike)


def invalid_part() -> Fault:
    return failure(400, "InvalidPart", "One or more of the specified parts could not be found.")


def entity_too_small() -> Fault:
    return failure(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum.")


def empty_etag() -> Fault:
    """As Ceph completes an upload."""

    def spoil(reply: Reply) -> Reply:
        before, _, rest = reply.body.partition(b"<ETag>")
        behind = rest.partition(b"</ETag>")[2]
        return replace(reply, body=before + b"<ETag></ETag>" + behind)

    return _spoilt("empty ETag", spoil)


# Lies


def wrong_etag(etag: str = "1" * 32) -> Fault:
    return _spoilt(
        "wrong ETag", lambda reply: replace(reply, headers=reply.headers | {"etag": f'"{etag}"'})
    )


def dated(hours: float) -> Fault:
    """A server whose clock is wrong: Date and Last-Modified are that much off."""

    def spoil(reply: Reply) -> Reply:
        shift = timedelta(hours=hours)
        now = datetime.now(timezone.utc) + shift
        headers = reply.headers | {"date": format_datetime(now, usegmt=True)}
        if written := headers.get("last-modified"):
            moved = parsedate_to_datetime(written) + shift
            headers["last-modified"] = format_datetime(moved, usegmt=True)
        return replace(reply, headers=headers)

    return _spoilt("wrong clock", spoil)


def lying_412() -> Fault:
    """Precondition failed, though nothing is there."""
    return failure(
        412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
    )


def conflict() -> Fault:
    """409: another conditional write of the same key is going on."""
    return failure(409, "ConditionalRequestConflict", "A conflicting operation occurred.")


def range_ignored() -> Fault:
    """200 with the whole object, whatever range was asked for."""

    def strike(request: Request, store: Store) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name != "range"}
        return store.answer(replace(request, headers=headers))

    return Fault("range ignored", strike)


def wrong_content_range(value: str = "bytes 7-9/10") -> Fault:
    return _spoilt(
        "wrong Content-Range",
        lambda reply: replace(reply, headers=reply.headers | {"content-range": value}),
    )


def flipped_byte(at: int = 0) -> Fault:
    """One byte of the body is another, as by bad memory in a switch."""

    def spoil(reply: Reply) -> Reply:
        body = bytearray(reply.body)
        body[at] ^= 0xFF
        return replace(reply, body=bytes(body))

    return _spoilt("flipped byte", spoil)


def flipped_byte_in_request(at: int = 0) -> Fault:
    """The server receives another body than was sent."""

    def strike(request: Request, store: Store) -> Reply:
        body = bytearray(request.body)
        body[at] ^= 0xFF
        return store.answer(replace(request, body=bytes(body)))

    return Fault("flipped byte in the request", strike)


# The world goes on


def before(change: Callable[[], object]) -> Fault:
    """Something else happens to the store just before a good answer (a client writes or
    deletes)."""

    def strike(request: Request, store: Store) -> Reply:
        change()
        return store.answer(request)

    return Fault("change before", strike)


def after(change: Callable[[], object]) -> Fault:
    """Something else happens to the store just after the answer was made."""

    def strike(request: Request, store: Store) -> Reply:
        reply = store.answer(request)
        change()
        return reply

    return Fault("change after", strike)
