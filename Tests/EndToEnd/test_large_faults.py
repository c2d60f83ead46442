"""The hard answers to a copy in parts: every object comes whole or fails by name, nothing of others is
overwritten, and no upload is left when the run ends well."""

import time
from datetime import datetime, timedelta, timezone
from hashlib import md5
from signal import SIGINT, SIGKILL

import pytest
from dataset import MEBIBYTE
from fakes3 import Fault, faults
from fakes3.exchange import error
from fakes3.integrity import ALGORITHMS
from fakes3.uploads import composite_etag
from large_objects import LargeObject, spans
from program import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, clean_environment, run_program

KEY = "large"
PART_BYTES = 5 * MEBIBYTE
OPTIONS = ["--multipart-threshold", "6MiB", "--part-size", "5MiB", "--timeout", "2"]
BODY = LargeObject(KEY, 3 * PART_BYTES + 1, seed=1).piece(0, 3 * PART_BYTES + 1)
NEWER = LargeObject(KEY, 3 * PART_BYTES + 1, seed=2).piece(0, 3 * PART_BYTES + 1)
PARTS = dict.fromkeys(range(1, 5), 1)
"""Part number → how often it was sent, when all goes well."""
HEADERS = {"content-type": "text/plain", "cache-control": "no-store", "x-amz-meta-a": "b c"}
TAGS = {"project": "a+b & c=d", "größe": "x/y:z"}


@pytest.fixture
def one(fakes):
    """One large object of a single PUT, with tags, and a small one after it."""
    fakes.source.put("bucket", KEY, BODY, HEADERS, TAGS)
    fakes.source.put("bucket", "small", b"body")
    return fakes


@pytest.fixture
def parts(fakes):
    """The same in parts of its own, which are not those of the options."""
    fakes.source.store.put_parts("bucket", KEY, in_parts(BODY, 6 * MEBIBYTE), HEADERS, TAGS)
    return fakes


def in_parts(body: bytes, part_bytes: int) -> list[bytes]:
    return [body[at : at + part_bytes] for at in range(0, len(body), part_bytes)]


def copies_all(fakes, *options):
    run = fakes.migration(None, *OPTIONS, *options).run().expect(EXIT_DONE)
    assert fakes.wrong() == []
    assert fakes.target.store.open_uploads("bucket") == []
    assert run.logs.outcomes == dict.fromkeys(sorted(fakes.source.store.objects("bucket")), "copied")
    assert run.logs.failed == []
    run.summary
    return run


def strike(fakes, fault, operation, **when):
    """The probe completes uploads too, so the key is named."""
    return fakes.script.add(fault, side="target", method=operation, key=KEY, **when)


# When all goes well


def test_an_object_in_parts_has_its_headers_and_tags(one):
    run = copies_all(one)
    stored = one.target.store.get("bucket", KEY)
    assert stored.headers == HEADERS
    assert stored.etag == composite_etag(in_parts(BODY, PART_BYTES))
    assert stored.part_sizes == (PART_BYTES, PART_BYTES, PART_BYTES, 1)
    assert one.record.parts_sent(KEY) == PARTS
    assert run.logs.proofs[KEY] == "upload"
    [line] = [line for line in run.logs.lines if line.key == KEY]
    assert line.bytes == len(BODY)


@pytest.mark.parametrize("size", [6 * MEBIBYTE - 1, 6 * MEBIBYTE, 6 * MEBIBYTE + 1, 10 * MEBIBYTE])
def test_the_threshold_is_where_it_is_said_to_be(fakes, size):
    fakes.source.put("bucket", KEY, BODY[:size])
    copies_all(fakes)
    assert bool(fakes.target.store.get("bucket", KEY).part_sizes) == (size > 6 * MEBIBYTE)


