"""The built s3find, as an operator runs it: exit codes, files, messages.

    S3FIND=.build/debug/s3find python3 -m pytest Tests/EndToEnd/test_s3find.py
"""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
S3FIND = os.path.abspath(os.environ.get("S3FIND", REPOSITORY / ".build/debug/s3find"))
ENVIRONMENT = dict(os.environ, SWIFT_BACKTRACE="enable=no")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and changes its user")


def s3find(*arguments, before=(), **options):
    return subprocess.run(
        [*before, S3FIND, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, env=ENVIRONMENT, **options)


def lines(folder):
    """All lines in the order of the chunks."""
    manifest = json.loads((folder / "manifest.json").read_text())
    chunks = [(folder / chunk["name"]).read_bytes() for chunk in manifest["chunks"]]
    assert [chunk.count(b"\n") for chunk in chunks] == [c["lines"] for c in manifest["chunks"]]
    assert [len(chunk) for chunk in chunks] == [c["bytes"] for c in manifest["chunks"]]
    return b"".join(chunks).splitlines(keepends=True)


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture
def tree(tmp_path):
    """Names that sort around the slash, none of which a list escapes."""
    root = tmp_path / "tree"
    root.mkdir()
    for name in ["a", "a-b", "a.b", "a b", "a!", "é", "漢", "A", "0", "~", ".h"]:
        (root / name).mkdir()
        for file in ["x", "x.y", "x-", "a", "z\\back", "%2F", "+"]:
            (root / name / file).write_text(file)
        (root / (name + ".txt")).write_text("")
    deep = root
    for level in range(40):
        deep = deep / f"level-{level:02}"
        deep.mkdir()
        (deep / "file").write_text("")
    return root


def test_lists_what_find_and_sort_list(tree, tmp_path):
    result = s3find(tree, tmp_path / "out", "--chunk-size", 10)
    assert (result.returncode, result.stdout) == (0, "")
    expected = subprocess.run(
        "find . -type f -printf '%P\\n' | LC_ALL=C sort", shell=True, cwd=tree, check=True,
        capture_output=True).stdout
    assert b"".join(lines(tmp_path / "out")) == expected
    assert manifest(tmp_path / "out")["objects"] == expected.count(b"\n") > 100
    assert sorted(os.listdir(tmp_path / "out"))[-1] == "manifest.json"


@pytest.mark.parametrize("threads", [1, 2, 32])
def test_lists_the_same_with_any_number_of_threads(tree, tmp_path, threads):
    one, other = tmp_path / "one", tmp_path / "other"
    assert s3find(tree, one).returncode == 0
    assert s3find(tree, other, "--threads", threads).returncode == 0
    assert lines(one) == lines(other)
    assert manifest(one)["id"] != manifest(other)["id"]


def test_escapes_names_that_break_lines(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    for name in ["new\nline", "tab\tbed", "car\rriage", "\\back", "in\\side"]:
        (root / name).write_text("")
    assert s3find(root, tmp_path / "out").returncode == 0
    assert lines(tmp_path / "out") == [
        b"\\\\\\back\n", b"\\car\\rriage\n", b"in\\side\n", b"\\new\\nline\n", b"\\tab\\tbed\n"]


def test_long_lists_have_sizes_and_times(tree, tmp_path):
    assert s3find(tree, tmp_path / "out", "--long").returncode == 0
    for line in lines(tmp_path / "out"):
        key, size, modified = line.decode().rstrip("\n").split("\t")
        status = (tree / key).stat()
        assert int(size) == status.st_size
        assert modified == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(status.st_mtime)))
    total = sum(f.stat().st_size for f in tree.rglob("*") if f.is_file())
    assert manifest(tmp_path / "out")["bytes"] == total


