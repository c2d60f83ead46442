"""What becomes of objects that the target has already: `--overwrite`, our own damaged copies, and asking first."""

import time

import pytest
from fakes3 import faults
from keylist import write_lists
from program import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE, Migration, Side, run_program
from s3client import S3Client

MEBIBYTE = 1 << 20
OLD, NEW = b"old", b"the source's, which is newer"
CHANGED = ["--overwrite", "changed"]


def put_both(fakes, key, source_age_s, target_age_s, target=OLD):
    fakes.source.put("bucket", key, NEW, {"x-amz-meta-by": "source"}, age_s=source_age_s)
    fakes.target.put("bucket", key, target, age_s=target_age_s)


def body(server, key):
    return server.store.objects("bucket")[key].body


def four(fakes):
    """One of each kind: absent, the same, older and newer at the target."""
    fakes.source.put("bucket", "absent", NEW)
    put_both(fakes, "newer", 100, 10)
    put_both(fakes, "older", 10, 100)
    put_both(fakes, "same", 10, 100, target=NEW)


@pytest.mark.parametrize(
    "mode, outcomes, replaced",
    [
        ("never", ["copied", "skip-up", "skip-up", "skip-up"], []),
        ("changed", ["copied", "skip-up", "copied", "skip-up"], ["older"]),
        ("always", ["copied", "copied", "copied", "skip-up"], ["newer", "older"]),
    ],
)
def test_each_mode_replaces_what_it_says(fakes, mode, outcomes, replaced):
    four(fakes)
    run = fakes.migration().run("--overwrite", mode).expect(EXIT_DONE)
    assert run.logs.outcomes == dict(zip(["absent", "newer", "older", "same"], outcomes))
    assert run.summary["replaced"] == len(replaced)
    assert {key for key, proof in run.logs.proofs.items() if "replaced" in proof} == set(replaced)
    for key in ("newer", "older"):
        assert body(fakes.target, key) == (NEW if key in replaced else OLD)
    if mode != "never":
        # What need not be read is not, and what is replaced is covered by its own ETag.
        assert fakes.record.counts(operation="GetObject")["same"] == 0
        (older,) = fakes.record.entries(operation="PutObject", key="older")
        assert older.headers["if-match"].strip('"') and "if-none-match" not in older.headers


def test_the_servers_clocks_may_differ(fakes):
    """Each age is told by its server's own Date."""
    four(fakes)
    fakes.script.add(
        faults.dated(hours=-5), side="target", method="HEAD", key="older", times=None
    )
    fakes.script.add(
        faults.dated(hours=-5), side="target", method="HEAD", key="newer", times=None
    )
    run = fakes.migration().run(*CHANGED).expect(EXIT_DONE)
    assert (run.logs.outcomes["older"], run.logs.outcomes["newer"]) == ("copied", "skip-up")


def test_a_client_that_writes_between_the_look_and_the_write_keeps_its_object(fakes):
    put_both(fakes, "k", 10, 100)
    newest = lambda: fakes.target.put("bucket", "k", b"a client's, and the newest")
    fakes.script.add(faults.before(newest), side="target", method="PUT", key="k")
    run = fakes.migration().run(*CHANGED).expect(EXIT_DONE)
    assert (run.logs.outcomes["k"], run.logs.proofs["k"]) == ("skip-up", "differs")
    assert body(fakes.target, "k") == b"a client's, and the newest"


