"""Lists and folders that are wrong: an error that names the place and the remedy, and not one
object copied."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from keylist import write_lists
from program import EXIT_DONE, EXIT_STOPPED, EXIT_USAGE, Running, program

# The lists


def with_lists(fakes, files: dict[str, bytes], *options):
    """A migration whose source folder holds just these files; objects of the usual names exist."""
    for key in ("a", "b", "c", "d"):
        fakes.source.put("bucket", key, b"body")
    migration = fakes.migration([], *options)
    shutil.rmtree(migration.source_lists)
    migration.source_lists.mkdir()
    for name, content in files.items():
        (migration.source_lists / name).write_bytes(content)
    return migration


def nothing_was_copied(fakes):
    return (
        fakes.record.operations("source")["GetObject"] == 0
        and fakes.target.store.objects("bucket") == {}
    )


BAD_LISTS = {
    "not sorted": ({"one": b"a\nc\nb\n"}, ["one", ":3|line 3", "sort"]),
    "not sorted by bytes": (
        {"one": "a\n\uff5e\n\U0001f600\na-b\n".encode()},
        ["one", ":4|line 4", "LC_ALL=C"],
    ),
    "a key twice": ({"one": b"a\na\n"}, ["one", ":2|line 2", "twice|duplicate"]),
    "a key in two files": ({"one": b"a\nb\n", "two": b"b\nc\n"}, ["one", "two", "twice|duplicate"]),
    "an empty line": ({"one": b"a\n\nb\n"}, ["one", ":2|line 2", "empty"]),
    "lines of Windows": ({"one": b"a\r\nb\r\n"}, ["one", ":1|line 1", "carriage return|CRLF|\\r"]),
    "an unknown escape": ({"one": b"a\n\\b\\q\n"}, ["one", ":2|line 2", "escape"]),
    "a cut escape": ({"one": b"\\a\\x4\n"}, ["one", ":1|line 1", "escape"]),
    "no hexadecimal": ({"one": b"\\a\\xzz\n"}, ["one", ":1|line 1", "escape"]),
    "a lone backslash at the end": ({"one": b"\\a\\\n"}, ["one", ":1|line 1", "escape"]),
    "a backslash that nobody escaped": (
        {"one": b"\\b\n"},
        ["one", ":1|line 1", "backslash", "s3find"],
    ),
    "a zero byte": ({"one": b"a\nb\0c\n"}, ["one", ":2|line 2", "NUL|zero byte"]),
    "a key too long": ({"one": b"a\n" + b"k" * 1025 + b"\n"}, ["one", ":2|line 2", "1,024|1024"]),
    "an escaped key too long": (
        {"one": b"\\" + b"\\t" * 1025 + b"\n"},
        ["one", ":1|line 1", "1,024|1024"],
    ),
    "an endless line": ({"one": b"k" * 5_000_000}, ["one", ":1|line 1", "longer"]),
    "no list at all": ({}, ["source-lists", "--src-folder|list"]),
    "nothing but a hidden list": ({".one": b"a\n"}, ["source-lists"]),
    "an interrupted listing": (
        {"keys-000001.list": b"a\nb\n"},
        ["manifest", "--allow-incomplete-list"],
    ),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_bad_list_is_named_before_anything_is_copied(fakes, name):
    files, words = BAD_LISTS[name]
    migration = with_lists(fakes, files)
    migration.run().expect(EXIT_USAGE).mentions(*words)
    assert nothing_was_copied(fakes)


def test_an_error_of_order_names_both_keys(fakes):
    migration = with_lists(fakes, {"one": b"a\nkey-late\nkey-early\n"})
    migration.run().expect(EXIT_USAGE).mentions("key-late", "key-early")


def test_a_bad_target_list_is_an_error_too(fakes):
    migration = with_lists(fakes, {"one": b"a\nb\n"})
    (migration.target_lists / "other").write_bytes(b"b\na\n")
    migration.run().expect(EXIT_USAGE).mentions("other", ":2|line 2")
    assert nothing_was_copied(fakes)


GOOD_LISTS = {
    "no newline at the end": ({"one": b"a\nb"}, {"a", "b"}),
    "an empty file among others": ({"one": b"a\n", "two": b""}, {"a"}),
    "chunks that overlap": ({"one": b"a\nc\n", "two": b"b\nd\n"}, {"a", "b", "c", "d"}),
    "any names, hidden ones left out": (
        {"list.txt": b"a\n", "x y": b"b\n", ".hidden": b"not\na list"},
        {"a", "b"},
    ),
    "sizes and times": (
        {"one": b'a\t4\nb\t-\t-\nc\t4\t2026-01-01T00:00:00Z\t"x"\n'},
        {"a", "b", "c"},
    ),
    "escapes": ({"one": b"\\\\\\x61\nb\n\\\\x63\n"}, {"\\x61", "b", "c"}),
}


@pytest.mark.parametrize("name", GOOD_LISTS)
def test_a_good_list_is_understood(fakes, name):
    files, keys = GOOD_LISTS[name]
    fakes.source.put("bucket", "\\x61", b"body")
    run = with_lists(fakes, files).run().expect(EXIT_DONE)
    assert run.logs.outcomes == {key: "copied" for key in keys}


def test_an_interrupted_listing_may_be_allowed(fakes):
    migration = with_lists(fakes, {"keys-000001.list": b"a\nb\n"})
    run = migration.run("--allow-incomplete-list").expect(EXIT_DONE)
    assert run.logs.outcomes == {"a": "copied", "b": "copied"}


def test_the_same_folder_on_both_sides_is_an_error(fakes):
    """Else everything would exist, and nothing would be copied, with success."""
    migration = with_lists(fakes, {"one": b"a\nb\n"})
    migration.run(dest_folder=migration.source_lists).expect(EXIT_USAGE).mentions(
        "source-lists", "same|both"
    )
    link = migration.folder / "link"
    link.symlink_to(migration.source_lists)
    migration.run(dest_folder=link).expect(EXIT_USAGE).mentions("same|both")
    assert nothing_was_copied(fakes)


def test_several_folders_make_one_list(fakes):
    migration = with_lists(fakes, {"one": b"a\nd\n"})
    more = write_lists(migration.folder / "more", ["b", "c"])
    run = migration.run("--src-folder", more).expect(EXIT_DONE)
    assert run.logs.outcomes == {key: "copied" for key in "abcd"}


def test_a_million_lines_are_checked_and_joined(fakes):
    """Both sides list them; they are cut differently, and a hundred are missing at the target."""
    migration = with_lists(fakes, {})
    lines = [b"huge/%07d\n" % number for number in range(1_000_000)]
    for chunk in range(20):
        (migration.source_lists / f"chunk-{chunk:02}").write_bytes(
            b"".join(lines[chunk * 50_000 : (chunk + 1) * 50_000])
        )
    there = [line for number, line in enumerate(lines) if number % 10_000]
    for chunk in range(7):
        (migration.target_lists / f"chunk-{chunk}").write_bytes(b"".join(there[chunk::7]))
    for number in range(0, 1_000_000, 10_000):
        fakes.source.put("bucket", f"huge/{number:07}", b"body")
    started = time.monotonic()
    # The target has none of what is in its lists, and would be asked for some of it.
    run = migration.run("--dry-run", "--allow-missing").expect(EXIT_DONE)
    assert "999900" in run.output.replace(",", ""), run
    assert fakes.record.operations()["PutObject"] == 0
    assert time.monotonic() - started < 60


def test_a_list_that_is_wrong_at_its_end_is_found_before_the_first_copy(fakes):
    migration = with_lists(
        fakes,
        {"one": b"a\nb\n" + b"".join(b"k%06d\n" % number for number in range(200_000)) + b"c\n"},
    )
    migration.run().expect(EXIT_USAGE).mentions("one", "200003")
    assert nothing_was_copied(fakes)


# The folders


@pytest.mark.parametrize("what", ["missing", "file"])
def test_a_source_folder_that_is_none_is_an_error(fakes, what):
    migration = with_lists(fakes, {"one": b"a\n"})
    path = migration.folder / what
    if what == "file":
        path.write_text("a\n")
    migration.run(src_folder=path).expect(EXIT_USAGE).mentions(str(path), "--src-folder|source")


@pytest.fixture
def open_folder():
    """A folder that everybody may enter, whatever the test's own temporary folder allows."""
    folder = Path(tempfile.mkdtemp(prefix="s3migrate-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def run_as_nobody(migration, open_folder, **replaced):
    """Root may read everything, so an unreadable folder needs a poorer user."""
    assert os.getuid() == 0, "this test changes the user and so needs root"
    binary = shutil.copy(program("s3migrate"), open_folder)
    command = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        binary,
        *migration.arguments(**replaced),
    ]
    output = open_folder / "output"
    output.mkdir(exist_ok=True)
    return Running(command, migration.environment(), output, migration.logs, cwd=open_folder).wait()


@pytest.mark.parametrize("which", ["folder", "file"])
def test_an_unreadable_list_is_an_error(fakes, open_folder, which):
    fakes.put_source(a=b"body")
    migration = fakes.migration([])
    lists, logs = open_folder / "lists", open_folder / "logs"
    write_lists(lists, ["a"])
    logs.mkdir()
    logs.chmod(0o777)
    (open_folder / "none").mkdir()
    locked = lists if which == "folder" else lists / "chunk-000"
    locked.chmod(0)
    run = run_as_nobody(
        migration, open_folder, src_folder=lists, dest_folder=open_folder / "none", log_folder=logs
    )
    assert run.code in (EXIT_USAGE, EXIT_STOPPED), run
    run.mentions(str(locked), "permission")
    assert nothing_was_copied(fakes)


def test_a_log_folder_that_cannot_be_written_is_an_error(fakes, open_folder):
    fakes.put_source(a=b"body")
    migration = fakes.migration([])
    write_lists(open_folder / "lists", ["a"])
    (open_folder / "none").mkdir()
    (open_folder / "logs").mkdir()
    run = run_as_nobody(
        migration,
        open_folder,
        src_folder=open_folder / "lists",
        dest_folder=open_folder / "none",
        log_folder=open_folder / "logs",
    )
    assert run.code in (EXIT_USAGE, EXIT_STOPPED), run
    run.mentions(str(open_folder / "logs"), "permission", "--log-folder")
    assert nothing_was_copied(fakes)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    assert os.getuid() == 0, "this test mounts a tmpfs and so needs root"
    place = tmp_path / "small-disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_log_disk_stops_the_run_and_a_resume_goes_on(fakes, small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 150_000)
    keys = [f"a-rather-long-name-{'x' * 100}-{number:05}" for number in range(3000)]
    for key in keys:
        fakes.source.put("bucket", key, b"body")
    migration = fakes.migration(keys)
    (small_disk / "logs").mkdir()
    run = migration.run(log_folder=small_disk / "logs").expect(EXIT_STOPPED)
    run.mentions(str(small_disk / "logs"), "space|full", "--resume")
    assert len(fakes.target.store.objects("bucket")) < len(keys)

    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    migration.run("--resume", log_folder=small_disk / "logs").expect(EXIT_DONE)
    assert fakes.wrong() == []


def test_a_disk_that_is_full_from_the_start_is_noticed_before_the_first_copy(fakes, small_disk):
    fakes.put_source(a=b"body")
    (small_disk / "logs").mkdir()
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    migration = fakes.migration()
    run = migration.run(log_folder=small_disk / "logs")
    assert run.code in (EXIT_USAGE, EXIT_STOPPED), run
    run.mentions(str(small_disk / "logs"), "space|full")
    assert nothing_was_copied(fakes)


# Options


@pytest.mark.parametrize(
    "option",
    [
        "src_url",
        "src_bucket",
        "src_key",
        "src_folder",
        "dest_url",
        "dest_bucket",
        "dest_key",
        "dest_folder",
    ],
)
def test_a_missing_option_is_named(fakes, option):
    fakes.put_source(a=b"body")
    name = "--" + option.replace("_", "-")
    fakes.migration().run(**{option: None}).expect(EXIT_USAGE).mentions(name)
    assert nothing_was_copied(fakes)


@pytest.mark.parametrize(
    "options",
    [
        ["--threads", "0"],
        ["--threads", "many"],
        ["--transfers", "0"],
        ["--retries", "-1"],
        ["--first", "-1"],
        ["--memory", "1"],
        ["--no-such-option"],
        ["a word too many"],
    ],
)
def test_a_senseless_option_is_a_usage_error(fakes, options):
    fakes.put_source(a=b"body")
    fakes.migration().run(*options).expect(EXIT_USAGE)
    assert nothing_was_copied(fakes)


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1", "127.0.0.1:9000", "http://", "http://127.0.0.1:99999", "http://h/path?q"],
)
def test_a_url_that_is_none_of_s3_is_a_usage_error(fakes, url):
    fakes.put_source(a=b"body")
    fakes.migration().run(src_url=url).expect(EXIT_USAGE).mentions("--src-url")
