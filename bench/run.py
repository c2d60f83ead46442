"""s3migrate side by side with `rclone copy`, between the same two endpoints, in one run: `make bench`.

Machines are shared and noisy, so the programs run in turn, round after round, and what counts is the ratio of the
medians. Each round copies into a new, empty bucket. The clients' own CPU and peak memory come from the kernel's
accounting of the finished process (wait4).
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "Tests" / "EndToEnd"))

from s3client import S3Client, at_once  # noqa: E402
from servers import KINDS  # noqa: E402
from servers.rclone import rclone_program  # noqa: E402

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Scenario:
    name: str
    object_bytes: int
    count: int


SCENARIOS = [Scenario("4 KiB", 4 * KIB, 3_000), Scenario("1 MiB", MIB, 300)]


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure(command: list[str], environment: dict[str, str]) -> Measured:
    """Runs the command to its end; a failure ends the bench, since a run that failed says nothing."""
    begin = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{command[0]} failed ({status}):\n{output.decode(errors='replace')[-3000:]}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


class Contest:
    """Two servers, a full bucket on the first, and the two programs."""

    def __init__(self, source, target, scenario: Scenario, folder: Path, s3migrate: str):
        self.source, self.target, self.scenario = source, target, scenario
        self.folder, self.s3migrate = folder, s3migrate
        self.rounds = 0
        client = S3Client.of(source)
        client.request("PUT", "bench")
        body = os.urandom(scenario.object_bytes)
        keys = [f"folder-{number % 50:02}/object-{number:06}" for number in range(scenario.count)]
        at_once(lambda key: client.request("PUT", "bench", key, body=body), keys)
        lists = folder / "lists"
        lists.mkdir()
        (lists / "keys").write_text("".join(f"{key}\n" for key in sorted(keys)))
        (folder / "nothing-known").mkdir()

    def new_bucket(self) -> str:
        self.rounds += 1
        name = f"round-{self.rounds}"
        S3Client.of(self.target).request("PUT", name)
        return name

    def forget(self, bucket: str):
        """Empties a round's bucket, so that a server in memory does not grow."""
        client = S3Client.of(self.target)
        keys = [f"folder-{number % 50:02}/object-{number:06}" for number in range(self.scenario.count)]
        at_once(lambda key: client.request("DELETE", bucket, key, expect=range(200, 500)), keys)

    def ours(self, bucket: str) -> Measured:
        logs = self.folder / bucket
        command = [
            self.s3migrate, "--src-url", self.source.url, "--src-bucket", "bench", "--src-folder", f"{self.folder}/lists",
            "--dest-url", self.target.url, "--dest-bucket", bucket, "--dest-folder", f"{self.folder}/nothing-known",
            "--log-folder", str(logs), "--allow-weak-conditions",
        ]
        return measure(command, {
            "S3MIGRATE_SRC_KEY": self.source.key, "S3MIGRATE_SRC_SECRET": self.source.secret,
            "S3MIGRATE_DEST_KEY": self.target.key, "S3MIGRATE_DEST_SECRET": self.target.secret})

    def rclone(self, bucket: str, *options: str) -> Measured:
        def remote(name, server):
            prefix = f"RCLONE_CONFIG_{name}_"
            return {f"{prefix}TYPE": "s3", f"{prefix}PROVIDER": "Other", f"{prefix}ENDPOINT": server.url,
                    f"{prefix}ACCESS_KEY_ID": server.key, f"{prefix}SECRET_ACCESS_KEY": server.secret,
                    f"{prefix}NO_CHECK_BUCKET": "true"}
        command = [str(rclone_program()), "copy", "--config", os.devnull, *options, "src:bench", f"dst:{bucket}"]
        return measure(command, remote("SRC", self.source) | remote("DST", self.target))


TUNED = ["--transfers", "64", "--checkers", "64", "--fast-list", "--ignore-checksum", "--ignore-times"]


def contest(kind: str, scenario: Scenario, rounds: int, s3migrate: str):
    with KINDS[kind]() as source, KINDS[kind]() as target, tempfile.TemporaryDirectory() as folder:
        match = Contest(source, target, scenario, Path(folder), s3migrate)
        programs = {
            "s3migrate": match.ours,
            "rclone": match.rclone,
            "rclone tuned": lambda bucket: match.rclone(bucket, *TUNED),
        }
        results = {name: [] for name in programs}
        for number in range(rounds + 1):
            for name, run in programs.items():
                bucket = match.new_bucket()
                measured = run(bucket)
                match.forget(bucket)
                if number > 0:  # the first round warms up
                    results[name].append(measured)
        report(kind, scenario, results)


def report(kind: str, scenario: Scenario, results: dict[str, list[Measured]]):
    ours = statistics.median(m.seconds for m in results["s3migrate"])
    for name, measured in results.items():
        seconds = statistics.median(m.seconds for m in measured)
        cpu = statistics.median(m.cpu_seconds for m in measured) / scenario.count * 1e6
        peak = max(m.peak_mib for m in measured)
        spread = f"{min(m.seconds for m in measured):.2f}–{max(m.seconds for m in measured):.2f}"
        print(f"| {kind} | {scenario.name} × {scenario.count} | {name} | {scenario.count / seconds:,.0f} | {spread} "
              f"| {cpu:,.0f} | {peak:,.0f} | {seconds / ours:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", nargs="*", default=["rclone-memory", "ceph"], choices=list(KINDS))
    parser.add_argument("--s3migrate", default=str(TOP / ".build/release/s3migrate"))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    version = subprocess.run([rclone_program(), "version"], capture_output=True, text=True).stdout.splitlines()[0]
    print(f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {version}, {options.rounds} rounds\n")
    print("| servers | objects | client | objects/s | seconds, min–max | client CPU, µs an object | peak memory, MiB "
          "| time, as a multiple of s3migrate's |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in options.servers:
        for scenario in SCENARIOS:
            contest(kind, scenario, options.rounds, options.s3migrate)


if __name__ == "__main__":
    main()
