"""Stopped at any moment, by anything: a resume reaches the same end, and what the logs held is not
done again."""

import random
import shutil
import signal
import time

import pytest
from buckets import differences, fill
from dataset import MEBIBYTE, make_objects
from fakes3 import faults
from keylist import escaped
from odd_keys import ODD_KEYS
from program import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_STOPPED,
    EXIT_USAGE,
    Migration,
    Side,
    check_log,
)
from s3client import S3Client

OBJECTS = 1500
LATENCY_S = 0.02
"""Of both fakes: so that a run lasts a second or two, and there is a middle to be stopped in."""


@pytest.fixture
def slow_fakes(fakes):
    for number in range(OBJECTS - len(ODD_KEYS)):
        fakes.source.put("bucket", f"{number % 7}/object-{number:05}", b"%d" % number * 50)
    for key in ODD_KEYS.values():
        fakes.source.put("bucket", key, key.encode())
    fakes.source.latency_s = fakes.target.latency_s = LATENCY_S
    return fakes


def objects_put(fakes, since=0):
    """Keys of accepted and refused PUTs, without those of the probe (which are no keys of ours)."""
    ours = fakes.source.store.objects("bucket")
    counts = fakes.record.counts("target", "PutObject", since)
    return {key: count for key, count in counts.items() if key in ours}


def stop_at_random_moments(fakes, migration, which, chance, stops_max=6):
    """Runs, stops, resumes, until a run reaches the end; checks after every stop."""
    options, settled, mark = [], set(), 0
    for attempt in range(200):
        running = migration.start(*options)
        if attempt < stops_max:
            deadline = time.monotonic() + chance.uniform(0.02, 0.9)
            while running.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            running.send(which)
        run = running.wait()
        again = settled & objects_put(fakes, since=mark).keys()
        assert not again, f"copied again though the logs knew them: {sorted(again)[:5]}"
        settled, mark = migration.logs.settled_keys(), len(fakes.record)
        if run.code == EXIT_DONE:
            return run
        assert run.code in (-which, EXIT_INTERRUPTED), run
        if migration.logs.settled_keys() or (migration.folder / "logs/run.json").exists():
            options = ["--resume"]
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "CTRL-C"])
@pytest.mark.parametrize("turn", range(3))
def test_stopped_at_random_moments_it_reaches_the_same_end(slow_fakes, seed, which, turn):
    migration = slow_fakes.migration(chunks=2)
    stop_at_random_moments(slow_fakes, migration, which, random.Random(f"{seed} {which} {turn}"))
    assert without_probes(slow_fakes.wrong()) == []
    others = {
        key: outcome for key, outcome in migration.logs.outcomes.items() if outcome != "copied"
    }
    assert others == {}, "a resume knows its own objects"
    assert migration.logs.outcomes.keys() == slow_fakes.source.store.objects("bucket").keys()
    assert migration.logs.summary["not_reached"] == 0
    check_log(migration).expect(EXIT_DONE)


def without_probes(lines: list[str]) -> list[str]:
    """A probe that was killed is a test of its own."""
    return [line for line in lines if ".s3migrate-" not in line]


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "CTRL-C"])
def test_what_a_stopped_probe_left_behind_is_removed(fakes, which):
    """A scratch key in somebody's bucket is dirt that nobody can explain later."""
    fakes.put_source(k=b"body")
    fakes.script.add(faults.delay(3), side="target", method="PUT", key=".s3migrate-*")
    migration = fakes.migration()
    running = migration.start()
    while not fakes.record.entries("target", "PutObject"):
        time.sleep(0.01)
    running.send(which)
    running.wait()
    migration.run(*(["--resume"] if (migration.folder / "logs/run.json").exists() else [])).expect(
        EXIT_DONE
    )
    assert fakes.wrong() == []