@pytest.mark.parametrize(
    "part_bytes",
    [base + more for base in (5 * MEBIBYTE, 8 * MEBIBYTE, 17_000_000) for more in (-1, 0, 1)],
)
@pytest.mark.parametrize("last_bytes", [1, None], ids=["a byte more", "full"])
def test_a_layout_that_the_source_tells_is_kept(fakes, part_bytes, last_bytes):
    """A part of less than 5 MiB is what no S3 takes: then the bytes count."""
    item = LargeObject(KEY, 2 * part_bytes + (last_bytes or 0), seed=part_bytes)
    body = item.piece(0, item.size_bytes)
    fakes.source.store.put_parts("bucket", KEY, in_parts(body, part_bytes))
    run = copies_all(fakes)
    source, target = (side.store.get("bucket", KEY) for side in (fakes.source, fakes.target))
    assert (run.logs.proofs[KEY] == "etag") == (source.etag == target.etag)
    if part_bytes >= 5 * MEBIBYTE:
        assert (target.etag, target.part_sizes) == (source.etag, source.part_sizes)


@pytest.mark.parametrize("size", [1, 1000, 5 * MEBIBYTE, 16 * MEBIBYTE])
def test_an_object_of_one_part_keeps_its_etag(fakes, size):
    """ETag …-1: one PUT of the same bytes would have another one."""
    fakes.source.store.put_parts("bucket", KEY, [BODY[:size]])
    assert copies_all(fakes).logs.proofs == {KEY: "etag"}
    assert fakes.target.store.get("bucket", KEY).etag == composite_etag([BODY[:size]])


@pytest.mark.parametrize("tells", [True, False], ids=["told", "not told"])
def test_parts_of_several_sizes_arrive_as_the_bytes_they_are(fakes, tells):
    fakes.source.store.rules.part_numbers = tells
    sizes = [6 * MEBIBYTE, 5 * MEBIBYTE, len(BODY) - 11 * MEBIBYTE]
    uneven = [BODY[offset : offset + size] for offset, size in spans(sizes)]
    fakes.source.store.put_parts("bucket", KEY, uneven)
    run = copies_all(fakes)
    etags = {side.store.get("bucket", KEY).etag for side in (fakes.source, fakes.target)}
    assert (run.logs.proofs[KEY] == "etag") == (len(etags) == 1)


def test_the_source_is_pinned_and_the_target_is_conditional(one):
    copies_all(one)
    first, *later = one.record.entries("source", "GetObject", KEY)
    etag = one.source.store.get("bucket", KEY).etag
    assert later and all(entry.headers["if-match"].strip('"') == etag for entry in later)
    assert all("range" in entry.headers for entry in [first, *later])
    [completion] = one.record.entries("target", "CompleteMultipartUpload", KEY)
    assert completion.headers["if-none-match"] == "*"
    operations = [entry.operation for entry in one.record.entries("target", key=KEY)]
    assert operations.index("HeadObject") < operations.index("CreateMultipartUpload"), (
        "the target is asked before terabytes are sent"
    )


# Proof


@pytest.mark.parametrize("checked", [ALGORITHMS, ("crc32c",), ("crc64nvme",), ()], ids=str)
def test_every_part_is_covered_by_a_digest_that_the_target_checks(one, checked):
    one.target.store.rules.checksums = checked
    run = copies_all(one)
    assert run.logs.proofs[KEY] == "upload"
    for entry in one.record.entries("target", "UploadPart", KEY):
        names = {name.removeprefix("x-amz-checksum-") for name in entry.headers}
        signed = len(entry.headers["x-amz-content-sha256"]) == 64
        assert names & set(checked) if checked else signed


def test_a_target_that_checks_md5_alone_is_sent_that(one):
    """rclone: neither checksums nor the SHA-256 of the signature count there."""
    one.target.store.rules.checksums = ()
    one.target.store.rules.payload_sha256 = False
    run = copies_all(one)
    assert run.logs.proofs[KEY] in ("upload", "size")
    parts = one.record.entries("target", "UploadPart", KEY)
    assert all("content-md5" in entry.headers for entry in parts)


@pytest.mark.parametrize("fixture", ["one", "parts"])
def test_a_part_that_is_damaged_on_its_way_is_sent_again(request, fixture):
    pair = request.getfixturevalue(fixture)
    strike(pair, faults.flipped_byte_in_request(1000), "UploadPart", nth=2)
    copies_all(pair)


