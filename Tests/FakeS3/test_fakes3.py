"""The fake server itself: S3's rules as Ceph keeps them, and that each fault does what its name
says."""

import hashlib
import http.client
import socket
import time
from base64 import b64encode

import pytest
from fakes3 import FakeS3, Rules, Script, faults
from fakes3.script import FaultsNotHit
from s3client import S3Client, S3RequestFailed, at_once

BODY = bytes(range(256)) * 40


@pytest.fixture
def fake():
    with FakeS3("target") as server:
        server.put(
            "bucket", "key", BODY, {"content-type": "text/plain", "x-amz-meta-a": "b"}, {"t": "v"}
        )
        yield server


@pytest.fixture
def client(fake):
    return S3Client(fake.url, "key", "secret")


def status_of(call, *arguments, **named) -> int:
    try:
        return call(*arguments, **named).status
    except S3RequestFailed as failure:
        return failure.answer.status


def code_of(call, *arguments, **named) -> str:
    with pytest.raises(S3RequestFailed) as caught:
        call(*arguments, **named)
    return caught.value.answer.body.decode().partition("<Code>")[2].partition("</Code>")[0]


# The rules


def test_an_object_comes_back_as_it_was_put(client):
    client.put(
        "bucket",
        "a//b?c #\n%2F",
        b"body",
        {"content-type": "x/y", "x-amz-meta-q": "1", "expires": "5d"},
    )
    answer = client.get("bucket", "a//b?c #\n%2F")
    assert answer.body == b"body"
    assert answer.etag == hashlib.md5(b"body").hexdigest()
    assert [answer.headers[name] for name in ("content-type", "x-amz-meta-q", "expires")] == [
        "x/y",
        "1",
        "5d",
    ]


@pytest.mark.parametrize(
    "wanted, status, body, span",
    [
        ("bytes=0-9", 206, BODY[:10], f"bytes 0-9/{len(BODY)}"),
        ("bytes=100-", 206, BODY[100:], f"bytes 100-{len(BODY) - 1}/{len(BODY)}"),
        ("bytes=-5", 206, BODY[-5:], f"bytes {len(BODY) - 5}-{len(BODY) - 1}/{len(BODY)}"),
        ("bytes=0-999999", 206, BODY, f"bytes 0-{len(BODY) - 1}/{len(BODY)}"),
        ("bytes=0-1,5-6", 200, BODY, None),
        ("lines=1-2", 200, BODY, None),
    ],
)
def test_ranges(client, wanted, status, body, span):
    answer = client.get("bucket", "key", {"range": wanted})
    assert (answer.status, answer.body, answer.headers.get("content-range")) == (status, body, span)


def test_a_range_of_an_empty_object_is_416(fake, client):
    fake.put("bucket", "empty")
    assert code_of(client.get, "bucket", "empty", {"range": "bytes=0-99"}) == "InvalidRange"
    assert client.get("bucket", "empty").body == b""


@pytest.mark.parametrize(
    "method, headers, status",
    [
        ("GET", {"if-match": f'"{hashlib.md5(BODY).hexdigest()}"'}, 200),
        ("GET", {"if-match": '"other"'}, 412),
        ("GET", {"if-none-match": "*"}, 304),
        ("PUT", {"if-none-match": "*"}, 412),
        ("PUT", {"if-match": f'"{hashlib.md5(BODY).hexdigest()}"'}, 200),
        ("PUT", {"if-match": '"other"'}, 412),
    ],
)
def test_conditions(client, method, headers, status):
    assert status_of(client.request, method, "bucket", "key", headers=headers) == status


def test_a_sloppy_server_ignores_conditions_and_ranges():
    with FakeS3(rules=Rules(conditions=False, ranges=False, head_bucket_status=403)) as fake:
        client = S3Client(fake.url, "key", "secret")
        fake.put("bucket", "key", BODY)
        assert client.put("bucket", "key", b"new", {"if-none-match": "*"}).status == 200
        assert client.get("bucket", "key", {"range": "bytes=0-0", "if-match": '"x"'}).body == b"new"
        assert status_of(client.request, "HEAD", "bucket") == 403


def test_only_one_of_many_conditional_puts_wins(client):
    def attempt(number):
        return status_of(
            client.put, "bucket", "raced", str(number).encode(), {"if-none-match": "*"}
        )

    assert sorted(at_once(attempt, range(20))) == [200] + [412] * 19


