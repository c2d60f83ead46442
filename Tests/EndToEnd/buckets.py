"""Filling a bucket with objects, and the judgement whether a bucket holds exactly the objects that
it should."""

import hashlib
from urllib.parse import quote, urlencode

from dataset import MEBIBYTE, Object
from s3client import S3Client, S3RequestFailed, at_once

CARRIED = (
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "expires",
)
"""The headers that a copy has to carry besides x-amz-meta-*."""


def fill(client: S3Client, bucket: str, objects: list[Object]):
    """Puts the objects, large ones few at a time."""
    client.make_bucket(bucket)
    small, large = _by_size(objects)
    at_once(lambda item: put(client, bucket, item), small, threads=16)
    at_once(lambda item: put(client, bucket, item), large, threads=2)


def put(client: S3Client, bucket: str, item: Object):
    """rclone answers 500 now and then while two PUTs make the same new folder, so a few attempts
    are in order."""
    for _ in range(5):
        answer = client.request(
            "PUT", bucket, item.key, headers=_put_headers(item), body=item.body, expect=(200, 500)
        )
        if answer.status == 200:
            return
    raise S3RequestFailed(f"PUT {item.key!r}", answer)


def _put_headers(item: Object) -> dict[str, str]:
    headers = dict(item.headers)
    if item.tags:
        headers["x-amz-tagging"] = urlencode(
            item.tags, quote_via=quote
        )  # Ceph takes a plus literally
    return headers


def differences(
    target: S3Client,
    bucket: str,
    objects: list[Object],
    source: tuple[S3Client, str] | None = None,
    sample=200,
) -> list[str]:
    """What is wrong with the bucket, in sentences; nothing when it holds exactly the objects.

    The listing and a sample (all odd keys are in it, as it takes the objects in key order from both
    ends too) are boto3's; every object's bytes and headers are read as well. With `source` the
    ETags of both sides are compared.
    """
    listed = target.listing(bucket)
    expected = {item.key: item for item in objects}
    found = [f"missing: {key!r}" for key in expected.keys() - listed.keys()]
    found += [f"not expected: {key!r}" for key in listed.keys() - expected.keys()]
    present = [item for key, item in expected.items() if key in listed]
    if source:
        of_source = source[0].listing(source[1])
        found += [
            f"ETag of {item.key!r}: {listed[item.key]['etag']}, "
            f"at the source {of_source[item.key]['etag']}"
            for item in present
            if listed[item.key]["etag"] != of_source[item.key]["etag"]
        ]
    small, large = _by_size(present)
    found += sum(
        at_once(lambda item: object_differences(target, bucket, item), small, threads=8), []
    )
    found += sum(
        at_once(lambda item: object_differences(target, bucket, item), large, threads=2), []
    )
    found += sum(at_once(_boto_judge(target, bucket), _sample(present, sample), threads=4), [])
    return found


def object_differences(client: S3Client, bucket: str, item: Object) -> list[str]:
    """What is wrong with the bytes, headers and tags of one object."""
    answer = client.get(bucket, item.key)
    digest = hashlib.md5(answer.body).hexdigest()
    found = (
        []
        if digest == item.md5
        else [f"bytes of {item.key!r} differ ({len(answer.body)} of {item.size_bytes})"]
    )
    if answer.etag != item.md5:
        found.append(f"ETag of {item.key!r} is {answer.etag}, its MD5 {item.md5}")
    found += header_differences(item, answer.headers)
    if item.tags and (tags := client.tags(bucket, item.key)) != item.tags:
        found.append(f"tags of {item.key!r}: {tags}, should be {item.tags}")
    return found


def header_differences(item, got: dict[str, str]) -> list[str]:
    """What is wrong with the headers that a copy carries. `item` has a key and headers."""
    wanted = {"content-type": "binary/octet-stream"} | item.headers
    found = [
        f"{name} of {item.key!r}: {got.get(name)!r}, should be {value!r}"
        for name, value in wanted.items()
        if got.get(name) != value and name in item.headers
    ]
    more = [
        name
        for name in got
        if (name in CARRIED or name.startswith("x-amz-meta-")) and name not in wanted
    ]
    return found + [f"{name} of {item.key!r} was not there: {got[name]!r}" for name in more]


def _boto_judge(client: S3Client, bucket: str):
    boto = client.boto()

    def judge(item: Object) -> list[str]:
        answer = boto.get_object(Bucket=bucket, Key=item.key)
        body = answer["Body"].read()
        found = [] if body == item.body else [f"boto3 reads other bytes of {item.key!r}"]
        wanted = {
            name.removeprefix("x-amz-meta-"): value
            for name, value in item.headers.items()
            if name.startswith("x-amz-meta-")
        }
        got = {
            name.lower(): value for name, value in answer["Metadata"].items()
        }  # header names have no case
        if got != wanted:
            found.append(
                f"boto3 reads other metadata of {item.key!r}: {got}, should be {wanted}"[:1000]
            )
        return found

    return judge


def _sample(objects: list[Object], count: int) -> list[Object]:
    """The odd keys, and others spread over the whole bucket."""
    odd = [item for item in objects if "odd" in item.key or len(item.key) < 3]
    step = max(1, len(objects) // count)
    return list({item.key: item for item in odd + objects[::step]}.values())


def _by_size(objects: list[Object]) -> tuple[list[Object], list[Object]]:
    small = [item for item in objects if item.size_bytes <= 4 * MEBIBYTE]
    large = [item for item in objects if item.size_bytes > 4 * MEBIBYTE]
    return small, large
