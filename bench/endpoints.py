"""Pairs of endpoints between which a scenario's objects go: the fast ones of `tools/`, or real servers."""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "Tests" / "EndToEnd"))

from s3client import S3Client, at_once  # noqa: E402
from scenarios import MIB, Scenario  # noqa: E402
from servers import KINDS  # noqa: E402
from servers.certificate import make_certificate  # noqa: E402
from servers.ports import free_port  # noqa: E402

TOOLS = TOP / "bench" / ".build"
SOURCE_BUCKET = "bench"


def build_tools():
    """Compiles what has changed of the endpoint and the relays."""
    subprocess.run(["make", "-s", "-C", str(TOP / "bench" / "tools")], check=True)


@dataclass(frozen=True)
class Place:
    """Where a client finds a side."""

    url: str
    key: str
    secret: str
    port: int
    certificate: Path | None = None


def _wait_for_listener(port: int):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class FastPair:
    """Two endpoint processes, with delaying relays before them if the scenario has a round-trip time."""

    name = "fast"

    def __init__(self, scenario: Scenario, threads: int):
        self.scenario, self.threads = scenario, threads
        self._folder = tempfile.TemporaryDirectory(prefix="s3migrate-bench-")
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> "FastPair":
        try:
            self._tls = self._certificate() if self.scenario.https else None
            self._ports = {role: self._start(role) for role in ("source", "target")}
            for role in self._ports:
                self._wait(role)
            self.source, self.target = (self._place(role) for role in self._ports)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()
        self._folder.cleanup()

    def _certificate(self) -> tuple[Path, Path]:
        return make_certificate(Path(self._folder.name))

    def _spawn(self, *command) -> None:
        # The kernel ends it with us, whatever becomes of us.
        command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        self._processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    def _start(self, role: str) -> int:
        port = free_port()
        command = [TOOLS / "endpoint", "--role", role, "--port", port, "--threads", self.threads]
        command += ["--objects", self.scenario.count]
        command += ["--object-size", ",".join(map(str, self.scenario.sizes))]
        if role == "target" and self.scenario.kind != "copy":
            command += ["--all-exist"]
        if max(self.scenario.sizes) > 5 * 1024 * MIB:
            command += ["--part-size", "8MiB"]  # no object is written at once above 5 GiB
        if self._tls:
            command += ["--key", self._tls[0], "--certificate", self._tls[1]]
        self._spawn(*command)
        return port

    def _place(self, role: str) -> Place:
        port = self._ports[role]
        if self.scenario.rtt_ms:
            delayed = free_port()
            one_way_ms = self.scenario.rtt_ms // 2
            self._spawn(TOOLS / "delay", "--port", delayed, "--to", port, "--milliseconds", one_way_ms)
            port = delayed
            _wait_for_listener(port)
        scheme = "https" if self._tls else "http"
        certificate = self._tls[1] if self._tls else None
        return Place(f"{scheme}://127.0.0.1:{port}", "benchkey", "benchsecret", port, certificate)

    def _ask(self, role: str, path: str) -> dict:
        context = ssl.create_default_context(cafile=str(self._tls[1])) if self._tls else None
        scheme = "https" if self._tls else "http"
        url = f"{scheme}://127.0.0.1:{self._ports[role]}/-/{path}"
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return json.load(answer)

    def _wait(self, role: str):
        """A large object's ETag takes seconds to compute, before the endpoint listens."""
        deadline = time.monotonic() + 120
        while True:
            try:
                return self._ask(role, "counts")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.03)

    def new_bucket(self, number: int) -> str:
        return f"round-{number}"

    def forget(self, bucket: str):
        self._ask("target", "forget")

    def received_bytes(self) -> int:
        return self._ask("target", "counts")["body_bytes_in"]


class RealPair:
    """Two servers of one kind, the first of which is filled."""

    def __init__(self, kind: str, scenario: Scenario):
        if scenario.https or scenario.rtt_ms or scenario.kind != "copy":
            raise ValueError(f"{kind}: only plain copies are measured between real servers")
        self.name, self.scenario = kind, scenario
        self._servers = [KINDS[kind](), KINDS[kind]()]

    def __enter__(self) -> "RealPair":
        try:
            for server in self._servers:
                server.start()
            self.source, self.target = (self._place(server) for server in self._servers)
            self._fill()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.stop()

    @staticmethod
    def _place(server) -> Place:
        return Place(server.url, server.key, server.secret, server.port)

    @property
    def _keys(self) -> list[str]:
        return [self.scenario.key(number) for number in range(self.scenario.count)]

    def _fill(self):
        client = S3Client.of(self._servers[0])
        client.make_bucket(SOURCE_BUCKET)
        body = os.urandom(max(self.scenario.sizes))
        at_once(lambda key: client.put(SOURCE_BUCKET, key, body[: int(key.rsplit("-")[-1])]), self._keys)

    def new_bucket(self, number: int) -> str:
        S3Client.of(self._servers[1]).make_bucket(f"round-{number}")
        return f"round-{number}"

    def forget(self, bucket: str):
        """Empties a round's bucket, so that a server in memory does not grow."""
        client = S3Client.of(self._servers[1])
        at_once(lambda key: client.request("DELETE", bucket, key, expect=range(200, 500)), self._keys)

    def received_bytes(self) -> int:
        return 0


def pair(kind: str, scenario: Scenario, threads: int):
    return FastPair(scenario, threads) if kind == "fast" else RealPair(kind, scenario)
