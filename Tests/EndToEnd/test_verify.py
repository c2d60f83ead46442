"""`s3migrate verify`: finds what is not as it should be, and nothing else; copies nothing."""

import random
import signal
import subprocess
import time

import pytest
from buckets import fill
from dataset import make_objects
from fakes3 import faults
from odd_keys import ODD_KEYS
from program import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    EXIT_USAGE,
    Migration,
    Side,
    check_log,
    run_program,
)
from s3client import S3Client
from test_second_pass import failed_to_folder, keys_of_lists

MEBIBYTE = 1 << 20


def verify(migration, *options, logs="verify-logs", dest_folder=None, **named):
    """A verification with the options and lists of a migration; without the target's lists."""
    return migration.run(*options, logs=logs, dest_folder=dest_folder, command="verify", **named)


def problems(run) -> dict[str, str]:
    """Key → class, of failed.log."""
    assert {line.stage for line in run.logs.failed} <= {"verify", "verify-source", "verify-target"}
    return {line.key: line.error_class for line in run.logs.failed}


def put_both(fakes, key, body=b"body", target=None, **named):
    fakes.source.put("bucket", key, body, **named)
    fakes.target.put("bucket", key, body if target is None else target, **named)


def written(fakes) -> set[str]:
    """Operations of a verification that are none of reading."""
    reads = {"GetObject", "HeadObject", "HeadBucket", "ListObjectsV2", "GetObjectTagging"}
    return set(fakes.record.operations()) - reads


@pytest.mark.timeout(900)
def test_it_finds_what_differs_among_ten_thousand_and_nothing_else(
    ceph_source, ceph_target, new_bucket, tmp_path, seed, scale
):
    """And a copy of what it found mends it, where the target has nothing in the way."""
    count = max(500, int(10_000 * scale))
    objects = make_objects(count, 40 * MEBIBYTE, seed + 21, list(ODD_KEYS.values()), tags=True)
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    old, new = S3Client.of(ceph_source), S3Client.of(ceph_target)
    fill(old, source, objects)
    keys = [item.key for item in objects]
    migration = Migration(Side.of(ceph_source, source), Side.of(ceph_target, target), tmp_path, keys)
    migration.run(timeout_s=300).expect(EXIT_DONE)

    run = verify(migration, logs="clean").expect(EXIT_DONE)
    assert set(run.logs.findings.values()) == {"same"}
    assert run.summary["verify"]["same"] == len(keys)
    assert {line.proof for line in run.logs.verified} == {"etag"}

    chance = random.Random(seed)
    untagged = [item for item in objects if item.size_bytes > 10 and not item.tags]
    missing, short, changed, meta, tags, gone = chance.sample(untagged, 6)
    new.delete(target, missing.key)
    new.put(target, short.key, bytes(short.body)[:-1], dict(short.headers))
    flipped = bytearray(changed.body)
    flipped[3] ^= 1
    new.put(target, changed.key, bytes(flipped), dict(changed.headers))
    new.put(target, meta.key, bytes(meta.body), dict(meta.headers) | {"x-amz-meta-owner": "mallory"})
    new.put(target, tags.key, bytes(tags.body), dict(tags.headers) | {"x-amz-tagging": "a=b"})
    old.delete(source, gone.key)
    new.delete(target, gone.key)

    run = verify(migration).expect(EXIT_FAILED)
    expected = {
        missing.key: "missing", short.key: "size", changed.key: "etag", meta.key: "metadata",
        tags.key: "tags",
    }
    assert problems(run) == expected
    odd = {key: found for key, found in run.logs.findings.items() if found != "same"}
    assert odd == {key: "differs" for key in expected} | {missing.key: "missing", gone.key: "gone"}
    found = run.summary["verify"]
    assert (found["differs"], found["missing"], found["gone"]) == (4, 1, 1)
    assert check_log(migration, "verify-logs").code == EXIT_DONE
    run.mentions("differ", "missing", "--failed-to-folder")

    failed_to_folder(migration, tmp_path / "again", "verify-logs").expect(EXIT_DONE)
    assert set(keys_of_lists(tmp_path / "again")) == set(expected)
    for item in (short, changed, meta, tags):
        new.delete(target, item.key)
    migration.run(src_folder=tmp_path / "again", logs="logs-2").expect(EXIT_DONE)
    verify(migration, src_folder=tmp_path / "again", logs="mended").expect(EXIT_DONE)


