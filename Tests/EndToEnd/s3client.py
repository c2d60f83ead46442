"""A small and quick S3 client for making and reading test data; by hand, so that it shares nothing
with s3migrate.

boto3 costs milliseconds of CPU for each request, which ten thousand objects do not forgive; it is
the judge of samples and of the listings. The signature is SigV4 with an unsigned payload.
"""

import hashlib
import hmac
import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, urlsplit

import boto3
from botocore.config import Config


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    """Names in lower case; values decoded as Latin-1, as HTTP has it."""
    body: bytes

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "").strip('"')


class S3RequestFailed(Exception):
    def __init__(self, request: str, answer: Answer):
        super().__init__(f"{request}: {answer.status} {answer.body[:500]!r}")
        self.answer = answer


class S3Client:
    """Talks to one endpoint with one key; each thread has a connection of its own."""

    def __init__(self, url: str, key: str, secret: str, region="us-east-1"):
        self.url, self.key, self.secret, self.region = url, key, secret, region
        self.timeout_s = 120.0
        self._host = urlsplit(url).netloc
        self._local = threading.local()
        self._day_key: tuple[str, bytes] = ("", b"")

    @classmethod
    def of(cls, server) -> "S3Client":
        return cls(server.url, server.key, server.secret)

    def request(
        self,
        method,
        bucket,
        key=None,
        *,
        query=None,
        headers=None,
        body=b"",
        expect=range(200, 300),
    ) -> Answer:
        """One exchange. Raises `S3RequestFailed` for a status that is not expected."""
        path = (
            "/"
            + quote(bucket)
            + ("" if key is None else "/" + quote(key, safe="/~", errors="surrogateescape"))
        )
        query_text = "&".join(
            f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted((query or {}).items())
        )
        signed = self._signed(method, path, query_text, headers or {})
        answer = self._exchange(
            method, path + ("?" + query_text if query_text else ""), signed, body
        )
        if answer.status not in expect:
            raise S3RequestFailed(f"{method} {path}", answer)
        return answer

    def put(self, bucket, key, body=b"", headers=None) -> Answer:
        return self.request("PUT", bucket, key, headers=headers, body=body)

    def get(self, bucket, key, headers=None) -> Answer:
        return self.request("GET", bucket, key, headers=headers)

    def head(self, bucket, key) -> Answer:
        return self.request("HEAD", bucket, key)

    def delete(self, bucket, key) -> Answer:
        return self.request("DELETE", bucket, key)

    def tags(self, bucket, key) -> dict[str, str]:
        """The object's tags, by boto3."""
        answer = self.boto().get_object_tagging(Bucket=bucket, Key=key)
        return {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", [])}

    def make_bucket(self, bucket):
        self.request("PUT", bucket, expect=(200, 409))

    def boto(self, retries=1):
        """boto3's client for the same endpoint; it adds nothing of its own to requests."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name=self.region,
            config=Config(
                retries={"max_attempts": retries},
                s3={"addressing_style": "path"},
                max_pool_connections=32,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def listing(self, bucket) -> dict[str, dict]:
        """Every key of the bucket with its size and ETag, by boto3."""
        found = {}
        for page in self.boto().get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                found[item["Key"]] = {
                    "size": item["Size"],
                    "etag": item["ETag"].strip('"'),
                    "modified": item["LastModified"],
                }
        return found

    def hang_up(self):
        """Closes this thread's connection."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
            self._local.connection = None

    def _exchange(self, method, target, headers, body) -> Answer:
        reused = getattr(self._local, "connection", None) is not None
        try:
            return self._exchange_once(method, target, headers, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._local.connection = None
            if not reused:
                raise
            return self._exchange_once(
                method, target, headers, body
            )  # the kept connection was closed meanwhile

    def _exchange_once(self, method, target, headers, body) -> Answer:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(
                self._host, timeout=self.timeout_s
            )
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(
                name, value if isinstance(value, bytes) else value.encode("latin-1")
            )
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    def _signed(self, method, path, query_text, headers) -> dict[str, str]:
        now = datetime.now(timezone.utc)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        every = {
            "host": self._host,
            "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
            "x-amz-date": stamp,
        }
        every |= {name.lower(): value for name, value in headers.items()}
        names = sorted(every)
        text = "\n".join(
            [
                method,
                path,
                query_text,
                *(f"{name}:{' '.join(every[name].split())}" for name in names),
                "",
                ";".join(names),
                "UNSIGNED-PAYLOAD",
            ]
        )
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signature = _hmac(self._signing_key(stamp[:8]), to_sign).hex()
        every["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return every

    def _signing_key(self, day: str) -> bytes:
        if self._day_key[0] != day:
            key = ("AWS4" + self.secret).encode()
            for word in (day, self.region, "s3", "aws4_request"):
                key = _hmac(key, word)
            self._day_key = (day, key)
        return self._day_key[1]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def at_once(function, items, threads=8) -> list:
    """`function` of every item, several at a time; the first error is raised."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
