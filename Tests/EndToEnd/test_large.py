"""Objects in parts, on real servers: any size and any layout arrives as it was, with the source's ETag
where its layout can be known, and nothing is left open."""

from dataclasses import replace

import pytest
from dataset import MEBIBYTE, THRESHOLD_BYTES
from keylist import write_lists
from large_objects import LargeObject, in_parts, large_differences, open_uploads, put_large
from program import EXIT_DONE, Migration, Side, check_log
from s3client import S3Client

COPY_TIMEOUT_S = 500
LARGEST_BYTES, LARGEST_BYTES_MIN = 2048 * MEBIBYTE, 320 * MEBIBYTE
"""Of a full run, and at the least `E2E_LARGE_SCALE`."""

HEADERS = {
    "content-type": "application/x-gzip",
    "content-encoding": "gzip",
    "content-disposition": 'attachment; filename="a b.gz"',
    "cache-control": "max-age=60",
    "x-amz-meta-mtime": "1700000000.123456789",
    "x-amz-meta-text": "=?UTF-8?Q?gr=C3=BC=C3=9Fe?=",
}
TAGS = {"project": "a+b & c=d", "größe": "x/y:z"}

SINGLE = [
    LargeObject("single/64MiB-1", THRESHOLD_BYTES - 1),
    LargeObject("single/64MiB", THRESHOLD_BYTES),
    LargeObject("single/64MiB+1", THRESHOLD_BYTES + 1, headers=HEADERS, tags=TAGS),
    LargeObject("single/300MiB", 300 * MEBIBYTE),
]

KNOWN_LAYOUT = [
    in_parts("parts/5MiB", 5 * MEBIBYTE, 5, MEBIBYTE, headers=HEADERS, tags=TAGS),
    in_parts("parts/5MiB full", 5 * MEBIBYTE, 6, 0),
    in_parts("parts/8MiB", 8 * MEBIBYTE, 8, MEBIBYTE, headers=HEADERS, tags=TAGS),
    in_parts("parts/8MiB full", 8 * MEBIBYTE, 9, 0),
    in_parts("parts/one", 6 * MEBIBYTE, 1, 0),
]
"""Ceph does not tell how long a part was; these are the sizes that programs use."""

ODD_LAYOUT = [
    in_parts("parts/5MiB-1", 5 * MEBIBYTE - 1, 5, 1),
    in_parts("parts/5MiB+1", 5 * MEBIBYTE + 1, 5, 0),
    in_parts("parts/8MiB-1", 8 * MEBIBYTE - 1, 9, 1),
    in_parts("parts/8MiB+1", 8 * MEBIBYTE + 1, 8, 7),
    in_parts("parts/17MB-1", 17_000_000 - 1, 4, 1),
    in_parts("parts/17MB", 17_000_000, 4, 1),
    in_parts("parts/17MB+1", 17_000_000 + 1, 4, 0),
    LargeObject(
        "parts/uneven", 18 * MEBIBYTE, (5 * MEBIBYTE, 7 * MEBIBYTE, 6 * MEBIBYTE), HEADERS, TAGS
    ),
    in_parts("parts/too small for others", MEBIBYTE, 7, 5),
]
"""Nobody can know these from Ceph's answers without reading everything: the bytes count, and the truth
of the proof."""

SLOW_AT_RCLONE = {"single/300MiB", "single/64MiB", *(item.key for item in ODD_LAYOUT[:-3])}
"""rclone hashes the whole file for each answer: these are copied there by a full run only."""

pytestmark = pytest.mark.timeout(COPY_TIMEOUT_S + 120)


def for_rclone(objects, large_scale) -> list[LargeObject]:
    """rclone has no tags."""
    left_out = {"single/largest"} | (SLOW_AT_RCLONE if large_scale < 1 else set())
    return [replace(item, tags={}) for item in objects if item.key not in left_out]


def seeded(objects, seed, **more) -> list[LargeObject]:
    numbered = enumerate(objects, start=seed * 100)
    return [replace(item, seed=number, **more) for number, item in numbered]


class Copied:
    """Large objects that were copied once; the tests look at what came of it."""

    def __init__(self, source, target, source_bucket, target_bucket, objects, folder):
        self.source, self.target = S3Client.of(source), S3Client.of(target)
        self.source_bucket, self.target_bucket = source_bucket, target_bucket
        self.objects, self.keys = objects, sorted(item.key for item in objects)
        self.target.make_bucket(target_bucket)
        self.migration = Migration(
            Side.of(source, source_bucket),
            Side.of(target, target_bucket),
            folder,
            self.keys,
            # Neither Ceph (on Complete) nor rclone heeds If-None-Match.
            options=["--allow-weak-conditions"],
        )
        self.run = self.migration.run(timeout_s=COPY_TIMEOUT_S)

    def etags(self) -> dict[str, tuple[str, str]]:
        """Key → ETag at the source and at the target."""
        source, target = self.source.listing(self.source_bucket), self.target_state()
        return {key: (source[key]["etag"], target[key]["etag"]) for key in self.keys}

    def target_state(self) -> dict:
        return self.target.listing(self.target_bucket)


@pytest.fixture(scope="module")
def ceph_objects(seed, large_scale):
    largest = LargeObject("single/largest", max(int(LARGEST_BYTES * large_scale), LARGEST_BYTES_MIN))
    return seeded([*SINGLE, largest, *KNOWN_LAYOUT, *ODD_LAYOUT], seed)


@pytest.fixture(scope="module")
def filled(ceph_source, ceph_objects):
    client = S3Client.of(ceph_source)
    client.make_bucket("large")
    for item in ceph_objects:
        put_large(client, "large", item)
    return "large"


