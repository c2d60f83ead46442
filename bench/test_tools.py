"""Is the fast endpoint S3 enough, does the delaying relay delay, and do thresholds notice? Run by `make bench-check`."""

import base64
import hashlib
import json
import socket
import ssl
import subprocess
import time

import pytest

import endpoints
import picture
import report
import thresholds
from endpoints import TOOLS, FastPair
from measure import Measured
from s3client import S3Client
from scenarios import KIB, MIB, QUICK, SCENARIOS, Scenario, parse

SIZES = (0, 5, 4 * KIB, 9 * MIB)
FEW = Scenario("few", SIZES, 2_500, 2_500, 2_500)


@pytest.fixture(scope="module")
def pair():
    endpoints.build_tools()
    with FastPair(FEW, threads=2) as pair:
        yield pair


@pytest.fixture
def source(pair):
    return S3Client.of(pair.source)


@pytest.fixture
def target(pair):
    yield S3Client.of(pair.target)
    pair.forget("")


def md5_header(body: bytes) -> dict:
    return {"content-md5": base64.b64encode(hashlib.md5(body).digest()).decode()}


@pytest.mark.parametrize("number", range(len(SIZES)))
def test_an_objects_etag_is_its_md5(source, number):
    answer = source.get("bench", FEW.key(number))
    assert len(answer.body) == SIZES[number]
    assert answer.etag == hashlib.md5(answer.body).hexdigest()


@pytest.mark.parametrize(
    "text, status, first, last",
    [
        ("bytes=0-0", 206, 0, 0),
        ("bytes=4095-9999", 206, 4095, 4095),
        ("bytes=-6", 206, 4090, 4095),
        ("bytes=9-", 206, 9, 4095),
        ("bytes=4096-", 416, 0, 0),
        ("lines=1-2", 200, 0, 4095),
    ],
)
def test_ranges(source, text, status, first, last):
    whole = source.get("bench", FEW.key(2)).body
    answer = source.request("GET", "bench", FEW.key(2), headers={"range": text}, expect=(200, 206, 416))
    assert answer.status == status
    if status != 416:
        assert answer.body == whole[first : last + 1]


def test_parts_differ(source):
    """Else a client that swaps them would not be noticed."""
    body = source.get("bench", FEW.key(3)).body
    assert len({body[at : at + 4096] for at in range(0, len(body), MIB)}) == 9


def test_if_match(source):
    wrong = source.request("GET", "bench", FEW.key(2), headers={"if-match": '"no"'}, expect=(412,))
    assert b"PreconditionFailed" in wrong.body


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_listing_has_every_key_in_order(pair, page):
    names = ("list_objects", "list_objects_v2")
    for name in names:
        paginator = S3Client.of(pair.source).boto().get_paginator(name)
        limit = {"PageSize": page, "MaxItems": 3 * page + 1 if page < 1000 else 10_000}
        pages = paginator.paginate(Bucket="bench", PaginationConfig=limit)
        keys = [item["Key"] for result in pages for item in result.get("Contents", [])]
        assert keys == [FEW.key(number) for number in range(min(FEW.count, limit["MaxItems"]))]


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_listing_with_a_delimiter(pair, page):
    paginator = S3Client.of(pair.source).boto().get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket="bench", Delimiter="/", PaginationConfig={"PageSize": page}))
    folders = [item["Prefix"] for result in pages for item in result.get("CommonPrefixes", [])]
    assert folders == ["d000000/", "d000001/", "d000002/"]
    assert not any("Contents" in result for result in pages)


def test_a_target_is_what_the_probe_calls_good(target):
    body = b"s3migrate probe"
    condition = {"if-none-match": "*", "x-amz-tagging": "s3migrate=probe"}
    target.put("b", "key", body, condition)
    assert target.request("PUT", "b", "key", headers=condition, body=body, expect=(412,))
    # "AAAAAA==" is a CRC32C of 0; that of "123456789" is e3069283 (RFC 3720, appendix B.4).
    for crc, status in (("AAAAAA==", 400), ("4waSgw==", 200)):
        checksum = {"x-amz-checksum-crc32c": crc}
        target.request("PUT", "b", f"crc-{status}", headers=checksum, body=b"123456789", expect=(status,))
    wrong = target.request("PUT", "b", "other", headers=md5_header(b"x"), body=body, expect=(400,))
    assert b"BadDigest" in wrong.body
    assert target.request("HEAD", "b", "other", expect=(404,))
    assert target.tags("b", "key") == {"s3migrate": "probe"}
    target.delete("b", "key")
    assert target.request("HEAD", "b", "key", expect=(404,))


