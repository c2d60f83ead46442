"""What happened to one key during a migration, told by the clients and by the proxy before the target, and the
judgement whether it was right. All moments are the monotonic clock's, and each deed has two: it took effect in
between."""

from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from logs import LogLine
from meddling_proxy import Exchange

FRESH_S = 1.0
"""So long after the source was seen to have an object it may still be written to the target."""


@dataclass(frozen=True)
class Version:
    """The content of an object that a client wrote; no other write has the same number."""

    number: int
    size_bytes: int

    def body(self, key: str) -> bytes:
        head = b"%s version %d\n" % (key.encode(), self.number)
        return head + bytes([self.number % 251]) * (self.size_bytes - len(head))


@dataclass(frozen=True)
class Deed:
    """A client's PUT, or DELETE where there is no version."""

    side: str
    version: Version | None
    begun: float
    ended: float
    ended_at: float
    """`ended` by the wall clock."""


@dataclass(frozen=True)
class Write:
    """An object that the migration made at the target: a PUT, or a Complete."""

    version: int
    """-1 where it is none that a client wrote."""
    begun: float
    ended: float
    signed_at: float
    """When it was begun, by the wall clock in whole seconds."""
    looked: float
    """Until when a client's write may have come unseen: the last question to the target before a Complete, whose
    condition Ceph ignores; `begun` for a PUT."""


@dataclass
class History:
    key: str
    deeds: list[Deed] = field(default_factory=list)
    """One after the other."""
    exchanges: list[Exchange] = field(default_factory=list)
    """The migration's, with the target."""
    begun: float = 0.0
    ended: float = 0.0
    """Of the migration."""
    found: bytes | None = None
    """What the target has in the end."""
    versions: list[Version] = field(default_factory=list)

    def new_version(self, chance: Random, in_parts=False) -> Version:
        size = (6 << 20) if in_parts else chance.randrange(60, 3000)
        self.versions.append(Version(len(self.versions), size + chance.randrange(500)))
        return self.versions[-1]

    def at(self, side: str) -> list[Deed]:
        return [deed for deed in self.deeds if deed.side == side]

    def last(self, side: str) -> Version | None:
        deeds = self.at(side)
        return deeds[-1].version if deeds else None

    def number(self, body: bytes) -> int:
        """Of the version that has just these bytes; -1 for none."""
        match = (one.number for one in self.versions if one.body(self.key) == body)
        return next(match, -1)

    def told(self) -> str:
        """All that happened, in order of its beginning."""
        deeds = [
            (one.begun, one.ended, f"client {one.side} {one.version}") for one in self.deeds
        ]
        exchanges = [
            (one.begun, one.ended, f"{one.method} {one.query} {one.status}, {len(one.body)} bytes")
            for one in self.exchanges
        ]
        return "\n".join(
            f"  {begun - self.begun:8.3f} to {ended - self.begun:8.3f}: {what}"
            for begun, ended, what in sorted(deeds + exchanges)
        )

    @cached_property
    def writes(self) -> list[Write]:
        """Those that succeeded."""
        parts: dict[str, dict[int, bytes]] = {}
        made, looked = [], 0.0
        for one in self.exchanges:
            if one.method == "HEAD":
                looked = one.begun
            elif one.part_number and one.status == 200:
                parts.setdefault(one.upload_id, {})[one.part_number] = one.body
            elif one.method == "POST" and one.upload_id and one.status == 200:
                pieces = [body for _, body in sorted(parts.get(one.upload_id, {}).items())]
                made.append(self._write(one, b"".join(pieces), looked))
            elif one.method == "PUT" and not one.query and one.status == 200:
                made.append(self._write(one, one.body, one.begun))
        return made

    @cached_property
    def perhaps(self) -> list[int]:
        """Versions of PUTs of which nobody knows whether they took effect: the server failed, or did not answer."""
        return [
            self.number(one.body)
            for one in self.exchanges
            if one.method == "PUT" and not one.query and (one.status == 0 or one.status >= 500)
        ]

    def _write(self, one: Exchange, body: bytes, looked: float) -> Write:
        return Write(self.number(body), one.begun, one.ended, one.signed, looked)


