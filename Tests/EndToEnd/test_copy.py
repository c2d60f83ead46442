"""The main promise, on real servers: every object arrives as it was, judged by other programs than
the one that copied."""

import random

import pytest
from buckets import differences, fill
from dataset import MEBIBYTE, make_objects
from keylist import write_lists
from odd_keys import ODD_KEYS, odd_keys_for
from program import EXIT_DONE, EXIT_STOPPED, Migration, Side, check_log
from s3client import S3Client

COPY_TIMEOUT_S = 400


class Copied:
    """A bucket that was copied once; the tests look at what came of it and go on from there."""

    def __init__(self, source, target, objects, folder, *options, chunks=1):
        self.source, self.target, self.objects = S3Client.of(source), S3Client.of(target), objects
        self.bucket = f"copied-{source.name}-{target.name}"
        fill(self.source, self.bucket, objects)
        self.target.make_bucket(self.bucket)
        self.keys = [item.key for item in objects]
        self.migration = Migration(
            Side.of(source, self.bucket),
            Side.of(target, self.bucket),
            folder,
            self.keys,
            options=options,
            chunks=chunks,
        )
        self.run = self.migration.run(timeout_s=COPY_TIMEOUT_S)

    def differences(self) -> list[str]:
        return differences(self.target, self.bucket, self.objects, (self.source, self.bucket))

    def target_state(self) -> dict:
        """Keys with ETag and time of change: equal before and after means that nothing was
        written."""
        return self.target.listing(self.bucket)


@pytest.fixture(scope="module")
def ceph_to_ceph(ceph_source, ceph_target, tmp_path_factory, seed, scale):
    objects = make_objects(
        int(10_000 * scale), int(1024 * MEBIBYTE * scale), seed, list(ODD_KEYS.values()), tags=True
    )
    return Copied(
        ceph_source, ceph_target, objects, tmp_path_factory.mktemp("ceph-to-ceph"), chunks=7
    )


@pytest.fixture(scope="module")
def thousand(seed, scale):
    odd = list(odd_keys_for("ceph", "rclone").values())
    return make_objects(
        int(1000 * scale), int(128 * MEBIBYTE * scale), seed + 1, odd, expires=False
    )


