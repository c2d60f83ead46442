"""What every server has: a place for its state, processes that die with us, and words for what it
can do."""

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .ports import free_port


class ServerFailed(Exception):
    """A server did not start. Carries the end of its log: the tests fail with it, they never
    skip."""


@dataclass(frozen=True)
class Capabilities:
    """What the server keeps of S3's promises, as tested against the real one (test_servers.py tests
    it again)."""

    conditional_put: bool
    """`If-None-Match: *` on a PUT is honoured, atomically."""
    honest_ranges: bool
    """A ranged GET is answered with 206."""
    tagging: bool
    expires: bool
    """The Expires header comes back as it was sent, also one that is no date."""
    signatures: bool
    """A wrong signature is refused."""


class Server:
    """An S3 server of ours. Use it as a context manager, or call `stop()` whatever happens."""

    name: str
    capabilities: Capabilities
    region = "us-east-1"
    key: str
    secret: str

    def __init__(self):
        self.port = free_port()
        self.state = Path(tempfile.mkdtemp(prefix=f"s3migrate-{self.name}-"))
        self._processes: list[tuple[str, subprocess.Popen]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        raise NotImplementedError

    def stop(self):
        """Ends the processes (newest first) by their ids and throws the data away. May be called
        twice."""
        while self._processes:
            _, process = self._processes.pop()
            process.kill()
            process.wait()
        shutil.rmtree(self.state, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def spawn(self, label: str, *command) -> subprocess.Popen:
        """Starts a process in the foreground that the kernel kills when we die, even by `kill -9`.

        It has to be called on the main thread: the kernel's promise is bound to the thread that
        spawned.
        """
        log = open(self.state / f"{label}.out", "ab")
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._processes.append((label, process))
        return process

    def run(self, *command, timeout_s=30) -> str:
        """Runs a command of the server's set-up to its end."""
        done = subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        if done.returncode != 0:
            raise ServerFailed(f"{self.name}: {' '.join(map(str, command))}: {done.stderr[-2000:]}")
        return done.stdout

    def wait_until(self, ready, what: str, timeout_s=60):
        """Waits for `ready()` to be true, and gives up at once when a process of ours has ended."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for label, process in self._processes:
                if process.poll() is not None:
                    raise ServerFailed(
                        f"{self.name}: {label} ended with {process.returncode}: {self._tail(label)}"
                    )
            if ready():
                return
            time.sleep(0.03)
        logs = "\n".join(self._tail(label) for label, _ in self._processes)
        raise ServerFailed(f"{self.name}: {what} after {timeout_s} s\n{logs}")

    def answers(self) -> bool:
        """Whether anything that speaks HTTP listens; its status does not matter."""
        try:
            urllib.request.urlopen(self.url, timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True

    @staticmethod
    def listens(port: int) -> bool:
        """Whether a process of ours has opened its port yet."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def _tail(self, label: str) -> str:
        path = self.state / f"{label}.out"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""
