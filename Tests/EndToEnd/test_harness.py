"""The suite's own instruments: a judge that cannot say no is worth nothing."""

import pytest
from buckets import differences, fill, put
from dataset import MEBIBYTE, make_objects
from dataclasses import replace
from keylist import escaped, key_order, unescaped, write_lists
from logs import assert_identity
from odd_keys import ODD_KEYS, odd_keys_for
from progress_line import SAMPLE, progress_lines
from s3client import S3Client


@pytest.fixture(scope="module")
def objects(seed):
    return make_objects(150, 4 * MEBIBYTE, seed, list(ODD_KEYS.values()), tags=True)


@pytest.fixture(scope="module")
def bucket(ceph_source, objects):
    fill(S3Client.of(ceph_source), "judged", objects)
    return S3Client.of(ceph_source), "judged"


def test_objects_are_the_same_for_the_same_seed(seed):
    first, again, other = (
        make_objects(300, 8 * MEBIBYTE, number) for number in (seed, seed, seed + 1)
    )
    assert first == again
    assert first != other
    assert sum(item.size_bytes for item in first) == 8 * MEBIBYTE
    assert [item.key for item in first] == sorted({item.key for item in first}, key=key_order)


def test_the_judge_finds_nothing_wrong_with_what_was_put(bucket, objects):
    assert differences(*bucket, objects, source=bucket) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: replace(item, offset=item.offset + 1),
        lambda item: replace(item, size_bytes=item.size_bytes - 1),
        lambda item: replace(item, headers=item.headers | {"content-type": "x/other"}),
        lambda item: replace(item, headers=item.headers | {"x-amz-meta-more": "1"}),
        lambda item: replace(item, headers=item.headers | {"cache-control": "no-store"}),
        lambda item: replace(item, key=item.key + "-new"),
    ],
)
def test_the_judge_finds_every_kind_of_damage(bucket, objects, spoil):
    victim = next(item for item in objects if item.size_bytes > 10 and not item.tags)
    try:
        put(*bucket, spoil(victim))
        assert differences(*bucket, objects) != []
    finally:
        put(*bucket, victim)
        bucket[0].delete(bucket[1], victim.key + "-new")


def test_the_judge_finds_lost_tags_and_objects(bucket, objects):
    tagged = next(item for item in objects if item.tags)
    put(*bucket, replace(tagged, tags={}))
    assert any("tags" in line for line in differences(*bucket, objects))
    bucket[0].delete(bucket[1], tagged.key)
    assert any("missing" in line for line in differences(*bucket, objects))
    put(*bucket, tagged)


@pytest.mark.parametrize("key", [*ODD_KEYS.values(), "\\", "\\x41", "a\\b", "\udc80"])
def test_a_key_survives_its_list_line(key):
    line = escaped(key)
    assert b"\n" not in line and b"\t" not in line and b"\r" not in line
    assert unescaped(line) == key


def test_lists_are_sorted_by_bytes(tmp_path):
    write_lists(tmp_path, ["b", "a/b", "a-b", "\U0001f600", "\uff5e", "a"], chunks=2)
    assert (tmp_path / "chunk-000").read_text() == "a\na/b\n\uff5e\n"
    assert (tmp_path / "chunk-001").read_text() == "a-b\nb\n\U0001f600\n"


def test_odd_keys_for_two_servers_are_those_that_both_hold():
    assert odd_keys_for("ceph") == ODD_KEYS
    both = odd_keys_for("ceph", "rclone")
    assert "plus" in both and "leading slash" not in both


def test_the_guides_progress_line_is_understood_and_others_are_not():
    [fields] = progress_lines(SAMPLE)
    assert (fields["obj"], fields["eta"], fields["up"], fields["ulbyt"]) == (
        "1234",
        "2h:34m:12s",
        "4",
        "1.1GB",
    )
    assert progress_lines(SAMPLE.replace("dl.byt", "dl_byt")) == []
    assert progress_lines(f"\r\x1b[K{SAMPLE}\r\x1b[K{SAMPLE}\n") == [fields, fields]


def test_the_identity_is_checked():
    good = {
        "objects": 3,
        "before": 0,
        "ignored": 1,
        "exist": 0,
        "copied": 1,
        "skipped_source": 0,
        "skipped_target": 0,
        "failed": 0,
        "not_reached": 1,
    }
    assert_identity(good)
    with pytest.raises(AssertionError):
        assert_identity(good | {"objects": 4})