@pytest.mark.parametrize("option", ["--later-than", "-later-than"])
def test_later_than_looks_at_contents_and_names(tmp_path, option):
    root = tmp_path / "tree"
    root.mkdir()
    for name in ["old", "renamed", "written", "aged"]:
        (root / name).write_text("")
    time.sleep(3)
    os.rename(root / "renamed", root / "renamed-now")
    (root / "written").write_text("more")
    # utime changes the mtime to long ago, and so the ctime to now.
    os.utime(root / "aged", (0, 0))
    assert s3find(root, tmp_path / "out", option, 2 / 86400).returncode == 0
    assert lines(tmp_path / "out") == [b"aged\n", b"renamed-now\n", b"written\n"]
    assert manifest(tmp_path / "out")["counts"]["filteredOut"] == 1
    assert s3find(root, tmp_path / "all", option, 1).returncode == 0
    assert len(lines(tmp_path / "all")) == 4


def test_directory_markers(tmp_path):
    for name in ["full", "empty", "empty-", "empty0"]:
        (tmp_path / "tree" / name).mkdir(parents=True)
    (tmp_path / "tree/full/x").write_text("")
    assert s3find(tmp_path / "tree", tmp_path / "out", "--directory-markers").returncode == 0
    assert lines(tmp_path / "out") == [b"empty-/\n", b"empty/\n", b"empty0/\n", b"full/x\n"]


def test_an_empty_directory_has_a_manifest(tmp_path):
    (tmp_path / "tree").mkdir()
    assert s3find(tmp_path / "tree", tmp_path / "out").returncode == 0
    assert os.listdir(tmp_path / "out") == ["manifest.json"]
    assert manifest(tmp_path / "out")["chunks"] == []
    assert manifest(tmp_path / "out")["complete"] is True


# --- Lists of a file of keys ---


def test_sorts_a_file_of_keys_as_sort_does(tmp_path):
    keys = [f"{number * 7919 % 100_003:x}/{'long' * (number % 9)}" for number in range(50_000)]
    (tmp_path / "keys").write_text("\n".join(keys + keys[:10]))
    result = s3find("--from", tmp_path / "keys", tmp_path / "out", "--memory", "1MiB")
    assert (result.returncode, result.stdout) == (0, "")
    assert "50000 keys, 1 chunk" in result.stderr and "left out: 10 lines" in result.stderr
    expected = subprocess.run(
        ["sort", "-u", tmp_path / "keys"], check=True, capture_output=True,
        env=dict(os.environ, LC_ALL="C")).stdout
    assert b"".join(lines(tmp_path / "out")) == expected
    assert sorted(os.listdir(tmp_path / "out")) == ["keys-000001.list", "manifest.json"]
    assert manifest(tmp_path / "out")["root"] == str(tmp_path / "keys")


@pytest.mark.parametrize("option", ["--null", "-0"])
def test_takes_keys_of_any_bytes_from_a_pipe(tree, tmp_path, option):
    (tree / "new\nline").write_text("")
    found = subprocess.run(
        ["find", ".", "-type", "f", "-printf", "%P\\0"], cwd=tree, check=True, capture_output=True)
    result = subprocess.run(
        [S3FIND, "--from", "-", option, tmp_path / "out"], input=found.stdout, capture_output=True,
        timeout=120, env=ENVIRONMENT)
    assert result.returncode == 0
    assert s3find(tree, tmp_path / "walked").returncode == 0
    assert lines(tmp_path / "out") == lines(tmp_path / "walked")
    assert manifest(tmp_path / "out")["root"] == "standard input"


def test_takes_lists_of_our_own(tree, tmp_path):
    """Chunks in the wrong order, with columns and escapes, become one list again."""
    (tree / "tab\tbed").write_text("12345")
    assert s3find(tree, tmp_path / "one", "--long", "--chunk-size", 10).returncode == 0
    chunks = sorted((tmp_path / "one").glob("*.list"), reverse=True)
    (tmp_path / "keys").write_bytes(b"".join(chunk.read_bytes() for chunk in chunks))
    result = s3find("--from", tmp_path / "keys", "--escaped", tmp_path / "out")
    assert result.returncode == 0
    assert lines(tmp_path / "out") == lines(tmp_path / "one")
    one, other = manifest(tmp_path / "one"), manifest(tmp_path / "out")
    assert (one["bytes"], one["columns"]) == (other["bytes"], other["columns"])


