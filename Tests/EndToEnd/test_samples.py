"""The scripts in samples/ do what they say, on real servers, from listing to retry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from buckets import differences, fill
from dataset import MEBIBYTE, make_objects
from logs import Logs
from odd_keys import odd_keys_for
from program import TOP, clean_environment, program
from s3client import S3Client
from test_second_pass import deny_puts

SAMPLES = TOP / "samples"


def run_sample(name, *arguments, environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", SAMPLES / name, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )


@pytest.fixture
def bucket(rclone_server, ceph_target, new_bucket, tmp_path, seed):
    """A bucket that is a directory too, as behind a file system with an S3 door; and the
    environment of the samples."""
    objects = make_objects(
        120, 4 * MEBIBYTE, seed + 9, list(odd_keys_for("ceph", "rclone").values()), expires=False
    )
    name = new_bucket(rclone_server)
    fill(S3Client.of(rclone_server), name, objects)
    S3Client.of(ceph_target).make_bucket(name)
    environment = clean_environment(
        S3MIGRATE=program("s3migrate"),
        S3FIND=program("s3find"),
        WORK=str(tmp_path / "work"),
        SRC_DIRECTORY=str(rclone_server.objects / name),
        SRC_URL=rclone_server.url,
        SRC_BUCKET=name,
        S3MIGRATE_SRC_KEY=rclone_server.key,
        S3MIGRATE_SRC_SECRET=rclone_server.secret,
        DEST_URL=ceph_target.url,
        DEST_BUCKET=name,
        S3MIGRATE_DEST_KEY=ceph_target.key,
        S3MIGRATE_DEST_SECRET=ceph_target.secret,
    )
    return objects, name, environment


def test_one_host(bucket, ceph_target, tmp_path):
    objects, name, environment = bucket
    done = run_sample("one-host.sh", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert differences(S3Client.of(ceph_target), name, objects) == []


def test_verify_after_a_migration(bucket, ceph_target):
    objects, name, environment = bucket
    assert run_sample("one-host.sh", environment=environment).returncode == 0
    for options in ([], ["--deep"]):
        done = run_sample("verify.sh", *options, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"same                {len(objects)}," in done.stdout
    S3Client.of(ceph_target).delete(name, objects[0].key)
    assert run_sample("verify.sh", environment=environment).returncode == 0, "all is done"


def test_several_hosts(bucket, ceph_target, tmp_path):
    objects, name, environment = bucket
    assert run_sample("list.sh", environment=environment).returncode == 0
    for host in range(3):
        done = run_sample("several-hosts.sh", 3, host, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    assert differences(S3Client.of(ceph_target), name, objects) == []
    shares = [Logs(tmp_path / f"work/logs-{host}").outcomes for host in range(3)]
    assert sum(map(len, shares)) == len(objects)


def test_retry_until_nothing_fails(bucket, ceph_target, tmp_path):
    objects, name, environment = bucket
    boto = S3Client.of(ceph_target).boto()
    deny_puts(ceph_target, name, "odd/*")
    assert run_sample("one-host.sh", environment=environment).returncode == 1
    assert run_sample("retry-failed.sh", environment=environment).returncode == 1, "still forbidden"
    boto.delete_bucket_policy(Bucket=name)
    done = run_sample("retry-failed.sh", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert differences(S3Client.of(ceph_target), name, objects) == []
    again = run_sample("retry-failed.sh", environment=environment)
    assert again.returncode == 0 and "nothing" in again.stdout


def test_the_demo_runs(tmp_path):
    """The same script as `make demo`, without its building."""
    demo = subprocess.run(
        [
            sys.executable,
            "-m",
            "servers",
            "rclone",
            "rclone",
            "--",
            "bash",
            TOP / "samples/demo.sh",
        ],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=150,
        env=clean_environment(
            S3MIGRATE=program("s3migrate"),
            S3FIND=program("s3find"),
            RCLONE=rclone_program(),
            DEMO=str(tmp_path / "demo"),
        ),
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "exist" in demo.stdout and "copied" in demo.stdout


def rclone_program() -> str:
    return str(Path(sys.executable).with_name("rclone"))


def test_samples_are_sound_shell():
    for script in SAMPLES.glob("*.sh"):
        assert subprocess.run(["bash", "-n", script]).returncode == 0
        assert os.access(script, os.X_OK) or script.name == "settings.sh"