def test_a_flipped_bit_behind_an_etag_is_found_by_deep_only(fakes):
    put_both(fakes, "good", b"x" * 1000)
    etag = fakes.source.store.get("bucket", "good").etag
    put_both(fakes, "rotten", b"x" * 1000, target=b"x" * 500 + b"y" + b"x" * 499, etag=etag)
    put_both(fakes, "large", b"l" * 3 * MEBIBYTE)
    large = fakes.source.store.get("bucket", "large").etag
    put_both(
        fakes, "large-rotten", b"l" * 3 * MEBIBYTE,
        target=b"l" * (3 * MEBIBYTE - 1) + b"r", etag=large,
    )
    put_both(fakes, "empty", b"")
    migration = fakes.migration()
    run = verify(migration, logs="facts").expect(EXIT_DONE)
    assert set(run.logs.findings.values()) == {"same"}
    assert "GetObject" not in fakes.record.operations()

    run = verify(migration, "--deep", "--part-size", "1MiB").expect(EXIT_FAILED)
    assert problems(run) == {"rotten": "content", "large-rotten": "content"}
    assert "2097152-3145727" in {line.key: line.message for line in run.logs.failed}["large-rotten"]
    same = [line for line in run.logs.verified if line.outcome == "same"]
    assert {(line.key, line.proof) for line in same} == {
        ("good", "sha256"), ("large", "sha256"), ("empty", "sha256"),
    }
    assert run.summary["verify"]["bytes_same"] == 1000 + 3 * MEBIBYTE
    assert written(fakes) == set(), "a verification writes nothing, not even a probe"


def test_a_flip_on_the_way_is_no_difference(fakes):
    put_both(fakes, "k", b"x" * 1000)
    fakes.script.add(faults.flipped_byte(), side="target", method="GetObject", times=1)
    verify(fakes.migration(), "--deep").expect(EXIT_DONE)


def test_the_keys_of_both_lists_are_looked_at(fakes):
    put_both(fakes, "both")
    fakes.put_source(source=b"1")
    fakes.target.put("bucket", "target", b"2")
    fakes.target.put("bucket", "zz", b"2")
    migration = fakes.migration(["both", "gone", "source"], target_keys=["both", "stale", "target", "zz"])
    run = verify(migration, "--allow-missing", dest_folder=migration.target_lists).expect(EXIT_FAILED)
    assert run.logs.findings == {
        "both": "same", "gone": "gone", "source": "missing", "stale": "gone", "target": "extra",
        "zz": "extra",
    }
    assert run.summary["objects"] == 6
    assert problems(run) == {"source": "missing"}


def test_the_keys_of_a_migrate_log_are_a_list(fakes):
    """As README says: `cut -f1`, with keys that need escapes among them."""
    for key in [*ODD_KEYS.values(), "plain"]:
        put_both(fakes, key)
    migration = fakes.migration()
    migration.run("--first", len(ODD_KEYS) - 3).expect(EXIT_DONE)
    handled = migration.folder / "handled"
    handled.mkdir()
    script = f"cut -f1 {migration.folder}/logs/migrate.log > {handled}/keys"
    subprocess.run(["bash", "-c", script], check=True)
    run = verify(migration, src_folder=handled).expect(EXIT_DONE)
    assert run.logs.findings == dict.fromkeys(migration.logs.outcomes, "same")
    assert run.summary["objects"] == len(ODD_KEYS) - 3


def test_what_only_the_target_has_is_no_failure(fakes):
    put_both(fakes, "both")
    fakes.target.put("bucket", "client", b"new")
    migration = fakes.migration(["both"], target_keys=["both", "client"])
    run = verify(migration, dest_folder=migration.target_lists).expect(EXIT_DONE)
    assert run.summary["verify"]["extra"] == 1


