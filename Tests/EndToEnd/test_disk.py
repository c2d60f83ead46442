"""The disk of the logs fails, in every way and at every call: the run stops with a reason, what is logged is true, and
when the disk is well again a resume completes it."""

import errno
import os
import shutil
import signal
import subprocess
from itertools import count

import pytest
from dataset import MEBIBYTE
from failing_disk import FailingDisk, build_library
from program import EXIT_DONE, EXIT_STOPPED, check_log
from test_resume import wait_for_puts

OPTIONS = ["--multipart-threshold", "6MiB", "--part-size", "5MiB", "--threads", "2"]
LARGE = "m large"


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return build_library(tmp_path_factory.mktemp("failing-disk"))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    assert os.getuid() == 0, "this test mounts a tmpfs and so needs root"
    place = tmp_path / "small-disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def filled(fakes, number_of_small: int, latency_s=0.0):
    """Small objects, and one between them that moves in parts and so needs uploads.log."""
    for number in range(number_of_small):
        fakes.source.put("bucket", f"{number % 26 + 97:c}/{number:05}", b"%d" % number)
    fakes.source.put("bucket", LARGE, b"x" * (7 * MEBIBYTE))
    fakes.source.latency_s = fakes.target.latency_s = latency_s
    return fakes


def assert_true(fakes, logs):
    """What is logged is there, with the source's bytes."""
    target, source = (side.store.objects("bucket") for side in (fakes.target, fakes.source))
    for key in logs.settled_keys():
        assert key in target and target[key].body == source[key].body, f"{key!r} is logged and not so"


def resumed(fakes, migration, **named):
    """The disk is well again."""
    logs = named.get("log_folder", migration.folder / "logs")
    resume = ["--resume"] if (logs / "run.json").exists() else []
    run = migration.run(*resume, **named).expect(EXIT_DONE)
    assert fakes.wrong() == []
    assert fakes.target.store.open_uploads("bucket") == []
    return run


def assert_complete(fakes, migration):
    logs = migration.logs
    assert logs.outcomes == dict.fromkeys(fakes.source.store.objects("bucket"), "copied")
    assert logs.failed == []
    assert logs.summary["not_reached"] == 0
    assert logs.summary["identity_holds"] is True
    check_log(migration).expect(EXIT_DONE)


# A call that fails, whichever it is


@pytest.mark.parametrize(
    "calls, code, times",
    [
        ("write", errno.ENOSPC, 1_000_000),
        ("write", errno.EIO, 1),
        ("write", errno.EROFS, 1_000_000),
        ("sync", errno.EIO, 1),
        ("sync", errno.EIO, 1_000_000),
        ("rename", errno.EIO, 1),
        ("write sync rename truncate", errno.EIO, 1_000_000),
    ],
    ids=["full", "one write", "read-only", "one sync", "every sync", "one rename", "dead"],
)
@pytest.mark.timeout(400)
def test_whichever_call_fails_the_run_stops_and_a_resume_completes_it(
    fakes, library, tmp_path, calls, code, times
):
    """The n-th call, for n = 0, 1, 2, … until a run has none so many."""
    filled(fakes, 40, latency_s=0.002)
    empty = fakes.target.store
    for after in count():
        for key in empty.objects("bucket").copy():
            empty.delete("bucket", key)
        migration = fakes.migration(None, *OPTIONS)
        logs = migration.folder / "logs"
        disk = FailingDisk(library, logs, tmp_path / f"record-{after}", calls, after, times, code)
        run = migration.start(environment=migration.environment() | disk.environment()).wait(60)
        if not disk.has_struck:
            run.expect(EXIT_DONE)
            break
        run.expect(EXIT_STOPPED).mentions(os.strerror(code))
        run.mentions(str(logs))
        assert_true(fakes, migration.logs)
        resumed(fakes, migration)
        assert_complete(fakes, migration)
    assert after >= 3, "the run made hardly any such call"


# A sync that fails once