def test_a_part_that_comes_damaged_from_the_source_is_read_again(parts):
    """Where the source's ETag covers the bytes; in our own layout nothing does but TLS."""
    parts.script.add(faults.flipped_byte(1000), side="source", method="GetObject", key=KEY, nth=2)
    copies_all(parts)


# One fault of each exchange

ONCE = {
    "reset": faults.reset(),
    "close": faults.close(),
    "stall": faults.stall(),
    "lost answer": faults.lost_answer(),
    "slow down": faults.slow_down(),
    "internal error": faults.internal_error(),
    "done, but 500": faults.done_but(faults.internal_error()),
    "html page": faults.html_page(502),
    "request timeout": faults.failure(400, "RequestTimeout"),
    "clock": faults.skewed("Wed, 21 Oct 2015 07:28:00 GMT"),
    "delay": faults.delay(0.5),
}


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_one_fault_of_an_upload_is_overcome(one, operation, name):
    """Also an upload whose id was lost with the answer is aborted in the end."""
    strike(one, ONCE[name], operation)
    copies_all(one)


def test_two_uploads_whose_ids_were_lost_are_both_aborted(one):
    strike(one, faults.lost_answer(), "CreateMultipartUpload", times=2)
    copies_all(one)


@pytest.mark.parametrize("name", [name for name in ONCE if name != "stall"])
def test_one_fault_of_complete_is_overcome(one, name):
    """A stall is waited for: a server may take minutes to put ten thousand parts together."""
    strike(one, ONCE[name], "CompleteMultipartUpload")
    copies_all(one)
    assert one.record.parts_received(KEY) == PARTS, "no part is sent again for a Complete"


def test_a_complete_may_take_longer_than_other_requests(one):
    strike(one, faults.delay(5), "CompleteMultipartUpload")
    copies_all(one)
    assert len(one.record.entries("target", "CompleteMultipartUpload", KEY)) == 1


@pytest.mark.parametrize("name", ["reset", "slow down", "stall", "lost answer"])
def test_one_fault_of_a_ranged_get_is_overcome(one, name):
    one.script.add(ONCE[name], side="source", method="GetObject", key=KEY, nth=3)
    copies_all(one)
    assert one.record.parts_received(KEY) == PARTS


@pytest.mark.parametrize(
    "fault",
    [faults.range_ignored(), faults.wrong_content_range(), faults.short_body(), faults.lying_412()],
    ids=lambda fault: fault.name,
)
def test_one_wrong_answer_to_a_ranged_get_is_overcome(one, fault):
    one.script.add(fault, side="source", method="GetObject", key=KEY, nth=3)
    copies_all(one)


def test_a_wrong_etag_of_a_part_is_not_believed(parts):
    strike(parts, faults.wrong_etag(), "UploadPart", nth=2)
    copies_all(parts)


# For ever


@pytest.mark.parametrize(
    "operation, name",
    [
        (operation, name)
        for operation in ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
        for name in ("reset", "slow down", "internal error", "html page", "stall")
        if (operation, name) != ("CompleteMultipartUpload", "stall")
    ],
)
def test_an_exchange_that_always_fails_fails_its_object_by_name(one, operation, name):
    strike(one, ONCE[name], operation, times=None)
    # A Create whose answer never came may have begun one more each time: `cancel` finds them.
    uploads_max = 3 if operation == "CreateMultipartUpload" else 1
    line = fails_by_name(one, "--timeout", "1", run_timeout_s=30, uploads_max=uploads_max)
    stages = {
        "CreateMultipartUpload": "create",
        "UploadPart": "part",
        "CompleteMultipartUpload": "complete",
    }
    assert line.stage == stages[operation]
    assert 3 <= line.attempts <= 4
    # libcurl itself sends again when a kept connection is cut.
    most = 2 * 4 * (4 if operation == "UploadPart" else 1)
    assert len(one.record.entries("target", operation, KEY)) <= most


def test_a_range_that_can_never_be_read_fails_its_object_by_name(one):
    one.script.add(
        faults.internal_error(), side="source", method="GetObject", key=KEY, nth=3, times=None
    )
    assert fails_by_name(one).stage == "get"


