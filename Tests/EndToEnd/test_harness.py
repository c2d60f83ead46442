"""The suite's own instruments: a judge that cannot say no is worth nothing."""

import hashlib
import time
from dataclasses import replace

import pytest
from buckets import differences, fill, put
from counting_proxy import CountingProxy
from dataset import MEBIBYTE, make_objects
from keylist import escaped, key_order, unescaped, write_lists
from large_objects import in_parts, large_differences, open_uploads, parts_there, put_large
from logs import assert_identity
from odd_keys import ODD_KEYS, odd_keys_for
from program import Side
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


# Large objects and the proxy


@pytest.fixture
def large(seed):
    headers = {"content-type": "x/y", "x-amz-meta-a": "b"}
    return in_parts("large", 5 * MEBIBYTE, 2, 3, headers=headers, tags={"t": "v"}, seed=seed)


def test_a_large_object_is_the_same_in_pieces_of_any_size(large):
    whole = large.piece(0, large.size_bytes + 99)
    assert len(whole) == large.size_bytes == 10 * MEBIBYTE + 3
    assert b"".join(large.pieces()) == whole
    assert large.piece(MEBIBYTE - 3, 7) == whole[MEBIBYTE - 3 : MEBIBYTE + 4]
    assert large.md5 == hashlib.md5(whole).hexdigest()
    other = replace(large, version=1)
    assert (other.size_bytes, other.md5 == large.md5) == (large.size_bytes, False)


@pytest.mark.parametrize("sizes", [(), (5 * MEBIBYTE, 5 * MEBIBYTE, 3)], ids=["one PUT", "parts"])
def test_a_large_object_has_at_ceph_the_etag_that_it_foretells(
    ceph_source, new_bucket, large, sizes
):
    client, bucket = S3Client.of(ceph_source), new_bucket(ceph_source)
    item = replace(large, part_bytes=sizes)
    put_large(client, bucket, item)
    assert client.head(bucket, "large").etag == item.etag()
    assert large_differences(client, bucket, item) == []


@pytest.mark.parametrize(
    "changed",
    [{"version": 1}, {"size_bytes": 10 * MEBIBYTE}, {"tags": {"t": "w"}}, {"headers": {}}],
    ids=lambda changed: next(iter(changed)),
)
def test_the_judge_of_large_objects_finds_every_kind_of_damage(fakes, large, changed):
    client = S3Client.of(Side.of(fakes.source, "bucket"))
    put_large(client, "bucket", large)
    assert large_differences(client, "bucket", large) == []
    assert len(large_differences(client, "bucket", replace(large, **changed))) >= 1


def test_the_proxy_passes_everything_on_and_counts_parts(ceph_target, new_bucket, large):
    bucket = new_bucket(ceph_target)
    with CountingProxy(ceph_target) as proxy:
        client = S3Client.of(proxy)
        client.put(bucket, "small", b"body")
        upload = client.boto().create_multipart_upload(Bucket=bucket, Key="ü 1")["UploadId"]
        for number in (1, 2, 2):
            query = {"uploadId": upload, "partNumber": str(number)}
            client.request("PUT", bucket, "ü 1", query=query, body=large.piece(0, 5 * MEBIBYTE))
        query = {"uploadId": "none", "partNumber": "3"}
        client.request("PUT", bucket, "ü 1", query=query, body=b"x", expect=(404,))
        assert client.get(bucket, "small").body == b"body"
        assert list(client.listing(bucket)) == ["small"]
        assert client.head(bucket, "small").headers["content-length"] == "4"
        assert open_uploads(client, bucket) == [("ü 1", upload)]
        assert set(parts_there(client, bucket, "ü 1", upload)) == {1, 2}
        assert proxy.parts_acknowledged("ü 1") == {1: 1, 2: 2}
        assert proxy.parts_sent("ü 1") == {1: 1, 2: 2, 3: 1}
        assert proxy.parts_sent_again("ü 1") == [2]


def test_the_proxy_knows_who_did_not_hear_the_answer(ceph_target, new_bucket):
    bucket = new_bucket(ceph_target)
    direct = S3Client.of(ceph_target)
    upload = direct.boto().create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    with CountingProxy(ceph_target) as proxy:
        proxy.part_delay_s = 0.5
        client, query = S3Client.of(proxy), {"uploadId": upload, "partNumber": "1"}
        client.timeout_s = 0.1
        with pytest.raises(TimeoutError):
            client.request("PUT", bucket, "key", query=query, body=b"body")
        client.hang_up()
        time.sleep(1)
        assert (proxy.parts_sent("key"), proxy.parts_acknowledged("key")) == ({1: 1}, {})
        assert (proxy.parts_taken("key"), proxy.parts_sent_again("key")) == ({1: 1}, [])
    assert set(parts_there(direct, bucket, "key", upload)) == {1}


def test_the_proxy_is_no_brake(ceph_target, new_bucket, large):
    """A copy through it shall be a copy, not a test of patience."""
    bucket, body = new_bucket(ceph_target), large.piece(0, 10 * MEBIBYTE)
    with CountingProxy(ceph_target) as proxy:
        S3Client.of(proxy).put(bucket, "key", body)
        started = time.monotonic()
        for _ in range(10):
            assert len(S3Client.of(proxy).get(bucket, "key").body) == len(body)
        assert 100 / (time.monotonic() - started) > 50, "MiB a second"
