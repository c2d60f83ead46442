"""Memory while large objects move: bounded by --memory, whatever their sizes, parts and number."""

import time

import pytest
from conftest import empty_bucket
from dataset import MEBIBYTE
from large_objects import LargeObject, in_parts, large_differences, open_uploads, put_large
from program import EXIT_DONE, Migration, Side
from s3client import S3Client

MEMORY_BYTES = 128 * MEBIBYTE
ALLOWANCE_BYTES = 64 * MEBIBYTE
"""For the program itself, its stacks and libcurl's handles."""
MEMORY = ["--memory", "128MiB", "--allow-weak-conditions"]
SHAPES = {
    "defaults": [],
    "large parts": ["--part-size", "32MiB"],
    "many threads": ["--threads", "8", "--transfers", "16"],
}

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def crowd(ceph_source, seed):
    """More bytes than memory by far, in all shapes, and small objects between them."""
    items = [LargeObject(f"single/{n}", 72 * MEBIBYTE + n, seed=seed + n) for n in range(3)]
    items += [in_parts(f"parts/{n}", 16 * MEBIBYTE, 4, n + 1, seed=seed + n) for n in range(2)]
    items += [in_parts("parts/wide", 40 * MEBIBYTE, 2, 5, seed=seed)]
    items += [LargeObject(f"whole/{n}", 40 * MEBIBYTE, seed=seed - n) for n in range(2)]
    items += [LargeObject(f"zmall/{n:03}", 3000 * n, seed=seed) for n in range(100)]
    client = S3Client.of(ceph_source)
    client.make_bucket("crowd")
    for item in items:
        put_large(client, "crowd", item)
    return items


@pytest.fixture(scope="module", params=SHAPES)
def measured(request, crowd, ceph_source, ceph_target, tmp_path_factory):
    """A copy of the crowd: the run, where it went, and the peak of its memory in bytes."""
    client, bucket = S3Client.of(ceph_target), f"crowd-{list(SHAPES).index(request.param)}"
    client.make_bucket(bucket)
    sides = Side.of(ceph_source, "crowd"), Side.of(ceph_target, bucket)
    keys, folder = [item.key for item in crowd], tmp_path_factory.mktemp(bucket)
    running = Migration(*sides, folder, keys, options=MEMORY).start(*SHAPES[request.param])
    peak_bytes = watched_peak_bytes(running.process)
    yield running.wait(timeout_s=300), bucket, peak_bytes
    empty_bucket(client, bucket)


def watched_peak_bytes(process) -> int:
    """The kernel's own high-water mark (VmHWM in proc(5)), read until the process has ended."""
    peak_bytes = 0
    while process.poll() is None:
        peak_bytes = max(peak_bytes, high_water_bytes(process.pid))
        time.sleep(0.02)
    return peak_bytes


def high_water_bytes(pid: int) -> int:
    """0 when the process is about to end."""
    try:
        lines = open(f"/proc/{pid}/status").read().splitlines()
    except OSError:
        return 0
    marks = [int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")]
    return marks[0] if marks else 0


def test_the_peak_stays_below_the_memory_and_an_allowance(measured):
    run, _, peak_bytes = measured
    run.expect(EXIT_DONE)
    assert peak_bytes > 4 * MEBIBYTE, "nothing was measured"
    assert peak_bytes <= MEMORY_BYTES + ALLOWANCE_BYTES, f"{peak_bytes / MEBIBYTE:.0f} MiB"


def test_everything_arrives_in_little_memory(measured, crowd, ceph_target):
    run, bucket, _ = measured
    run.expect(EXIT_DONE)
    client = S3Client.of(ceph_target)
    assert sum((large_differences(client, bucket, item) for item in crowd), []) == []
    assert open_uploads(client, bucket) == []


def test_source_parts_larger_than_a_quarter_of_the_memory_get_our_layout(measured):
    """And the proof says that the ETag is another one."""
    proofs = measured[0].expect(EXIT_DONE).logs.proofs
    assert proofs["parts/wide"] == "upload"
    assert {proofs["parts/0"], proofs["parts/1"]} == {"etag"}