def test_a_large_object_is_replaced_as_a_whole(fakes):
    large = bytes(range(256)) * (24 * MEBIBYTE // 256)
    for key, ages in (("older", (10, 100)), ("newer", (100, 10))):
        fakes.source.put("bucket", key, large, age_s=ages[0])
        fakes.target.put("bucket", key, OLD, age_s=ages[1])
    options = ["--multipart-threshold", "8MiB", "--part-size", "8MiB", *CHANGED]
    run = fakes.migration(None, *options).run().expect(EXIT_DONE)
    assert run.logs.outcomes == {"older": "copied", "newer": "skip-up"}
    assert body(fakes.target, "older") == large and body(fakes.target, "newer") == OLD
    assert not fakes.target.store.open_uploads("bucket")


def test_lists_of_both_sides_spare_the_question_only_where_they_agree(fakes):
    four(fakes)
    migration = fakes.migration()
    objects = {side: getattr(fakes, side).store.objects("bucket") for side in ("source", "target")}
    for side, folder in (("source", migration.source_lists), ("target", migration.target_lists)):
        lines = [
            f"{key}\t{len(stored.body)}\t-\t{stored.etag}\n"
            for key, stored in sorted(objects[side].items())
        ]
        (folder / "chunk-000").write_text("".join(lines))
    run = migration.run(*CHANGED).expect(EXIT_DONE)
    assert run.logs.outcomes == {
        "absent": "copied", "newer": "skip-up", "older": "copied", "same": "exist",
    }  # fmt: skip
    # The one question is the sample's.
    assert fakes.record.counts("target", "HeadObject")["same"] == 1
    assert fakes.record.counts("source", "HeadObject")["same"] == 0


def test_a_resume_with_another_mode_is_refused(fakes):
    four(fakes)
    migration = fakes.migration()
    migration.run(*CHANGED, "--first", 1).expect(EXIT_DONE)
    migration.run("--resume").expect(EXIT_USAGE).mentions("--overwrite: then changed, now never")
    migration.run("--resume", *CHANGED).expect(EXIT_DONE)
    migration.run("--overwrite", "sometimes", logs="none").expect(EXIT_USAGE).mentions("overwrite")


# Targets that do not honour If-Match


@pytest.mark.parametrize("mode", ["changed", "always"])
def test_without_if_match_it_needs_a_word_of_consent(fakes, mode):
    four(fakes)
    fakes.target.store.rules.replacements = False
    migration = fakes.migration(None, "--overwrite", mode)
    migration.run().expect(EXIT_STOPPED).mentions("If-Match", "--allow-weak-conditions")
    assert fakes.record.counts("target", "PutObject")["older"] == 0
    migration.run("--allow-weak-conditions", logs="weak").expect(EXIT_DONE).mentions("weaker")
    assert body(fakes.target, "older") == NEW


def test_rclone_ignores_it(ceph_source, rclone_server, new_bucket, tmp_path):
    source, target = new_bucket(ceph_source), new_bucket(rclone_server)
    S3Client.of(rclone_server).put(target, "k", OLD)
    time.sleep(4)
    S3Client.of(ceph_source).put(source, "k", NEW)
    migration = Migration(
        Side.of(ceph_source, source), Side.of(rclone_server, target), tmp_path, ["k"],
        options=CHANGED,
    )  # fmt: skip
    migration.run().expect(EXIT_STOPPED).mentions("--allow-weak-conditions")
    assert S3Client.of(rclone_server).get(target, "k").body == OLD
    run = migration.run("--allow-weak-conditions", "--resume").expect(EXIT_DONE)
    assert run.logs.outcomes == {"k": "copied"}
    assert S3Client.of(rclone_server).get(target, "k").body == NEW


def test_ceph_wants_it_without_quotes(ceph_source, ceph_target, new_bucket, tmp_path):
    """Real clocks, small objects and one in parts (where Complete ignores the condition)."""
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    old, new = S3Client.of(ceph_target), S3Client.of(ceph_source)
    large = bytes(range(256)) * (12 * MEBIBYTE // 256)
    new.put(source, "newer", NEW)
    old.put(target, "older", OLD)
    old.put(target, "large", OLD)
    time.sleep(4)
    new.put(source, "older", NEW)
    new.put(source, "large", large)
    new.put(source, "same", NEW)
    old.put(target, "newer", OLD)
    old.put(target, "same", NEW)
    migration = Migration(
        Side.of(ceph_source, source), Side.of(ceph_target, target), tmp_path,
        ["newer", "older", "large", "same"],
        options=["--multipart-threshold", "5MiB", "--part-size", "5MiB", *CHANGED],
    )  # fmt: skip
    run = migration.run().expect(EXIT_DONE)
    assert run.logs.outcomes == {
        "large": "copied", "newer": "skip-up", "older": "copied", "same": "skip-up",
    }  # fmt: skip
    assert run.summary["replaced"] == 2
    assert old.get(target, "older").body == NEW and old.get(target, "newer").body == OLD
    assert old.get(target, "large").body == large
    always = migration.run("--overwrite", "always", logs="always").expect(EXIT_DONE)
    # Of an object that went in parts, nothing but its size can be compared with one that did not.
    assert always.logs.keys_with("copied") == {"large", "newer"}
    assert old.get(target, "newer").body == NEW


# Our own damaged copies


def damaging(fakes, times):
    """A target that checks no digests, and bytes that are turned over on the way."""
    fakes.put_source(k=NEW, other=NEW)
    fakes.target.store.rules.content_md5 = False
    return fakes.script.add(
        faults.flipped_byte_in_request(3), side="target", method="PUT", key="k", times=times
    )


def test_a_damaged_copy_is_replaced_at_once(fakes):
    damaging(fakes, times=1)
    run = fakes.migration().run().expect(EXIT_DONE)
    assert run.logs.outcomes == {"k": "copied", "other": "copied"}
    assert run.summary["replaced"] == 0 and fakes.wrong() == []


def failed_to_folder(migration, name, *logs):
    options = [word for log in logs for word in ("--log-folder", migration.folder / log)]
    run_program(
        "s3migrate", "--failed-to-folder", migration.folder / name, *options,
        folder=migration.folder,
    ).expect(EXIT_DONE)  # fmt: skip
    return migration.folder / name


@pytest.mark.parametrize("is_replaced_by_client", [False, True])
def test_a_later_pass_replaces_just_the_damaged_copy(fakes, is_replaced_by_client):
    rule = damaging(fakes, times=None)
    migration = fakes.migration()
    first = migration.run().expect(EXIT_FAILED)
    (line,) = first.logs.failed
    assert (line.key, line.error_class) == ("k", "damaged")
    assert line.our_etag == fakes.target.store.objects("bucket")["k"].etag
    failed = failed_to_folder(migration, "failed", "logs")
    rule.key = "nothing"
    if is_replaced_by_client:
        fakes.target.put("bucket", "k", b"a client's")
    second = migration.run(src_folder=failed, logs="second").expect(EXIT_DONE)
    if is_replaced_by_client:
        assert second.logs.outcomes == {"k": "skip-up"}
        assert body(fakes.target, "k") == b"a client's"
    else:
        assert second.logs.outcomes == {"k": "copied"}
        assert fakes.wrong() == []


# Asking first


def test_where_most_objects_exist_they_are_no_longer_read(fakes):
    for number in range(3000):
        key = f"k{number:04}"
        fakes.source.put("bucket", key, key.encode())
        if number % 10:
            fakes.target.put("bucket", key, key.encode() if number % 7 else OLD)
    run = fakes.migration(None, "--transfers", "4", "--threads", "2").run().expect(EXIT_DONE)
    copied = {f"k{number:04}" for number in range(0, 3000, 10)}
    assert run.logs.keys_with("copied") == copied
    differ = {f"k{n:04}" for n in range(3000) if n % 10 and n % 7 == 0}
    proofs = run.logs.proofs
    assert {key for key in proofs if proofs[key] == "differs"} == differ
    reads = fakes.record.counts("source", "GetObject")
    late = [f"k{number:04}" for number in range(1500, 3000)]
    assert {key for key in late if reads[key]} == {key for key in late if key in copied}


def test_a_differential_pass_takes_lists_of_all_kinds_together(fakes):
    """Two hosts, each with a failed object of the first pass; then a pass over their failures and over what changed."""
    keys = [f"k{number:03}" for number in range(40)]
    for key in keys:
        fakes.source.put("bucket", key, key.encode(), age_s=100)
    rule = fakes.script.add(
        faults.internal_error(), side="target", method="PUT", key="k00[0-5]", times=None
    )
    migration = fakes.migration(None, "--retries", "0", "--hash-count", "2")
    hosts = [migration.run("--hash-value", value, logs=f"host-{value}") for value in range(2)]
    failed = [run.logs.keys_with("fail") for run in hosts]
    assert failed[0] | failed[1] == set(keys[:6]) and failed[0] and failed[1]
    rule.key = "nothing"
    retry = failed_to_folder(migration, "retry", "host-0", "host-1")
    time.sleep(4)
    for key in keys[20:25] + ["new"]:
        fakes.source.put("bucket", key, b"changed " + key.encode())
    later = migration.folder / "later"
    write_lists(later, [*keys[20:25], "new"])
    write_lists(migration.target_lists, fakes.target.store.objects("bucket"))
    runs = [
        migration.run(
            "--src-folder", retry, *CHANGED, "--hash-value", value, src_folder=later,
            logs=f"second-{value}",
        ).expect(EXIT_DONE)
        for value in range(2)
    ]  # fmt: skip
    outcomes = runs[0].logs.outcomes | runs[1].logs.outcomes
    assert outcomes == {key: "copied" for key in [*keys[:6], *keys[20:25], "new"]}
    assert sum(run.summary["replaced"] for run in runs) == 5
    assert fakes.wrong() == []