def judged(history: History, line: LogLine, overwrites: bool) -> list[str]:
    """What is wrong, in sentences."""
    found = [*_mixtures(history), *_replaced(history, overwrites), *_returned(history)]
    found += [*_ending(history), *_log(history, line, overwrites)]
    return [f"{history.key}: {one}; {line}\n{history.told()}" for one in found]


def _mixtures(history):
    """Every copy is a version that was at the source."""
    at_source = {deed.version.number for deed in history.at("source") if deed.version}
    for write in history.writes:
        if write.version not in at_source:
            yield f"copied version {write.version}, which the source never had"


def _standing(history, write):
    """The client's object that a write surely found at the target: written before it was looked for, and not deleted or
    overwritten before the write was over."""
    before = [deed for deed in history.at("target") if deed.ended < write.looked]
    begun = [deed for deed in history.at("target") if deed.begun < write.ended]
    return before[-1] if before and before[-1].version and before[-1] is begun[-1] else None


def _replaced(history, overwrites):
    """Nothing that a client wrote at the target was replaced, or nothing newer than what replaced it."""
    for write in history.writes:
        standing = _standing(history, write)
        if standing is None:
            continue
        origins = [
            deed
            for deed in history.at("source")
            if deed.version and deed.version.number == write.version
        ]
        is_newer = overwrites and any(deed.ended > standing.begun for deed in origins)
        if not is_newer:
            yield f"version {standing.version.number} of a client was replaced by {write.version}"


def _returned(history):
    """Nothing was written that the source had not had for more than a second."""
    deeds = history.at("source")
    for write in history.writes:
        ends = [
            later.ended_at
            for deed, later in zip(deeds, deeds[1:])
            if deed.version and deed.version.number == write.version
        ]
        is_last = deeds[-1].version and deeds[-1].version.number == write.version
        if ends and not is_last and write.signed_at > ends[-1] + FRESH_S:
            yield f"version {write.version} came back {write.signed_at - ends[-1]:.1f} s after its end"


def _ending(history):
    """The target has what was written there last, whoever wrote it."""
    deeds = [
        (one.begun, one.ended, one.version.number if one.version else None)
        for one in history.at("target")
    ]
    every = deeds + [(one.begun, one.ended, one.version) for one in history.writes]
    last = {
        version
        for _, ended, version in every
        if not any(begun > ended for begun, _, _ in every)
    } or {None}
    last |= set(history.perhaps)
    found = None if history.found is None else history.number(history.found)
    if found not in last:
        yield f"the target has version {found} in the end, and should have one of {last}"


def _log(history, line, overwrites):
    """The line tells what was done."""
    is_copied = line.outcome == "copied"
    if is_copied != bool(history.writes) and not (is_copied and history.perhaps):
        yield f"{len(history.writes)} copies were made"
    during = [deed for deed in history.deeds if deed.begun < history.ended]
    if line.outcome == "skip-dn" and not any(
        deed.side == "source" and deed.version is None for deed in during
    ):
        yield "nobody deleted it at the source"
    if line.outcome == "fail" or line.outcome == "exist":
        yield "there was no reason for that"
    if line.outcome == "skip-up":
        yield from _skip(history, line, during)
    if "replaced" in line.proof and (
        not overwrites or not any(deed.side == "target" and deed.version for deed in during)
    ):
        yield "there was nothing to replace"


def _skip(history, line, during):
    """What was found at the target is what a client put there, and compares as is said."""
    at = {
        side: {deed.version.number for deed in during if deed.side == side and deed.version}
        for side in ("source", "target")
    }
    if not at["target"]:
        yield "nobody had written it at the target"
    if line.proof == "same" and not at["source"] & at["target"]:
        yield "no client wrote the source's object at the target"
    if line.proof == "differs" and len(at["source"] | at["target"]) < 2:
        yield "the same object stood at both sides"
