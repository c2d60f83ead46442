"""The programs that are compared, each as a command line for a scenario between two places."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from endpoints import SOURCE_BUCKET, TOOLS, Place
from scenarios import MIB, Scenario
from servers.rclone import rclone_program

OURS, RCLONE, TUNED = "s3migrate", "rclone", "rclone tuned"
CURL, RAW = "curl relay", "raw relay"
DRY = "s3migrate --dry-run"
HAND_SET = [f"s3migrate --threads {threads} --transfers {count}" for threads in (1, 2, 4) for count in (8, 32, 128)]
"""What an operator may try instead of the defaults."""


@dataclass(frozen=True)
class Command:
    line: list[str]
    environment: dict[str, str] = field(default_factory=dict)


class Clients:
    """What there is to run. The lists are written once, before anything is measured."""

    def __init__(self, scenario: Scenario, pair, folder: Path, s3migrate: str):
        self.scenario, self.pair, self.folder, self.s3migrate = scenario, pair, folder, s3migrate
        for name in ("source-lists", "target-lists"):
            (folder / name).mkdir()
        self._write_lists()

    def _write_lists(self):
        chunk_keys = 100_000
        sides = ["source-lists"] + (["target-lists"] if self.scenario.kind != "copy" else [])
        for first in range(0, self.scenario.count, chunk_keys):
            last = min(first + chunk_keys, self.scenario.count)
            text = "".join(f"{self.scenario.key(number)}\n" for number in range(first, last))
            for side in sides:
                (self.folder / side / f"keys-{first // chunk_keys:04}").write_text(text)

    @property
    def names(self) -> list[str]:
        if self.scenario.kind == "lists":
            return [OURS, DRY]
        # The relays know no second pass, and their requests are those of the fast endpoint. The raw one speaks no TLS.
        can_relay = self.pair.name == "fast" and self.scenario.kind == "copy"
        relays = [CURL, *([] if self.scenario.https else [RAW])] if can_relay else []
        return [OURS, RCLONE, TUNED, *relays]

    def command(self, name: str, bucket: str) -> Command:
        match name:
            case ours if ours.split()[0] == OURS:
                return self._ours(bucket, *ours.split()[1:])
            case "rclone":
                return self._rclone(bucket)
            case "rclone tuned":
                return self._rclone(bucket, *self._tuning())
            case "curl relay":
                return self._curl(bucket)
            case "raw relay":
                return self._raw(bucket)
        raise ValueError(f"no client is called {name!r}")

    # Ours

    def _ours(self, bucket: str, *options: str) -> Command:
        source, target = self.pair.source, self.pair.target
        line = [self.s3migrate, *options]
        line += ["--src-url", source.url, "--src-bucket", SOURCE_BUCKET]
        line += ["--src-folder", f"{self.folder}/source-lists"]
        line += ["--dest-url", target.url, "--dest-bucket", bucket]
        line += ["--dest-folder", f"{self.folder}/target-lists"]
        line += ["--log-folder", str(self.folder / f"logs-{bucket}")]
        if source.certificate and target.certificate:
            line += ["--src-ca-file", str(source.certificate), "--dest-ca-file", str(target.certificate)]
        if self.pair.name != "fast":
            line += ["--allow-weak-conditions"]
        secrets = {"SWIFT_BACKTRACE": "enable=no"}
        for side, place in (("SRC", source), ("DEST", target)):
            secrets |= {f"S3MIGRATE_{side}_KEY": place.key, f"S3MIGRATE_{side}_SECRET": place.secret}
        return Command(line, secrets)

    def reason(self, bucket: str) -> str | None:
        """Why ours failed, by the first line of its failed.log: class and message."""
        log = self.folder / f"logs-{bucket}" / "failed.log"
        if not log.exists() or not log.stat().st_size:
            return None
        fields = log.read_text(errors="replace").splitlines()[0].split("\t")
        return f"{fields[2]}: {fields[-1]}"

    # rclone

    def _rclone(self, bucket: str, *options: str) -> Command:
        line = [str(rclone_program()), "copy", "--config", os.devnull, *options]
        if self.pair.source.certificate:
            line += ["--ca-cert", str(self.pair.source.certificate)]
        line += [f"src:{SOURCE_BUCKET}", f"dst:{bucket}"]
        remotes = _remote("SRC", self.pair.source) | _remote("DST", self.pair.target)
        return Command(line, remotes)

    def _tuning(self) -> list[str]:
        """What experts set by hand, with rclone's own checks off where ours are on all the same."""
        if self.scenario.kind == "exist":
            return ["--fast-list", "--size-only", "--checkers", "64"]
        checks_off = ["--ignore-checksum", "--ignore-times", "--no-check-dest", "--s3-no-head"]
        if self.scenario.is_small:
            return [*checks_off, "--transfers", "64", "--checkers", "64", "--fast-list"]
        parts = ["--s3-chunk-size", "16Mi", "--s3-upload-concurrency", "8"]
        if max(self.scenario.sizes) > 256 * MIB:
            return [*checks_off, *parts, "--multi-thread-streams", "8"]
        return [*checks_off, *parts, "--transfers", "16", "--s3-upload-cutoff", "128Mi"]

    # The relays

    def _curl(self, bucket: str) -> Command:
        line = self._relay("curl-relay", bucket)
        line += ["--threads", "2", "--transfers", "32" if self.scenario.is_small else "4"]
        if self.scenario.https:
            line += ["--ca-file", str(self.pair.source.certificate)]
        return Command(line)

    def _raw(self, bucket: str) -> Command:
        threads, connections = (4, 16) if self.scenario.is_small else (2, 4)
        line = self._relay("relay", bucket)
        return Command([*line, "--threads", str(threads), "--connections", str(connections)])

    def _relay(self, program: str, bucket: str) -> list[str]:
        line = [str(TOOLS / program), "--bucket", bucket, "--objects", str(self.scenario.count)]
        line += ["--object-size", ",".join(map(str, self.scenario.sizes)), "--part-size", "8MiB"]
        return [*line, "--source", str(self.pair.source.port), "--target", str(self.pair.target.port)]


def _remote(name: str, place: Place) -> dict[str, str]:
    """A remote of rclone's by environment variables."""
    prefix = f"RCLONE_CONFIG_{name}_"
    return {
        f"{prefix}TYPE": "s3",
        f"{prefix}PROVIDER": "Other",
        f"{prefix}ENDPOINT": place.url,
        f"{prefix}ACCESS_KEY_ID": place.key,
        f"{prefix}SECRET_ACCESS_KEY": place.secret,
        f"{prefix}NO_CHECK_BUCKET": "true",
    }
