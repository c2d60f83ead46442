"""Several hosts: every process takes its share by the hash of the key, and the shares are
everything."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from buckets import differences, fill
from dataset import MEBIBYTE, make_objects
from odd_keys import ODD_KEYS
from program import EXIT_DONE, EXIT_USAGE, Migration, Side
from s3client import S3Client


def shard_of(key: str, count: int) -> int:
    """FNV-1a 64 over the key's bytes, modulo the count: the contract, written a second time."""
    value = 0xCBF29CE484222325
    for byte in key.encode():
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value % count


def test_the_oracle_knows_the_published_values():
    """From the FNV authors' test vectors (draft-eastlake-fnv, appendix C)."""
    assert shard_of("", 1 << 64) == 0xCBF29CE484222325
    assert shard_of("a", 1 << 64) == 0xAF63DC4C8601EC8C
    assert shard_of("foobar", 1 << 64) == 0x85944171F73967E8


@pytest.mark.parametrize("count", [2, 8])
def test_shares_are_disjoint_and_their_union_is_everything(fakes, count):
    keys = [*(f"folder/{number:04}" for number in range(600)), *ODD_KEYS.values()]
    for key in keys:
        fakes.source.put("bucket", key, key.encode())
    migration = fakes.migration(keys, "--hash-count", str(count), chunks=3)
    started = [
        migration.start("--hash-value", value, logs=f"host-{value}") for value in range(count)
    ]
    runs = [running.wait().expect(EXIT_DONE) for running in started]
    for value, run in enumerate(runs):
        mine = {key for key in keys if shard_of(key, count) == value}
        assert run.logs.outcomes == {key: "copied" for key in mine}
        assert (run.summary["ignored"], run.summary["copied"]) == (len(keys) - len(mine), len(mine))
    assert fakes.wrong() == []
    puts = fakes.record.counts("target", "PutObject")
    assert {key: puts[key] for key in keys} == {key: 1 for key in keys}


def test_two_hosts_copy_a_bucket_between_clusters(
    ceph_source, ceph_target, new_bucket, tmp_path, seed
):
    objects = make_objects(400, 8 * MEBIBYTE, seed + 3, list(ODD_KEYS.values()))
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    fill(S3Client.of(ceph_source), source, objects)
    migration = Migration(
        Side.of(ceph_source, source),
        Side.of(ceph_target, target),
        tmp_path,
        [item.key for item in objects],
        options=["--hash-count", "2"],
    )

    def host(value: int):
        return migration.run("--hash-value", value, logs=f"host-{value}")

    with ThreadPoolExecutor(2) as pool:
        runs = [run.expect(EXIT_DONE) for run in pool.map(host, range(2))]
    assert sum(run.summary["copied"] for run in runs) == len(objects)
    assert differences(S3Client.of(ceph_target), target, objects) == []


@pytest.mark.parametrize(
    "options, words",
    [
        (["--hash-count", "3", "--hash-value", "0"], ["hash-count", "2", "3"]),
        (["--hash-count", "2", "--hash-value", "1"], ["hash-value", "0", "1"]),
        ([], ["hash-count"]),
    ],
)
def test_a_resume_with_another_share_is_refused(fakes, options, words):
    for number in range(50):
        fakes.source.put("bucket", f"k{number:02}", b"body")
    migration = fakes.migration()
    migration.run("--hash-count", 2, "--hash-value", 0).expect(EXIT_DONE)
    asked = len(fakes.record)
    migration.run("--resume", *options).expect(EXIT_USAGE).mentions(*words)
    assert (
        not {entry.key for entry in fakes.record.entries(since=asked)}
        & fakes.source.store.objects("bucket").keys()
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--hash-count", "2", "--hash-value", "2"],
        ["--hash-count", "2", "--hash-value", "-1"],
        ["--hash-count", "0", "--hash-value", "0"],
        ["--hash-count", "2"],
        ["--hash-value", "1"],
    ],
)
def test_shares_that_make_no_sense_are_a_usage_error(fakes, options):
    """A forgotten --hash-value must not mean that every host takes share 0."""
    fakes.put_source(k=b"body")
    fakes.migration().run(*options).expect(EXIT_USAGE).mentions("hash-value|hash-count")
    assert fakes.target.store.objects("bucket") == {}
