"""Starts servers for the time of one command:

    python -m servers ceph rclone -- COMMAND...

The command finds S3_1_URL, S3_1_KEY, S3_1_SECRET in its environment, S3_2_… for the second server,
and so on; also S3_1_HTTPS_URL and S3_1_CA_FILE where there is https, and S3_1_DIRECTORY where
buckets are directories. `-- bash` gives a shell to play in. However the command or this program
ends, the servers end too.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

from . import KINDS


def environment_of(servers) -> dict[str, str]:
    values = {}
    for number, server in enumerate(servers, start=1):
        facts = {
            "URL": server.url,
            "KEY": server.key,
            "SECRET": server.secret,
            "HTTPS_URL": getattr(server, "https_url", ""),
            "CA_FILE": getattr(server, "ca_file", ""),
            "DIRECTORY": getattr(server, "objects", ""),
        }
        values |= {f"S3_{number}_{name}": str(value) for name, value in facts.items() if value}
    return values


def main(arguments: list[str]) -> int:
    if "--" not in arguments:
        print(f"usage: python -m servers {{{'|'.join(KINDS)}}}... -- COMMAND...", file=sys.stderr)
        return 2
    split = arguments.index("--")
    kinds, command = arguments[:split], arguments[split + 1 :]
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds or not command:
        print(f"unknown server {unknown}; known: {', '.join(KINDS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        servers = [stack.enter_context(KINDS[kind]()) for kind in kinds]
        try:
            return subprocess.run(command, env=os.environ | environment_of(servers)).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
