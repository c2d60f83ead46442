"""One long run, watched: do its memory and its descriptors stay flat? `make soak`, or `Scripts/soak.sh MINUTES`.

One process copies small objects (and now and then one in parts) between the two fast endpoints for so many minutes, and
is sampled every second. A leak of a hundred bytes for each object shows within minutes.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import endpoints
from clients import Clients
from endpoints import TOP, FastPair
from scenarios import KIB, MIB, Scenario

SIZES = (4 * KIB,) * 60 + (64 * KIB,) * 2 + (MIB, 9 * MIB)
OPTIONS = ["--multipart-threshold", "8MiB", "--part-size", "5MiB"]
OBJECTS_PER_SECOND_MAX = 20_000
"""The lists have so many for each second, so that the run is ended by us and not by them."""

WARM_UP_SHARE = 0.1
"""Buffers, connections and the allocator's arenas grow to what the run needs."""
GROWTH_SHARE_MAX, GROWTH_KIB_MAX = 0.05, 4 * 1024
"""What the last third may have more than the first: the larger of the two. The allocator is never quite still."""
MORE_DESCRIPTORS_MAX = 2
SAMPLES_MIN = 12


@dataclass(frozen=True)
class Sample:
    seconds: float
    resident_kib: int
    descriptors: int
    objects: int


def thirds(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """The first and the last third of what comes after the warm-up."""
    begin = samples[-1].seconds * WARM_UP_SHARE
    warm = [sample for sample in samples if sample.seconds >= begin]
    third = len(warm) // 3
    return warm[:third], warm[-third:]


def verdict(samples: list[Sample]) -> list[str]:
    """What did not stay flat, in sentences; a run that did nothing was no soak."""
    if len(samples) < SAMPLES_MIN:
        return [f"{len(samples)} samples say nothing"]
    first, last = thirds(samples)
    found = []
    before, after = (statistics.median(s.resident_kib for s in third) for third in (first, last))
    if after - before > max(before * GROWTH_SHARE_MAX, GROWTH_KIB_MAX):
        found.append(f"resident memory grew from {before:.0f} to {after:.0f} KiB")
    before, after = (statistics.median(s.descriptors for s in third) for third in (first, last))
    if after - before > MORE_DESCRIPTORS_MAX:
        found.append(f"descriptors grew from {before:.0f} to {after:.0f}")
    if last[-1].objects <= last[0].objects:
        found.append("nothing was copied in the last third")
    return found


def report(samples: list[Sample]) -> str:
    lines = []
    for name, third in zip(("first third", "last third"), thirds(samples)):
        resident = statistics.median(s.resident_kib for s in third) / 1024
        descriptors = statistics.median(s.descriptors for s in third)
        lines.append(f"{name}: {resident:.1f} MiB resident, {descriptors:.0f} descriptors (medians)")
    peak = max(s.resident_kib for s in samples) / 1024
    end = samples[-1]
    return "\n".join([*lines, f"peak {peak:.1f} MiB; {end.objects} objects in {end.seconds:.0f} s"])


def sample(pid: int, status_file: Path, begin: float) -> Sample | None:
    """Nothing when the process is about to end."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        [resident_kib] = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, ValueError):
        return None
    # The file is replaced as a whole, so it is there in full or not yet.
    status = json.loads(status_file.read_text()) if status_file.exists() else {}
    return Sample(time.monotonic() - begin, resident_kib, descriptors, status.get("files_transferred", 0))


def watch(process: subprocess.Popen, seconds: float, status_file: Path) -> list[Sample]:
    begin, samples = time.monotonic(), []
    while time.monotonic() - begin < seconds and process.poll() is None:
        if (taken := sample(process.pid, status_file, begin)) and taken.objects:
            samples.append(taken)
        time.sleep(1)
    return samples


def soak(minutes: float, s3migrate: str) -> list[Sample]:
    count = int(minutes * 60 * OBJECTS_PER_SECOND_MAX)
    scenario = Scenario("soak", SIZES, count, count, count)
    endpoints.build_tools()
    with FastPair(scenario, threads=1) as pair, tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        command = Clients(scenario, pair, folder, s3migrate).command("s3migrate", pair.new_bucket(1))
        status_file, output = folder / "status.json", folder / "output"
        line = [*command.line, *OPTIONS, "--status-file", str(status_file)]
        with open(output, "wb") as file:
            process = subprocess.Popen(
                line, env=os.environ | command.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        try:
            samples = watch(process, minutes * 60, status_file)
            # Not SIGINT, which is ignored by what a shell starts in the background.
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
        finally:
            process.kill()
            process.wait()
        # 130 or 143: it was stopped by us, and ended well.
        if code not in (0, 130, 143):
            sys.exit(f"s3migrate ended with {code}\n{output.read_text(errors='replace')[-4000:]}")
        return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", nargs="?", type=float, default=20, help="(default 20)")
    parser.add_argument("--s3migrate", default=str(TOP / ".build/release/s3migrate"), metavar="PROGRAM")
    options = parser.parse_args()
    samples = soak(options.minutes, options.s3migrate)
    if len(samples) >= SAMPLES_MIN:
        print(report(samples))
    found = verdict(samples)
    print("\n".join(found) or "flat")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
