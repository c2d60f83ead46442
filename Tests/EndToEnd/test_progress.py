"""What an operator watches: the line, the status file, the dry run, and the first few."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest
from dataset import MEBIBYTE
from odd_keys import ODD_KEYS
from program import EXIT_DONE, program
from progress_line import progress_lines

STATUS_FIELDS = {
    "bytes_transferred",
    "files_total",
    "percent_complete",
    "throughput_current",
    "estimated_end_time",
}
"""As in Qumulo Shift's job status."""


def sixty(fakes, latency_s):
    for number in range(60):
        fakes.source.put("bucket", f"k{number:02}", b"x" * 10_000)
    fakes.source.latency_s = fakes.target.latency_s = latency_s
    return fakes.migration(None, "--threads", "1", "--transfers", "1")


def wait_until(is_so, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def run_on_a_terminal(migration, *options) -> tuple[int, str]:
    """What a terminal of 200 columns receives, and the exit code."""
    master, slave = pty.openpty()
    subprocess.run(["stty", "cols", "200"], stdin=slave, check=True)
    process = subprocess.Popen(
        [program("s3migrate"), *migration.arguments(), *migration.options, *options],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=migration.environment() | {"TERM": "xterm"},
        cwd=migration.folder,
        start_new_session=True,
    )
    os.close(slave)
    received, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        received += _read(master)
    received += _read(master)
    os.close(master)
    if process.poll() is None:
        process.kill()
    return process.wait(), received.decode(errors="replace")


def _read(descriptor) -> bytes:
    try:
        return os.read(descriptor, 65536) if select.select([descriptor], [], [], 0.1)[0] else b""
    except OSError:
        return b""  # the other end was closed


def test_a_terminal_shows_one_line_that_is_rewritten(fakes):
    code, text = run_on_a_terminal(sixty(fakes, latency_s=0.02))
    assert code == EXIT_DONE, text
    lines = progress_lines(text)
    assert len(lines) >= 2
    assert [int(line["upld"]) for line in lines] == sorted(int(line["upld"]) for line in lines)
    last = lines[-1]
    assert (last["obj"], last["upld"], last["work"], last["percent"], last["fail"]) == (
        "60",
        "60",
        "0",
        "100",
        "0",
    )
    fed = len([line for line in text.split("\n") if progress_lines(line)])
    assert fed < len(lines), "the line is rewritten, not repeated below itself"


def test_without_a_terminal_there_is_a_line_every_ten_seconds_and_a_status_file(fakes):
    migration = sixty(fakes, latency_s=0.11)
    status_file = migration.folder / "status.json"
    running = migration.start("--status-file", status_file)
    seen = []
    while running.process.poll() is None:
        time.sleep(0.4)
        if status_file.exists():
            seen.append(
                json.loads(status_file.read_bytes())
            )  # whole at any moment: it is replaced, not rewritten
    run = running.wait().expect(EXIT_DONE)
    assert run.seconds > 10.5
    lines = progress_lines(run.output)
    assert 1 <= len(lines) <= 4
    assert "\r" not in run.output
    assert lines[-1]["obj"] == "60"

    assert all(STATUS_FIELDS <= status.keys() for status in seen)
    assert len({status["bytes_transferred"] for status in seen}) > 4
    final = json.loads(status_file.read_bytes())
    assert (final["files_total"], final["bytes_transferred"]) == (60, 600_000)
    assert float(final["percent_complete"]) == 100
    assert not [
        path
        for path in migration.folder.iterdir()
        if path.name.startswith((".status", "status.json."))
    ]


def test_the_counts_of_the_last_line_are_those_of_the_summary(fakes):
    for number in range(40):
        fakes.source.put("bucket", f"k{number:02}", b"body")
        if number < 5:
            fakes.target.put("bucket", f"k{number:02}", b"body")
        if 5 <= number < 12:
            fakes.target.put("bucket", f"k{number:02}", b"other")
    keys = [*(f"k{number:02}" for number in range(40)), "x-gone", "y-gone"]
    migration = fakes.migration(keys, target_keys=[f"k{number:02}" for number in range(5)])
    run = migration.run().expect(EXIT_DONE)
    last = progress_lines(run.output)[-1]
    shown = {
        name: int(last[name])
        for name in ("obj", "ign", "exist", "work", "fail", "dn", "up", "upld")
    }
    assert shown == {
        "obj": 42,
        "ign": 0,
        "exist": 5,
        "work": 0,
        "fail": 0,
        "dn": 2,
        "up": 7,
        "upld": 28,
    }
    summary = run.summary
    assert [
        summary[name] for name in ("objects", "exist", "copied", "skipped_source", "skipped_target")
    ] == [42, 5, 28, 2, 7]
    assert summary["exit_code"] == 0
    assert summary["bytes_copied"] == 28 * 4
    assert summary["seconds"] >= 0


def test_a_dry_run_writes_nothing_anywhere(fakes):
    for number in range(50):
        fakes.source.put("bucket", f"k{number:02}", b"body")
    keys = [*fakes.source.store.objects("bucket"), "z-gone"]
    migration = fakes.migration(keys, target_keys=["k07"])
    fakes.target.put("bucket", "k07", b"body")
    before = {
        path: path.stat().st_mtime_ns
        for path in migration.folder.rglob("*")
        if "output" not in path.parts
    }
    run = migration.run("--dry-run").expect(EXIT_DONE)
    assert set(entry.method for entry in fakes.record.entries("target")) <= {"HEAD", "GET"}
    assert set(entry.method for entry in fakes.record.entries("source")) <= {"HEAD", "GET"}
    assert fakes.record.counts("source", "GetObject") == {}
    assert fakes.target.store.objects("bucket").keys() == {"k07"}
    after = {
        path: path.stat().st_mtime_ns
        for path in migration.folder.rglob("*")
        if "output" not in path.parts
    }
    # The file that takes this run's own output is ours.
    assert after == before
    assert re.search(r"\b49\b", run.output), run
    run.mentions("dry")


def test_a_dry_run_needs_no_log_folder_of_its_own(fakes):
    """A look at what a resume would do must be possible beside a used log folder."""
    fakes.put_source(a=b"body")
    migration = fakes.migration()
    migration.run().expect(EXIT_DONE)
    migration.run("--dry-run", "--resume").expect(EXIT_DONE)


def test_the_guides_dry_run_of_the_first_ten_thousand(fakes):
    for number in range(120):
        fakes.source.put("bucket", f"k{number:03}", b"body")
    fakes.migration().run("--dry-run", "--first", 100).expect(EXIT_DONE)
    asked = fakes.record.counts("source", "HeadObject")
    assert {key for key in asked if key.startswith("k")} <= {
        f"k{number:03}" for number in range(100)
    }
    assert len(asked) >= 90


def test_the_first_of_a_list(fakes):
    for key in [*ODD_KEYS.values(), *(f"k{number:02}" for number in range(50))]:
        fakes.source.put("bucket", key, b"body")
    keys = sorted(fakes.source.store.objects("bucket"), key=str.encode)
    migration = fakes.migration(chunks=3)
    run = migration.run("--first", 30).expect(EXIT_DONE)
    assert run.logs.outcomes == {key: "copied" for key in keys[:30]}
    assert run.summary["copied"] == 30
    migration.run("--resume").expect(EXIT_DONE)
    assert fakes.wrong() == []


def test_the_estimate_is_there_when_sizes_are_known(fakes):
    for number in range(30):
        fakes.source.put("bucket", f"k{number:02}", b"x" * MEBIBYTE)
    fakes.source.latency_s = 0.1
    migration = fakes.migration([], "--threads", "1", "--transfers", "1")
    (migration.source_lists / "chunk-000").write_bytes(
        b"".join(b"k%02d\t%d\n" % (n, MEBIBYTE) for n in range(30))
    )
    _, text = run_on_a_terminal(migration)
    estimates = [line["eta"] for line in progress_lines(text)]
    assert any(re.fullmatch(r"0h:0+m:\d+s", estimate) for estimate in estimates), estimates


@pytest.mark.parametrize("which", [signal.SIGINT])
def test_an_interrupted_run_leaves_a_true_summary(fakes, which):
    migration = sixty(fakes, latency_s=0.1)
    running = migration.start()
    # The preflight and the probe are some forty requests; a signal before the first object leaves no summary.
    wait_until(lambda: fakes.record.counts("target", "PutObject")["k02"] > 0)
    running.send(which)
    run = running.wait()
    assert run.code == 130, run
    summary = run.summary
    assert summary["exit_code"] == 130
    assert summary["copied"] + summary["not_reached"] == 60
    assert summary["copied"] == len(fakes.target.store.objects("bucket"))
