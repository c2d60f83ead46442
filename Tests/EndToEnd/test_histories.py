"""The judge of `test_clients.py` can be severe: what must not happen is made up here, and noticed."""

import pytest
from histories import Deed, History, Version, judged
from logs import LogLine
from meddling_proxy import Exchange

WALL = 1_000_000.0
"""What the wall clock shows at the beginning."""


def history(*told, found=None) -> History:
    """`told`: when it began, "source", "target" or "copy", and the version's number or None; each takes 0.1 s. The
    source has version 0 beforehand."""
    versions = [Version(number, 60) for number in range(4)]
    made = History("k", begun=0.0, ended=100.0, versions=versions)
    for begun, side, number in [(-5.0, "source", 0), *told]:
        version, ended = None if number is None else versions[number], begun + 0.1
        if side == "copy":
            exchange = Exchange("PUT", "k", {}, WALL + int(begun), begun, version.body("k"), ended, 200)
            made.exchanges.append(exchange)
        else:
            made.deeds.append(Deed(side, version, begun, ended, WALL + ended))
    made.found = None if found is None else versions[found].body("k")
    return made


def unanswered(made: History) -> History:
    """The first copy, but nobody knows whether it was made."""
    made.exchanges[0].status = 500
    return made


def line(outcome="copied", proof="etag") -> LogLine:
    return LogLine("k", outcome, 60, "-", proof, 0)


RIGHT = {
    "a copy": (history((1, "copy", 0), found=0), line(), False),
    "a client's object": (
        history((1, "target", 1), found=1), line("skip-up", "differs"), False),
    "deleted at the source": (history((1, "source", None)), line("skip-dn", "-"), False),
    "deleted at the target, and copied": (
        history((1, "target", 1), (2, "target", None), (3, "copy", 0), found=0), line(), False),
    "at the same moment as the client's": (
        history((1, "copy", 0), (1.05, "target", 1), found=1), line(), False),
    "an older one was replaced": (
        history((1, "target", 1), (5, "source", 2), (9, "copy", 2), found=2),
        line(proof="etag,replaced"), True),
    "a copy that was not answered, and is there": (
        unanswered(history((1, "copy", 0), found=0)), line(), False),
    "a copy that was not answered, and is not there": (
        unanswered(history((1, "copy", 0), (2, "source", None))), line("skip-dn", "-"), False),
    "deleted while it was copied": (
        history((1, "source", None), (1.5, "copy", 0), found=0), line(), False),
}  # fmt: skip

WRONG = {
    "replaced": (
        history((1, "target", 1), (3, "copy", 0), found=0), line(), False, "was replaced by 0"),
    "a newer one replaced": (
        history((1, "target", 1), (3, "copy", 0), found=0), line(proof="etag,replaced"), True,
        "was replaced by 0"),
    "came back": (
        history((1, "source", None), (4, "copy", 0), found=0), line(), False, "came back"),
    "an overwritten one came back": (
        history((1, "source", 1), (4, "copy", 0), found=0), line(), False, "came back"),
    "lost": (history((1, "copy", 0)), line(), False, "version None in the end"),
    "not what was written": (history((1, "copy", 0), found=2), line(), False, "version 2 in the end"),
    "other bytes": (
        history((1, "copy", 2), found=2), line(), False, "which the source never had"),
    "copied without a copy": (history(), line(), False, "0 copies were made"),
    "a copy that is not told": (
        history((1, "copy", 0), found=0), line("skip-up", "same"), False, "1 copies were made"),
    "an unanswered copy of something else": (
        unanswered(history((1, "copy", 0), (2, "target", 1), found=2)), line("skip-up", "differs"),
        False, "version 2 in the end"),
    "not deleted": (history(), line("skip-dn", "-"), False, "nobody deleted"),
    "nothing there": (history(), line("skip-up", "differs"), False, "nobody had written"),
    "not the same": (
        history((1, "target", 1), found=1), line("skip-up", "same"), False, "no client wrote"),
    "not different": (
        history((1, "target", 0), found=0), line("skip-up", "differs"), False, "the same object"),
    "a failure": (history(), line("fail", "-"), False, "no reason"),
    "nothing replaced": (
        history((1, "copy", 0), found=0), line(proof="etag,replaced"), True, "nothing to replace"),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_let_pass(name):
    assert judged(*RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_noticed(name):
    *told, words = WRONG[name]
    assert any(words in found for found in judged(*told))
