"""`rclone serve s3`: the sloppy third-party server, which answers ranges with 200 and ignores every
condition."""

import os
import sys
from pathlib import Path

from .base import Capabilities, Server, ServerFailed


def rclone_program() -> Path:
    """The rclone that pip put beside this Python."""
    program = Path(sys.executable).with_name("rclone")
    if not program.exists():
        raise ServerFailed(f"{program} is missing: run Scripts/install-test.sh")
    return program


class Rclone(Server):
    """A whole S3 in one process. `store` is "directory" (the buckets are directories below
    `objects`) or "memory"."""

    name = "rclone"
    key = "rckey0000000000000000"
    secret = "rcsecret000000000000000000000000"
    capabilities = Capabilities(
        conditional_put=False,
        honest_ranges=False,
        tagging=False,
        expires=False,
        signatures=True,
    )

    def __init__(self, store="directory"):
        super().__init__()
        self.store = store
        self.objects = self.state / "objects"

    def start(self):
        self.objects.mkdir()
        root = ":memory:" if self.store == "memory" else self.objects
        self.spawn(
            "rclone",
            rclone_program(),
            "serve",
            "s3",
            "--addr",
            f"127.0.0.1:{self.port}",
            "--auth-key",
            f"{self.key},{self.secret}",
            "--config",
            os.devnull,
            "--cache-dir",
            self.state / "cache",
            "--dir-cache-time",
            "100ms",  # else new files are not seen for minutes
            "--log-level",
            "ERROR",
            root,
        )
        self.wait_until(self.answers, "no answer")
        return self
