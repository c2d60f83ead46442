"""Running the built programs: the options of a migration, and what came of a run."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from keylist import write_lists
from logs import Logs, assert_identity

TOP = Path(__file__).resolve().parents[2]

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_STOPPED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

RUN_TIMEOUT_S = 150


def program(name: str) -> str:
    """The built program: the path in S3MIGRATE or S3FIND, else the newest of this checkout's
    builds."""
    if given := os.environ.get(name.upper()):
        return given
    built = [
        path
        for path in (TOP / ".build/release" / name, TOP / ".build/debug" / name)
        if path.exists()
    ]
    if not built:
        raise FileNotFoundError(
            f"{name} is not built: run `swift build`, or set {name.upper()} to its path"
        )
    return str(max(built, key=lambda path: path.stat().st_mtime))


def heed_signals():
    """Before a program starts: nothing is ignored that the tests, under nohup for instance, were made to ignore."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def clean_environment(**more: str) -> dict[str, str]:
    """Our environment without what could lend a program credentials or a certificate authority."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "S3MIGRATE_"))
        and name not in ("CURL_CA_BUNDLE", "SSL_CERT_FILE")
    }
    return (
        kept | {"SWIFT_BACKTRACE": "enable=no", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"} | more
    )


@dataclass(frozen=True)
class Side:
    """An endpoint with a bucket and the credentials for it."""

    url: str
    bucket: str
    key: str = "testkey000000000000"
    secret: str = "testsecret00000000000000000000000000000"

    @classmethod
    def of(cls, server, bucket: str) -> "Side":
        """`server`: one of `servers` or a FakeS3."""
        return cls(
            server.url,
            bucket,
            getattr(server, "key", cls.key),
            getattr(server, "secret", cls.secret),
        )


@dataclass
class Run:
    """What came of one run."""

    code: int
    stdout: str
    stderr: str
    logs: Logs
    seconds: float
    command: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        """Everything that an operator would see."""
        return self.stdout + self.stderr

    @property
    def summary(self) -> dict:
        summary = self.logs.summary
        assert_identity(summary)
        return summary

    def expect(self, code: int) -> "Run":
        assert self.code == code, f"exit code {self.code}, expected {code}\n{self}"
        return self

    def mentions(self, *words: str):
        """Each of the words (alternatives are separated by "|") is in the output, whatever its
        case."""
        for word in words:
            alternatives = word.lower().split("|")
            assert any(one in self.output.lower() for one in alternatives), (
                f"nothing of {alternatives} in\n{self}"
            )

    def __str__(self):
        command, out, err = " ".join(self.command), _end(self.stdout), _end(self.stderr)
        return f"{command}\nexit {self.code}\n--- stdout\n{out}\n--- stderr\n{err}"


class Running:
    """A run that goes on; its output goes to files, so that it never waits for a reader."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        folder: Path,
        logs: Logs,
        cwd: Path,
        stdin=None,
    ):
        self.command, self.logs = command, logs
        number = len(list(folder.glob("*.out")))
        self._paths = [folder / f"{number:03}.out", folder / f"{number:03}.err"]
        self._started = time.monotonic()
        with open(self._paths[0], "wb") as out, open(self._paths[1], "wb") as err:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=heed_signals,
            )

    def send(self, which: signal.Signals):
        """To this one process, by its id."""
        if self.process.poll() is None:
            self.process.send_signal(which)

    def wait(self, timeout_s=RUN_TIMEOUT_S) -> Run:
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {timeout_s} s\n{self.result(-9)}") from None
        return self.result(code)

    def result(self, code: int) -> Run:
        out, err = (path.read_text(errors="replace") for path in self._paths)
        return Run(code, out, err, self.logs, time.monotonic() - self._started, self.command)


class Migration:
    """A migration with its lists and logs in one folder; `run` may be called again, as an operator
    would."""

    def __init__(
        self,
        source: Side,
        target: Side,
        folder: Path,
        keys=None,
        target_keys=(),
        options=(),
        chunks=1,
    ):
        self.source, self.target, self.folder = source, target, folder
        self.options: list[str] = list(options)
        self.source_lists, self.target_lists = folder / "source-lists", folder / "target-lists"
        for made in (self.source_lists, self.target_lists, folder / "logs", folder / "output"):
            made.mkdir(parents=True, exist_ok=True)
        if keys is not None:
            write_lists(self.source_lists, keys, chunks)
        if target_keys:
            write_lists(self.target_lists, target_keys, chunks)

    @property
    def logs(self) -> Logs:
        return self.logs_in("logs")

    def logs_in(self, name: str) -> Logs:
        return Logs(self.folder / name)

    def arguments(self, logs="logs", **replaced) -> list[str]:
        """All options but the secrets. `replaced`: src_url="…" puts another value, None leaves the
        option out."""
        values = {
            "src_url": self.source.url,
            "src_bucket": self.source.bucket,
            "src_key": self.source.key,
            "src_folder": self.source_lists,
            "dest_url": self.target.url,
            "dest_bucket": self.target.bucket,
            "dest_key": self.target.key,
            "dest_folder": self.target_lists,
            "log_folder": self.folder / logs,
        } | replaced
        pairs = [
            ("--" + name.replace("_", "-"), str(value))
            for name, value in values.items()
            if value is not None
        ]
        return [word for pair in pairs for word in pair]

    def environment(self) -> dict[str, str]:
        return clean_environment(
            S3MIGRATE_SRC_SECRET=self.source.secret, S3MIGRATE_DEST_SECRET=self.target.secret
        )

    def start(
        self, *options, logs="logs", environment=None, command=None, **replaced
    ) -> Running:
        """`command`: one that takes a migration's options, `verify`."""
        (self.folder / logs).mkdir(exist_ok=True)
        command = [
            program("s3migrate"),
            *([command] if command else []),
            *self.arguments(logs, **replaced),
            *self.options,
            *map(str, options),
        ]
        return Running(
            command,
            environment or self.environment(),
            self.folder / "output",
            self.logs_in(logs),
            cwd=self.folder,
        )

    def run(self, *options, timeout_s=RUN_TIMEOUT_S, **named) -> Run:
        """Runs to the end. `logs="other"` takes another log folder."""
        return self.start(*options, **named).wait(timeout_s)


def run_program(name: str, *arguments, folder: Path, environment=None) -> Run:
    """Runs s3migrate or s3find with just these arguments, in `folder`."""
    (folder / "output").mkdir(parents=True, exist_ok=True)
    command = [program(name), *map(str, arguments)]
    return Running(
        command, environment or clean_environment(), folder / "output", Logs(folder), cwd=folder
    ).wait()


def check_log(migration: Migration, logs="logs") -> Run:
    """`s3migrate --check-log`."""
    return run_program("s3migrate", "--check-log", migration.folder / logs, folder=migration.folder)


def _end(text: str) -> str:
    return text if len(text) < 4000 else "…" + text[-4000:]
