"""Killed at any moment, again and again, from the first millisecond to the last: the resumed run comes to the same
end. `E2E_KILLS` says how often (300 for the record)."""

import json
import math
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from buckets import differences, fill
from dataset import MEBIBYTE, make_objects
from large_objects import LargeObject, in_parts, large_differences, open_uploads, put_large
from odd_keys import ODD_KEYS
from program import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    Migration,
    Side,
    check_log,
    clean_environment,
    program,
)
from s3client import S3Client

KILLS = int(os.environ.get("E2E_KILLS", "40"))
"""Of migrations, half of them between clusters; a quarter as many strike verifications, and as many listings."""

KILLS_PER_ROUND = 10
"""Then a migration may end, and another one begins: so none goes on for ever, however early its kills come."""

OPTIONS = ["--multipart-threshold", "6MiB", "--part-size", "5MiB", "--threads", "2", "--transfers", "8"]

pytestmark = pytest.mark.timeout(120 + 10 * KILLS)


class Killer:
    """Ends runs at moments that are spread evenly over the orders of magnitude: as many in the first ten milliseconds
    as between the tenth and the hundredth."""

    FIRST_S = 0.001

    def __init__(self, seed, run_s: float):
        self._chance, self._run_s = random.Random(seed), max(run_s, 0.01)
        self.struck = 0

    def strike(self, running) -> int | None:
        """Waits, and sends a signal: which, or nothing if the run has ended before."""
        delay_s = math.exp(self._chance.uniform(math.log(self.FIRST_S), math.log(self._run_s)))
        which = self._chance.choices([signal.SIGKILL, signal.SIGINT, signal.SIGTERM], [8, 1, 1])[0]
        try:
            running.process.wait(delay_s)
            return None
        except subprocess.TimeoutExpired:
            running.send(which)
            self.struck += 1
            return which


def killed_until_done(migration, killer: Killer, kills: int, logs="logs", after_each=lambda: None, **named):
    """Runs, kills and resumes one migration or verification until it is done; `kills` at most."""
    struck_max = killer.struck + kills
    while True:
        # Before run.json was written the run had not begun.
        resume = ["--resume"] if (migration.folder / logs / "run.json").exists() else []
        running = migration.start(*resume, logs=logs, **named)
        which = killer.strike(running) if killer.struck < struck_max else None
        run = running.wait()
        after_each()
        if run.code == EXIT_DONE:
            return run
        # A signal that comes before the program has asked for it ends it as any other program.
        assert which is not None and run.code in (-which, EXIT_INTERRUPTED), run


def assert_all_copied(migration, run, keys):
    """Each key once, in order, and none with another outcome. (`outcomes` raises for a key that is there twice.)"""
    outcomes = migration.logs.outcomes
    assert outcomes.keys() == set(keys), "a key is lost, or was never ours"
    assert {key: outcome for key, outcome in outcomes.items() if outcome != "copied"} == {}
    assert migration.logs.failed == []
    assert (run.summary["not_reached"], run.summary["failed"]) == (0, 0)
    check_log(migration).expect(EXIT_DONE)


# Migrations


def test_killed_between_clusters_nothing_is_lost_doubled_or_left(
    ceph_source, ceph_target, new_bucket, tmp_path, seed
):
    source, client = S3Client.of(ceph_source), S3Client.of(ceph_target)
    small = make_objects(250, 3 * MEBIBYTE, seed + 31, list(ODD_KEYS.values()), tags=True, size_max=MEBIBYTE)
    large = [
        in_parts("img/in parts", 5 * MEBIBYTE, 3, 7, seed=seed, tags={"t": "v"}),
        LargeObject("0 single", 12 * MEBIBYTE + 1, seed=seed, headers={"x-amz-meta-a": "b"}),
        LargeObject("zz last", 17 * MEBIBYTE, seed=seed + 1),
    ]
    source_bucket = new_bucket(ceph_source)
    fill(source, source_bucket, small)
    for item in large:
        put_large(source, source_bucket, item)
    keys = [item.key for item in small + large]
    source_before = source.listing(source_bucket)

    def migration(name: str) -> Migration:
        sides = Side.of(ceph_source, source_bucket), Side.of(ceph_target, new_bucket(ceph_target))
        options = [*OPTIONS, "--allow-weak-conditions"]
        return Migration(*sides, tmp_path / name, keys, options=options, chunks=2)

    killer = Killer(f"{seed} ceph", migration("undisturbed").run().expect(EXIT_DONE).seconds)
    round_number = 0
    while killer.struck < math.ceil(KILLS / 2):
        round_number += 1
        one = migration(f"round-{round_number}")
        bucket = one.target.bucket

        def what_is_logged_is_there():
            missing = one.logs.settled_keys() - client.listing(bucket).keys()
            assert not missing, f"logged and not there: {sorted(missing)[:5]}"

        left = math.ceil(KILLS / 2) - killer.struck
        run = killed_until_done(
            one, killer, min(left, KILLS_PER_ROUND), after_each=what_is_logged_is_there
        )
        assert_all_copied(one, run, keys)
        assert client.listing(bucket).keys() == set(keys), "scratch objects, or others"
        assert different(client, bucket, small, large) == []
        assert open_uploads(client, bucket) == []
    assert source.listing(source_bucket) == source_before


def different(client, bucket, small, large) -> list[str]:
    """What boto3 finds wrong, byte by byte; that there is nothing else in the bucket is asked elsewhere."""
    of_large = {item.key for item in large}
    wrong = differences(client, bucket, small)
    wrong = [line for line in wrong if line not in {f"not expected: {key!r}" for key in of_large}]
    return wrong + sum((large_differences(client, bucket, item) for item in large), [])