# Complete


def test_a_200_with_an_error_is_a_failure_that_is_retried(one):
    strike(one, faults.error_in_200(), "CompleteMultipartUpload")
    copies_all(one)
    assert len(one.record.entries("target", "CompleteMultipartUpload", KEY)) == 2
    assert one.record.parts_sent(KEY) == PARTS


def test_a_200_with_spaces_first_is_read_to_its_end(one):
    strike(one, faults.spaces_first(), "CompleteMultipartUpload")
    copies_all(one)


@pytest.mark.parametrize("again", [False, True], ids=["then NoSuchUpload", "then 200"])
def test_a_complete_whose_answer_was_lost_is_settled_as_ours(one, again):
    """The object is there because we put it there; to call it `skip-up` would be a lie."""
    one.target.store.rules.complete_again = again
    strike(one, faults.lost_answer(), "CompleteMultipartUpload")
    copies_all(one)
    assert one.record.parts_sent(KEY) == PARTS


def test_a_complete_that_was_lost_is_not_taken_for_somebody_elses_write(one):
    """The upload is gone, and the object there is another's."""

    def lose_to_a_client(request, store):
        store.uploads.expire("bucket", KEY)
        store.put("bucket", KEY, b"a client was quicker")
        return error(500, "InternalError", request)

    strike(one, Fault("client writes", lose_to_a_client), "CompleteMultipartUpload")
    assert_left_alone(one, one.migration(None, *OPTIONS).run())


def assert_left_alone(fakes, run):
    run.expect(EXIT_DONE)
    assert (run.logs.outcomes[KEY], run.logs.proofs[KEY]) == ("skip-up", "differs")
    assert fakes.target.store.get("bucket", KEY).body == b"a client was quicker"
    assert fakes.target.store.open_uploads("bucket") == []
    assert run.summary["skipped_target"] == 1


def a_client_writes(fakes):
    return faults.before(lambda: fakes.target.put("bucket", KEY, b"a client was quicker"))


def test_412_on_complete_leaves_the_others_object_and_aborts_ours(one):
    strike(one, a_client_writes(one), "CompleteMultipartUpload")
    assert_left_alone(one, one.migration(None, *OPTIONS).run())


def test_412_with_nothing_there_is_a_passing_lie(one):
    strike(one, faults.lying_412(), "CompleteMultipartUpload")
    copies_all(one)


def test_412_with_nothing_there_for_ever_fails_by_name(one):
    strike(one, faults.lying_412(), "CompleteMultipartUpload", times=None)
    fails_by_name(one)


def test_a_conflict_needs_a_new_upload(one):
    strike(one, faults.conflict(), "CompleteMultipartUpload")
    copies_all(one)
    assert len(one.record.entries("target", "CreateMultipartUpload", KEY)) == 2


def test_a_conflict_that_a_client_won_is_the_clients(one):
    def lose_to_a_client(request, store):
        store.put("bucket", KEY, b"a client was quicker")
        return error(409, "ConditionalRequestConflict", request)

    strike(one, Fault("client wins", lose_to_a_client), "CompleteMultipartUpload")
    assert_left_alone(one, one.migration(None, *OPTIONS).run())


def test_a_conflict_for_ever_ends_after_a_bounded_number_of_uploads(one):
    strike(one, faults.conflict(), "CompleteMultipartUpload", times=None)
    fails_by_name(one)
    assert len(one.record.entries("target", "CreateMultipartUpload", KEY)) <= 12


def fails_by_name(fakes, *options, uploads_max=1, run_timeout_s=60):
    migration = fakes.migration(None, *OPTIONS, "--retries", "2", *options)
    run = migration.run(timeout_s=run_timeout_s)
    run.expect(EXIT_FAILED)
    assert run.logs.outcomes[KEY] == "fail"
    [line] = run.logs.failed
    assert line.key == KEY
    assert fakes.target.store.get("bucket", KEY) is None
    uploads = fakes.target.store.open_uploads("bucket")
    assert len(uploads) <= uploads_max, "one may wait for the next pass"
    return line


