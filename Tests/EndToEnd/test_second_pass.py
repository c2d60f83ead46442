"""The passes after the first: the failed ones, the ones that exist, and nothing else."""

import json

import pytest
from fakes3 import faults
from keylist import unescaped, write_lists
from odd_keys import ODD_KEYS
from program import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE, Migration, Side, run_program
from s3client import S3Client


def failed_to_folder(migration, folder, *logs):
    options = [word for name in logs for word in ("--log-folder", migration.folder / name)]
    return run_program("s3migrate", "--failed-to-folder", folder, *options, folder=migration.folder)


def keys_of_lists(folder) -> list[str]:
    lines = [
        line
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json" and not path.name.startswith(".")
        for line in path.read_bytes().splitlines()
    ]
    return [unescaped(line.split(b"\t")[0]) for line in lines]


def deny_puts(server, bucket, pattern):
    """A bucket policy under which nobody may write keys of the pattern."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/{pattern}",
            }
        ],
    }
    S3Client.of(server).boto().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def test_objects_without_permission_fail_and_the_second_pass_copies_just_them(
    ceph_source, ceph_target, new_bucket, tmp_path
):
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    keys = [
        *(f"open/{number:03}" for number in range(150)),
        *(f"closed/{number:03}" for number in range(12)),
    ]
    for key in keys:
        S3Client.of(ceph_source).put(source, key, key.encode())
    deny_puts(ceph_target, target, "closed/*")
    migration = Migration(
        Side.of(ceph_source, source), Side.of(ceph_target, target), tmp_path, keys
    )
    closed = {key for key in keys if key.startswith("closed/")}

    first = migration.run().expect(EXIT_FAILED)
    assert first.logs.keys_with("fail") == closed
    assert {line.key for line in first.logs.failed} == closed
    assert {(line.stage, line.http_status, line.s3_code) for line in first.logs.failed} == {
        ("put", "403", "AccessDenied")
    }
    assert (first.summary["failed"], first.summary["copied"]) == (12, 150)
    first.mentions("failed.log", "--failed-to-folder")

    failed_to_folder(migration, tmp_path / "failed", "logs").expect(EXIT_DONE)
    assert keys_of_lists(tmp_path / "failed") == sorted(closed)

    S3Client.of(ceph_target).boto().delete_bucket_policy(Bucket=target)
    before = S3Client.of(ceph_target).listing(target)
    second = migration.run(src_folder=tmp_path / "failed", logs="second").expect(EXIT_DONE)
    assert second.logs.outcomes == {key: "copied" for key in closed}
    after = S3Client.of(ceph_target).listing(target)
    assert {key: after[key] for key in before} == before
    assert after.keys() == set(keys)


def broken_for(fakes, pattern, side="target", method="PUT"):
    return fakes.script.add(
        faults.internal_error(), side=side, method=method, key=pattern, times=None
    )


def test_a_broken_server_fails_objects_and_odd_keys_reach_the_list(fakes):
    keys = [*ODD_KEYS.values(), *(f"fine/{number}" for number in range(100))]
    for key in keys:
        fakes.source.put("bucket", key, b"body")
    rule = broken_for(fakes, "odd/*")
    migration = fakes.migration(keys, "--retries", "1")
    run = migration.run().expect(EXIT_FAILED)
    broken = {key for key in keys if key.startswith("odd/")}
    assert {line.key for line in run.logs.failed} == broken
    assert {line.http_status for line in run.logs.failed} == {"500"}
    assert all(line.attempts >= 2 and "\n" not in line.message for line in run.logs.failed)
    failed_to_folder(migration, migration.folder / "failed", "logs").expect(EXIT_DONE)
    assert keys_of_lists(migration.folder / "failed") == sorted(broken, key=str.encode)

    rule.key = "nothing"
    migration.run(src_folder=migration.folder / "failed", logs="second").expect(EXIT_DONE)
    assert fakes.wrong() == []


def test_only_what_is_still_failed_after_the_last_log_is_listed(fakes):
    for number in range(30):
        fakes.source.put("bucket", f"k{number:02}", b"body")
    rule = broken_for(fakes, "k1*")
    migration = fakes.migration(None, "--retries", "0")
    migration.run().expect(EXIT_FAILED)
    rule.key = "k1[0-4]"
    migration.run(logs="second").expect(EXIT_FAILED)
    failed_to_folder(migration, migration.folder / "failed", "logs", "second").expect(EXIT_DONE)
    assert keys_of_lists(migration.folder / "failed") == [f"k1{number}" for number in range(5)]


def test_a_resumed_run_that_failed_an_object_lists_it_once(fakes):
    for number in range(30):
        fakes.source.put("bucket", f"k{number:02}", b"body")
    broken_for(fakes, "k05")
    migration = fakes.migration(None, "--retries", "0")
    migration.run("--first", 10).expect(EXIT_FAILED)
    migration.run("--resume")
    failed_to_folder(migration, migration.folder / "failed", "logs").expect(EXIT_DONE)
    assert keys_of_lists(migration.folder / "failed") == ["k05"]


def test_the_list_of_failed_keys_needs_an_empty_folder_and_logs(fakes):
    fakes.put_source(k=b"body")
    migration = fakes.migration()
    migration.run().expect(EXIT_DONE)
    failed_to_folder(migration, migration.source_lists, "logs").expect(EXIT_USAGE).mentions(
        "empty", "source-lists"
    )
    failed_to_folder(migration, migration.folder / "new", "no-logs").expect(EXIT_USAGE).mentions(
        "no-logs"
    )
    failed_to_folder(migration, migration.folder / "none", "logs").expect(EXIT_DONE)
    assert keys_of_lists(migration.folder / "none") == []


def test_what_the_targets_lists_hold_is_not_asked_for(fakes):
    for number in range(200):
        fakes.source.put("bucket", f"k{number:03}", b"body")
        if number % 2:
            fakes.target.put("bucket", f"k{number:03}", b"body")
    migration = fakes.migration(target_keys=fakes.target.store.objects("bucket"), chunks=3)
    run = migration.run().expect(EXIT_DONE)
    assert (run.summary["exist"], run.summary["copied"]) == (100, 100)
    assert fakes.wrong() == []
    moved = fakes.record.counts(operation="GetObject") + fakes.record.counts(operation="PutObject")
    assert not {key for key in moved if key.startswith("k") and int(key[1:]) % 2}


def test_a_target_list_with_more_keys_than_the_source_is_no_trouble(fakes):
    fakes.put_source(b=b"body", d=b"body")
    fakes.target.put("bucket", "d", b"body")
    migration = fakes.migration(["b", "d"])
    write_lists(migration.target_lists, ["a", "c", "d", "e"])
    for key in "ace":
        fakes.target.put("bucket", key, b"other")
    run = migration.run().expect(EXIT_DONE)
    assert run.logs.outcomes == {"b": "copied", "d": "exist"}


def with_stale_lists(fakes):
    """The target's lists have ten keys; nine are there."""
    keys = [f"k{number}" for number in range(10)]
    fakes.put_source(**dict.fromkeys(keys, b"body"), new=b"body")
    for key in keys[:9]:
        fakes.target.put("bucket", key, b"body")
    migration = fakes.migration([*keys, "new"])
    write_lists(migration.target_lists, keys)
    return migration


