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