@pytest.fixture(scope="module")
def ceph_to_ceph(ceph_source, ceph_target, filled, ceph_objects, tmp_path_factory):
    folder = tmp_path_factory.mktemp("large-ceph-to-ceph")
    return Copied(ceph_source, ceph_target, filled, "large", ceph_objects, folder)


@pytest.fixture(scope="module")
def ceph_to_rclone(ceph_source, rclone_server, filled, ceph_objects, large_scale, tmp_path_factory):
    objects = for_rclone(ceph_objects, large_scale)
    folder = tmp_path_factory.mktemp("large-ceph-to-rclone")
    return Copied(ceph_source, rclone_server, filled, "large", objects, folder)


@pytest.fixture(scope="module")
def rclone_to_ceph(rclone_server, ceph_target, seed, large_scale, tmp_path_factory):
    """Files appear in rclone's folder, as on a mounted disk: there are no parts at this source."""
    objects = seeded(for_rclone(SINGLE, large_scale), seed + 1, headers={})
    for item in objects:
        path = rclone_server.objects / "large-files" / item.key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(item.pieces())
    folder = tmp_path_factory.mktemp("large-rclone-to-ceph")
    return Copied(rclone_server, ceph_target, "large-files", "large-files", objects, folder)


EVERY_WAY = pytest.mark.parametrize("copied", ["ceph_to_ceph", "ceph_to_rclone", "rclone_to_ceph"])


@pytest.fixture
def way(request, copied):
    return request.getfixturevalue(copied)


@EVERY_WAY
def test_every_byte_header_and_tag_arrives(way):
    way.run.expect(EXIT_DONE)
    wrong = [large_differences(way.target, way.target_bucket, item) for item in way.objects]
    assert sum(wrong, []) == []
    assert sorted(way.target_state()) == way.keys


@EVERY_WAY
def test_the_logs_tell_sizes_and_etags(way):
    way.run.expect(EXIT_DONE)
    lines = {line.key: line for line in way.run.logs.lines}
    assert {key: line.outcome for key, line in lines.items()} == dict.fromkeys(way.keys, "copied")
    assert {key: line.bytes for key, line in lines.items()} == {
        item.key: item.size_bytes for item in way.objects
    }
    for key, etags in way.etags().items():
        assert lines[key].etag.strip('"') in etags, key
    assert way.run.logs.failed == []
    check_log(way.migration).expect(EXIT_DONE)
    summary = way.run.summary
    assert summary["bytes_copied"] == sum(item.size_bytes for item in way.objects)


@pytest.mark.parametrize("copied", ["ceph_to_ceph", "rclone_to_ceph"])
def test_the_proof_is_etag_exactly_where_the_etags_are_equal(way):
    """An object at rclone has two: Complete tells the ETag of its parts, HEAD the MD5 of the whole."""
    way.run.expect(EXIT_DONE)
    equal = {key for key, (source, target) in way.etags().items() if source == target}
    proofs = way.run.logs.proofs
    assert {key for key in way.keys if proofs[key] == "etag"} == equal
    assert set(proofs.values()) <= {"etag", "md5", "upload", "size"}


@EVERY_WAY
def test_no_copy_is_proved_by_its_size_alone_where_md5s_are_checked(way):
    """Every part has at least an MD5 or a SHA-256 that these targets compare."""
    way.run.expect(EXIT_DONE)
    assert [key for key, proof in way.run.logs.proofs.items() if proof == "size"] == []


@EVERY_WAY
def test_no_upload_is_left(way):
    way.run.expect(EXIT_DONE)
    assert open_uploads(way.target, way.target_bucket) == []


def test_between_clusters_known_layouts_keep_their_etags(ceph_to_ceph):
    """Also below the threshold, where one PUT would do but would have another ETag."""
    ceph_to_ceph.run.expect(EXIT_DONE)
    etags, known = ceph_to_ceph.etags(), {item.key for item in KNOWN_LAYOUT}
    foretold = {item.key: item.etag() for item in ceph_to_ceph.objects if item.key in known}
    assert {key: etags[key][1] for key in known} == foretold


def test_between_clusters_single_objects_up_to_the_threshold_keep_their_etags(ceph_to_ceph):
    ceph_to_ceph.run.expect(EXIT_DONE)
    for item in ceph_to_ceph.objects:
        if not item.part_bytes and item.size_bytes <= THRESHOLD_BYTES:
            assert ceph_to_ceph.etags()[item.key] == (item.md5, item.md5)


@EVERY_WAY
def test_a_second_pass_with_the_targets_lists_transfers_nothing(way):
    before = way.target_state()
    write_lists(way.migration.target_lists, before)
    run = way.migration.run(logs="with-lists").expect(EXIT_DONE)
    assert run.logs.outcomes == dict.fromkeys(way.keys, "exist")
    assert (run.summary["bytes_copied"], way.target_state()) == (0, before)


@EVERY_WAY
def test_a_second_pass_without_lists_asks_before_it_sends_gigabytes(way):
    before = way.target_state()
    empty = way.migration.folder / "nothing-known"
    empty.mkdir(exist_ok=True)
    run = way.migration.run(logs="without-lists", dest_folder=empty, timeout_s=COPY_TIMEOUT_S)
    run.expect(EXIT_DONE)
    assert run.logs.outcomes == dict.fromkeys(way.keys, "skip-up")
    assert (run.summary["bytes_copied"], way.target_state()) == (0, before)
    assert open_uploads(way.target, way.target_bucket) == []
    equal = {key for key, (source, target) in way.etags().items() if source == target}
    assert {key for key in equal if run.logs.proofs[key] != "same"} == set()
