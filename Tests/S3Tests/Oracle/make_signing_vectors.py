#!/usr/bin/env python3
"""Prints signing vectors: generated requests with the Authorization that botocore gives them.

    make_signing_vectors.py --seed 1 --count 5000 > vectors.tsv

Needs botocore (PyPI). The same seed and count always give the same vectors. A line is a vector, its
fields are separated by tabs:

    method  endpoint  access key  secret  session token  region  seconds since 1970
    bucket  key  query  headers  payload  Authorization

Key, query and headers hold any byte and are hexadecimal; query and headers are pairs "name=value", joined
by ",". "-" stands for no key (a request to the bucket) and for no session token. Payload: "empty",
"unsigned", or the body's SHA-256 in hexadecimal.
"""

import argparse
import datetime
import hashlib
import random
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode

ENDPOINTS = [
    "http://127.0.0.1:8010",
    "https://s3.example.org",
    "http://s3.example.org",
    "https://gateway.example.org:8443",
    "http://s3.example.org:443",
    "https://s3.example.org:80",
    "http://[::1]:9000",
    "https://[2001:db8::7]",
]
REGIONS = ["us-east-1", "eu-central-1", "default"]
BUCKETS = ["bucket", "a.b-c", "under_score", "Upper", "b" * 63]
ODD_KEYS = [
    "plain", "with space", " leading space", "trailing space ", "plus+plus", "per%cent", "%2F", "%2f", "%",
    "a%20b", "question?mark", "?", "#", "hash#tag", "am&per", "eq=ual", "a=b&c=d", "quo'te", 'dou"ble',
    "back\\slash", "star*", "til~de", "//", "/", "/leading", "//leading", "a//b", "a///b", "./..", ".", "..",
    "a/./b", "a/../b", "../../etc", "trailing/", "trailing//", "semi;colon", "com,ma", "co:lon", "a@b", "$dollar",
    "(paren)", "[bracket]", "{brace}", "<less>", "pipe|", "caret^", "back`tick", "excl!", "new\nline", "tab\there",
    "carriage\rreturn", "\x01\x1f\x7f", "\U0001f600 emoji", "e\u0301 combining", "\u00e9 composed",
    "\u6f22\u5b57", "\ufffd\uffff", "\u00a0nbsp", "k" * 1024, "\u6f22" * 341, "a/" * 512,
]
SUBRESOURCES = ["tagging", "uploads", "acl", "versioning", "partNumber", "uploadId", "list-type", "prefix",
                "delimiter", "continuation-token", "start-after", "encoding-type", "max-keys", "X-Odd", "a", "B"]
PLAIN_HEADERS = ["content-type", "cache-control", "content-disposition", "content-encoding", "content-language",
                 "expires", "range", "if-match", "if-none-match", "content-md5", "x-amz-tagging", "x-amz-acl",
                 "x-amz-website-redirect-location", "x-amz-copy-source", "date-like"]
VALUE_PIECES = ["text", "bytes=0-1048575", "*", '"d41d8cd98f00b204e9800998ecf8427e"', "a=b&c=d%20e", ",", ";",
                " ", "  ", "   ", "\t", "=", ":", "/", "gr\u00fc\u00df", "\u6f22\u5b57", "\U0001f600",
                "=?UTF-8?B?Z3LDvMOf?=", "max-age=3600", "'", '"', "\\"]


def random_key(rng):
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(ODD_KEYS).encode()
    if kind < 0.8:
        return "".join(rng.choice(ODD_KEYS[:56]) for _ in range(rng.randint(1, 4))).encode()[:1024]
    if kind < 0.9:
        return bytes(rng.randint(1, 255) for _ in range(rng.randint(1, 40)))
    return "".join(chr(rng.randint(32, 126)) for _ in range(rng.randint(1, 80))).encode()


def random_text(rng, pieces_max=4):
    return "".join(rng.choice(VALUE_PIECES) for _ in range(rng.randint(0, pieces_max)))


def random_query(rng):
    query = [(rng.choice(SUBRESOURCES), rng.choice(["", "1", "a b", random_text(rng), "+/=%2F&?#~*'"]))
             for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3, 5]))]
    if query and rng.random() < 0.3:
        query.append(rng.choice(query))
    return query


def random_headers(rng):
    headers = [(name, random_text(rng)) for name in rng.sample(PLAIN_HEADERS, rng.randint(0, 4))]
    for _ in range(rng.choice([0, 0, 1, 2, 6])):
        name = "x-amz-meta-" + rng.choice(["a", "b", "a-b", "a.b", "a_b", "aa", "z", "key%d" % rng.randint(0, 99)])
        headers.append((name, random_text(rng)))
    rng.shuffle(headers)
    return headers


def random_payload(rng):
    """The body, or None for one that is not signed, and the field that tells it."""
    kind = rng.random()
    if kind < 0.4:
        return b"", "empty"
    if kind < 0.6:
        return None, "unsigned"
    body = rng.randbytes(rng.randint(1, 60))
    return body, hashlib.sha256(body).hexdigest()


class FrozenAuth(botocore.auth.S3SigV4Auth):
    """botocore's own signer, but for who decides whether the payload is signed."""

    signs_payload = True

    def _should_sha256_sign_payload(self, request):
        return self.signs_payload


def authorization(method, url, query, headers, body, credentials, region, date):
    request = AWSRequest(method=method, url=url, params=query, data=body or b"")
    for name, value in headers:
        request.headers[name] = value
    botocore.auth.get_current_datetime = lambda *args, **kwargs: date
    auth = FrozenAuth(credentials, "s3", region)
    auth.signs_payload = body is not None
    auth.add_auth(request)
    return request.headers["Authorization"]


def hexed(value):
    return (value if isinstance(value, bytes) else value.encode()).hex()


def pairs(items):
    return ",".join(f"{hexed(name)}={hexed(value)}" for name, value in items)


def vector(rng, key=None):
    method = rng.choice(["GET", "HEAD", "PUT", "POST", "DELETE"])
    endpoint, region, bucket = rng.choice(ENDPOINTS), rng.choice(REGIONS), rng.choice(BUCKETS)
    access, secret = rng.choice([("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                 ("test:src", "swiftsecret"), ("k", "s" * 70)])
    token = rng.choice(["", "", "FwoGZXIvYXdzEXAMPLE//token+with=odd/bytes=="])
    if key is None:
        key = random_key(rng) if rng.random() < 0.9 else b""
    query, headers = random_query(rng), random_headers(rng)
    body, payload = random_payload(rng)
    seconds = rng.randint(0, 4102444800)
    date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    path = "/" + percent_encode(bucket, safe="") + ("/" + percent_encode(key, safe="/~") if key else "")
    expected = authorization(method, endpoint + path, query, headers, body,
                             Credentials(access, secret, token or None), region, date)
    return "\t".join([method, endpoint, access, secret, token or "-", region, str(seconds), bucket,
                      hexed(key) or "-", pairs(query), pairs(headers), payload, expected])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for index in range(options.count):
        # Every odd key once, then at random.
        print(vector(rng, ODD_KEYS[index].encode() if index < len(ODD_KEYS) else None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