def test_killed_between_clusters_it_reaches_the_same_end(
    ceph_source, ceph_target, new_bucket, tmp_path, seed
):
    objects = make_objects(1500, 24 * MEBIBYTE, seed + 4, list(ODD_KEYS.values()), tags=True)
    source, target = new_bucket(ceph_source), new_bucket(ceph_target)
    fill(S3Client.of(ceph_source), source, objects)
    migration = Migration(
        Side.of(ceph_source, source),
        Side.of(ceph_target, target),
        tmp_path,
        [item.key for item in objects],
    )
    chance, options = random.Random(seed), []
    for _ in range(4):
        running = migration.start(*options)
        time.sleep(chance.uniform(0.1, 0.8))
        running.send(chance.choice([signal.SIGKILL, signal.SIGINT]))
        if running.wait().code == EXIT_DONE:
            break
        options = ["--resume"] if migration.logs.settled_keys() else []
    else:
        migration.run(*options).expect(EXIT_DONE)
    assert without_probes(differences(S3Client.of(ceph_target), target, objects)) == []
    assert migration.logs.outcomes == {item.key: "copied" for item in objects}
    check_log(migration).expect(EXIT_DONE)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_finishes_what_is_in_flight_and_says_how_to_go_on(slow_fakes, which):
    migration = slow_fakes.migration()
    running = migration.start()
    wait_for_puts(slow_fakes, 200)
    running.send(which)
    run = running.wait(timeout_s=35).expect(EXIT_INTERRUPTED)
    run.mentions("--resume")
    stored = set(slow_fakes.target.store.objects("bucket"))
    assert 0 < len(stored) < OBJECTS
    assert stored == migration.logs.settled_keys(), (
        "what was copied stands in a log, and nothing else"
    )
    assert run.summary["not_reached"] == OBJECTS - len(stored)
    migration.run("--resume").expect(EXIT_DONE)
    assert max(objects_put(slow_fakes).values()) == 1
    assert slow_fakes.wrong() == []


def test_the_second_signal_stops_at_once(slow_fakes):
    slow_fakes.script.add(
        faults.stall(), side="target", method="PUT", key="3/object-00500", times=None
    )
    migration = slow_fakes.migration()
    running = migration.start()
    wait_for_puts(slow_fakes, 900)
    running.send(signal.SIGINT)
    time.sleep(1.5)
    assert running.process.poll() is None, "the first signal waits for what is in flight"
    running.send(signal.SIGINT)
    asked = time.monotonic()
    running.wait(timeout_s=20).expect(EXIT_INTERRUPTED)
    assert time.monotonic() - asked < 5
    check_log(migration).expect(EXIT_DONE)


def wait_for_puts(fakes, count, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while sum(objects_put(fakes).values()) < count:
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.01)


def finished(fakes, count=60):
    """A finished migration of `count` small objects, and its last key."""
    for number in range(count):
        fakes.source.put("bucket", f"k{number:03}", b"body")
    migration = fakes.migration()
    migration.run().expect(EXIT_DONE)
    return migration


def test_a_used_log_folder_needs_a_decision(fakes):
    migration = finished(fakes)
    before = (migration.folder / "logs/migrate.log").read_bytes()
    migration.run().expect(EXIT_USAGE).mentions("--resume", "--start-after", "--log-folder")
    assert (migration.folder / "logs/migrate.log").read_bytes() == before


def test_a_resume_of_a_finished_run_has_nothing_to_do(fakes):
    migration = finished(fakes)
    asked = len(fakes.record)
    run = migration.run("--resume").expect(EXIT_DONE)
    assert (run.summary["before"], run.summary["copied"]) == (60, 0)
    assert objects_put(fakes, since=asked) == {}


def test_start_after_goes_on_behind_a_key(fakes):
    for number in range(60):
        fakes.source.put("bucket", f"k{number:03}", b"body")
    run = fakes.migration().run("--start-after", "k049").expect(EXIT_DONE)
    assert run.logs.outcomes == {f"k{number:03}": "copied" for number in range(50, 60)}
    assert (run.summary["before"], run.summary["copied"]) == (50, 10)


def test_start_after_takes_a_key_as_the_log_prints_it(fakes):
    for key in ("a", "b\tc", "d"):
        fakes.source.put("bucket", key, b"body")
    run = fakes.migration().run("--start-after", escaped("b\tc").decode()).expect(EXIT_DONE)
    assert run.logs.outcomes == {"d": "copied"}


