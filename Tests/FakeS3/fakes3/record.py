"""What the fake servers were asked, in the order in which the requests were complete."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One request and the answer that was meant for it."""

    side: str
    operation: str
    method: str
    bucket: str
    key: str
    headers: dict[str, str]
    body_bytes: int
    status: int
    """What was answered, or would have been if the answer had not been lost."""
    fault: str = ""
    """The name of the fault that struck, if one did."""
    target: str = ""
    connection: int = 0
    at_s: float = field(default_factory=time.monotonic)


class Record:
    """Every request to the servers that share it."""

    def __init__(self):
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry):
        with self._lock:
            self._entries.append(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self, side=None, operation=None, key=None, since=0) -> list[Entry]:
        """The matching entries from number `since` on (an earlier `len(record)`)."""
        with self._lock:
            chosen = self._entries[since:]
        return [
            entry
            for entry in chosen
            if side in (None, entry.side)
            and operation in (None, entry.operation)
            and key in (None, entry.key)
        ]

    def counts(self, side=None, operation=None, since=0) -> Counter:
        """Key → number of requests."""
        return Counter(entry.key for entry in self.entries(side, operation, since=since))

    def operations(self, side=None, since=0) -> Counter:
        """Operation → number of requests."""
        return Counter(entry.operation for entry in self.entries(side, since=since))