@pytest.mark.parametrize("contents, options, words", [
    (b"a\n\nb\n", [], ["keys, line 2", "no key"]), (b"a\0b\n", [], ["keys, line 1", "--null"]),
    (b"a\r\nb\r\n", [], ["keys, line 1", "carriage return"]),
    (b"a\n" + b"k" * 1025, [], ["keys, line 2", "1024"]),
    (b"a\0\0", ["-0"], ["keys, key 2", "no key"]),
    (b"a\tb\n", ["--escaped"], ["keys, line 1", "column 2", "--escaped"]),
])
def test_a_bad_key_is_named_and_nothing_is_listed(tmp_path, contents, options, words):
    (tmp_path / "keys").write_bytes(contents)
    result = s3find("--from", tmp_path / "keys", *options, tmp_path / "out")
    assert result.returncode == 2
    assert all(word in result.stderr for word in words), result.stderr
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("arguments", [
    ["--from", "{keys}"], ["--from", "{keys}", "{out}", "more"], ["--from", "{keys}x", "{out}"],
    ["--from", "{folder}", "{out}"], ["--from", "{keys}", "{out}", "--long"],
    ["--from", "{keys}", "{out}", "--threads", "2"], ["--from", "{keys}", "{out}", "--memory", "1"],
    ["--from", "{keys}", "{out}", "--null", "--escaped"], ["{folder}", "{out}", "--null"],
    ["--from", "{keys}", "{out}", "--later-than", "1"], ["{folder}", "{out}", "--memory", "1GB"],
    ["--from", "{keys}", "{folder}"], ["--from", "{folder}/.keys", "{folder}"],
])
def test_wrong_usage_of_from_ends_with_2_and_touches_nothing(tmp_path, arguments):
    (tmp_path / "keys").write_text("b\na\n")
    (tmp_path / "folder").mkdir()
    for name in ["file", ".keys"]:
        (tmp_path / "folder" / name).write_text("")
    places = {name: tmp_path / name for name in ["keys", "folder", "out"]}
    result = s3find(*[a.format(**places) for a in arguments])
    assert result.returncode == 2
    assert result.stderr.strip()
    assert sorted(os.listdir(tmp_path)) == ["folder", "keys"]
    assert sorted(os.listdir(tmp_path / "folder")) == [".keys", "file"]


@needs_root
def test_a_disk_too_full_to_sort_ends_with_3(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "keys").write_text("\n".join(f"{n:0100}" for n in range(40_000)))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "s3find-test", disk], check=True)
    try:
        result = s3find("--from", tmp_path / "keys", disk / "out", "--memory", "1MiB")
        assert result.returncode == 3
        assert "No space left on device" in result.stderr and "as the keys" in result.stderr
        assert os.listdir(disk / "out") == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_sort_that_is_stopped_leaves_nothing(tmp_path, number, code):
    """It waits for a pipe that says no more, and has runs on the disk already."""
    process = subprocess.Popen(
        [S3FIND, "--from", "-", "--memory", "1MiB", tmp_path / "out"], stdin=subprocess.PIPE,
        stderr=subprocess.PIPE, env=ENVIRONMENT, preexec_fn=heed_signals)
    process.stdin.write(b"".join(b"%0100d\n" % n for n in range(40_000)))
    process.stdin.flush()
    time.sleep(1)
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    text = process.stderr.read()
    assert code != 130 or b"interrupted" in text and b"no manifest.json" in text
    assert os.listdir(tmp_path / "out") == []
    process.stdin.close()


@needs_root
def test_lists_what_is_mounted_inside(tree, tmp_path):
    """Another file system: the end of its directories is told in another way."""
    inside = tree / "a" / "mounted"
    inside.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "s3find-test", inside], check=True)
    try:
        (inside / "sub").mkdir()
        for number in range(3000):
            (inside / "sub" / f"{number:04}").write_text("")
        assert s3find(tree, tmp_path / "out").returncode == 0
        listed = [line for line in lines(tmp_path / "out") if line.startswith(b"a/mounted/")]
        assert listed == [b"a/mounted/sub/%04d\n" % number for number in range(3000)]
    finally:
        subprocess.run(["umount", inside], check=True)


