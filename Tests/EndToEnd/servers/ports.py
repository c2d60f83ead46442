"""Free loopback ports, below the range from which the kernel takes ports for outgoing
connections."""

import random
import socket

_handed_out: set[int] = set()


def free_port(count: int = 1) -> int:
    """The first of `count` ports in a row that are free now and that were not handed out before."""
    for _ in range(1000):
        first = random.SystemRandom().randrange(12000, 32000)
        ports = range(first, first + count)
        if _handed_out.isdisjoint(ports) and all(map(_is_free, ports)):
            _handed_out.update(ports)
            return first
    raise RuntimeError("no free loopback port between 12000 and 32000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
