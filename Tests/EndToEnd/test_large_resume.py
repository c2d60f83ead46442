"""Large objects that are stopped in the middle, between real clusters: what the target acknowledged is
not sent again, what changed meanwhile is never mixed, and what others began is left alone."""

import random
import signal
import time
from dataclasses import replace

import pytest
from counting_proxy import CountingProxy
from dataset import MEBIBYTE
from large_objects import (
    LargeObject,
    in_parts,
    large_differences,
    open_uploads,
    parts_there,
    prepare_large,
    put_large,
)
from program import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    Migration,
    Side,
    check_log,
    clean_environment,
    run_program,
)
from s3client import S3Client
from test_large import LARGEST_BYTES, LARGEST_BYTES_MIN

PART_BYTES = 8 * MEBIBYTE
KILLS = 10
LARGE = LargeObject("large", 9 * PART_BYTES + 1)
PARTS = 10
"""Of LARGE, in the layout of the default options."""

pytestmark = pytest.mark.timeout(600)


class Stage:
    """A source bucket, a proxy before the target, and a migration that takes its time."""

    def __init__(self, source, proxy, source_bucket, target_bucket, folder):
        self.source, self.proxy = S3Client.of(source), proxy
        # What the tests ask the target themselves passes the proxy too, and is not counted as a part.
        self.target = S3Client.of(proxy)
        self.source_bucket, self.target_bucket = source_bucket, target_bucket
        self._sides = Side.of(source, source_bucket), Side.of(proxy, target_bucket)
        self._folder = folder
        proxy.part_delay_s = 0.05

    def put(self, *items: LargeObject):
        for item in items:
            put_large(self.source, self.source_bucket, item)

    def migration(self, *keys: str) -> Migration:
        few = ["--threads", "2", "--transfers", "2", "--allow-weak-conditions"]
        return Migration(*self._sides, self._folder, keys, options=few)

    def wait_for_parts(self, running, key: str, count: int, timeout_s=120):
        """Until the target has so many different parts, in all runs together."""
        deadline = time.monotonic() + timeout_s
        while len(self.proxy.parts_taken(key)) < count:
            assert running.process.poll() is None, f"it ended too early\n{running.wait()}"
            assert time.monotonic() < deadline, "the copy does not get on"
            time.sleep(0.005)

    def stopped(self, migration, key: str, parts: int, which=signal.SIGKILL, *options):
        """A run that was stopped after so many parts."""
        running = migration.start(*options)
        self.wait_for_parts(running, key, parts)
        running.send(which)
        run = running.wait()
        assert run.code in (-which, EXIT_INTERRUPTED), run
        return run

    def assert_sent_once(self, key: str, part_count: int):
        """What was in flight at a kill may come twice; what somebody heard of must not."""
        assert sorted(self.proxy.parts_taken(key)) == list(range(1, part_count + 1))
        assert self.proxy.parts_sent_again(key) == []

    def uploads(self) -> list[tuple[str, str]]:
        return open_uploads(self.target, self.target_bucket)

    def wrong(self, item: LargeObject) -> list[str]:
        return large_differences(self.target, self.target_bucket, item)

    def begin_as_another(self, key: str) -> str:
        """Another client's upload of the same key, with a part."""
        s3, named = self.target.boto(), {"Bucket": self.target_bucket, "Key": key}
        upload_id = s3.create_multipart_upload(**named)["UploadId"]
        query = {"uploadId": upload_id, "partNumber": "77"}
        self.target.request("PUT", self.target_bucket, key, query=query, body=b"another's")
        return upload_id


@pytest.fixture
def stage(ceph_source, ceph_target, new_bucket, tmp_path):
    buckets = new_bucket(ceph_source), new_bucket(ceph_target)
    with CountingProxy(ceph_target) as proxy:
        yield Stage(ceph_source, proxy, *buckets, tmp_path)