def test_an_invalid_part_is_found_and_sent_again_alone(one):
    strike(one, faults.part_lost(2), "CompleteMultipartUpload")
    copies_all(one)
    assert one.record.parts_sent(KEY) == PARTS | {2: 2}


def test_an_invalid_part_with_all_parts_there_is_completed_again(one):
    strike(one, faults.invalid_part(), "CompleteMultipartUpload")
    copies_all(one)
    assert one.record.parts_sent(KEY) == PARTS


def test_an_invalid_part_for_ever_fails_by_name(one):
    strike(one, faults.invalid_part(), "CompleteMultipartUpload", times=None)
    assert fails_by_name(one).s3_code == "InvalidPart"


@pytest.mark.parametrize("fixture", ["one", "parts"])
def test_an_empty_etag_is_asked_for(request, fixture):
    """Ceph: the object's ETag stands in a HEAD only."""
    pair = request.getfixturevalue(fixture)
    pair.target.store.rules.complete_tells_etag = False
    run = copies_all(pair)
    etag = pair.target.store.get("bucket", KEY).etag
    [line] = [line for line in run.logs.lines if line.key == KEY]
    assert line.etag.strip('"') == etag
    assert (line.proof == "etag") == (etag == pair.source.store.get("bucket", KEY).etag)


def test_a_target_with_etags_of_its_own_is_no_reason_to_fail(parts):
    """rclone: the MD5 of the whole, whatever the parts were. Their MD5s give the source's ETag all the same, so they
    speak of the source's bytes."""
    parts.target.store.rules.composite_etags = False
    run = copies_all(parts)
    assert run.logs.proofs[KEY] == "md5"


# Layouts that the target does not take


def test_parts_that_are_too_small_for_the_target_get_our_layout(fakes):
    fakes.source.store.put_parts("bucket", KEY, in_parts(BODY, 2 * MEBIBYTE))
    run = copies_all(fakes)
    assert fakes.target.store.get("bucket", KEY).part_sizes == (PART_BYTES,) * 3 + (1,)
    assert run.logs.proofs[KEY] == "upload"


def test_parts_that_are_too_large_for_the_target_get_our_layout(parts):
    parts.target.store.rules.part_bytes_max = PART_BYTES
    run = copies_all(parts)
    assert parts.target.store.get("bucket", KEY).part_sizes == (PART_BYTES,) * 3 + (1,)
    assert run.logs.proofs[KEY] == "upload"


@pytest.mark.parametrize(
    "rules, code",
    [
        ({"part_bytes_min": 6 * MEBIBYTE}, "EntityTooSmall"),
        ({"part_bytes_max": 4 * MEBIBYTE}, "EntityTooLarge"),
    ],
)
def test_our_own_layout_that_the_target_refuses_fails_with_its_words(one, rules, code):
    vars(one.target.store.rules).update(rules)
    assert fails_by_name(one).s3_code == code


# The upload goes away


@pytest.mark.parametrize("nth", [1, 3])
def test_an_upload_that_expires_in_the_middle_is_begun_again(one, nth):
    strike(one, faults.upload_expired(), "UploadPart", nth=nth)
    copies_all(one)
    assert len(one.record.entries("target", "CreateMultipartUpload", KEY)) == 2


def test_an_upload_that_expires_before_complete_is_begun_again(one):
    strike(one, faults.upload_expired(), "CompleteMultipartUpload")
    copies_all(one)


def test_a_part_that_is_not_taken_for_a_moment_loses_nothing(one):
    """404 though the upload is there (a cluster that is not consistent yet)."""
    strike(one, faults.no_such_upload(), "UploadPart", nth=2)
    copies_all(one)


# A target that ignores the condition on Complete


def test_a_target_that_ignores_the_condition_is_asked_just_before(one):
    one.target.store.rules.complete_conditions = False
    run = one.migration(None, *OPTIONS).run("--allow-weak-conditions").expect(EXIT_DONE)
    run.mentions("complete", "weak|condition|If-None-Match")
    assert one.wrong() == []
    of_key = [entry.operation for entry in one.record.entries("target", key=KEY)]
    assert of_key[of_key.index("CompleteMultipartUpload") - 1] == "HeadObject"


