"""The fake server's multipart uploads: S3's rules as boto3 meets them, and that each fault and each
sloppiness does what its name says."""

import hashlib
import zlib
from base64 import b64encode
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from fakes3 import FakeS3, Fault, Rules, faults, integrity
from fakes3.exchange import error
from fakes3.integrity import checksum
from fakes3.uploads import composite_etag
from s3client import S3Client

MINIMUM = 100
"""The least part, so that the tests need no mebibytes."""
PARTS = [bytes([number]) * MINIMUM for number in range(1, 4)] + [b"end"]
WHOLE = b"".join(PARTS)


@pytest.fixture
def fake():
    rules = Rules(part_bytes_min=MINIMUM, part_bytes_max=10 * MINIMUM)
    with FakeS3("target", rules=rules) as server:
        server.store.make_bucket("bucket")
        yield server


@pytest.fixture
def s3(fake):
    return S3Client(fake.url, "key", "secret").boto(retries=0)


NAMED = {"Bucket": "bucket", "Key": "a b/ü"}


def begin(s3, **more) -> dict:
    answer = s3.create_multipart_upload(**NAMED, **more)
    return NAMED | {"UploadId": answer["UploadId"]}


def send(s3, upload, parts=PARTS, **more) -> list[dict]:
    return [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(**upload, PartNumber=number, Body=body, **more)["ETag"],
        }
        for number, body in enumerate(parts, start=1)
    ]


def complete(s3, upload, parts, **more) -> dict:
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **more)