def test_a_put_is_remembered_with_the_promised_etag(target):
    body = bytes(100_000)
    answer = target.put("b", "key", body, md5_header(body))
    assert answer.etag == hashlib.md5(body).hexdigest() == target.head("b", "key").etag
    assert target.head("b", "key").headers["content-length"] == "100000"


def test_an_upload_in_parts(target):
    boto = target.boto()
    name = {"Bucket": "b", "Key": "large"}
    upload = boto.create_multipart_upload(**name)["UploadId"]
    bodies = [bytes([number]) * 1000 for number in (1, 2)]
    etags = [
        boto.upload_part(
            **name, UploadId=upload, PartNumber=number, Body=body, ContentMD5=md5_header(body)["content-md5"]
        )["ETag"]
        for number, body in enumerate(bodies, 1)
    ]
    wrong = {"partNumber": "3", "uploadId": upload}
    digest = md5_header(b"x")
    assert target.request("PUT", "b", "large", query=wrong, headers=digest, body=b"y", expect=(400,))
    listed = boto.list_parts(**name, UploadId=upload)["Parts"]
    assert [(part["ETag"], part["Size"]) for part in listed] == [(etag, 1000) for etag in etags]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    done = boto.complete_multipart_upload(**name, UploadId=upload, MultipartUpload={"Parts": parts})
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    assert done["ETag"].strip('"') == f"{hashlib.md5(digests).hexdigest()}-2"
    assert boto.head_object(**name)["ContentLength"] == 2000
    with pytest.raises(boto.exceptions.ClientError):
        boto.list_parts(**name, UploadId=upload)


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET x HTTP/1.1\r\n\r\n", b"A" * 20_000, b"\0\xff: \r\n\r\n"]
)
def test_junk_closes_the_connection_and_nothing_else(pair, source, junk):
    with socket.create_connection(("127.0.0.1", pair.source.port), timeout=5) as connection:
        try:
            connection.sendall(junk)
            assert connection.recv(100) == b""
        except ConnectionResetError:
            pass
    assert source.head("bench", FEW.key(2)).status == 200


def test_pipelined_requests(pair):
    request = f"GET /bench/{FEW.key(1)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", pair.source.port), timeout=5) as connection:
        connection.sendall(request * 3)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 3 or len(received.split(b"\r\n\r\n")[-1]) < 5:
            received += connection.recv(65536)