def test_a_client_that_was_quicker_wins_there_too(one):
    """It writes while the parts are sent: the last look sees it."""
    one.target.store.rules.complete_conditions = False
    strike(one, a_client_writes(one), "UploadPart", nth=4)
    assert_left_alone(one, one.migration(None, *OPTIONS).run("--allow-weak-conditions"))


# What the target has


@pytest.mark.parametrize("body, proof", [(BODY, "size|same"), (b"a client was quicker", "differs")])
def test_an_object_that_is_there_is_seen_before_anything_is_sent(one, body, proof):
    one.target.put("bucket", KEY, body)
    run = one.migration(None, *OPTIONS).run().expect(EXIT_DONE)
    assert run.logs.outcomes[KEY] == "skip-up"
    assert run.logs.proofs[KEY] in proof.split("|")
    assert one.target.store.get("bucket", KEY).body == body
    assert one.record.entries("target", "CreateMultipartUpload", KEY) == []


@pytest.mark.parametrize("nth", [2, 3, 5])
def test_a_source_that_changes_in_the_middle_is_begun_again(one, nth):
    change = faults.before(lambda: one.source.put("bucket", KEY, NEWER))
    one.script.add(change, side="source", method="GetObject", key=KEY, nth=nth)
    copies_all(one)
    assert one.target.store.get("bucket", KEY).body == NEWER


@pytest.mark.parametrize("nth", [2, 3, 5])
def test_a_change_is_noticed_where_the_source_ignores_conditions(one, nth):
    one.source.store.rules.conditions = False
    change = faults.before(lambda: one.source.put("bucket", KEY, NEWER))
    one.script.add(change, side="source", method="GetObject", key=KEY, nth=nth)
    copies_all(one)
    assert one.target.store.get("bucket", KEY).body == NEWER


def test_a_change_after_the_last_byte_was_read_is_noticed_before_complete(one):
    change = faults.after(lambda: one.source.put("bucket", KEY, NEWER))
    strike(one, change, "UploadPart", nth=4)
    copies_all(one)
    assert one.target.store.get("bucket", KEY).body == NEWER


def test_a_source_that_is_deleted_before_complete_is_not_revived(one):
    strike(one, faults.after(lambda: one.source.store.delete("bucket", KEY)), "UploadPart", nth=4)
    run = one.migration([KEY, "small"], *OPTIONS).run("--allow-missing").expect(EXIT_DONE)
    assert run.logs.outcomes == {KEY: "skip-dn", "small": "copied"}
    assert one.target.store.objects("bucket").keys() == {"small"}
    assert one.target.store.open_uploads("bucket") == []


# Tags


def test_tags_that_an_upload_loses_are_put_afterwards(one):
    one.target.store.rules.multipart_tagging = False
    copies_all(one)
    assert one.target.store.get("bucket", KEY).tags == TAGS


def test_tags_that_the_target_has_not_are_told(one):
    one.target.store.rules.tagging = False
    run = one.migration(None, *OPTIONS).run().expect(EXIT_DONE)
    assert one.target.store.get("bucket", KEY).body == BODY
    run.mentions("tags")


# Stopped


def stopped_at(fakes, operation, which=SIGKILL, nth=1, delay_s=30, options=OPTIONS):
    """Kills a run that waits for the answer to something that the target has done."""
    strike(fakes, faults.delay(delay_s), operation, nth=nth)
    migration = fakes.migration(None, *options)
    running = migration.start()
    deadline = time.monotonic() + 30
    while len(fakes.record.entries("target", operation, KEY)) < nth:
        assert running.process.poll() is None and time.monotonic() < deadline, running.result(0)
        time.sleep(0.005)
    time.sleep(0.2)
    running.send(which)
    assert running.wait(timeout_s=60).code in (-which, EXIT_INTERRUPTED)
    return migration