# --- What goes wrong ---


@needs_root
def test_an_unreadable_directory_is_reported(tree, tmp_path):
    secret = tree / "a" / "secret"
    secret.mkdir()
    (secret / "hidden").write_text("")
    secret.chmod(0o700)
    for path in [tmp_path, *tmp_path.parents[:2]]:
        path.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    os.chown(out, 65534, 65534)
    result = s3find(tree, out, "--quiet", before=NOBODY)
    assert result.returncode == 1
    assert "cannot read a/secret/: Permission denied" in result.stderr
    assert "INCOMPLETE" in result.stderr
    assert manifest(out)["complete"] is False
    assert manifest(out)["counts"]["unreadable"] == 1
    assert len(lines(out)) == 128


@needs_root
def test_a_directory_without_attributes_is_reported(tmp_path):
    """Readable, but not searchable: names are there, attributes are not."""
    root, out = tmp_path / "tree", tmp_path / "out"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_text("")
    (root / "sub").chmod(0o744)
    for path in [tmp_path, *tmp_path.parents[:2]]:
        path.chmod(0o755)
    out.mkdir()
    os.chown(out, 65534, 65534)
    result = s3find(root, out, "--long", before=NOBODY)
    assert result.returncode == 1
    assert "cannot read sub/file: Permission denied" in result.stderr
    assert manifest(out)["complete"] is False
    assert manifest(out)["objects"] == 0


def test_names_that_are_no_keys_are_reported(tmp_path):
    root = os.fsencode(tmp_path / "tree")
    os.mkdir(root)
    for name in [b"fine", b"bad\xff"]:
        open(os.path.join(root, name), "w").close()
    result = s3find(tmp_path / "tree", tmp_path / "out", "--quiet")
    assert result.returncode == 1
    assert "not UTF-8 and so no S3 key: \\bad\\xFF" in result.stderr
    assert lines(tmp_path / "out") == [b"fine\n"]
    assert manifest(tmp_path / "out")["counts"]["unnameable"] == 1


@pytest.mark.parametrize("arguments", [
    [], ["{tree}"], ["{tree}", "{out}", "extra"], ["{tree}", "{out}", "--later-than", "-1"],
    ["{tree}", "{out}", "--later-than", "soon"], ["{tree}", "{out}", "--later-than", "nan"],
    ["{tree}", "{out}", "--later-than", "inf"], ["{tree}", "{out}", "--threads", "0"],
    ["{tree}", "{out}", "--chunk-size", "0"], ["{tree}", "{out}", "--nonsense"],
    ["{tree}/missing", "{out}"], ["{tree}/file", "{out}"], ["{tree}", "{tree}"],
    ["{tree}", "{tree}/out"], ["{tree}", "{out}/missing/parent"], ["{tree}", "{tree}/file"],
])
def test_wrong_usage_ends_with_2_and_touches_nothing(tmp_path, arguments):
    tree, out = tmp_path / "tree", tmp_path / "out"
    tree.mkdir()
    (tree / "file").write_text("")
    result = s3find(*[a.format(tree=tree, out=out) for a in arguments])
    assert result.returncode == 2
    assert result.stderr.strip()
    assert sorted(os.listdir(tmp_path)) == ["tree"]
    assert os.listdir(tree) == ["file"]


def test_lists_are_never_mixed(tree, tmp_path):
    assert s3find(tree, tmp_path / "out").returncode == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    result = s3find(tree, tmp_path / "out")
    assert result.returncode == 2
    assert "never mixed" in result.stderr
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("option, text", [
    ("--version", "s3find 0."), ("--help", "EXIT CODES"), ("-h", "130"),
])
def test_tells_about_itself(option, text):
    result = s3find(option)
    assert (result.returncode, result.stderr) == (0, "")
    assert text in result.stdout


