"""What is measured, by name: which objects, over which wire, and how often."""

import re
from dataclasses import dataclass, replace

KIB, MIB, GIB = 1024, 1024**2, 1024**3


@dataclass(frozen=True)
class Scenario:
    """Some objects, and what is done with them.

    `kind` is "copy" (to an empty target), "exist" (a second pass: the target has them all) or "lists" (the same, only
    ours, with so many keys that starting does not count).
    """

    name: str
    sizes: tuple[int, ...]
    """The objects have these sizes in turn."""
    count: int
    quick_count: int
    """For `--quick`: enough to tell a regression from noise."""
    rtt_count: int
    """With latency, where rclone's defaults need a long time."""
    kind: str = "copy"
    https: bool = False
    rtt_ms: int = 0

    @property
    def total_bytes(self) -> int:
        whole, rest = divmod(self.count, len(self.sizes))
        return whole * sum(self.sizes) + sum(self.sizes[:rest])

    @property
    def is_small(self) -> bool:
        return max(self.sizes) < 8 * MIB

    @property
    def title(self) -> str:
        """The name with what the wire adds: "4KiB https rtt=20ms"."""
        wire = ["https"] if self.https else []
        return " ".join([self.name, *wire, *([f"rtt={self.rtt_ms}ms"] if self.rtt_ms else [])])

    def key(self, number: int) -> str:
        """The key of an object, as the endpoint makes it."""
        return f"d{number // 1000:06}/{number:09}-{self.sizes[number % len(self.sizes)]}"

    def with_wire(self, https: bool, rtt_ms: int) -> "Scenario":
        count = min(self.count, self.rtt_count) if rtt_ms else self.count
        return replace(self, https=https, rtt_ms=rtt_ms, count=count)

    def quick(self) -> "Scenario":
        return replace(self, count=min(self.count, self.quick_count))


MIXED = (KIB, 4 * KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 8 * MIB)

SCENARIOS = {
    scenario.name: scenario
    for scenario in [
        Scenario("4KiB", (4 * KIB,), 20_000, 10_000, 1_000),
        Scenario("64KiB", (64 * KIB,), 10_000, 5_000, 1_000),
        Scenario("1MiB", (MIB,), 2_000, 1_000, 500),
        Scenario("8MiB", (8 * MIB,), 300, 150, 100),
        Scenario("64MiB", (64 * MIB,), 40, 20, 20),
        Scenario("mixed", MIXED, 1_600, 800, 800),
        Scenario("one-4GiB", (4 * GIB,), 1, 1, 1),
        Scenario("one-8GiB", (8 * GIB,), 1, 1, 1),
        Scenario("exist", (4 * KIB,), 20_000, 10_000, 1_000, kind="exist"),
        Scenario("lists", (4 * KIB,), 5_000_000, 1_000_000, 1_000_000, kind="lists"),
    ]
}

ALL = ["4KiB", "64KiB", "1MiB", "8MiB", "64MiB", "mixed", "one-4GiB", "exist", "lists"]
ALL += ["4KiB:https", "1MiB:https", "8MiB:https", "4KiB:rtt=20ms", "8MiB:rtt=20ms"]
"""What `make bench` runs."""

QUICK = ["4KiB", "64KiB", "1MiB", "8MiB", "exist"]
"""What `make bench-check` runs."""


def parse(text: str, https: bool, rtt_ms: int) -> Scenario:
    """`NAME[:https][:rtt=20ms]`; the program's own options apply to all."""
    name, *wires = text.split(":")
    if name not in SCENARIOS:
        raise ValueError(f"no scenario is called {name!r}; there are {', '.join(SCENARIOS)}")
    for wire in wires:
        latency = re.fullmatch(r"rtt=(\d+)ms", wire)
        if wire == "https":
            https = True
        elif latency:
            rtt_ms = int(latency[1])
        else:
            raise ValueError(f"{text!r}: {wire!r} is neither 'https' nor 'rtt=20ms' or the like")
    return SCENARIOS[name].with_wire(https, rtt_ms)
