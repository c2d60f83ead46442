"""`failing_disk.c`, compiled and preloaded: what a run meets on a disk that fails, and what it did there."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("failing_disk.c")


def build_library(folder: Path) -> Path:
    library = folder / "failing_disk.so"
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", library, SOURCE], check=True)
    return library


@dataclass
class FailingDisk:
    """`calls` on files below `folder`, the n-th and those after it, fail; `record` is a file of this run's own."""

    library: Path
    folder: Path
    record: Path
    calls: str = "write sync rename truncate"
    after: int = 0
    times: int = 1_000_000
    errno: int = 5

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "FAIL_FOLDER": str(self.folder),
            "FAIL_RECORD": str(self.record),
            "FAIL_CALLS": self.calls,
            "FAIL_AFTER": str(self.after),
            "FAIL_TIMES": str(self.times),
            "FAIL_ERRNO": str(self.errno),
        }

    @property
    def done(self) -> list[tuple[str, str, str]]:
        """Call, "done" or "failed", and the file's name, of each call in turn."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [(call, what, Path(path).name) for call, what, path in (line.split(" ", 2) for line in lines)]

    @property
    def has_struck(self) -> bool:
        return any(what == "failed" for _, what, _ in self.done)