def code_of(call, *arguments, **named) -> str:
    """S3's code, or the HTTP status where there is no document (HEAD)."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    return caught.value.response["Error"]["Code"]


# The rules


def test_parts_become_an_object_with_the_composite_etag_headers_and_tags(fake, s3):
    upload = begin(s3, ContentType="x/y", Metadata={"a": "b"}, Tagging="t=%2B%20v")
    answer = complete(s3, upload, send(s3, upload))
    digests = b"".join(hashlib.md5(part).digest() for part in PARTS)
    assert answer["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-4"'
    got = s3.get_object(**NAMED)
    assert (got["Body"].read(), got["ETag"]) == (WHOLE, answer["ETag"])
    assert (got["ContentType"], got["Metadata"]) == ("x/y", {"a": "b"})
    assert fake.store.get("bucket", NAMED["Key"]).tags == {"t": "+ v"}
    assert fake.store.open_uploads("bucket") == []


def test_nothing_is_visible_before_complete(fake, s3):
    send(s3, begin(s3))
    assert fake.store.objects("bucket") == {}


def test_parts_may_come_in_any_order_and_twice(fake, s3):
    upload = begin(s3)
    for number in (4, 2, 1, 3, 2):
        s3.upload_part(**upload, PartNumber=number, Body=PARTS[number - 1])
    listed = s3.list_parts(**upload)["Parts"]
    complete(s3, upload, [{name: part[name] for name in ("PartNumber", "ETag")} for part in listed])
    assert fake.store.get("bucket", NAMED["Key"]).body == WHOLE
    assert fake.record.parts_received(NAMED["Key"]) == {1: 1, 2: 2, 3: 1, 4: 1}


@pytest.mark.parametrize("page_max", [1, 3, 4, 1000])
def test_part_lists_have_pages(fake, s3, page_max):
    fake.store.rules.page_max = page_max
    upload = begin(s3)
    sent = send(s3, upload)
    pages = list(s3.get_paginator("list_parts").paginate(**upload))
    listed = [part for page in pages for part in page["Parts"]]
    assert [(part["PartNumber"], part["ETag"]) for part in listed] == [
        (part["PartNumber"], part["ETag"]) for part in sent
    ]
    assert [part["Size"] for part in listed] == list(map(len, PARTS))
    assert len(pages) == -(-4 // page_max)


@pytest.mark.parametrize("page_max", [1, 2, 5, 1000])
def test_upload_lists_have_pages_and_prefixes(fake, s3, page_max):
    fake.store.rules.page_max = page_max
    keys = ["a", "b", "b", "b\n", "ü +"]
    for key in keys:
        fake.store.begin_upload("bucket", key)

    def listed(**more):
        pages = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket="bucket", EncodingType="url", **more
        )
        return [(unquote(one["Key"]), one["UploadId"]) for page in pages for one in page["Uploads"]]

    assert [key for key, _ in listed()] == keys
    assert len({name for _, name in listed()}) == 5
    assert [key for key, _ in listed(Prefix="b")] == ["b", "b", "b\n"]


def test_an_abort_forgets_the_upload_once(fake, s3):
    upload = begin(s3)
    send(s3, upload)
    s3.abort_multipart_upload(**upload)
    assert fake.store.open_uploads("bucket") == []
    assert code_of(s3.abort_multipart_upload, **upload) == "NoSuchUpload"
    assert code_of(s3.list_parts, **upload) == "NoSuchUpload"
    assert code_of(s3.upload_part, **upload, PartNumber=1, Body=b"") == "NoSuchUpload"


def test_an_upload_belongs_to_its_key(s3):
    upload = begin(s3) | {"Key": "other"}
    assert code_of(s3.upload_part, **upload, PartNumber=1, Body=b"") == "NoSuchUpload"


def tell_other_etag(parts):
    return [parts[0] | {"ETag": '"other"'}, *parts[1:]]


@pytest.mark.parametrize(
    "spoil, code",
    [
        (lambda parts: parts[:2] + [parts[2] | {"PartNumber": 9}], "InvalidPart"),
        (tell_other_etag, "InvalidPart"),
        (lambda parts: parts[::-1], "InvalidPartOrder"),
        (lambda parts: parts[:1] + parts, "InvalidPartOrder"),
        (lambda parts: [], "MalformedXML"),
    ],
    ids=["missing", "other ETag", "order", "twice", "none"],
)
def test_a_complete_that_is_wrong_leaves_the_upload(fake, s3, spoil, code):
    upload = begin(s3)
    parts = send(s3, upload)
    assert code_of(complete, s3, upload, spoil(parts)) == code
    assert fake.store.objects("bucket") == {}
    complete(s3, upload, parts)


def test_a_small_part_is_refused_unless_it_is_the_last(fake, s3):
    upload = begin(s3)
    parts = send(s3, upload, [PARTS[0], PARTS[1][:-1], PARTS[2]])
    assert code_of(complete, s3, upload, parts) == "EntityTooSmall"
    fake.store.rules.part_bytes_min = MINIMUM - 1
    complete(s3, upload, parts)


def test_a_part_that_is_too_large_is_refused(s3):
    upload = begin(s3)
    large = b"x" * (10 * MINIMUM + 1)
    assert code_of(s3.upload_part, **upload, PartNumber=1, Body=large) == "EntityTooLarge"
    s3.upload_part(**upload, PartNumber=1, Body=large[1:])


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_numbers_have_bounds(s3, number):
    assert code_of(s3.upload_part, **begin(s3), PartNumber=number, Body=b"") == "InvalidArgument"


def test_complete_is_conditional(fake, s3):
    upload = begin(s3)
    parts = send(s3, upload)
    fake.put("bucket", NAMED["Key"], b"a client was quicker")
    assert code_of(complete, s3, upload, parts, IfNoneMatch="*") == "PreconditionFailed"
    assert fake.store.get("bucket", NAMED["Key"]).body == b"a client was quicker"
    assert len(fake.store.open_uploads("bucket")) == 1, "a refused upload can be completed later"
    fake.store.rules.complete_conditions = False
    complete(s3, upload, parts, IfNoneMatch="*")
    assert fake.store.get("bucket", NAMED["Key"]).body == WHOLE


def test_a_second_complete_is_for_most_servers_no_such_upload(fake, s3):
    upload = begin(s3)
    parts = send(s3, upload)
    first = complete(s3, upload, parts)
    assert code_of(complete, s3, upload, parts) == "NoSuchUpload"
    fake.store.rules.complete_again = True
    assert complete(s3, upload, parts)["ETag"] == first["ETag"]


def test_a_target_with_the_habits_of_ceph_and_rclone(fake, s3):
    rules = fake.store.rules
    rules.complete_tells_etag = rules.composite_etags = rules.multipart_tagging = False
    upload = begin(s3, Tagging="t=v")
    assert complete(s3, upload, send(s3, upload))["ETag"] == ""
    stored = fake.store.get("bucket", NAMED["Key"])
    assert (stored.etag, stored.tags) == (hashlib.md5(WHOLE).hexdigest(), {})


def test_a_part_can_be_asked_for_by_its_number(fake, s3):
    fake.store.put_parts("bucket", NAMED["Key"], PARTS)
    head = s3.head_object(**NAMED, PartNumber=2)
    assert (head["ContentLength"], head["PartsCount"]) == (MINIMUM, 4)
    assert head["ETag"].strip('"') == composite_etag(PARTS)
    assert s3.get_object(**NAMED, PartNumber=4)["Body"].read() == b"end"
    assert code_of(s3.head_object, **NAMED, PartNumber=5) == "416"
    fake.store.rules.part_numbers = False
    assert s3.head_object(**NAMED, PartNumber=2)["ContentLength"] == len(WHOLE)


def test_an_object_of_one_put_is_its_own_first_part(fake, s3):
    fake.put("bucket", NAMED["Key"], b"body")
    head = s3.head_object(**NAMED, PartNumber=1)
    assert (head["ContentLength"], "PartsCount" in head) == (4, False)


# Digests


@pytest.mark.parametrize(
    "algorithm, value",
    [
        ("crc32", "y/Q5Jg=="),
        ("crc32c", "4waSgw=="),
        ("crc64nvme", "rosUhgp5mIg="),
    ],
)
def test_checksums_have_the_values_of_their_definitions(algorithm, value):
    """Of "123456789", as every catalogue of CRCs has it."""
    assert checksum(algorithm, b"123456789") == value


@pytest.mark.parametrize("size", [0, 1, 7, 8, 4095, 4096, 4097, 100_000])
def test_checksums_by_lanes_agree_with_a_plain_one(size, monkeypatch):
    """zlib's CRC-32 by our way, with its own polynomial: the way is right for any."""
    monkeypatch.setitem(integrity._POLYNOMIALS, "zlib", (0xEDB88320, 4))
    body = hashlib.shake_128(b"%d" % size).digest(size)
    assert checksum("zlib", body) == b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def raw_put(fake, body: bytes, headers: dict, query=None, method="PUT") -> str:
    """The code of the refusal, "" when there was none."""
    client = S3Client(fake.url, "key", "secret")
    answer = client.request(
        method, "bucket", NAMED["Key"], query=query, headers=headers, body=body, expect=range(600)
    )
    return answer.body.decode().partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_a_wrong_checksum_is_refused_where_it_is_checked(fake, s3, algorithm):
    name = "x-amz-checksum-" + algorithm
    right, wrong = checksum(algorithm, b"body"), checksum(algorithm, b"other")
    assert raw_put(fake, b"body", {name: right}) == ""
    assert raw_put(fake, b"body", {name: wrong}) == "BadDigest"
    upload = begin(s3, ChecksumAlgorithm=algorithm.upper())
    query = {"uploadId": upload["UploadId"], "partNumber": "1"}
    assert raw_put(fake, b"body", {name: wrong}, query) == "BadDigest"
    assert raw_put(fake, b"body", {name: right}, query) == ""
    fake.store.rules.checksums = ()
    assert raw_put(fake, b"body", {name: wrong}, query) == ""


