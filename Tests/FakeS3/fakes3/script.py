"""Which fault strikes which request: by side, method, key pattern and how often such a request came
before."""

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random

from .exchange import Request
from .faults import Fault


class FaultsNotHit(AssertionError):
    """A scripted fault did not strike: the test did not test what it says."""


@dataclass
class Rule:
    """One line of the script."""

    fault: Fault
    side: str
    method: str
    key: str
    nth: int
    times: int | None
    share: float = 1
    chance: Random = field(default_factory=Random, repr=False)
    _seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    def strikes(self, side: str, request: Request) -> bool:
        if not self._matches(side, request):
            return False
        self._seen += 1
        struck = self._seen >= self.nth and (
            self.times is None or self._seen < self.nth + self.times
        )
        struck = struck and self.chance.random() < self.share
        self.hits += struck
        return struck

    def _matches(self, side: str, request: Request) -> bool:
        return (
            self.side in ("*", side)
            and self.method in ("*", request.method, request.operation)
            and fnmatchcase(request.key, self.key)
        )

    def __str__(self):
        return f"{self.fault.name} at {self.side} {self.method} {self.key!r} from number {self.nth}"


class Script:
    """The rules of a test. The first rule that matches a request decides."""

    def __init__(self):
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(
        self,
        fault: Fault,
        *,
        side="*",
        method="*",
        key="*",
        nth=1,
        times: int | None = 1,
        share: float = 1,
        seed=0,
    ) -> Rule:
        """Strikes the `nth` matching request and the next `times - 1`; all from then on with
        `times=None`.

        `method` is a method (PUT) or an operation (HeadBucket); `key` a pattern as in a shell, ""
        for the bucket. Of the requests that match, a `share` is struck, by a chance that begins with
        `seed`.
        """
        rule = Rule(fault, side, method, key, nth, times, share, Random(f"{seed} {fault.name}"))
        with self._lock:
            self._rules.append(rule)
        return rule

    def fault_for(self, side: str, request: Request) -> Fault | None:
        with self._lock:
            return next((rule.fault for rule in self._rules if rule.strikes(side, request)), None)

    def verify_all_hit(self):
        """Raises when a fault did not strike as often as was scripted (once, where it is scripted
        for ever)."""
        idle = [str(rule) for rule in self._rules if rule.hits < (rule.times or 1)]
        if idle:
            raise FaultsNotHit("not hit: " + "; ".join(idle))
