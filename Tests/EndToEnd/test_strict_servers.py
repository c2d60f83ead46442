"""What single servers are strict or treacherous about, and what a run makes of it."""

import pytest
from fakes3 import Fault, faults
from program import EXIT_DONE, EXIT_STOPPED, Migration, Side
from s3client import S3Client

SIDES = pytest.mark.parametrize("side", ["src", "dest"])


@SIDES
def test_swift_names_the_region_that_it_wants(swift_server, new_bucket, tmp_path, side):
    source, target = new_bucket(swift_server), new_bucket(swift_server)
    S3Client.of(swift_server).put(source, "key", b"body")
    migration = Migration(
        Side.of(swift_server, source), Side.of(swift_server, target), tmp_path, ["key"]
    )
    run = migration.run(f"--{side}-region", "eu-west-1").expect(EXIT_STOPPED)
    run.mentions(
        "AuthorizationHeaderMalformed", f"check --{side}-region: the server names 'us-east-1'"
    )
    migration.run().expect(EXIT_DONE)


WRONG_MD5 = "0" * 31 + "1"
"""Has the form of an MD5, and is that of no body here: as of an encrypted object."""


def test_an_object_at_localstack_survives_a_source_whose_etag_is_no_md5(
    fakes, localstack_server, new_bucket, tmp_path
):
    """LocalStack destroys what a PUT of a wrong digest was to replace, if no condition stops it before."""
    target = new_bucket(localstack_server)
    client = S3Client.of(localstack_server)
    client.put(target, "there", b"what a client wrote", {"x-amz-meta-a": "client"})
    for key in ("there", "new"):
        fakes.source.put("bucket", key, b"from the source", etag=WRONG_MD5)
    migration = Migration(
        Side.of(fakes.source, "bucket"), Side.of(localstack_server, target), tmp_path, ["new", "there"]
    )
    run = migration.run().expect(EXIT_DONE)
    assert run.logs.outcomes == {"new": "copied", "there": "skip-up"}
    assert (run.logs.proofs["new"], run.logs.proofs["there"]) == ("upload", "differs")
    there = client.get(target, "there")
    assert (there.body, there.headers["x-amz-meta-a"]) == (b"what a client wrote", "client")
    assert client.get(target, "new").body == b"from the source"


def test_localstack_is_as_treacherous_as_that(localstack_server, new_bucket):
    """Without the condition the object is gone: so the test above tests something."""
    bucket, client = new_bucket(localstack_server), S3Client.of(localstack_server)
    client.put(bucket, "key", b"the only copy")
    wrong = {"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert client.request("PUT", bucket, "key", headers=wrong, body=b"x", expect=(400,))
    reader = S3Client.of(localstack_server)
    reader.timeout_s = 2
    with pytest.raises(TimeoutError):
        reader.get(bucket, "key")
    reader.hang_up()


def refused_with(fault: Fault, concerns) -> Fault:
    """Strikes only the requests that it concerns."""

    def answer(request, store):
        return fault.strike(request, store) if concerns(request) else store.answer(request)

    return Fault(f"{fault.name} for some", answer)


def test_tags_that_the_source_does_not_show_are_told(fakes):
    fakes.source.put("bucket", "tagged", b"body", tags={"a": "b"})
    fakes.script.add(
        faults.access_denied(), side="source", method="GetObjectTagging", times=None
    )
    run = fakes.migration().run().expect(EXIT_DONE)
    assert run.logs.proofs == {"tagged": "etag,no-tags"}
    assert run.summary["lost_tags"] == 1
    assert fakes.target.store.get("bucket", "tagged").tags == {}


def test_tags_that_may_not_be_written_are_told(fakes):
    """A target's user with s3:PutObject, and without s3:PutObjectTagging."""
    fakes.source.put("bucket", "tagged", b"body", tags={"a": "b"})
    fakes.source.put("bucket", "plain", b"body")
    denied = refused_with(
        faults.access_denied(),
        lambda request: "x-amz-tagging" in request.headers or "tagging" in request.query,
    )
    fakes.script.add(denied, side="target", times=None)
    run = fakes.migration().run().expect(EXIT_DONE)
    run.mentions("keeps no tags")
    assert run.logs.proofs == {"plain": "etag", "tagged": "etag,no-tags"}
    assert run.summary["lost_tags"] == 1