def test_the_raw_relay_moves_every_byte(pair):
    done = subprocess.run(
        [
            TOOLS / "relay", "--source", str(pair.source.port), "--target", str(pair.target.port), "--objects",
            "40", "--object-size", ",".join(map(str, SIZES)), "--part-size", "4MiB",
        ],  # fmt: skip
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["objects_per_second"] > 0
    # 10 objects of 9 MiB in 3 parts, and the others whole.
    assert pair.received_bytes() >= 10 * sum(SIZES)
    pair.forget("")


@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("loop", [[], ["--epoll"]])
def test_the_curl_relay_moves_every_byte(loop, https):
    # The endpoint looks at small digests, and the relay's are wrong.
    sizes = (4 * KIB, 9 * MIB)
    same = Scenario("same", sizes, 40, 40, 40, https=https)
    with FastPair(same, threads=1) as pair:
        line = [TOOLS / "curl-relay", "--source", str(pair.source.port), "--target", str(pair.target.port), *loop]
        line += ["--object-size", ",".join(map(str, sizes)), "--part-size", "4MiB", "--transfers", "8"]
        line += ["--ca-file", str(pair.source.certificate)] if https else []
        subprocess.run([*line, "--objects", "40"], check=True)
        assert pair.received_bytes() == same.total_bytes
        # They are there now, and its PUTs are conditional as ours are.
        assert subprocess.run([*line, "--objects", "40"], capture_output=True).returncode != 0


def test_the_delay_is_a_round_trip_for_each_request_and_one_to_connect():
    few = Scenario("few", (5,), 10, 10, 10, rtt_ms=40)
    with FastPair(few, threads=1) as pair:
        client = S3Client.of(pair.source)
        times = []
        for _ in range(4):
            begin = time.monotonic()
            client.head("bench", few.key(0))
            times.append(time.monotonic() - begin)
    assert times[0] >= 0.08
    assert all(0.04 <= seconds < 0.2 for seconds in times[1:])


def test_a_broken_handshake_harms_no_other_connection():
    """OpenSSL's queue of errors is the thread's, not the connection's."""
    few = Scenario("few", (5,), 10, 10, 10, https=True)
    with FastPair(few, threads=1) as pair:
        context = ssl.create_default_context(cafile=str(pair.target.certificate))
        address = ("127.0.0.1", pair.target.port)
        with context.wrap_socket(socket.create_connection(address), server_hostname="localhost") as good:
            good.sendall(b"PUT /b/key HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
            with socket.create_connection(address) as bad:
                bad.sendall(b"GET / HTTP/1.1\r\n\r\n")  # no TLS
                while bad.recv(100):
                    pass
            good.sendall(b"c")
            time.sleep(0.1)
            good.sendall(b"d")
            assert good.recv(12) == b"HTTP/1.1 200"

def test_scenarios_by_name():
    scenario = parse("4KiB:https:rtt=20ms", https=False, rtt_ms=0)
    assert (scenario.https, scenario.rtt_ms, scenario.title) == (True, 20, "4KiB https rtt=20ms")
    assert scenario.count == SCENARIOS["4KiB"].rtt_count
    assert SCENARIOS["mixed"].total_bytes == 200 * sum(SCENARIOS["mixed"].sizes)


@pytest.mark.parametrize("text", ["5KiB", "4KiB:ftp", "4KiB:rtt=20", ""])
def test_bad_scenarios(text):
    with pytest.raises(ValueError):
        parse(text, https=False, rtt_ms=0)


def results_of(ours: Measured) -> dict:
    runs = {"s3migrate": [ours], "rclone": [Measured(10, 1, 50)], "raw relay": [Measured(1, 1, 5)]}
    result = report.result("fast", SCENARIOS["4KiB"], runs, {})
    return {"machine": {"date": "today", "cores": 2}, "results": [result]}


@pytest.mark.parametrize(
    "bounds, count",
    [
        ({"times_best_rclone_min": 5}, 0),
        ({"times_best_rclone_min": 5.1}, 1),
        ({"share_of_raw_min": 0.6, "peak_mib_max": 99, "cpu_us_per_object_max": 99}, 3),
        ({"system_calls_per_object_max": 9}, 1),
    ],
)
def test_thresholds_notice(bounds, count):
    assert len(thresholds.violations(results_of(Measured(2, 2, 100)), {"4KiB": bounds})) == count


def test_a_failure_or_a_missing_scenario_is_a_violation():
    failed = results_of(Measured(2, 2, 100, failure="too-large"))
    assert thresholds.violations(failed, {"4KiB": {}, "8MiB": {}}) == ["4KiB: too-large", "8MiB: was not measured"]


def test_the_kept_thresholds_are_of_what_is_checked():
    kept = json.loads(thresholds.FILE.read_text())
    assert set(kept) <= set(QUICK)


def test_the_picture_says_what_failed():
    text = picture.svg(results_of(Measured(2, 2, 100, failure="too-large: more than 64 MiB")))
    assert "×10.00" in text and "s3migrate failed: too-large<" in text


def test_the_defaults_are_held_against_the_best_by_hand():
    def run(seconds: float) -> list[Measured]:
        return [Measured(seconds, 1.0, 30.0)]

    runs = {"s3migrate": run(2), "s3migrate --threads 1 --transfers 8": run(1), "s3migrate --threads 4": run(4)}
    result = report.result("fast", SCENARIOS["8MiB"], runs, {})
    assert report.hand_set({"results": [result]}).splitlines()[-1] == (
        "| 8MiB | 150 | 300 | `--threads 1 --transfers 8` | 0.50 |"
    )