def test_unproved_objects_are_counted_and_said(fakes):
    fakes.source.put("bucket", "k", b"body", etag="0123456789abcdef0123456789abcdef-2")
    fakes.target.put("bucket", "k", b"bodY")
    run = verify(fakes.migration()).expect(EXIT_DONE)
    assert (run.logs.verified[0].outcome, run.logs.verified[0].proof) == ("same", "size")
    assert run.summary["verify"]["unproved"] == 1
    run.mentions("--deep", "only size")
    assert problems(verify(fakes.migration(), "--deep").expect(EXIT_FAILED)) == {"k": "content"}


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "CTRL-C"])
def test_stopped_at_random_moments_it_reaches_the_same_end(fakes, seed, which):
    chance = random.Random(f"{seed} {which}")
    keys = [f"{number % 5}/{number:04}" for number in range(1500)]
    for key in keys:
        put_both(fakes, key, key.encode())
    wrong = set(chance.sample(keys, 20))
    for key in wrong:
        fakes.target.put("bucket", key, b"another")
    fakes.source.latency_s = fakes.target.latency_s = 0.02
    migration = fakes.migration(chunks=2)
    options, settled, mark = [], set(), 0
    for attempt in range(100):
        running = migration.start(*options, logs="verify-logs", dest_folder=None, command="verify")
        if attempt < 5:
            time.sleep(chance.uniform(0.05, 0.7))
            running.send(which)
        run = running.wait()
        asked = {entry.key for entry in fakes.record.entries("target", "HeadObject", since=mark)}
        assert not asked & settled, "compared again though the logs knew them"
        settled, mark = migration.logs_in("verify-logs").settled_keys(), len(fakes.record)
        if run.code == EXIT_FAILED:
            break
        assert run.code in (-which, EXIT_INTERRUPTED), run
        options = ["--resume"] if (migration.folder / "verify-logs/run.json").exists() else []
    assert run.logs.findings == {key: "differs" if key in wrong else "same" for key in keys}
    assert set(problems(run)) == wrong
    check_log(migration, "verify-logs").expect(EXIT_DONE)
    assert written(fakes) == set()


def test_two_shards_are_the_whole(fakes):
    keys = [f"k{number:03}" for number in range(200)]
    for key in keys:
        put_both(fakes, key, key.encode())
    fakes.target.put("bucket", "k007", b"other")
    migration = fakes.migration()
    runs = [
        verify(migration, "--hash-count", 2, "--hash-value", value, logs=f"host-{value}")
        for value in range(2)
    ]
    assert sorted(run.code for run in runs) == [EXIT_DONE, EXIT_FAILED]
    findings = [run.logs.findings for run in runs]
    assert not findings[0].keys() & findings[1].keys()
    assert sorted(findings[0].keys() | findings[1].keys()) == keys
    assert all(run.summary["identity_holds"] for run in runs)


def test_a_resumed_verification_remembers_what_it_found(fakes):
    put_both(fakes, "a", b"1", target=b"2")
    put_both(fakes, "b")
    migration = fakes.migration()
    verify(migration, "--first", 1).expect(EXIT_FAILED)
    run = verify(migration, "--resume").expect(EXIT_FAILED)
    assert run.summary["failed_before"] == 1
    verify(migration, "--deep", "--resume").expect(EXIT_USAGE).mentions("--deep")
    verify(migration).expect(EXIT_USAGE).mentions("verify.log", "--resume")


def test_its_logs_and_a_migrations_do_not_mix(fakes):
    put_both(fakes, "k")
    migration = fakes.migration()
    verify(migration).expect(EXIT_DONE)
    migration.run(logs="verify-logs").expect(EXIT_USAGE).mentions("verify.log", "--log-folder")
    migration.run().expect(EXIT_DONE)
    verify(migration, logs="logs").expect(EXIT_USAGE).mentions("migrate.log", "--log-folder")
    run_program(
        "s3migrate", "report", migration.folder / "verify-logs", folder=migration.folder
    ).expect(EXIT_USAGE).mentions("verification")