ONE_AT_A_TIME = [*OPTIONS, "--threads", "1", "--transfers", "1", "--timeout", "60"]


def test_an_upload_whose_id_was_never_heard_is_found_by_its_intent(one):
    stopped_at(one, "CreateMultipartUpload", options=ONE_AT_A_TIME).run("--resume").expect(EXIT_DONE)
    assert one.wrong() == []
    assert one.target.store.open_uploads("bucket") == []


def test_an_intent_is_no_reason_to_touch_the_uploads_of_others(one):
    """Neither one of earlier times nor one that has a part already."""
    earlier = datetime.now(timezone.utc) - timedelta(hours=1)
    old = one.target.store.begin_upload("bucket", KEY, earlier)
    migration = stopped_at(one, "CreateMultipartUpload", options=ONE_AT_A_TIME)
    begun = one.target.store.begin_upload("bucket", KEY)
    begun.put(9, b"another's")
    migration.run("--resume").expect(EXIT_DONE)
    left = {upload.id for upload in one.target.store.open_uploads("bucket", KEY)}
    assert {old.id, begun.id} <= left


@pytest.mark.parametrize("page_max", [1, 2, 1000])
def test_parts_are_listed_in_pages_on_a_resume(one, page_max):
    one.target.store.rules.page_max = page_max
    stopped_at(one, "UploadPart", nth=4, options=ONE_AT_A_TIME).run("--resume").expect(EXIT_DONE)
    assert one.wrong() == []
    assert one.record.parts_sent(KEY) == PARTS, "the fourth was stored, though nobody heard of it"
    assert one.target.store.open_uploads("bucket") == []


@pytest.mark.parametrize("which", [SIGKILL, SIGINT], ids=["kill -9", "CTRL-C"])
def test_a_complete_that_was_done_while_we_died_is_ours(one, which):
    migration = stopped_at(one, "CompleteMultipartUpload", which, delay_s=4, options=ONE_AT_A_TIME)
    migration.run("--resume").expect(EXIT_DONE)
    assert migration.logs.outcomes[KEY] == "copied"
    assert one.wrong() == []
    assert one.record.parts_sent(KEY) == PARTS
    assert one.target.store.open_uploads("bucket") == []


def test_a_part_of_another_size_is_sent_again(one):
    """A listing that shows a torn part is a reason to send it, not to trust it."""
    migration = stopped_at(one, "UploadPart", nth=3, options=ONE_AT_A_TIME)
    [upload] = one.target.store.open_uploads("bucket", KEY)
    upload.put(1, b"short")
    migration.run("--resume").expect(EXIT_DONE)
    assert one.wrong() == []
    assert one.record.parts_sent(KEY) == PARTS | {1: 2}


def test_a_part_of_other_bytes_is_found_by_its_etag_where_the_layout_tells(parts):
    migration = stopped_at(parts, "UploadPart", nth=2, options=ONE_AT_A_TIME)
    [upload] = parts.target.store.open_uploads("bucket", KEY)
    upload.put(1, bytes(6 * MEBIBYTE))
    run = migration.run("--resume")
    assert run.code in (EXIT_DONE, EXIT_FAILED), run
    stored = parts.target.store.get("bucket", KEY)
    assert stored is None or md5(stored.body).digest() == md5(BODY).digest()


def test_a_failed_pass_is_continued_by_the_next_one(one):
    """The parts that arrived are of use although the object failed."""
    rule = strike(one, faults.internal_error(), "CompleteMultipartUpload", times=None)
    migration = one.migration(None, *OPTIONS)
    migration.run("--retries", "1", timeout_s=30).expect(EXIT_FAILED)
    rule.times = 0
    folder = migration.folder / "second-pass"
    run_program(
        "s3migrate",
        "--failed-to-folder",
        folder,
        "--log-folder",
        migration.folder / "logs",
        folder=migration.folder,
        environment=clean_environment(),
    ).expect(EXIT_DONE)
    assert folder.exists()
    second = migration.run(src_folder=folder, logs="second").expect(EXIT_DONE)
    assert second.logs.outcomes == {KEY: "copied"}
    assert one.wrong() == []
