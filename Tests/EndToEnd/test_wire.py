"""Answers that break HTTP, or strain it: none crashes the program, hangs it, makes it grow, or makes a log lie."""

import os
import time
from pathlib import Path

import pytest
from fakes3 import Fault, faults, wire
from program import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED

KEYS = [f"k{number:02}" for number in range(12)]
STRUCK = "k05"
MEBIBYTE = 1 << 20


@pytest.fixture
def twelve(fakes):
    """Small objects, and one of three MiB whose GET needs more than one exchange."""
    for key in KEYS:
        fakes.source.put("bucket", key, key.encode() * 2000, {"content-type": "text/plain"})
    fakes.source.put("bucket", "k08", b"0123456789abcdef" * (3 * MEBIBYTE // 16))
    return fakes


ANYWHERE = [
    wire.reset_in_head(),
    wire.close_in_head(),
    wire.reset_after(),
    wire.half_close(),
    wire.refused_before_the_body(),
    wire.length_is_none("-1"),
    wire.length_is_none("99999999999999999999"),
    wire.length_is_none("5, 7"),
    wire.endless_error(),
    wire.broken_chunks(),
    wire.chunked(),
    wire.drip(),
    wire.garbage(),
    wire.strange_status(b"HTTP/1.1 999 What"),
    wire.strange_status(b"HTTP/1.1 20 Short"),
    wire.strange_status(b"HTTP/9.7 200 OK"),
    wire.huge_head(),
    wire.one_huge_header(),
    wire.odd_headers(),
    wire.interim(),
    wire.xml_bomb(),
    wire.truncated_xml(),
    wire.foreign_entity(),
]
READING = [*ANYWHERE, wire.long_body(), wire.gzipped()]
OPTIONS = ["--timeout", "2"]


def name(fault: Fault) -> str:
    return fault.name


def copies_all(fakes, *options):
    run = fakes.migration(None, *OPTIONS, *options).run().expect(EXIT_DONE)
    assert fakes.wrong() == []
    assert run.logs.outcomes == {key: "copied" for key in fakes.source.store.objects("bucket")}
    assert run.logs.failed == []
    return run


@pytest.mark.parametrize("key", [STRUCK, "k08"], ids=["small", "3 MiB"])
@pytest.mark.parametrize("fault", READING, ids=name)
def test_one_bad_answer_to_a_get_is_overcome(twelve, fault, key):
    twelve.script.add(fault, side="source", method="GetObject", key=key)
    copies_all(twelve)


@pytest.mark.parametrize("fault", ANYWHERE, ids=name)
def test_one_bad_answer_to_a_put_is_overcome(twelve, fault):
    twelve.script.add(fault, side="target", method="PutObject", key=STRUCK)
    copies_all(twelve)


@pytest.mark.parametrize(
    "fault", [fault for fault in READING if fault.name not in ("chunked", "odd headers", "1xx")], ids=name
)
def test_an_object_whose_answers_are_always_bad_is_named(twelve, fault):
    twelve.script.add(fault, side="source", method="GetObject", key=STRUCK, times=None)
    run = twelve.migration(None, *OPTIONS, "--retries", "1").run()
    assert run.code in (EXIT_DONE, EXIT_FAILED), run
    others = twelve.source.store.objects("bucket").keys() - {STRUCK}
    assert others <= run.logs.keys_with("copied")
    if run.code == EXIT_FAILED:
        assert [line.key for line in run.logs.failed] == [STRUCK]
        assert STRUCK not in twelve.target.store.objects("bucket")
    else:
        # What can be understood may be copied, if it is copied right.
        assert twelve.wrong() == []


def test_a_foreign_entity_is_not_read(twelve, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hush-hush-0815")
    twelve.script.add(
        wire.foreign_entity(str(secret)), side="source", method="GetObject", key=STRUCK, times=None
    )
    run = twelve.migration(None, *OPTIONS, "--retries", "1").run().expect(EXIT_FAILED)
    assert "hush-hush" not in f"{run}" + "".join(f"{line}" for line in run.logs.failed)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(twelve, status):
    """It could lead to another cluster; the signature would go with it."""
    elsewhere = twelve.target.url + "/bucket/elsewhere"
    twelve.script.add(
        wire.redirect(status, elsewhere), side="source", method="GetObject", key=STRUCK, times=None
    )
    run = twelve.migration(None, *OPTIONS, "--retries", "1").run()
    assert run.code in (EXIT_FAILED, EXIT_STOPPED), run
    assert twelve.record.counts("target", "GetObject") == {}


STORM = [
    faults.reset(),
    faults.close(),
    faults.lost_answer(),
    faults.slow_down(),
    faults.internal_error(),
    faults.html_page(502),
    faults.failure(429, "TooManyRequests"),
    faults.delay(0.2),
    faults.close_after_answer(),
    wire.reset_in_head(),
    wire.reset_after(),
    wire.half_close(),
    wire.refused_before_the_body(),
    wire.garbage(),
    wire.broken_chunks(),
    wire.interim(),
    wire.truncated_xml(),
    wire.odd_headers(),
]


OBJECTS = "[!.]*"
"""What is not the bucket, nor the probe's."""


def storm(fakes, seed, **where):
    """A fifth of all requests is struck, by faults of all classes."""
    share = 1 - 0.8 ** (1 / len(STORM))
    for fault in STORM:
        fakes.script.add(fault, share=share, seed=seed, times=None, **where)


def test_a_fifth_of_all_requests_may_fail(fakes, seed):
    """Small objects, one in ranges and one in parts, through faults of all classes at random: everything is copied
    without help."""
    for number in range(400):
        fakes.source.put("bucket", f"small/{number:03}", f"{number} ".encode() * 200)
    for number in range(6):
        fakes.source.put("bucket", f"ranged/{number}", os.urandom(3 * MEBIBYTE))
    fakes.source.put("bucket", "parts", os.urandom(23 * MEBIBYTE))
    migration = fakes.migration(
        None, "--timeout", "3", "--multipart-threshold", "16MiB", "--part-size", "5MiB"
    )
    storm(fakes, seed)
    run = migration.run(timeout_s=300).expect(EXIT_DONE)
    assert fakes.wrong() == []
    # A copy whose answer was lost may be found as our own, and is still ours.
    assert set(run.logs.outcomes.values()) == {"copied"}
    assert fakes.target.store.open_uploads("bucket") == []
    assert run.summary["identity_holds"]


def test_bad_answers_leave_no_descriptor_and_no_memory_behind(fakes, seed):
    """The same object is refused in every way, many times, and the process stays as small as it was."""
    for number in range(3000):
        fakes.source.put("bucket", f"{number:04}", b"body")
    storm(fakes, seed, side="source", key=OBJECTS)
    running = fakes.migration(None, "--timeout", "3", "--threads", "1", "--transfers", "16").start()
    descriptors, resident = [], []
    folder = Path(f"/proc/{running.process.pid}")
    while running.process.poll() is None:
        try:
            descriptors.append(len(os.listdir(folder / "fd")))
            resident.append(int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        except (OSError, IndexError):
            break
        time.sleep(0.1)
    run = running.wait().expect(EXIT_DONE)
    assert len(run.logs.outcomes) == 3000
    assert len(descriptors) > 20, "it was looked at while it ran"
    assert max(descriptors) < 100, "16 transfers need two connections each, and some files"
    half = len(resident) // 2
    assert max(resident[half:]) < max(resident[:half]) + 8 * MEBIBYTE
