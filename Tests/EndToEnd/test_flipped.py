"""A bit that is turned over on its way, in any body on either side: never proved while wrong."""

import random

import pytest
from fakes3 import faults
from large_objects import in_parts, open_uploads, put_large
from meddling_proxy import MeddlingProxy, one_in
from program import EXIT_DONE, EXIT_FAILED, Migration, Side
from s3client import S3Client, at_once
from test_verify import problems, verify

MEBIBYTE = 1 << 20
IN_PARTS = ["--multipart-threshold", "6MiB", "--part-size", "5MiB"]
SMALL = 150
UNPROVED = {"upload", "size"}
"""What is said of objects whose source's bytes no digest tells of."""


@pytest.fixture
def servers(request):
    """By name, so that only those are started that a test takes."""
    return lambda name: request.getfixturevalue(
        {"ceph source": "ceph_source", "ceph": "ceph_target", "localstack": "localstack_server"}[name]
    )


class Path:
    """Two servers with a proxy before each, and a bucket with small objects, large ones, and such that came in
    parts."""

    def __init__(self, source, target, new_bucket, folder, seed):
        self.source, self.target = MeddlingProxy(source), MeddlingProxy(target)
        self.buckets = new_bucket(source), new_bucket(target)
        self.clients = S3Client.of(source), S3Client.of(target)
        self.bodies = self._fill(random.Random(seed))
        self.folder = folder

    def _fill(self, chance) -> dict[str, bytes]:
        client, bucket = self.clients[0], self.buckets[0]
        sizes = {f"small/{number:03}": chance.randrange(1, 40_000) for number in range(SMALL)}
        sizes |= {f"large/{number}": 7 * MEBIBYTE + number for number in range(4)}
        bodies = {key: chance.randbytes(size) for key, size in sizes.items()}
        at_once(lambda item: client.put(bucket, *item), bodies.items(), threads=4)
        item = in_parts("parts", 5 * MEBIBYTE, 2, 70_000, seed=chance.randrange(1000))
        put_large(client, bucket, item)
        return bodies | {item.key: item.piece(0, item.size_bytes)}

    def __enter__(self):
        self.source.__enter__()
        self.target.__enter__()
        return self

    def __exit__(self, *error):
        self.source.__exit__(*error)
        self.target.__exit__(*error)

    def migration(self, *options) -> Migration:
        return self._between((self.source, self.target), *IN_PARTS, *options)

    def found_wrong(self) -> set[str]:
        """By a verification that reads everything, without proxies."""
        run = verify(self._between(self.clients), "--deep")
        assert run.code in (EXIT_DONE, EXIT_FAILED), run
        return {key for key, kind in problems(run).items() if kind == "content"}

    def _between(self, ends, *options) -> Migration:
        sides = (Side.of(end, bucket) for end, bucket in zip(ends, self.buckets))
        return Migration(*sides, self.folder, self.bodies, options=options)

    def flipped(self, side) -> set[str]:
        return {one.key for one in getattr(self, side).exchanges() if one.is_flipped}

    def wrong(self, keys) -> set[str]:
        """Those whose bytes at the target are not the source's."""
        client, bucket = self.clients[1], self.buckets[1]
        return {key for key in keys if client.get(bucket, key).body != self.bodies[key]}


PAIRS = pytest.mark.parametrize(
    "pair",
    [("ceph source", "ceph"), ("ceph source", "localstack"), ("localstack", "ceph")],
    ids=lambda pair: " to ".join(pair),
)


@PAIRS
def test_bits_that_turn_over_now_and_then(servers, pair, new_bucket, tmp_path, seed):
    """They cost time and nothing else, but where no digest of the source's covers what it sends: objects that go in
    parts without a common ETag. Their proof says so, and a deep verification finds them."""
    with Path(*map(servers, pair), new_bucket, tmp_path, seed) as path:
        for number, proxy in enumerate((path.source, path.target)):
            proxy.flips, proxy.flipped_bit = one_in(4), random.Random(f"{seed} {number}").randrange
        run = path.migration().run().expect(EXIT_DONE)
        for side in ("source", "target"):
            assert len([key for key in path.flipped(side) if key.startswith("small")]) > SMALL / 5
            assert any(key.startswith("large") for key in path.flipped(side))
        assert set(run.logs.outcomes.values()) == {"copied"}
        wrong, proofs = path.wrong(path.bodies), run.logs.proofs
        assert wrong <= path.flipped("source")
        assert {proofs[key] for key in wrong} <= UNPROVED
        assert all(proofs[key] == "etag" for key in proofs if key.startswith("small"))
        assert path.found_wrong() == wrong
        assert open_uploads(path.clients[1], path.buckets[1]) == []