def test_target_lists_of_what_is_not_there_stop_the_run(fakes):
    migration = with_stale_lists(fakes)
    run = migration.run().expect(EXIT_STOPPED)
    run.mentions("'k9'", "--dest-folder", "--allow-missing")
    assert fakes.record.counts("target", "HeadObject")["k9"] == 1


def test_target_lists_of_what_is_not_there_are_borne_if_one_says_so(fakes):
    migration = with_stale_lists(fakes)
    run = migration.run("--allow-missing").expect(EXIT_DONE)
    run.mentions("WARNING: 1 keys")
    assert run.logs.proofs["k9"] == "missing"
    assert run.logs.keys_with("exist") == {f"k{number}" for number in range(10)}
    assert run.logs.outcomes["new"] == "copied"
    assert run.summary["exist_samples"] == {"missing": 1}
    assert (run.summary["exist"], run.summary["identity_holds"]) == (10, True)


def test_swapped_lists_stop_the_run(fakes):
    """The source's lists as the target's, and the other way round."""
    fakes.put_source(**{f"k{number:02}": b"body" for number in range(40)})
    migration = fakes.migration([])
    write_lists(migration.source_lists, ["a", "b", "k00"])
    write_lists(migration.target_lists, [f"k{number:02}" for number in range(40)])
    migration.run().expect(EXIT_STOPPED).mentions("'k00'", "--dest-folder")


