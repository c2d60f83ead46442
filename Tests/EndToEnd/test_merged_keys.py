"""A target that takes several keys for one (`a//b` for `a/b`): what collides is noticed."""

import pytest
from program import EXIT_DONE, EXIT_FAILED
from test_verify import problems, verify

MEBIBYTE = 1 << 20
TWICE, ONCE = "a//b", "a/b"
IN_PARTS = ["--multipart-threshold", "5MiB", "--part-size", "5MiB"]
ONE_AT_A_TIME = ["--threads", 1, "--transfers", 1]


@pytest.fixture
def merging(fakes):
    fakes.target.store.rules.merges_slashes = True
    fakes.put_source(c=b"another")
    return fakes


def put_two(fakes, first: bytes, second: bytes):
    fakes.source.put("bucket", TWICE, first, {"x-amz-meta-key": "two slashes"})
    fakes.source.put("bucket", ONCE, second, {"x-amz-meta-key": "one slash"})


def colliding(run) -> tuple[str, str]:
    """The copied key and the other one, in whichever order they came."""
    copied = run.logs.keys_with("copied") - {"c"}
    skipped = run.logs.keys_with("skip-up")
    assert len(copied) == len(skipped) == 1 and copied | skipped == {TWICE, ONCE}
    return *copied, *skipped


def held(fakes):
    return fakes.target.store.get("bucket", ONCE)


def test_keys_that_collide_are_counted_and_warned_about(merging):
    put_two(merging, b"1", b"2")
    run = merging.migration().run().expect(EXIT_DONE)
    copied, skipped = colliding(run)
    assert run.logs.proofs[skipped] == "differs" and run.summary["skips"] == {"differs": 1}
    run.mentions("WARNING: 1 objects at the target differ")
    assert held(merging).body == merging.source.store.get("bucket", copied).body, "as the log tells"
    assert problems(verify(merging.migration()).expect(EXIT_FAILED)) == {skipped: "etag"}


def test_objects_in_parts_that_collide_are_warned_about_too(merging):
    """Of one size: their ETags cannot be compared, and only a deep verification can tell."""
    merging.put_source(**{TWICE: b"1" * 6 * MEBIBYTE, ONCE: b"2" * 6 * MEBIBYTE})
    run = merging.migration(None, *IN_PARTS).run().expect(EXIT_DONE)
    copied, skipped = colliding(run)
    assert run.logs.proofs[skipped] == "size" and run.summary["skips"] == {"size": 1}
    run.mentions("WARNING: of 1 objects", "only the sizes", "verify --deep")
    assert held(merging).body == merging.source.store.get("bucket", copied).body
    assert not merging.target.store.open_uploads("bucket")
    assert problems(verify(merging.migration(), "--deep").expect(EXIT_FAILED)) == {skipped: "content"}


def test_keys_with_the_same_content_collide_without_a_loss_of_bytes(merging):
    """Each key reads what it read at the source; that the metadata are one's only, a verification says."""
    put_two(merging, b"the same", b"the same")
    run = merging.migration().run().expect(EXIT_DONE)
    _, skipped = colliding(run)
    assert run.logs.proofs[skipped] == "same" and run.summary["skips"] == {"same": 1}
    assert "differ" not in run.output
    assert problems(verify(merging.migration()).expect(EXIT_FAILED)) == {skipped: "metadata"}


def test_a_second_pass_sees_the_same(merging):
    put_two(merging, b"first", b"second")
    migration = merging.migration()
    _, skipped = colliding(migration.run().expect(EXIT_DONE))
    before = held(merging)
    for mode in ("never", "changed"):
        again = migration.run("--overwrite", mode, logs=mode).expect(EXIT_DONE)
        assert again.logs.proofs == {skipped: "differs", "c": "same"} | {
            key: "same" for key in (TWICE, ONCE) if key != skipped
        }
        assert held(merging) == before


def test_what_always_replaces_says_that_it_did(merging):
    """The first copy's line was true when it was written; that an object was replaced is counted, and verify tells
    which key has lost."""
    put_two(merging, b"first", b"second")
    migration = merging.migration(None, *map(str, ONE_AT_A_TIME))
    run = migration.run("--overwrite", "always").expect(EXIT_DONE)
    assert run.logs.keys_with("copied") == {TWICE, ONCE, "c"}
    assert run.logs.proofs[ONCE] == "etag,replaced" and run.summary["replaced"] == 1
    assert problems(verify(merging.migration()).expect(EXIT_FAILED)) == {TWICE: "size"}


def test_a_target_that_ignores_conditions_is_asked_first(merging):
    """Enough where the two are not written at the same moment."""
    merging.target.store.rules.conditions = False
    put_two(merging, b"first", b"second")
    migration = merging.migration(None, "--allow-weak-conditions", *map(str, ONE_AT_A_TIME))
    _, skipped = colliding(migration.run().expect(EXIT_DONE))
    assert skipped == ONCE
    assert held(merging).body == b"first"