def test_start_after_must_not_go_back(fakes):
    migration = finished(fakes)
    migration.run("--start-after", "k030").expect(EXIT_USAGE).mentions("k059", "--start-after")


@pytest.mark.parametrize(
    "replaced, words",
    [
        ({"dest_bucket": "other"}, ["bucket"]),
        ({"src_bucket": "other"}, ["bucket"]),
    ],
)
def test_a_resume_of_another_run_is_refused(fakes, replaced, words):
    for server in (fakes.source, fakes.target):
        server.store.make_bucket("other")
    finished(fakes).run("--resume", **replaced).expect(EXIT_USAGE).mentions("other", *words)
    assert fakes.target.store.objects("other") == {}


def test_a_resume_with_other_lists_is_refused(fakes):
    migration = finished(fakes)
    (migration.source_lists / "chunk-000").write_bytes(b"k000\nz\n")
    migration.run("--resume").expect(EXIT_USAGE).mentions("list")


@pytest.mark.parametrize(
    "torn",
    [
        b"k060\tcop",
        b"k060\tcopied\t4\t",
        b"k060\tcopied\t4\tx\tetag\t1",
        b"\0" * 300,
        b"k000\tcopied\t4\tx\tetag\t1\n",
        b"k060\tcopied\n",
    ],
    ids=["half a word", "half a line", "no newline", "zeros", "out of order", "too few fields"],
)
def test_a_log_torn_by_a_crash_ends_before_the_tear(fakes, torn):
    migration = finished(fakes)
    log = migration.folder / "logs/migrate.log"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:40]) + torn)
    asked = len(fakes.record)
    run = migration.run("--resume").expect(EXIT_DONE)
    run.mentions("migrate.log", "cut|torn|truncated|removed|dropped")
    assert migration.logs.outcomes.keys() == {f"k{number:03}" for number in range(60)}
    assert not {f"k{number:03}" for number in range(40)} & objects_put(fakes, since=asked).keys()
    check_log(migration).expect(EXIT_DONE)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[1:] + lines[:1],
        lambda lines: lines[:5] + lines[4:],
        lambda lines: [*lines[:-1], lines[-1][:-3]],
        lambda lines: [*lines[:5], b"k0045\tcopied\n", *lines[5:]],
        lambda lines: [*lines[:5], lines[5].replace(b"\tcopied\t", b"\tcoppied\t"), *lines[6:]],
    ],
    ids=["order", "twice", "torn", "fields", "outcome"],
)
def test_check_log_finds_what_is_wrong(fakes, spoil):
    migration = finished(fakes, count=20)
    check_log(migration).expect(EXIT_DONE)
    log = migration.folder / "logs/migrate.log"
    log.write_bytes(b"".join(spoil(log.read_bytes().splitlines(keepends=True))))
    run = check_log(migration)
    assert run.code != EXIT_DONE
    run.mentions("migrate.log")


def test_a_log_folder_is_used_by_one_process_at_a_time(slow_fakes):
    migration = slow_fakes.migration()
    running = migration.start()
    wait_for_puts(slow_fakes, 10)
    second = migration.run("--resume")
    running.send(signal.SIGKILL)
    running.wait()
    assert second.code in (EXIT_USAGE, EXIT_STOPPED), second
    second.mentions("in use|another|lock")
    second.mentions(str(migration.folder / "logs"), "--log-folder")


def test_a_lock_dies_with_its_process(slow_fakes):
    migration = slow_fakes.migration()
    running = migration.start()
    wait_for_puts(slow_fakes, 300)
    running.send(signal.SIGKILL)
    running.wait()
    migration.run(*(["--resume"] if migration.logs.settled_keys() else [])).expect(EXIT_DONE)


def test_logs_that_were_moved_go_on_elsewhere(fakes):
    """An operator whose host died carries the log folder to another one."""
    migration = finished(fakes)
    shutil.copytree(migration.folder / "logs", migration.folder / "moved")
    fakes.target.store.delete("bucket", "k000")
    migration.run("--resume", logs="moved").expect(EXIT_DONE)
    assert "k000" not in fakes.target.store.objects("bucket"), (
        "it was logged, so it is not copied again"
    )