def test_a_wrong_content_md5_stores_nothing(client):
    wrong = b64encode(hashlib.md5(b"other").digest()).decode()
    assert code_of(client.put, "bucket", "new", b"body", {"content-md5": wrong}) == "BadDigest"
    assert code_of(client.get, "bucket", "new") == "NoSuchKey"


def test_missing_things_have_their_codes(client):
    assert code_of(client.get, "bucket", "none") == "NoSuchKey"
    assert code_of(client.get, "none", "key") == "NoSuchBucket"
    assert code_of(client.request, "DELETE", "bucket") == "NotImplemented"


def test_tags_are_counted_and_read_back(client):
    assert client.get("bucket", "key").headers["x-amz-tagging-count"] == "1"
    assert client.tags("bucket", "key") == {"t": "v"}
    client.put("bucket", "tagged", b"", {"x-amz-tagging": "a=%2B%20&b="})
    assert client.tags("bucket", "tagged") == {"a": "+ ", "b": ""}
    client.boto().put_object_tagging(
        Bucket="bucket", Key="tagged", Tagging={"TagSet": [{"Key": "<", "Value": "&"}]}
    )
    assert client.tags("bucket", "tagged") == {"<": "&"}


def test_listings_page_in_byte_order(fake, client):
    for number in range(1203):
        fake.put("many", f"k {number:04}\n")
    assert list(client.listing("many")) == [f"k {number:04}\n" for number in range(1203)]


def test_every_request_is_recorded(fake, client):
    client.get("bucket", "key", {"range": "bytes=0-0"})
    client.put("bucket", "new", b"body")
    get, put = fake.record.entries()
    assert (get.operation, get.key, get.headers["range"], get.status) == (
        "GetObject",
        "key",
        "bytes=0-0",
        206,
    )
    assert (put.operation, put.body_bytes, put.side) == ("PutObject", 4, "target")
    assert fake.record.operations("target") == {"GetObject": 1, "PutObject": 1}
    assert fake.record.counts(operation="PutObject", since=1) == {"new": 1}


# The faults


def strike(fake, fault, method="GET", key="key", body=b"", headers=None):
    """One request by itself on a fresh connection; the exception's name when no whole answer
    came."""
    fake.script.add(fault, method=method, key=key)
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=1)
    try:
        connection.request(method, f"/bucket/{key}", body, headers or {})
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, b"", {}
    finally:
        connection.close()
        fake.script.verify_all_hit()


