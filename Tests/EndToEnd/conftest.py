"""Fixtures: the servers of the session, buckets of a test, migrations between two fakes."""

import itertools
import os
import signal
import sys
from pathlib import Path

import pytest
from fakes3 import FakeS3, Script
from large_objects import open_uploads
from program import Migration, Side
from s3client import S3Client, at_once
from servers import Ceph, LocalStack, Rclone, Swift

SEED = int(os.environ.get("E2E_SEED", "20260101"))
"""Everything random in the suite comes from here; a failure says it, and E2E_SEED replays it."""

SCALE = float(os.environ.get("E2E_SCALE", "1"))
"""Share of the objects and bytes of the large copies. Anything below 1 is for trying things out,
not for a verdict."""


LARGE_SCALE = float(os.environ.get("E2E_LARGE_SCALE", "0.15"))
"""Share of the largest single objects, 2 GiB at 1. The servers hold everything in memory, several times
over, so the usual run has smaller ones; at 1 it takes 24 GiB and one file of tests at a time."""


def pytest_configure(config):
    # A killed pytest ends as an interrupted one: fixtures are torn down, servers stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def pytest_report_header(config):
    return f"E2E_SEED={SEED} E2E_SCALE={SCALE} E2E_LARGE_SCALE={LARGE_SCALE}"


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED


@pytest.fixture(scope="session")
def scale() -> float:
    return SCALE


@pytest.fixture(scope="session")
def large_scale() -> float:
    return LARGE_SCALE


@pytest.fixture(scope="session")
def ceph_source():
    with Ceph("source", part_bytes_min=1) as server:
        yield server


@pytest.fixture(scope="session")
def ceph_target():
    with Ceph("target") as server:
        yield server


@pytest.fixture(scope="session")
def rclone_server():
    with Rclone() as server:
        yield server


@pytest.fixture(scope="session")
def swift_server():
    with Swift() as server:
        yield server


@pytest.fixture(scope="session")
def localstack_server():
    with LocalStack() as server:
        yield server


_bucket_numbers = itertools.count(1)


@pytest.fixture
def new_bucket():
    """Makes an empty bucket with a name of its own on a server, and empties it in the end (clusters
    keep data in memory)."""
    made = []

    def make(server, word="bucket") -> str:
        name = f"{word}-{next(_bucket_numbers)}"
        client = S3Client.of(server)
        client.make_bucket(name)
        made.append((client, name))
        return name

    yield make
    for client, name in made:
        empty_bucket(client, name)


def empty_bucket(client: S3Client, bucket: str):
    """Key by key: the XML of DeleteObjects has no way to say some of our keys. Parts of uploads that
    a test left open are memory too."""
    for key, upload_id in open_uploads(client, bucket):
        client.boto().abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    at_once(
        lambda key: client.request("DELETE", bucket, key, expect=(200, 204, 404)),
        client.listing(bucket),
    )


class Fakes:
    """Two fake servers with one script and one record, and a migration between them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.script = Script()
        self.source = FakeS3("source", self.script)
        self.record = self.source.record
        self.target = FakeS3("target", self.script, self.record)
        self._numbers = itertools.count(1)
        for server in (self.source, self.target):
            server.store.make_bucket("bucket")

    def put_source(self, **objects: bytes):
        for key, body in objects.items():
            self.source.put("bucket", key, body)

    def migration(self, keys=None, *options, **named) -> Migration:
        """Of `keys`, or of all that the source holds."""
        keys = self.source.store.objects("bucket") if keys is None else keys
        return Migration(
            Side.of(self.source, "bucket"),
            Side.of(self.target, "bucket"),
            self.folder / f"migration-{next(self._numbers)}",
            keys,
            options=options,
            **named,
        )

    def wrong(self) -> list[str]:
        """What differs between the two buckets, apart from times."""
        source, target = self.source.store.objects("bucket"), self.target.store.objects("bucket")
        found = [f"only in one: {key!r}" for key in source.keys() ^ target.keys()]
        return found + [
            f"differs: {key!r}"
            for key in source.keys() & target.keys()
            if (source[key].body, source[key].tags) != (target[key].body, target[key].tags)
        ]


@pytest.fixture
def fakes(tmp_path):
    """The faults that a test scripted must have been hit when it ends well."""
    pair = Fakes(tmp_path)
    with pair.source, pair.target:
        yield pair
        pair.script.verify_all_hit()