def test_a_sync_that_failed_is_not_tried_again(fakes, library, tmp_path):
    """The kernel forgets what it failed to write: the second sync would succeed, and the lines be nowhere."""
    filled(fakes, 600, latency_s=0.02)
    for after in count():
        migration = fakes.migration(None, "--threads", "1", "--transfers", "4")
        logs = migration.folder / "logs"
        disk = FailingDisk(library, logs, tmp_path / f"record-{after}", "sync", after, times=1)
        run = migration.start(environment=migration.environment() | disk.environment()).wait(60)
        [struck] = [name for _, what, name in disk.done if what == "failed"] or [None]
        if struck == "migrate.log":
            break
        assert struck is not None, "no sync of migrate.log was struck"
        for key in fakes.target.store.objects("bucket").copy():
            fakes.target.store.delete("bucket", key)
    run.expect(EXIT_STOPPED).mentions("cannot sync", "migrate.log", os.strerror(errno.EIO))
    at = disk.done.index(("sync", "failed", "migrate.log"))
    later = [name for _, _, name in disk.done[at + 1 :] if name != "summary.json.new" and name != "logs"]
    assert later == [], "it went on with its logs"
    assert (logs / "migrate.log").read_bytes() == b"", "lines of which the disk knows nothing"
    assert len(fakes.target.store.objects("bucket")) > 0
    assert_true(fakes, migration.logs)
    resumed(fakes, migration)
    assert_complete(fakes, migration)


# The folder


def test_a_log_folder_that_vanishes_stops_the_run(fakes):
    """Its files can still be written, and nobody would ever read them."""
    filled(fakes, 3000, latency_s=0.02)
    migration = fakes.migration(None, "--threads", "1", "--transfers", "8")
    logs = migration.folder / "logs"
    running = migration.start()
    wait_for_puts(fakes, 100)
    shutil.rmtree(logs)
    run = running.wait(60).expect(EXIT_STOPPED)
    run.mentions(str(logs), "removed")
    assert len(fakes.target.store.objects("bucket")) < 2900, "it went on for long"
    assert not logs.exists()


def test_a_log_folder_that_is_moved_away_stops_the_run_and_can_be_put_back(fakes):
    filled(fakes, 3000, latency_s=0.02)
    migration = fakes.migration(None, "--threads", "2")
    logs = migration.folder / "logs"
    running = migration.start()
    wait_for_puts(fakes, 100)
    logs.rename(migration.folder / "elsewhere")
    run = running.wait(60).expect(EXIT_STOPPED)
    run.mentions(str(logs), "moved", "--resume")
    (migration.folder / "elsewhere").rename(logs)
    assert_true(fakes, migration.logs)
    fakes.source.latency_s = fakes.target.latency_s = 0
    resumed(fakes, migration)
    assert_complete(fakes, migration)


# Real file systems


def test_a_disk_that_becomes_full_in_the_middle(fakes, small_disk):
    filled(fakes, 4000)
    migration = fakes.migration(None, *OPTIONS)
    logs = small_disk / "logs"
    logs.mkdir()
    (small_disk / "filler").write_bytes(b"x" * 200_000)
    run = migration.run(log_folder=logs).expect(EXIT_STOPPED)
    run.mentions(str(logs), "space", "--resume")
    assert_true(fakes, migration.logs_in(logs))
    (small_disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    done = resumed(fakes, migration, log_folder=logs)
    assert migration.logs_in(logs).outcomes.keys() == fakes.source.store.objects("bucket").keys()
    assert done.code == EXIT_DONE


def test_a_disk_that_is_read_only_at_the_resume(fakes, small_disk):
    """As after an error, when the kernel has taken the right to write away."""
    filled(fakes, 600, latency_s=0.02)
    migration = fakes.migration(None, "--threads", "1", "--transfers", "8")
    logs = small_disk / "logs"
    logs.mkdir()
    running = migration.start(log_folder=logs)
    wait_for_puts(fakes, 100)
    running.send(signal.SIGKILL)
    running.wait()
    there = len(fakes.target.store.objects("bucket"))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    run = migration.run("--resume", log_folder=logs).expect(EXIT_STOPPED)
    run.mentions(str(logs), "read-only", "--resume|writable")
    assert len(fakes.target.store.objects("bucket")) <= there + 8, "it copied without a log"
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    resumed(fakes, migration, log_folder=logs)
    assert migration.logs_in(logs).outcomes.keys() == fakes.source.store.objects("bucket").keys()