def cancel(migration: Migration, secret: str | None = None):
    """`s3migrate cancel` with the destination's flags."""
    return run_program(
        "s3migrate",
        "cancel",
        "--dest-url",
        migration.target.url,
        "--dest-bucket",
        migration.target.bucket,
        "--dest-key",
        migration.target.key,
        "--log-folder",
        migration.folder / "logs",
        folder=migration.folder,
        environment=clean_environment(S3MIGRATE_DEST_SECRET=secret or migration.target.secret),
    )


# Stopped, and gone on with


def test_killed_ten_times_in_a_row_no_acknowledged_part_is_sent_again(stage, seed, large_scale):
    size_bytes = max(int(LARGEST_BYTES * large_scale), LARGEST_BYTES_MIN) + 1
    item = LargeObject("killed", size_bytes, seed=seed, headers={"x-amz-meta-a": "b"})
    stage.put(item)
    migration, options = stage.migration(item.key), []
    part_count = -(-size_bytes // PART_BYTES)
    chance = random.Random(seed)
    for turn in range(KILLS):
        parts = part_count * (turn + 1) // (KILLS + 1) + chance.randrange(2)
        stage.stopped(migration, item.key, parts, signal.SIGKILL, *options)
        options = ["--resume"]
    migration.run("--resume", timeout_s=400).expect(EXIT_DONE)
    stage.assert_sent_once(item.key, part_count)
    assert (stage.wrong(item), stage.uploads()) == ([], [])
    assert migration.logs.outcomes == {item.key: "copied"}
    assert migration.logs.failed == []
    check_log(migration).expect(EXIT_DONE)


def test_ctrl_c_finishes_the_parts_in_flight_and_leaves_the_rest_to_the_resume(stage, seed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    run = stage.stopped(migration, item.key, 3, signal.SIGINT)
    run.expect(EXIT_INTERRUPTED).mentions("--resume")
    assert stage.proxy.parts_sent(item.key) == stage.proxy.parts_acknowledged(item.key)
    assert 3 <= len(stage.proxy.parts_sent(item.key)) < PARTS, "the rest was left"
    assert run.summary["not_reached"] == 1
    assert run.logs.outcomes == {}, "an object in the middle is in no log"
    migration.run("--resume").expect(EXIT_DONE)
    assert stage.proxy.parts_sent(item.key) == dict.fromkeys(range(1, PARTS + 1), 1)
    assert (stage.wrong(item), stage.uploads()) == ([], [])
    assert migration.logs.outcomes == {item.key: "copied"}


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "CTRL-C"])
def test_the_sources_own_layout_is_resumed_too(stage, seed, which):
    item = in_parts("parts", 5 * MEBIBYTE, 12, 7, seed=seed, tags={"t": "v"})
    stage.put(item)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 4, which)
    migration.run("--resume").expect(EXIT_DONE)
    stage.assert_sent_once(item.key, 13)
    assert stage.target.head(stage.target_bucket, item.key).etag == item.etag()
    assert (stage.wrong(item), stage.uploads()) == ([], [])
    assert migration.logs.proofs == {item.key: "etag"}


def test_a_resume_with_another_part_size_still_copies_the_object(stage, seed):
    """An operator who changes an option meets a right object, whatever is sent again."""
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 3)
    migration.run("--resume", "--part-size", "5MiB").expect(EXIT_DONE)
    assert (stage.wrong(item), stage.uploads()) == ([], [])


def test_small_and_large_objects_are_stopped_and_resumed_together(stage, seed):
    items = [replace(LARGE, key=key, seed=seed + n) for n, key in enumerate(["a", "m", "z"])]
    small = [LargeObject(f"small/{number:02}", 1000 + number) for number in range(40)]
    stage.put(*items, *small)
    migration = stage.migration(*(item.key for item in items + small))
    stage.stopped(migration, "m", 2)
    stage.stopped(migration, "m", 5, signal.SIGINT, "--resume")
    migration.run("--resume").expect(EXIT_DONE)
    for item in items:
        stage.assert_sent_once(item.key, PARTS)
    assert sum(map(stage.wrong, items + small), []) == []
    assert stage.uploads() == []
    assert migration.logs.outcomes == dict.fromkeys(sorted(i.key for i in items + small), "copied")