def test_a_checksum_that_was_not_announced_is_refused(fake, s3):
    query = {"uploadId": begin(s3)["UploadId"], "partNumber": "1"}
    headers = {"x-amz-checksum-crc32c": checksum("crc32c", b"body")}
    assert raw_put(fake, b"body", headers, query) == "InvalidRequest"


def test_a_composed_checksum_is_wanted_again_at_the_end(fake, s3):
    upload = begin(s3, ChecksumAlgorithm="CRC32C")
    values = [checksum("crc32c", part) for part in PARTS]
    parts = [
        send(s3, upload, [body], ChecksumCRC32C=value)[0] | {"PartNumber": 1}
        for body, value in zip(PARTS[:1], values)
    ]
    [listed] = s3.list_parts(**upload)["Parts"]
    assert listed["ChecksumCRC32C"] == values[0], "who resumes has it from here"
    assert code_of(complete, s3, upload, parts) == "InvalidRequest"
    wrong = [parts[0] | {"ChecksumCRC32C": values[1]}]
    assert code_of(complete, s3, upload, wrong) == "InvalidPart"
    complete(s3, upload, [parts[0] | {"ChecksumCRC32C": values[0]}])


def test_the_whole_objects_size_and_checksum_are_compared(fake, s3):
    upload = begin(s3)
    parts = send(s3, upload)
    assert code_of(complete, s3, upload, parts, MpuObjectSize=7) == "InvalidRequest"
    wrong = checksum("crc64nvme", b"other")
    assert code_of(complete, s3, upload, parts, ChecksumCRC64NVME=wrong) == "BadDigest"
    right = checksum("crc64nvme", WHOLE)
    complete(s3, upload, parts, ChecksumCRC64NVME=right, MpuObjectSize=len(WHOLE))


