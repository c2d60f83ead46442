"""Real S3 servers that the tests start on free loopback ports and stop again.

One module per server. A server that joins later is one more module with a subclass of `Server` and
one more line in `KINDS`.
"""

from .base import Server
from .ceph import Ceph
from .localstack import LocalStack
from .rclone import Rclone
from .swift import Swift

KINDS = {
    "ceph": Ceph,
    "rclone": Rclone,
    "rclone-memory": lambda **options: Rclone(store="memory", **options),
    "swift": Swift,
    "localstack": LocalStack,
}
"""What `python -m servers` and the samples can start, by name."""

__all__ = ["KINDS", "Ceph", "LocalStack", "Rclone", "Server", "Swift"]