def test_killed_between_fakes_nothing_is_lost_doubled_or_left(fakes, seed):
    """They tell the truth about conditions, and keep everything where it can be looked at."""
    for number in range(250):
        fakes.source.put("bucket", f"{number % 7}/object-{number:05}", b"%d" % number * (number % 60))
    for key in ODD_KEYS.values():
        fakes.source.put("bucket", key, key.encode())
    for number, name in enumerate(["3/large", "zz large"]):
        item = LargeObject(name, 11 * MEBIBYTE + number, seed=seed)
        fakes.source.put("bucket", name, item.piece(0, item.size_bytes))
    keys = fakes.source.store.objects("bucket").keys()
    fakes.source.latency_s = fakes.target.latency_s = 0.002
    target = fakes.target.store

    def what_is_logged_is_there():
        missing = one.logs.settled_keys() - target.objects("bucket").keys()
        assert not missing, f"logged and not there: {sorted(missing)[:5]}"

    one = fakes.migration(None, *OPTIONS)
    killer = Killer(f"{seed} fakes", one.run().expect(EXIT_DONE).seconds)
    while killer.struck < KILLS // 2:
        for key in target.objects("bucket").copy():
            target.delete("bucket", key)
        one = fakes.migration(None, *OPTIONS, chunks=2)
        left = KILLS // 2 - killer.struck
        run = killed_until_done(
            one, killer, min(left, KILLS_PER_ROUND), after_each=what_is_logged_is_there
        )
        assert_all_copied(one, run, keys)
        assert fakes.wrong() == []
        assert target.open_uploads("bucket") == []


# Verifications


def test_a_killed_verification_finds_the_same_and_writes_nothing(fakes, seed):
    for number in range(400):
        body = b"%d" % number
        fakes.source.put("bucket", f"{number % 5}/{number:04}", body)
        fakes.target.put("bucket", f"{number % 5}/{number:04}", body)
    fakes.source.latency_s = fakes.target.latency_s = 0.004
    before = dict(fakes.target.store.objects("bucket"))
    named = dict(logs="verify-logs", command="verify", dest_folder=None)
    first = fakes.migration(None, *OPTIONS[4:])
    killer = Killer(f"{seed} verify", first.run(**named).expect(EXIT_DONE).seconds)
    while killer.struck < KILLS // 4:
        one = fakes.migration(None, *OPTIONS[4:], chunks=2)
        left = KILLS // 4 - killer.struck
        run = killed_until_done(one, killer, min(left, KILLS_PER_ROUND), **named)
        assert run.logs.findings == dict.fromkeys(sorted(before), "same")
        assert run.summary["not_reached"] == 0
        check_log(one, "verify-logs").expect(EXIT_DONE)
    assert fakes.target.store.objects("bucket") == before
    assert not [entry for entry in fakes.record.entries("target") if entry.method not in ("GET", "HEAD")]


# Listings


class Listing:
    """A run of s3find whose process a `Killer` strikes."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [program("s3find"), "--quiet", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            start_new_session=True,
        )

    def send(self, which):
        self.process.send_signal(which)

    def wait(self) -> int:
        error = self.process.communicate(timeout=60)[1]
        assert self.process.returncode in (0, 130, -9, -2, -15), error
        return self.process.returncode


@pytest.mark.parametrize("way", ["tree", "from"])
def test_a_killed_listing_is_whole_or_refused(fakes, tmp_path, seed, way):
    """Whole means: it has a manifest, and lists everything. All else is refused, and says what would allow it."""
    # A file of keys is read much sooner than a tree, and has to take its time too.
    count = 8000 if way == "tree" else 300_000
    names = [f"{number % 40:02}/{number:06}" for number in range(count)]
    if way == "tree":
        made(tmp_path / "tree", names)
    else:
        (tmp_path / "keys").write_text("".join(f"{name}\n" for name in reversed(names)))
    arguments = [tmp_path / "tree"] if way == "tree" else ["--from", tmp_path / "keys"]
    arguments = ["--chunk-size", str(count // 16), *arguments]
    started = time.monotonic()
    assert Listing(*arguments, tmp_path / "whole").wait() == 0
    killer = Killer(f"{seed} find {way}", time.monotonic() - started)
    refused = 0
    for turn in range(max(KILLS // 8, 10)):
        out = tmp_path / f"out-{turn}"
        listing = Listing(*arguments, out)
        killer.strike(listing)
        code = listing.wait()
        if (out / "manifest.json").exists():
            assert listed(out) == sorted(names)
        else:
            assert code != 0, "it said that it is done"
            refused += assert_refused(fakes, out)
    assert refused >= 1, "no listing was caught in the middle"


def made(folder: Path, names):
    for name in names:
        path = folder / name
        if name.endswith(("00", "01")) or not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def listed(out: Path) -> list[str]:
    chunks = json.loads((out / "manifest.json").read_text())["chunks"]
    return [key for chunk in chunks for key in (out / chunk["name"]).read_text().splitlines()]


def assert_refused(fakes, out: Path) -> bool:
    """An empty folder is refused as one without lists. Returns whether there was something to be taken in by."""
    if not out.exists():
        return False
    run = fakes.migration([]).run("--dry-run", src_folder=out).expect(EXIT_USAGE)
    run.mentions(str(out))
    has_lists = any(path for path in out.iterdir() if not path.name.startswith("."))
    if has_lists:
        run.mentions("--allow-incomplete-list")
    return True
