"""What the fake servers were asked, in the order in which the requests were complete."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


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

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def part_number(self) -> int:
        """Of an UploadPart, or of a HEAD of one part; 0 for anything else."""
        return int(self.query.get("partNumber", "0"))


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

    def parts_received(self, key: str, side="target", since=0) -> Counter:
        """Part number → how often the server took it (its answer may have been lost)."""
        return Counter(
            entry.part_number
            for entry in self.entries(side, "UploadPart", key, since)
            if entry.status == 200
        )

    def parts_sent(self, key: str, side="target", since=0) -> Counter:
        """Part number → how often it came, refused ones too."""
        sent = self.entries(side, "UploadPart", key, since)
        return Counter(entry.part_number for entry in sent)