@pytest.mark.parametrize("side", ["source", "target"])
def test_bits_that_always_turn_over(servers, side, new_bucket, tmp_path, seed):
    """Other ones each time, in some objects; the others are copied."""
    with Path(servers("ceph source"), servers("ceph"), new_bucket, tmp_path, seed) as path:
        proxy, struck = getattr(path, side), {"small/003", "small/140", "large/2", "parts"}
        proxy.flips, proxy.flipped_bit = lambda one: one.key in struck, random.Random(seed).randrange
        run = path.migration("--retries", "2").run().expect(EXIT_FAILED)
        copied, failed = run.logs.keys_with("copied"), run.logs.keys_with("fail")
        assert copied | failed == path.bodies.keys() and path.flipped(side) >= struck >= failed
        assert failed == struck if side == "target" else {"small/003", "small/140"} <= failed
        wrong = path.wrong(copied)
        assert {run.logs.proofs[key] for key in wrong} <= UNPROVED
        visible = path.clients[1].listing(path.buckets[1]).keys()
        assert visible == copied, "what failed is not visible"
        assert path.found_wrong() - failed == wrong


# Where no ETag can tell


PLACEHOLDER = "0" * 32 + "-1"


def blind(fakes, target_has_etags=True):
    """A source whose ETag never changes, and a target that checks nothing."""
    bodies = {f"k{number:02}": b"body %d" % number * 100 for number in range(12)}
    for key, body in bodies.items():
        fakes.source.put("bucket", key, body, etag=PLACEHOLDER)
    rules = fakes.target.store.rules
    rules.content_md5 = rules.payload_sha256 = False
    rules.checksums = ()
    rules.etags = target_has_etags


def wrong(fakes) -> set[str]:
    ends = [end.store.objects("bucket") for end in (fakes.source, fakes.target)]
    return {key for key in ends[0] if key in ends[1] and ends[0][key].body != ends[1][key].body}


FLIPS = {
    "source": ("source", "GetObject", faults.flipped_byte(5)),
    "target": ("target", "PutObject", faults.flipped_byte_in_request(5)),
}


@pytest.mark.parametrize("target_has_etags", [True, False], ids=["ETags", "placeholders"])
@pytest.mark.parametrize("side", FLIPS)
def test_a_flip_that_no_etag_tells_of_is_found_by_reading(fakes, side, target_has_etags):
    blind(fakes, target_has_etags)
    struck, operation, fault = FLIPS[side]
    fakes.script.add(fault, side=struck, method=operation, key="k0[37]", nth=2, times=1)
    fakes.script.add(fault, side=struck, method=operation, key="k11")
    run = fakes.migration().run().expect(EXIT_DONE)
    assert set(run.logs.outcomes.values()) == {"copied"}
    proofs = run.logs.proofs
    assert "etag" not in proofs.values(), "the source's tells nothing"
    found = wrong(fakes)
    if target_has_etags and side == "target":
        assert found == set(), "the target's own ETag tells of what it received"
    else:
        assert len(found) == 2 and "k11" in found
        assert {proofs[key] for key in found} == {"upload" if target_has_etags else "size"}
    fakes.script.verify_all_hit()
    facts = verify(fakes.migration(), logs="facts").expect(EXIT_DONE)
    assert facts.summary["verify"]["unproved"] == 12
    deep = verify(fakes.migration(), "--deep").expect(EXIT_FAILED if found else EXIT_DONE)
    assert problems(deep) == {key: "content" for key in found}


def test_the_same_flip_at_each_reading_looks_like_an_etag_that_is_no_md5(fakes):
    """Then the log claims the upload alone; and a verification sees two digests."""
    fakes.put_source(k=b"body" * 100, other=b"other")
    fakes.script.add(FLIPS["source"][2], side="source", method="GetObject", key="k", times=None)
    run = fakes.migration().run().expect(EXIT_DONE)
    assert run.logs.proofs == {"k": "upload", "other": "etag"} and wrong(fakes) == {"k"}
    found = verify(fakes.migration()).expect(EXIT_FAILED)
    assert problems(found) == {"k": "etag"}
