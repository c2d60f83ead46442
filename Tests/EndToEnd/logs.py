"""The log files of a run, read as an operator's scripts would read them: fields between tabs, keys
escaped as in lists."""

import json
from dataclasses import dataclass
from pathlib import Path

from keylist import key_order, unescaped

OUTCOMES = {"copied", "exist", "skip-dn", "skip-up", "fail"}
VERIFY_OUTCOMES = {"same", "differs", "missing", "gone", "extra", "fail"}


@dataclass(frozen=True)
class LogLine:
    """A line of migrate.log."""

    key: str
    outcome: str
    bytes: int | None
    etag: str
    proof: str
    milliseconds: float


@dataclass(frozen=True)
class FailedLine:
    """A line of failed.log."""

    key: str
    stage: str
    error_class: str
    http_status: str
    s3_code: str
    attempts: int
    our_etag: str
    message: str


class Logs:
    """The log folder of a run."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def lines(self) -> list[LogLine]:
        """migrate.log. Raises when a line has not the form that is promised."""
        return [_log_line(raw, OUTCOMES) for raw in self._raw("migrate.log")]

    @property
    def verified(self) -> list[LogLine]:
        """verify.log."""
        return [_log_line(raw, VERIFY_OUTCOMES) for raw in self._raw("verify.log")]

    @property
    def failed(self) -> list[FailedLine]:
        return [_failed_line(raw) for raw in self._raw("failed.log")]

    @property
    def outcomes(self) -> dict[str, str]:
        """Key → outcome. Raises when a key stands there twice or the keys are not in byte order."""
        return _in_order(self.lines)

    @property
    def findings(self) -> dict[str, str]:
        """As `outcomes`, of verify.log."""
        return _in_order(self.verified)

    def keys_with(self, outcome: str) -> set[str]:
        return {key for key, found in self.outcomes.items() if found == outcome}

    @property
    def proofs(self) -> dict[str, str]:
        return {line.key: line.proof for line in self.lines}

    @property
    def summary(self) -> dict:
        return json.loads((self.folder / "summary.json").read_bytes())

    def settled_keys(self) -> set[str]:
        """Keys whose outcome is certain to be in migrate.log or ahead.log, though the last lines
        may be torn by a crash."""
        keys = set()
        for name in ("migrate.log", "verify.log", "ahead.log"):
            path = self.folder / name
            whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
            keys |= {
                unescaped(raw.split(b"\t")[0])
                for raw in whole.split(b"\n")
                if raw.count(b"\t") >= 5
            }
        return keys

    def _raw(self, name: str) -> list[bytes]:
        path = self.folder / name
        content = path.read_bytes() if path.exists() else b""
        assert content == b"" or content.endswith(b"\n"), f"{name} ends in the middle of a line"
        return content.split(b"\n")[:-1]


IDENTITY = (
    "before",
    "ignored",
    "exist",
    "copied",
    "skipped_source",
    "skipped_target",
    "failed",
    "not_reached",
)


def assert_identity(summary: dict):
    """obj = before + ign + exist + copied + skip(dn) + skip(up) + fail + not reached."""
    found = summary.get("verify", {})
    compared = sum(found.get(name, 0) for name in VERIFY_OUTCOMES - {"fail"})
    assert summary["objects"] == sum(summary[name] for name in IDENTITY) + compared, summary
    assert summary.get("identity_holds", True) is True


def _in_order(lines: list[LogLine]) -> dict[str, str]:
    keys = [line.key for line in lines]
    assert all(key_order(a) < key_order(b) for a, b in zip(keys, keys[1:])), (
        "the log is not in key order"
    )
    return {line.key: line.outcome for line in lines}


def _log_line(raw: bytes, outcomes: set[str]) -> LogLine:
    key, outcome, size, etag, proof, milliseconds = raw.split(b"\t")
    assert outcome.decode() in outcomes, raw
    return LogLine(
        unescaped(key),
        outcome.decode(),
        None if size == b"-" else int(size),
        etag.decode(),
        proof.decode(),
        0 if milliseconds == b"-" else float(milliseconds),
    )


def _failed_line(raw: bytes) -> FailedLine:
    key, stage, error_class, status, code, attempts, etag, message = raw.split(b"\t")
    return FailedLine(
        unescaped(key),
        stage.decode(),
        error_class.decode(),
        status.decode(),
        code.decode(),
        int(attempts),
        etag.decode(),
        message.decode(),
    )
