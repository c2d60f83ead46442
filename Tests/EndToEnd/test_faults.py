"""What servers and networks do wrong: every object comes whole or fails by name, and the log says
which."""

import time
from hashlib import md5

import pytest
from fakes3 import Fault, Rules, faults
from dataset import THRESHOLD_BYTES
from fakes3.exchange import Reply, error
from program import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED

MEBIBYTE = 1 << 20
KEYS = [f"k{number:02}" for number in range(12)]
STRUCK = "k05"


@pytest.fixture
def twelve(fakes):
    """Small objects, and one of three MiB whose GET needs more than one exchange."""
    for key in KEYS:
        fakes.source.put("bucket", key, key.encode() * 2000, {"content-type": "text/plain"})
    fakes.source.put("bucket", "k08", b"0123456789abcdef" * (3 * MEBIBYTE // 16))
    return fakes


def copies_all(fakes, *options):
    run = fakes.migration(None, "--timeout", "3", *options).run().expect(EXIT_DONE)
    assert fakes.wrong() == []
    assert run.logs.outcomes == {key: "copied" for key in fakes.source.store.objects("bucket")}
    assert run.logs.failed == []
    run.summary
    return run


ONCE = {
    "reset": faults.reset(),
    "close": faults.close(),
    "stall": faults.stall(),
    "slow down": faults.slow_down(),
    "slow down with a time": faults.slow_down(retry_after_s=1),
    "internal error": faults.internal_error(),
    "html page": faults.html_page(502),
    "request timeout": faults.failure(400, "RequestTimeout"),
    "too many requests": faults.failure(429, "TooManyRequests"),
    "service unavailable": faults.failure(503, "ServiceUnavailable"),
    "clock": faults.skewed("Wed, 21 Oct 2015 07:28:00 GMT"),
    "delay": faults.delay(0.5),
    "close after answer": faults.close_after_answer(),
    "lost answer": faults.lost_answer(),
    "wrong ETag": faults.wrong_etag(),
}

ONCE_READING = ONCE | {
    "reset in the body": faults.reset_in_body(),
    "short body": faults.short_body(),
    "stall in the body": faults.stall(after=1000),
    "wrong Content-Range": faults.wrong_content_range(),
    "range ignored": faults.range_ignored(),
    "flipped byte": faults.flipped_byte(100),
}

ONCE_WRITING = ONCE | {
    "conflict": faults.conflict(),
    "lying 412": faults.lying_412(),
    "flipped byte": faults.flipped_byte_in_request(100),
    "error in 200": faults.error_in_200(),
}


@pytest.mark.parametrize("key", [STRUCK, "k08"], ids=["small", "3 MiB"])
@pytest.mark.parametrize("name", ONCE_READING)
def test_one_fault_of_a_get_is_overcome(twelve, name, key):
    twelve.script.add(ONCE_READING[name], side="source", method="GetObject", key=key)
    copies_all(twelve)


@pytest.mark.parametrize(
    "name",
    ["reset", "short body", "slow down", "range ignored", "wrong Content-Range", "flipped byte"],
)
def test_one_fault_of_a_later_range_is_overcome(twelve, name):
    twelve.script.add(ONCE_READING[name], side="source", method="GetObject", key="k08", nth=2)
    copies_all(twelve)


@pytest.mark.parametrize("name", ONCE_WRITING)
def test_one_fault_of_a_put_is_overcome(twelve, name):
    twelve.script.add(ONCE_WRITING[name], side="target", method="PutObject", key=STRUCK)
    copies_all(twelve)


def test_a_retry_of_a_put_needs_no_second_get(twelve):
    twelve.script.add(
        faults.internal_error(), side="target", method="PutObject", key=STRUCK, times=2
    )
    copies_all(twelve)
    assert twelve.record.counts("source", "GetObject")[STRUCK] == 1
    assert twelve.record.counts("target", "PutObject")[STRUCK] == 3


def test_a_storm_is_weathered(twelve):
    for number in range(300):
        twelve.source.put("bucket", f"more/{number:03}", b"body")
    for side, method in (("source", "GetObject"), ("target", "PutObject")):
        for nth in range(20, 200, 30):
            twelve.script.add(
                faults.slow_down(), side=side, method=method, key="more/*", nth=nth, times=10
            )
    run = twelve.migration(None, "--timeout", "3").run().expect(EXIT_DONE)
    assert twelve.wrong() == []
    assert run.logs.failed == []


def test_an_endpoint_that_is_down_for_a_while_pauses_the_run(twelve):
    for number in range(400):
        twelve.source.put("bucket", f"more/{number:03}", b"body")
    twelve.target.latency_s = 0.05
    migration = twelve.migration(None, "--timeout", "3")
    running = migration.start("--threads", 1, "--transfers", 8)
    while len(twelve.target.store.objects("bucket")) < 50:
        time.sleep(0.02)
    twelve.target.go_down()
    time.sleep(3)
    twelve.target.listen()
    run = running.wait().expect(EXIT_DONE)
    assert twelve.wrong() == []
    assert run.logs.failed == []


# 412


def test_an_answer_that_was_lost_is_settled_as_ours(twelve):
    """The object is there because we put it there; to call it `skip-up` would be a lie."""
    twelve.script.add(faults.lost_answer(), side="target", method="PutObject", key=STRUCK)
    run = copies_all(twelve)
    assert run.logs.proofs[STRUCK] == "etag"


def test_many_lost_answers_on_kept_connections_are_ours(twelve):
    """libcurl itself sends again when a kept connection was closed without an answer: our first 412
    is then our own."""
    for number in range(200):
        twelve.source.put("bucket", f"more/{number:03}", b"%d" % number)
    twelve.script.add(
        faults.lost_answer(), side="target", method="PutObject", key="more/1?5", times=10
    )
    copies_all(twelve, "--threads", "1", "--transfers", "4")


@pytest.mark.parametrize(
    "body, proof", [(b"k05" * 2000, "same"), (b"a client was quicker", "differs")]
)
def test_an_object_of_somebody_else_is_left_alone(twelve, body, proof):
    twelve.target.put("bucket", STRUCK, body)
    run = twelve.migration().run().expect(EXIT_DONE)
    assert (run.logs.outcomes[STRUCK], run.logs.proofs[STRUCK]) == ("skip-up", proof)
    assert twelve.target.store.get("bucket", STRUCK).body == body
    assert run.summary["skipped_target"] == 1


def test_a_client_that_writes_between_our_attempts_wins(twelve):
    """The first attempt failed for sure, then a client wrote: the 412 of the retry is not ours."""

    def fail_and_write(request, store):
        store.put("bucket", STRUCK, b"a client was quicker")
        return error(503, "SlowDown", request)

    twelve.script.add(
        Fault("client writes", fail_and_write), side="target", method="PutObject", key=STRUCK
    )
    run = twelve.migration().run().expect(EXIT_DONE)
    assert (run.logs.outcomes[STRUCK], run.logs.proofs[STRUCK]) == ("skip-up", "differs")
    assert twelve.target.store.get("bucket", STRUCK).body == b"a client was quicker"


def test_a_412_for_ever_with_nothing_there_fails_by_name(twelve):
    twelve.script.add(faults.lying_412(), side="target", method="PutObject", key=STRUCK, times=None)
    run = twelve.migration(None, "--retries", "2").run().expect(EXIT_FAILED)
    assert run.logs.keys_with("fail") == {STRUCK}


# The source changes


def test_a_source_that_changes_in_the_middle_is_begun_again(twelve):
    newer = b"fedcba9876543210" * (3 * MEBIBYTE // 16)
    twelve.script.add(
        faults.after(lambda: twelve.source.put("bucket", "k08", newer)),
        side="source",
        method="GetObject",
        key="k08",
    )
    copies_all(twelve)
    assert twelve.target.store.get("bucket", "k08").body == newer


@pytest.mark.parametrize("etag", [None, "always-the-same"])
def test_a_change_is_noticed_at_a_server_that_ignores_conditions(twelve, etag):
    """By ETag, size and Last-Modified of every answer."""
    twelve.source.store.rules = Rules(conditions=False)
    twelve.source.put("bucket", "k08", b"a" * 3 * MEBIBYTE, etag=etag)
    newer = b"b" * (3 * MEBIBYTE + 17)
    twelve.script.add(
        faults.after(lambda: twelve.source.put("bucket", "k08", newer, etag=etag)),
        side="source",
        method="GetObject",
        key="k08",
    )
    copies_all(twelve)
    assert twelve.target.store.get("bucket", "k08").body == newer


def test_a_source_that_never_rests_fails_and_is_never_mixed(twelve):
    versions = iter(range(10_000))
    twelve.script.add(
        faults.after(
            lambda: twelve.source.put("bucket", "k08", b"%04d" % next(versions) * MEBIBYTE)
        ),
        side="source",
        method="GetObject",
        key="k08",
        times=None,
    )
    run = twelve.migration(None, "--retries", "2").run().expect(EXIT_FAILED)
    assert run.logs.keys_with("fail") == {"k08"}
    assert "k08" not in twelve.target.store.objects("bucket")
    [line] = run.logs.failed
    assert "chang" in line.error_class + line.message


# Deleted at the source


def test_an_object_that_is_gone_is_skipped(twelve):
    keys = [*twelve.source.store.objects("bucket"), "k99-gone"]
    run = twelve.migration(keys).run().expect(EXIT_DONE)
    assert run.logs.keys_with("skip-dn") == {"k99-gone"}
    assert run.summary["skipped_source"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        faults.html_page(404),
        faults.failure(404, "NoSuchBucket"),
        faults.failure(404, "NoSuchUpload"),
        faults.access_denied(),
    ],
    ids=lambda fault: fault.name,
)
def test_only_no_such_key_means_gone(twelve, fault):
    """A 404 of a proxy is no proof that there is nothing to lose."""
    twelve.script.add(fault, side="source", method="GetObject", key=STRUCK, times=None)
    run = twelve.migration(None, "--retries", "1").run()
    assert run.code in (EXIT_FAILED, EXIT_STOPPED), run
    assert run.logs.keys_with("skip-dn") == set()
    assert STRUCK not in twelve.target.store.objects("bucket")


def test_lists_of_which_much_is_missing_stop_the_run(twelve):
    keys = [
        *twelve.source.store.objects("bucket"),
        *(f"lost/{number:04}" for number in range(1200)),
    ]
    migration = twelve.migration(keys)
    migration.run().expect(EXIT_STOPPED).mentions("--allow-missing", "list", "bucket")
    run = migration.run("--allow-missing", logs="allowed").expect(EXIT_DONE)
    assert run.summary["skipped_source"] == 1200


def test_a_delete_between_get_and_put_is_not_undone(twelve):
    """The PUT has to wait more than a second; meanwhile a client deletes the object at the
    source."""

    def refuse_and_delete(request, store):
        twelve.source.store.delete("bucket", STRUCK)
        return error(503, "SlowDown", request, {"retry-after": "2"})

    twelve.script.add(
        Fault("client deletes", refuse_and_delete), side="target", method="PutObject", key=STRUCK
    )
    run = twelve.migration().run().expect(EXIT_DONE)
    assert run.logs.outcomes[STRUCK] == "skip-dn"
    assert STRUCK not in twelve.target.store.objects("bucket")
    assert twelve.record.counts("source", "HeadObject")[STRUCK] >= 1


# For ever


@pytest.mark.parametrize("side, method", [("source", "GetObject"), ("target", "PutObject")])
@pytest.mark.parametrize("name", ["reset", "internal error", "html page", "slow down", "stall"])
def test_an_object_that_always_fails_is_named_and_the_others_go_on(twelve, side, method, name):
    twelve.script.add(ONCE[name], side=side, method=method, key=STRUCK, times=None)
    run = twelve.migration(None, "--retries", "1", "--timeout", "1").run().expect(EXIT_FAILED)
    assert run.logs.keys_with("fail") == {STRUCK}
    assert run.logs.keys_with("copied") == twelve.source.store.objects("bucket").keys() - {STRUCK}
    [line] = run.logs.failed
    assert (line.key, line.stage) == (STRUCK, "get" if side == "source" else "put")
    assert line.attempts == 2
    assert run.summary["failed"] == 1
    assert sum(entry["count"] for entry in run.summary["errors"].values()) >= 1


def test_a_refusal_is_not_tried_ten_times(twelve):
    twelve.script.add(
        faults.access_denied(), side="source", method="GetObject", key=STRUCK, times=None
    )
    run = twelve.migration().run().expect(EXIT_FAILED)
    assert twelve.record.counts("source", "GetObject")[STRUCK] <= 2
    [line] = run.logs.failed
    assert (line.stage, line.http_status, line.s3_code) == ("get", "403", "AccessDenied")


@pytest.mark.parametrize(
    "fault",
    [faults.signature_does_not_match(), faults.invalid_access_key(), faults.expired_token()],
    ids=lambda fault: fault.name,
)
def test_credentials_that_end_in_the_middle_stop_the_run(twelve, fault):
    """Rather than failing every object that is left."""
    for number in range(500):
        twelve.source.put("bucket", f"more/{number:03}", b"body")
    twelve.script.add(fault, side="target", method="PutObject", nth=100, times=None)
    run = twelve.migration(None, "--retries", "1").run().expect(EXIT_STOPPED)
    run.mentions(fault.name, "--resume", "target|destination|dest")
    assert run.summary["not_reached"] > 0


def test_a_bucket_that_vanishes_stops_the_run(twelve):
    for number in range(500):
        twelve.source.put("bucket", f"more/{number:03}", b"body")
    twelve.script.add(
        faults.failure(404, "NoSuchBucket"), side="target", method="PutObject", nth=100, times=None
    )
    twelve.migration(None, "--retries", "1").run().expect(EXIT_STOPPED).mentions("NoSuchBucket")


def test_a_source_whose_bytes_are_not_its_md5_is_copied_by_our_own(twelve):
    """With server-side encryption the ETag looks like an MD5 and is none: the same bytes twice
    prove it."""
    twelve.source.put("bucket", STRUCK, b"encrypted at rest", etag="f" * 32)
    run = copies_all(twelve)
    assert run.logs.proofs[STRUCK] == "upload"


def test_a_source_without_md5_is_copied_with_another_proof(twelve):
    twelve.source.put("bucket", STRUCK, b"from parts", etag="0123456789abcdef0123456789abcdef-7")
    run = copies_all(twelve)
    assert run.logs.proofs[STRUCK] != "etag"


def test_a_target_that_keeps_other_bytes_is_caught(twelve):
    """A body that is damaged after the digest was checked shows by the ETag of the answer."""

    def store_damaged(request, store):
        damaged = b"X" + request.body[1:]
        store.put("bucket", STRUCK, damaged)
        return Reply(200, {"etag": f'"{md5(damaged).hexdigest()}"'})

    twelve.script.add(
        Fault("damaged at rest", store_damaged), side="target", method="PutObject", key=STRUCK
    )
    run = twelve.migration(None, "--retries", "1").run()
    same = (
        twelve.target.store.get("bucket", STRUCK).body
        == twelve.source.store.get("bucket", STRUCK).body
    )
    if not same:
        assert run.code == EXIT_FAILED, run
        [line] = run.logs.failed
        assert line.error_class == "damaged" and line.our_etag != "-"


# Sizes


@pytest.mark.parametrize(
    "size",
    [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 8 * MEBIBYTE, 8 * MEBIBYTE + 1, THRESHOLD_BYTES],
)
def test_sizes_at_which_something_changes(fakes, size):
    fakes.source.put("bucket", "key", bytes(range(251)) * (size // 251) + b"x" * (size % 251))
    copies_all(fakes)


def test_bodies_larger_than_the_memory_wait_for_their_turn(fakes):
    for number in range(12):
        fakes.source.put("bucket", f"k{number}", bytes([number]) * 24 * MEBIBYTE)
    copies_all(fakes, "--memory", "100MiB")


def test_pinned_and_conditional_requests(twelve):
    copies_all(twelve)
    first, *later = twelve.record.entries("source", "GetObject", "k08")
    etag = twelve.source.store.get("bucket", "k08").etag
    assert first.headers["range"].startswith("bytes=0-")
    assert later and all(entry.headers["if-match"].strip('"') == etag for entry in later)
    for entry in twelve.record.entries("target", "PutObject"):
        if entry.key in KEYS:
            assert entry.headers["if-none-match"] == "*"
            assert "content-md5" in entry.headers
            assert "content-md5" in entry.headers["authorization"]
    assert not any(
        "expect" in entry.headers or "accept-encoding" in entry.headers
        for entry in twelve.record.entries()
    )