@pytest.mark.parametrize(
    "fault, what",
    [
        (faults.reset(), "ConnectionResetError"),
        (faults.close(), "RemoteDisconnected"),
        (faults.lost_answer(), "RemoteDisconnected"),
        (faults.reset_in_body(100), "ConnectionResetError"),
        (faults.short_body(100), "IncompleteRead"),
        (faults.stall(), "TimeoutError"),
        (faults.stall(after=100), "TimeoutError"),
        (faults.slow_down(2), 503),
        (faults.internal_error(), 500),
        (faults.error_in_200(), 200),
        (faults.html_page(), 502),
        (faults.access_denied(), 403),
        (faults.signature_does_not_match(), 403),
        (faults.invalid_access_key(), 403),
        (faults.skewed("Wed, 21 Oct 2015 07:28:00 GMT"), 403),
        (faults.expired_token(), 400),
        (faults.permanent_redirect("eu-west-1"), 301),
        (faults.wrong_region("eu-west-1"), 400),
        (faults.lying_412(), 412),
        (faults.conflict(), 409),
        (faults.delay(0.2), 200),
        (faults.close_after_answer(), 200),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_fault_is_seen_by_the_client(fake, fault, what):
    assert strike(fake, fault)[0] == what


def test_a_lost_answer_has_its_effect_and_a_reset_has_none(fake):
    strike(fake, faults.lost_answer(), "PUT", "done", b"body")
    strike(fake, faults.reset(), "PUT", "not-done", b"body")
    assert fake.store.get("bucket", "done").body == b"body"
    assert fake.store.get("bucket", "not-done") is None


def test_the_headers_of_refusals(fake):
    assert strike(fake, faults.slow_down(2))[2]["retry-after"] == "2"
    assert (
        strike(fake, faults.skewed("Wed, 21 Oct 2015 07:28:00 GMT"))[2]["date"]
        == "Wed, 21 Oct 2015 07:28:00 GMT"
    )
    assert (
        strike(fake, faults.permanent_redirect("eu-west-1"))[2]["x-amz-bucket-region"]
        == "eu-west-1"
    )
    assert b"<Region>eu-west-1</Region>" in strike(fake, faults.wrong_region("eu-west-1"))[1]


def test_lies(fake):
    ranged = {"range": "bytes=0-9"}
    assert strike(fake, faults.wrong_etag("f" * 32))[2]["etag"] == f'"{"f" * 32}"'
    assert strike(fake, faults.range_ignored(), headers=ranged)[:2] == (200, BODY)
    assert (
        strike(fake, faults.wrong_content_range(), headers=ranged)[2]["content-range"]
        == "bytes 7-9/10"
    )
    assert strike(fake, faults.flipped_byte(3))[1] == BODY[:3] + b"\xfc" + BODY[4:]
    strike(fake, faults.flipped_byte_in_request(), "PUT", "flipped", b"\0abc")
    assert fake.store.get("bucket", "flipped").body == b"\xffabc"


def test_the_world_changes_before_and_after_an_answer(fake):
    status, body, _ = strike(fake, faults.before(lambda: fake.put("bucket", "key", b"newer")))
    assert (status, body) == (200, b"newer")
    status, body, _ = strike(fake, faults.after(lambda: fake.store.delete("bucket", "key")))
    assert (status, body, fake.store.get("bucket", "key")) == (200, b"newer", None)


def test_a_connection_serves_on_after_a_delay_and_is_closed_where_scripted(fake):
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=5)
    fake.script.add(faults.delay(0.3), key="key")
    fake.script.add(faults.close_after_answer(), key="key", nth=1)
    started = time.monotonic()
    for _ in range(2):
        connection.request("GET", "/bucket/key")
        assert connection.getresponse().read() == BODY
    assert time.monotonic() - started >= 0.3
    assert connection.sock.recv(1) == b""


def test_a_server_that_is_down_refuses_and_comes_back_on_its_port(fake, client):
    fake.go_down()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", fake.port), timeout=2)
    fake.listen()
    assert client.get("bucket", "key").body == BODY


# The script


def test_rules_count_their_own_matches(fake, client):
    fake.put("bucket", "other")
    fake.script.add(faults.internal_error(), side="target", method="GET", key="k*", nth=2, times=2)
    fake.script.add(faults.access_denied(), side="source")
    seen = [status_of(client.get, "bucket", key) for key in ("key", "other", "key", "key", "key")]
    assert seen == [200, 200, 500, 500, 200]
    with pytest.raises(FaultsNotHit, match="AccessDenied at source"):
        fake.script.verify_all_hit()


def test_an_operation_names_a_request_more_closely_than_a_method(fake, client):
    fake.script.add(faults.access_denied(), method="HeadBucket")
    assert status_of(client.request, "HEAD", "bucket") == 403
    assert status_of(client.head, "bucket", "key") == 200


def test_a_fault_for_ever_has_to_strike_at_least_once(fake):
    fake.script.add(faults.internal_error(), times=None)
    with pytest.raises(FaultsNotHit):
        fake.script.verify_all_hit()


def test_two_servers_share_script_and_record():
    script = Script()
    with FakeS3("source", script) as source, FakeS3("target", script, source.record) as target:
        source.put("bucket", "key", b"s")
        target.put("bucket", "key", b"t")
        script.add(faults.internal_error(), side="target")
        assert S3Client(source.url, "k", "s").get("bucket", "key").body == b"s"
        assert status_of(S3Client(target.url, "k", "s").get, "bucket", "key") == 500
        assert [entry.side for entry in source.record.entries()] == ["source", "target"]
        script.verify_all_hit()


def test_it_is_fast_enough(client):
    """The suites send thousands of requests; a fake below some hundred a second would make them
    crawl."""
    started = time.monotonic()
    at_once(lambda number: client.put("bucket", f"fast/{number}", b"x" * 1000), range(1000))
    assert 1000 / (time.monotonic() - started) > 300
