"""Before the first object: what is wrong with an endpoint, told so that an operator knows which
side and what to do."""

import json
import socket
from dataclasses import replace

import pytest
from fakes3 import faults
from program import EXIT_DONE, EXIT_STOPPED, Migration, Side
from s3client import S3Client
from servers.ports import free_port

SIDES = pytest.mark.parametrize("side", ["src", "dest"])
NAMES = {"src": "source|src", "dest": "target|destination|dest"}
PREFLIGHT_S = 40
"""A mistake in the options must not keep an operator waiting for ten retries."""


def stopped(run, side, *words):
    run.expect(EXIT_STOPPED).mentions(NAMES[side], *words)
    assert run.seconds < PREFLIGHT_S
    return run


def copied_nothing(fakes):
    return fakes.target.store.objects("bucket") == {}


@pytest.fixture
def migration(fakes):
    for number in range(20):
        fakes.source.put("bucket", f"k{number:02}", b"body")
    return fakes.migration()


@SIDES
def test_a_refused_port(fakes, migration, side):
    url = f"http://127.0.0.1:{free_port()}"
    stopped(migration.run(**{f"{side}_url": url}), side, url, "refused|connect to", f"--{side}-url")
    assert copied_nothing(fakes)


@SIDES
def test_a_name_that_does_not_resolve(fakes, migration, side):
    url = "http://no-such-host.invalid:9000"
    stopped(migration.run(**{f"{side}_url": url}), side, url, "resolve|DNS")
    assert copied_nothing(fakes)


@SIDES
def test_https_to_a_port_that_speaks_http(fakes, migration, side):
    url = getattr(fakes, "source" if side == "src" else "target").url.replace("http:", "https:")
    stopped(migration.run(**{f"{side}_url": url}), side, url, "TLS|SSL", f"--{side}-url")
    assert copied_nothing(fakes)


@SIDES
def test_a_port_that_speaks_no_http(fakes, migration, side):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Connections are taken by the kernel, and nobody ever answers.
        stopped(migration.run("--timeout", "2", **{f"{side}_url": url}), side, url, "time|answer")


@pytest.fixture
def between_clusters(ceph_source, ceph_target, new_bucket, tmp_path):
    """A source and a target that check everything."""
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    S3Client.of(ceph_source).put(source, "key", b"body")
    return Side.of(ceph_source, source), Side.of(ceph_target, target), tmp_path


def with_changed(sides, side, **change):
    source, target, folder = sides
    source, target = (
        (replace(source, **change), target)
        if side == "src"
        else (source, replace(target, **change))
    )
    return Migration(source, target, folder, ["key"])


@SIDES
def test_a_wrong_secret(between_clusters, side):
    migration = with_changed(between_clusters, side, secret="not-the-secret")
    stopped(migration.run(), side, "403", "SignatureDoesNotMatch", f"--{side}-secret|secret")


@SIDES
def test_an_unknown_key(between_clusters, side):
    migration = with_changed(between_clusters, side, key="no-such-key")
    stopped(migration.run(), side, "403", "InvalidAccessKeyId", f"--{side}-key|access key")


@SIDES
def test_a_bucket_that_is_not_there(between_clusters, side):
    migration = with_changed(between_clusters, side, bucket="no-such-bucket")
    stopped(migration.run(), side, "404", "no-such-bucket", "NoSuchBucket")


@SIDES
def test_somebody_elses_bucket(between_clusters, ceph_source, ceph_target, side):
    """A source that refuses the bucket may still give objects; one that refuses those too is no
    source."""
    server = ceph_source if side == "src" else ceph_target
    server.add_user(f"stranger-{side}", f"stranger{side}key", "strangersecret")
    run = with_changed(
        between_clusters, side, key=f"stranger{side}key", secret="strangersecret"
    ).run()
    run.expect(EXIT_STOPPED).mentions(NAMES[side], "403", "may read|may write")


def test_a_target_user_that_may_only_read(between_clusters, ceph_target):
    """The bucket can be seen; that nothing can be written shows at the probe, before a million
    objects fail."""
    ceph_target.add_user("reader", "readerkey", "readersecret", "--op-mask=read")
    boto = S3Client.of(ceph_target).boto()
    boto.put_bucket_policy(
        Bucket=between_clusters[1].bucket,
        Policy=_everything_for("reader", between_clusters[1].bucket),
    )
    migration = with_changed(between_clusters, "dest", key="readerkey", secret="readersecret")
    stopped(migration.run(), "dest", "403")


def _everything_for(user: str, bucket: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": [f"arn:aws:iam:::user/{user}"]},
                    "Action": "s3:*",
                    "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                }
            ],
        }
    )


@SIDES
@pytest.mark.parametrize(
    "fault, words",
    [
        (faults.permanent_redirect("eu-central-1"), ["eu-central-1", "region"]),
        (faults.wrong_region("eu-central-1"), ["eu-central-1", "region"]),
        (faults.signature_does_not_match(), ["403", "secret"]),
        (faults.expired_token(), ["400", "token|expired"]),
        (faults.html_page(502), ["502"]),
        (faults.html_page(200), ["S3"]),
    ],
    ids=["redirect", "region", "signature", "token", "proxy", "web server"],
)
def test_what_the_server_says_is_passed_on(fakes, migration, side, fault, words):
    fakes.script.add(fault, side="source" if side == "src" else "target", times=None)
    url = (migration.source if side == "src" else migration.target).url
    stopped(migration.run("--retries", "1"), side, url, *words)
    assert copied_nothing(fakes)


@SIDES
def test_a_clock_that_is_wrong_and_stays_wrong(fakes, migration, side):
    """A clock that can be followed is followed; here the server refuses its own time as well."""
    fault = faults.skewed("Wed, 21 Oct 2015 07:28:00 GMT")
    fakes.script.add(fault, side="source" if side == "src" else "target", times=None)
    stopped(migration.run("--retries", "1"), side, "RequestTimeTooSkewed|skew", "clock")
    assert copied_nothing(fakes)


@SIDES
def test_a_403_for_the_bucket_alone_is_a_warning(fakes, migration, side):
    """Users who may read objects often may not see the bucket."""
    (fakes.source if side == "src" else fakes.target).store.rules.head_bucket_status = 403
    migration.run().expect(EXIT_DONE).mentions("warning", NAMES[side], "403")
    assert fakes.wrong() == []


def test_the_probe_leaves_nothing_behind(fakes, migration):
    migration.run().expect(EXIT_DONE)
    assert (
        fakes.target.store.objects("bucket").keys() == fakes.source.store.objects("bucket").keys()
    )


def test_the_right_region_is_signed_for(fakes, migration):
    migration.run("--src-region", "eu-west-1", "--dest-region", "us-west-2").expect(EXIT_DONE)
    regions = {
        side: {entry.headers["authorization"].split("/")[2] for entry in fakes.record.entries(side)}
        for side in ("source", "target")
    }
    assert regions == {"source": {"eu-west-1"}, "target": {"us-west-2"}}


def test_signatures_of_a_whole_run_hold_before_a_strict_server(between_clusters):
    source, target, folder = between_clusters
    Migration(source, target, folder, ["key"]).run("--src-region", "eu-west-1").expect(EXIT_DONE)