@pytest.mark.parametrize("after_s", [0, 0.05, 0.1, 0.2, 0.4, 0.8])
def test_killed_soon_after_complete_the_object_is_still_ours(stage, seed, after_s):
    """Between the end of the upload and the line of a log there is no gap in which we forget it."""
    first, second = (replace(LARGE, key=key, seed=seed) for key in ("first", "second"))
    stage.put(first, second)
    migration = stage.migration(first.key, second.key)
    running = migration.start()
    while not stage.proxy.is_completed(first.key):
        assert running.process.poll() is None, "it ended too early"
        time.sleep(0.002)
    time.sleep(after_s)
    running.send(signal.SIGKILL)
    running.wait()
    migration.run("--resume").expect(EXIT_DONE)
    assert migration.logs.outcomes == {first.key: "copied", second.key: "copied"}
    assert stage.uploads() == []


# The source changes


@pytest.mark.parametrize("parts", [1, 4])
def test_a_source_that_is_overwritten_in_the_middle_is_never_mixed(stage, seed, parts):
    old = replace(LARGE, seed=seed)
    overwritten_in_the_middle(stage, old, parts)


@pytest.mark.parametrize("parts", [1, 6])
def test_a_source_of_parts_that_is_overwritten_is_never_mixed(stage, seed, parts):
    """Same size, same layout: only the ETag tells."""
    old = in_parts("parts", 5 * MEBIBYTE, 12, 7, seed=seed)
    overwritten_in_the_middle(stage, old, parts)


def overwritten_in_the_middle(stage, old: LargeObject, parts: int):
    """The new version was sent before, and appears at once, while parts of the old one are missing."""
    layout = old.part_bytes or (PART_BYTES,) * 9 + (1,)
    new = replace(old, version=1, part_bytes=layout)
    stage.put(old)
    appear = prepare_large(stage.source, stage.source_bucket, new)
    stage.proxy.part_delay_s = 0.3
    running = stage.migration(old.key).start()
    stage.wait_for_parts(running, old.key, parts)
    appear()
    assert_new_or_failed(stage, running.wait(), new)


def test_a_source_that_is_overwritten_at_the_end_is_whole_in_one_version(stage, seed):
    """Too late to be noticed, perhaps: then it is the old one, and nothing of the new."""
    old = in_parts("parts", 5 * MEBIBYTE, 12, 7, seed=seed)
    new = replace(old, version=1)
    stage.put(old)
    appear = prepare_large(stage.source, stage.source_bucket, new)
    migration = stage.migration(old.key)
    running = migration.start()
    stage.wait_for_parts(running, old.key, 13)
    appear()
    if running.wait().code == EXIT_DONE:
        assert [] in (stage.wrong(old), stage.wrong(new))
    else:
        assert migration.logs.outcomes == {old.key: "fail"}
        assert stage.target.listing(stage.target_bucket) == {}
    assert stage.uploads() == []


def assert_new_or_failed(stage, run, new):
    assert run.code in (EXIT_DONE, EXIT_FAILED), run
    there = stage.target.listing(stage.target_bucket)
    if run.logs.outcomes == {new.key: "copied"}:
        assert stage.wrong(new) == []
    else:
        assert (run.logs.outcomes, there) == ({new.key: "fail"}, {})
    assert stage.uploads() == []


def test_a_source_that_changed_before_the_resume_aborts_the_old_upload(stage, seed):
    old, new = replace(LARGE, seed=seed), replace(LARGE, seed=seed, version=1)
    stage.put(old)
    migration = stage.migration(old.key)
    stage.stopped(migration, old.key, 4)
    [(_, old_upload)] = stage.uploads()
    stage.put(new)
    migration.run("--resume").expect(EXIT_DONE)
    assert (stage.wrong(new), stage.uploads()) == ([], [])
    aborts = [one for one in stage.proxy.passed(old.key) if one.method == "DELETE"]
    assert [one.query["uploadId"] for one in aborts] == [old_upload]