@pytest.mark.parametrize("spoilt, code", [("content-md5", "BadDigest"), (None, "")])
def test_a_part_is_compared_with_its_md5(fake, s3, spoilt, code):
    query = {"uploadId": begin(s3)["UploadId"], "partNumber": "1"}
    digest = b64encode(hashlib.md5(b"other" if spoilt else b"body").digest()).decode()
    assert raw_put(fake, b"body", {"content-md5": digest}, query) == code


# The hard answers


def test_a_200_with_an_error_completes_nothing(fake, s3):
    upload = begin(s3)
    parts = send(s3, upload)
    fake.script.add(faults.error_in_200(), method="CompleteMultipartUpload")
    assert code_of(complete, s3, upload, parts) == "InternalError"
    assert fake.store.objects("bucket") == {}
    complete(s3, upload, parts)


@pytest.mark.parametrize(
    "fault", [faults.lost_answer(), faults.done_but(faults.internal_error())], ids=lambda it: it.name
)
def test_a_complete_that_is_done_though_nobody_says_so(fake, s3, fault):
    upload = begin(s3)
    parts = send(s3, upload)
    fake.script.add(fault, method="CompleteMultipartUpload")
    with pytest.raises((ClientError, HTTPClientError)):
        complete(s3, upload, parts)
    assert fake.store.get("bucket", NAMED["Key"]).body == WHOLE
    assert code_of(complete, s3, upload, parts) == "NoSuchUpload"


@pytest.mark.parametrize(
    "fault, code",
    [
        (faults.conflict(), "ConditionalRequestConflict"),
        (faults.lying_412(), "PreconditionFailed"),
        (faults.invalid_part(), "InvalidPart"),
        (faults.entity_too_small(), "EntityTooSmall"),
        (faults.no_such_upload(), "NoSuchUpload"),
        (faults.part_lost(2), "InvalidPart"),
        (faults.upload_expired(), "NoSuchUpload"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_refusals_of_a_complete(fake, s3, fault, code):
    upload = begin(s3)
    parts = send(s3, upload)
    fake.script.add(fault, method="CompleteMultipartUpload")
    assert code_of(complete, s3, upload, parts) == code
    assert fake.store.objects("bucket") == {}
    fake.script.verify_all_hit()


def test_an_upload_that_expires_refuses_its_next_part(fake, s3):
    upload = begin(s3)
    fake.script.add(faults.upload_expired(), method="UploadPart", nth=3)
    assert code_of(send, s3, upload) == "NoSuchUpload"
    assert fake.record.parts_received(NAMED["Key"]) == {1: 1, 2: 1}
    assert fake.record.parts_sent(NAMED["Key"]) == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize(
    "fault", [faults.empty_etag(), faults.spaces_first()], ids=lambda it: it.name
)
def test_odd_answers_of_a_good_complete(fake, s3, fault):
    upload = begin(s3)
    parts = send(s3, upload)
    fake.script.add(fault, method="CompleteMultipartUpload")
    etag = complete(s3, upload, parts)["ETag"].strip('"')
    assert etag == ("" if fault.name == "empty ETag" else composite_etag(PARTS))
    assert fake.store.get("bucket", NAMED["Key"]).body == WHOLE


def test_a_rule_finds_one_part_of_many(fake, s3):
    """By a fault of one's own that looks at the request."""

    def strike(request, store):
        if request.query["partNumber"] == "3":
            return error(503, "SlowDown", request)
        return store.answer(request)

    fake.script.add(Fault("part 3", strike), method="UploadPart", times=3)
    assert code_of(send, s3, begin(s3)) == "SlowDown"
