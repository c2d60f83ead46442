"""Runs a program to its end and says what it took."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu_seconds: float
    peak_mib: float
    failure: str | None = None
    """Why the run says nothing: how the program ended, and its last words."""


class _Peak(threading.Thread):
    """Watches the high-water mark of a process's memory.

    The kernel's accounting at the end (ru_maxrss) will not do: it begins with what we had when we forked.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.kib, self.ended = pid, 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            try:
                status = Path(f"/proc/{self.pid}/status").read_text()
            except OSError:
                return
            found = re.search(r"VmHWM:\s+(\d+)", status)
            self.kib = max(self.kib, int(found[1]) if found else 0)


def run(command: list[str], environment: dict[str, str], timeout_s: float = 600) -> Measured:
    """Measures from start to end, with the CPU time of the process from wait4."""
    with tempfile.TemporaryFile() as output:
        begin = time.monotonic()
        process = subprocess.Popen(
            command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        peak = _Peak(process.pid)
        peak.start()
        limit = threading.Timer(timeout_s, process.kill)
        limit.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)  # so that nobody waits for it again
        peak.ended.set()
        peak.join()
        output.seek(0)
        words = output.read().decode(errors="replace").strip()
    failure = None if status == 0 else f"ended with {process.returncode}: {words[-1500:]}"
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak.kib / 1024, failure)


def can_count_system_calls() -> bool:
    return shutil.which("strace") is not None


def system_calls(command: list[str], environment: dict[str, str]) -> int | None:
    """How many the program and its threads make; None where that could not be counted."""
    with tempfile.NamedTemporaryFile("r") as sums:
        traced = ["strace", "-f", "-c", "-o", sums.name, *command]
        if run(traced, environment).failure:
            return None
        total = re.search(r"^100\.00\s.*?\s(\d+)(?:\s+\d+)?\s+total$", sums.read(), re.MULTILINE)
        return int(total[1]) if total else None