@pytest.mark.parametrize("resumed", [False, True], ids=["in one run", "before the resume"])
def test_a_source_that_is_deleted_in_the_middle_is_not_revived(stage, seed, resumed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    running = migration.start()
    stage.wait_for_parts(running, item.key, 4)
    if resumed:
        running.send(signal.SIGKILL)
        running.wait()
    stage.source.delete(stage.source_bucket, item.key)
    # Alone in the list, it is "more than a tenth of the objects": not the matter of this test.
    run = migration.run("--resume", "--allow-missing") if resumed else running.wait()
    run.expect(EXIT_DONE)
    assert run.logs.outcomes == {item.key: "skip-dn"}
    assert (stage.target.listing(stage.target_bucket), stage.uploads()) == ({}, [])


# Others


def test_another_clients_upload_of_the_same_key_is_never_touched(stage, seed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    theirs = stage.begin_as_another(item.key)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 3)
    second = stage.begin_as_another(item.key)
    migration.run("--resume").expect(EXIT_DONE)
    assert stage.wrong(item) == []
    assert sorted(stage.uploads()) == sorted([(item.key, theirs), (item.key, second)])
    for upload_id in (theirs, second):
        assert set(parts_there(stage.target, stage.target_bucket, item.key, upload_id)) == {77}


def test_an_object_that_a_client_wrote_before_the_resume_is_left_alone(stage, seed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 3)
    stage.target.put(stage.target_bucket, item.key, b"a client was quicker")
    run = migration.run("--resume").expect(EXIT_DONE)
    assert run.logs.outcomes == {item.key: "skip-up"}
    assert stage.target.get(stage.target_bucket, item.key).body == b"a client was quicker"
    assert stage.uploads() == []


def test_an_upload_that_somebody_aborted_is_begun_again(stage, seed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 3)
    [(key, upload_id)] = stage.uploads()
    query = {"uploadId": upload_id}
    stage.target.request("DELETE", stage.target_bucket, key, query=query)
    migration.run("--resume").expect(EXIT_DONE)
    assert (stage.wrong(item), stage.uploads()) == ([], [])


# cancel


def test_cancel_aborts_ours_says_what_and_leaves_others(stage, seed):
    items = [replace(LARGE, key=key, seed=seed) for key in ("first", "second")]
    stage.put(*items)
    migration = stage.migration(*(item.key for item in items))
    stage.stopped(migration, "second", 2)
    ours = stage.uploads()
    assert ours != []
    theirs = [("second", stage.begin_as_another("second")), ("x", stage.begin_as_another("x"))]
    run = cancel(migration).expect(EXIT_DONE)
    run.mentions("abort", *(key for key, _ in ours))
    assert sorted(stage.uploads()) == sorted(theirs)
    again = cancel(migration).expect(EXIT_DONE)
    assert not any(upload_id in again.output for _, upload_id in ours + theirs)
    assert sorted(stage.uploads()) == sorted(theirs)


def test_after_a_cancel_a_resume_begins_the_object_anew(stage, seed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 3)
    cancel(migration).expect(EXIT_DONE)
    assert stage.uploads() == []
    migration.run("--resume").expect(EXIT_DONE)
    assert (stage.wrong(item), stage.uploads()) == ([], [])


def test_a_cancel_that_the_target_refuses_says_so_and_can_be_repeated(stage, seed):
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    stage.stopped(migration, item.key, 3)
    ours = stage.uploads()
    refused = cancel(migration, secret="wrong" * 8)
    assert refused.code != EXIT_DONE, refused
    assert "wrong" * 8 not in refused.output, "secrets do not print"
    assert stage.uploads() == ours
    cancel(migration).expect(EXIT_DONE)
    assert stage.uploads() == []


def test_a_cancel_beside_a_running_migration_is_refused(stage, seed):
    """Its uploads are in use: aborting them would fail the objects."""
    item = replace(LARGE, seed=seed)
    stage.put(item)
    migration = stage.migration(item.key)
    running = migration.start()
    stage.wait_for_parts(running, item.key, 1)
    refused = cancel(migration)
    assert refused.code != EXIT_DONE, refused
    refused.mentions("in use|another|lock|running")
    running.wait().expect(EXIT_DONE)
    assert stage.wrong(item) == []