@needs_root
def test_a_full_disk_ends_with_3_and_no_manifest(tmp_path):
    root, disk = tmp_path / "tree", tmp_path / "disk"
    root.mkdir()
    disk.mkdir()
    for number in range(2000):
        (root / f"{number:04}-{'long' * 20}").write_text("")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "s3find-test", disk], check=True)
    try:
        result = s3find(root, disk / "out", "--chunk-size", 100)
        assert result.returncode == 3
        assert "No space left on device" in result.stderr
        assert str(disk / "out") in result.stderr
        assert "manifest.json" not in os.listdir(disk / "out")
        assert not [name for name in os.listdir(disk / "out") if "partial" in name]
    finally:
        subprocess.run(["umount", disk], check=True)



def heed_signals():
    """Before a program starts: nothing is ignored that the tests, under nohup for instance, were made to ignore."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Stuck:
    """An s3find that stands still: nobody reads what it has to tell."""

    def __init__(self, tmp_path, **options):
        tree = os.fsencode(tmp_path / "tree")
        os.mkdir(tree)
        open(os.path.join(tree, b"no key\xff"), "w").close()
        self.out = tmp_path / "out"
        self.messages, full = os.pipe()
        os.set_blocking(full, False)
        while True:
            try:
                os.write(full, b"x" * 4096)
            except BlockingIOError:
                break
        os.set_blocking(full, True)
        self.process = subprocess.Popen(
            [S3FIND, tmp_path / "tree", self.out], stderr=full, env=ENVIRONMENT,
            **{"preexec_fn": heed_signals} | options)
        os.close(full)
        while not self.out.exists():
            time.sleep(0.01)
        time.sleep(0.2)

    def go_on(self):
        """Reads all that it has to tell; how it ended."""
        with os.fdopen(self.messages, "rb") as messages:
            self.text = messages.read()
        return self.process.wait(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_with_130_and_no_manifest(tmp_path, number):
    stuck = Stuck(tmp_path)
    stuck.process.send_signal(number)
    time.sleep(0.1)
    assert stuck.go_on() == 130
    assert b"interrupted" in stuck.text and b"no manifest.json" in stuck.text
    assert "manifest.json" not in os.listdir(stuck.out)


def test_a_second_signal_ends_it_at_once(tmp_path):
    stuck = Stuck(tmp_path)
    for _ in range(2):
        stuck.process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert stuck.process.wait(timeout=60) == 130
    os.close(stuck.messages)


def test_an_ignored_hangup_stays_ignored(tmp_path):
    """As under nohup."""
    stuck = Stuck(tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    stuck.process.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    assert stuck.go_on() == 1
    assert b"interrupted" not in stuck.text
    assert "manifest.json" in os.listdir(stuck.out)


def test_goes_on_when_nobody_listens(tmp_path):
    stuck = Stuck(tmp_path)
    os.close(stuck.messages)
    assert stuck.process.wait(timeout=60) == 1
    assert "manifest.json" in os.listdir(stuck.out)


def test_one_process_writes_to_a_folder(tree, tmp_path):
    (tmp_path / "first").mkdir()
    stuck = Stuck(tmp_path / "first")
    result = s3find(tree, stuck.out)
    assert result.returncode == 2
    assert "another s3find" in result.stderr
    assert stuck.go_on() == 1


def test_samples_run(tree, tmp_path):
    """What samples/ shows about s3find does what it says."""
    script = REPOSITORY / "samples" / "list-twice.sh"
    result = subprocess.run(
        ["sh", script, tree, tmp_path / "lists"], capture_output=True, text=True, timeout=120,
        env=dict(ENVIRONMENT, PATH=f"{os.path.dirname(S3FIND)}:{os.environ['PATH']}"))
    assert result.returncode == 0, result.stderr
    assert manifest(tmp_path / "lists/all")["objects"] == 128
    assert manifest(tmp_path / "lists/changed")["filter"]["laterThanDays"] == 1