@pytest.fixture(scope="module")
def ceph_to_rclone(ceph_source, rclone_server, thousand, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ceph-to-rclone")
    return Copied(ceph_source, rclone_server, thousand, folder, "--allow-weak-conditions")


@pytest.fixture(scope="module")
def rclone_to_ceph(rclone_server, ceph_target, thousand, tmp_path_factory):
    return Copied(rclone_server, ceph_target, thousand, tmp_path_factory.mktemp("rclone-to-ceph"))


EVERY_WAY = pytest.mark.parametrize("copied", ["ceph_to_ceph", "ceph_to_rclone", "rclone_to_ceph"])
pytestmark = pytest.mark.timeout(COPY_TIMEOUT_S + 120)


@pytest.fixture
def way(request, copied):
    return request.getfixturevalue(copied)


@EVERY_WAY
def test_everything_arrives_as_it_was(way):
    way.run.expect(EXIT_DONE)
    assert way.differences() == []


@EVERY_WAY
def test_the_logs_account_for_every_object(way):
    way.run.expect(EXIT_DONE)
    assert way.run.logs.outcomes == {key: "copied" for key in way.keys}
    assert {line.key: line.bytes for line in way.run.logs.lines} == {
        item.key: item.size_bytes for item in way.objects
    }
    assert {line.key: line.etag.strip('"') for line in way.run.logs.lines} == {
        item.key: item.md5 for item in way.objects
    }
    assert way.run.logs.failed == []
    check_log(way.migration).expect(EXIT_DONE)


@EVERY_WAY
def test_the_summary_counts_objects_and_bytes(way):
    summary = way.run.summary
    assert (summary["objects"], summary["copied"], summary["failed"]) == (
        len(way.keys),
        len(way.keys),
        0,
    )
    assert summary["bytes_copied"] == sum(item.size_bytes for item in way.objects)


@EVERY_WAY
def test_single_puts_between_md5_servers_are_proved_by_their_etags(way):
    assert set(way.run.logs.proofs.values()) <= {"etag", "upload"}


@EVERY_WAY
def test_a_second_pass_with_the_targets_lists_transfers_nothing(way):
    before = way.target_state()
    write_lists(way.migration.target_lists, before, chunks=3)
    run = way.migration.run(logs="with-lists").expect(EXIT_DONE)
    assert set(run.logs.outcomes.values()) == {"exist"}
    assert (run.summary["exist"], run.summary["bytes_copied"]) == (len(way.keys), 0)
    assert way.target_state() == before


@EVERY_WAY
def test_a_second_pass_without_lists_skips_all_and_overwrites_nothing(way):
    before = way.target_state()
    empty = way.migration.folder / "nothing-known"
    empty.mkdir(exist_ok=True)
    run = way.migration.run(
        logs="without-lists", dest_folder=empty, timeout_s=COPY_TIMEOUT_S
    ).expect(EXIT_DONE)
    assert set(run.logs.outcomes.values()) == {"skip-up"}
    assert set(run.logs.proofs.values()) == {"same"}
    assert run.summary["skipped_target"] == len(way.keys)
    assert way.target_state() == before


def test_rclone_as_target_needs_a_word_of_consent(ceph_source, rclone_server, new_bucket, tmp_path):
    """It ignores If-None-Match: between the look and the write, a client's new object could be
    overwritten."""
    source, target = new_bucket(ceph_source), new_bucket(rclone_server)
    S3Client.of(ceph_source).put(source, "key", b"old")
    migration = Migration(
        Side.of(ceph_source, source), Side.of(rclone_server, target), tmp_path, ["key"]
    )
    migration.run().expect(EXIT_STOPPED).mentions(
        "--allow-weak-conditions", "If-None-Match|condition"
    )
    assert S3Client.of(rclone_server).listing(target) == {}, (
        "the probe has to clean up after itself"
    )
    migration.run("--allow-weak-conditions").expect(EXIT_DONE).mentions("weak")


@pytest.mark.parametrize("target_name", ["ceph_target", "rclone_server"])
def test_what_the_target_holds_is_never_overwritten(
    request, target_name, ceph_source, new_bucket, tmp_path
):
    """By the condition of the PUT on Ceph, by the look before the write on rclone."""
    target_server = request.getfixturevalue(target_name)
    source, target = new_bucket(ceph_source), new_bucket(target_server)
    old, new = S3Client.of(ceph_source), S3Client.of(target_server)
    for number in range(40):
        old.put(source, f"k{number:02}", b"from the source")
    for number in range(0, 40, 4):
        new.put(
            target, f"k{number:02}", b"written by a client" if number % 8 else b"from the source"
        )
    keys = [f"k{number:02}" for number in range(40)]
    migration = Migration(
        Side.of(ceph_source, source),
        Side.of(target_server, target),
        tmp_path,
        keys,
        options=["--allow-weak-conditions"],
    )
    run = migration.run().expect(EXIT_DONE)
    assert run.logs.keys_with("skip-up") == {f"k{number:02}" for number in range(0, 40, 4)}
    assert run.logs.proofs["k04"] == "differs"
    assert run.logs.proofs["k08"] == "same"
    assert new.get(target, "k04").body == b"written by a client"
    run.mentions("differ")


def test_https_with_a_ca_file(ceph_source, ceph_target, new_bucket, tmp_path, seed):
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    objects = make_objects(60, 12 * MEBIBYTE, seed + 2, list(ODD_KEYS.values())[:40])
    fill(S3Client.of(ceph_source), source, objects)
    migration = Migration(
        Side.of(ceph_source, source),
        Side.of(ceph_target, target),
        tmp_path,
        [item.key for item in objects],
    )
    secure = {"src_url": ceph_source.https_url, "dest_url": ceph_target.https_url}
    migration.run(
        **secure, src_ca_file=ceph_source.ca_file, dest_ca_file=ceph_target.ca_file
    ).expect(EXIT_DONE)
    assert differences(S3Client.of(ceph_target), target, objects) == []


@pytest.mark.parametrize("is_secure", [True, False], ids=["https", "http"])
def test_our_digests_prove_what_tls_has_brought(
    ceph_source, ceph_target, new_bucket, tmp_path, seed, is_secure
):
    """An object that moves in parts, and of which the source has the MD5 of the whole: nothing of its own can be
    compared."""
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    body = random.Random(seed).randbytes(7 * MEBIBYTE)
    S3Client.of(ceph_source).put(source, "large", body)
    ends = Side.of(ceph_source, source), Side.of(ceph_target, target)
    options = ["--multipart-threshold", "6MiB", "--part-size", "5MiB"]
    migration = Migration(*ends, tmp_path, ["large"], options=options)
    secure = {"src_url": ceph_source.https_url, "src_ca_file": ceph_source.ca_file}
    run = migration.run(**(secure if is_secure else {})).expect(EXIT_DONE)
    assert S3Client.of(ceph_target).get(target, "large").body == body
    [proof] = run.logs.proofs.values()
    assert proof in ({"crc", "sha256"} if is_secure else {"upload"})


def test_https_without_the_authority_is_refused(ceph_source, ceph_target, new_bucket, tmp_path):
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    migration = Migration(
        Side.of(ceph_source, source), Side.of(ceph_target, target), tmp_path, ["key"]
    )
    run = migration.run(
        src_url=ceph_source.https_url,
        dest_url=ceph_target.https_url,
        dest_ca_file=ceph_target.ca_file,
    )
    run.expect(EXIT_STOPPED).mentions(ceph_source.https_url, "certificate", "--src-ca-file")