def test_a_bucket_that_is_not_there_stops_it(fakes):
    put_both(fakes, "k")
    verify(fakes.migration(), dest_bucket="nowhere").expect(EXIT_STOPPED)


def test_lists_that_are_not_the_sources_stop_it(fakes):
    put_both(fakes, "k")
    migration = fakes.migration([f"no{number:04}" for number in range(400)])
    verify(migration).expect(EXIT_STOPPED).mentions("--src-folder", "--allow-missing")
    verify(migration, "--allow-missing", logs="other").expect(EXIT_DONE)


def test_what_cannot_be_asked_is_a_failure(fakes):
    put_both(fakes, "k")
    fakes.script.add(faults.access_denied(), side="target", method="HeadObject", key="k")
    run = verify(fakes.migration()).expect(EXIT_FAILED)
    assert problems(run) == {"k": "denied"}
    assert run.logs.failed[0].stage == "verify-target"
    assert run.logs.findings == {"k": "fail"}


def test_a_client_that_writes_both_sides_is_not_called_a_difference(fakes):
    """Between the question to the source and the one to the target."""
    put_both(fakes, "k")

    def write():
        put_both(fakes, "k", b"written by a client")

    fakes.script.add(faults.after(write), side="source", method="HeadObject", key="k", times=1)
    run = verify(fakes.migration()).expect(EXIT_DONE)
    assert run.logs.findings == {"k": "same"}
    assert len(fakes.record.entries("target", "HeadObject", key="k")) == 2


def test_a_large_object_is_read_in_little_memory(
    ceph_source, ceph_target, new_bucket, tmp_path, large_scale
):
    """In pieces, whatever its size; every bit is looked at."""
    body = random.Random(5).randbytes(int(200 * MEBIBYTE * min(1, large_scale * 5)))
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    S3Client.of(ceph_source).put(source, "large", body)
    S3Client.of(ceph_target).put(target, "large", body)
    migration = Migration(
        Side.of(ceph_source, source), Side.of(ceph_target, target), tmp_path, ["large"]
    )
    run = verify(migration, "--deep", "--memory", "32MiB", "--threads", 1, "--transfers", 2)
    run.expect(EXIT_DONE)
    assert run.logs.verified[0].proof == "sha256"
    S3Client.of(ceph_target).put(target, "large", body[:-1] + bytes([body[-1] ^ 1]))
    run = verify(migration, "--deep", "--memory", "32MiB", logs="again").expect(EXIT_FAILED)
    assert problems(run) == {"large": "content"}


@pytest.mark.parametrize("depth", [[], ["--deep"]], ids=["facts", "deep"])
@pytest.mark.parametrize("direction", ["to rclone", "from rclone"])
def test_what_was_migrated_between_unlike_servers_is_the_same(
    ceph_source, rclone_server, new_bucket, tmp_path, seed, direction, depth
):
    """But for tags that a server does not keep."""
    objects = make_objects(150, 30 * MEBIBYTE, seed + 22, tags=True, expires=False)
    ends = [ceph_source, rclone_server][:: 1 if direction == "to rclone" else -1]
    source, target = (new_bucket(server) for server in ends)
    fill(S3Client.of(ends[0]), source, objects)
    migration = Migration(
        Side.of(ends[0], source), Side.of(ends[1], target), tmp_path, [item.key for item in objects]
    )
    migration.run("--allow-weak-conditions", "--multipart-threshold", "6MiB").expect(EXIT_DONE)
    lost = {item.key for item in objects if item.tags} if direction == "to rclone" else set()
    run = verify(migration, *depth).expect(EXIT_FAILED if lost else EXIT_DONE)
    assert problems(run) == {key: "tags" for key in lost}
    assert {line.proof for line in run.logs.verified if line.key in lost} <= {"-,no-tags"}