def test_swapped_lists_of_a_half_migrated_bucket_are_said(fakes):
    """Both sides have all that the lists tell of: nothing can be wrong, but that there is nothing to do."""
    keys = [f"k{number:02}" for number in range(40)]
    fakes.put_source(**dict.fromkeys(keys, b"body"))
    for key in keys[:20]:
        fakes.target.put("bucket", key, b"body")
    migration = fakes.migration(keys[:20], target_keys=keys)
    # Of the sample only what is in both lists is asked for, and that is there.
    run = migration.run().expect(EXIT_DONE)
    run.mentions("nothing to copy, and the target's lists have keys", "exchanged")
    right = migration.run(
        logs="right", src_folder=migration.target_lists, dest_folder=migration.source_lists
    ).expect(EXIT_DONE)
    assert right.logs.keys_with("copied") == set(keys[20:]) and "exchanged" not in right.output


WRONG_LEVELS = {
    "a prefix too much": (lambda key: "mount/" + key),
    "a prefix too little": (lambda key: key.partition("/")[2]),
    "stale: all was renamed": (lambda key: key + ".old"),
}


@pytest.mark.parametrize("count", [25, 2500])
@pytest.mark.parametrize("level", WRONG_LEVELS)
def test_keys_that_begin_at_another_level_stop_the_run(fakes, level, count):
    """Which is what lists of another mount point look like; long before their end, if they are long."""
    keys = [f"top/{number:04}" for number in range(count)]
    for key in keys:
        fakes.source.put("bucket", key, b"body")
    run = fakes.migration(map(WRONG_LEVELS[level], keys)).run().expect(EXIT_STOPPED)
    run.mentions("missing from the source", "--src-folder", "keys begin", "--allow-missing")
    stopped(fakes, run)


@pytest.mark.parametrize("count", [25, 2500])
def test_an_empty_source_bucket_stops_the_run(fakes, count):
    run = fakes.migration([f"k{number:04}" for number in range(count)]).run().expect(EXIT_STOPPED)
    run.mentions("missing from the source", "--src-folder", "--src-bucket")
    stopped(fakes, run)


def test_lists_of_which_a_part_is_stale_stop_the_run_early(fakes):
    keys = [f"k{number:04}" for number in range(2500)]
    for number, key in enumerate(keys):
        if number % 4:
            fakes.source.put("bucket", key, b"body")
    run = fakes.migration(keys).run().expect(EXIT_STOPPED)
    run.mentions("101 of the first", "missing from the source", "just old", "--allow-missing")
    stopped(fakes, run)
    fakes.migration(keys).run("--allow-missing").expect(EXIT_DONE)
    assert fakes.wrong() == []


def stopped(fakes, run):
    """Early, and what was not reached is counted."""
    asked = fakes.record.counts("source", "GetObject")
    assert len(asked) < 1000 and run.summary["ending"] == "stopped"
    assert run.summary["not_reached"] > 0 or len(asked) <= 25


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_target_folder_that_is_none_is_an_error(fakes, folder):
    fakes.put_source(k=b"body")
    migration = fakes.migration()
    path = migration.folder / folder
    if folder == "file":
        path.write_text("k\n")
    migration.run(dest_folder=path).expect(EXIT_USAGE).mentions(str(path), "--dest-folder|target")
    assert fakes.target.store.objects("bucket") == {}
