"""`s3migrate report`: whether a migration of several hosts and passes is complete, from its logs alone."""

import json
import shutil
import signal
import time

import pytest
from fakes3 import faults
from program import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, run_program

HOSTS = 8


def report(migration, *names, options=()):
    """The report of log folders: the run, and what `--json` says."""
    folders = [migration.folder / name for name in names]
    run = run_program("s3migrate", "report", *folders, *options, folder=migration.folder)
    if run.code == EXIT_USAGE:
        return run, None
    same = run_program("s3migrate", "report", *folders, *options, "--json", folder=migration.folder)
    assert same.code == run.code
    told = json.loads(same.stdout)
    assert told["complete"] == (run.code == EXIT_DONE) == (told["reasons"] == [])
    assert told["objects"] == sum(
        told[name] for name in ["exist", "copied", "skipped_source", "skipped_target", "failed"]
    )
    return run, told


def names(count=HOSTS):
    return [f"host-{value}" for value in range(count)]


def put_many(fakes, count=300):
    for number in range(count):
        fakes.source.put("bucket", f"folder/{number:04}", b"body %d" % number)


def run_hosts(migration, values=range(HOSTS), count=HOSTS):
    options = ["--hash-count", count]
    runs = [
        migration.start(*options, "--hash-value", value, logs=f"host-{value}") for value in values
    ]
    return [running.wait() for running in runs]


def test_eight_hosts_of_which_one_stopped_early(fakes):
    put_many(fakes)
    fakes.put_source(old=b"there already")
    fakes.target.put("bucket", "old", b"there already")
    migration = fakes.migration(target_keys=["old"])
    early = 5
    for run in run_hosts(migration, [value for value in range(HOSTS) if value != early]):
        run.expect(EXIT_DONE)
    share = ["--hash-count", HOSTS, "--hash-value", early]
    migration.run(*share, "--first", 3, logs=f"host-{early}").expect(EXIT_DONE)

    run, told = report(migration, *names())
    run.expect(EXIT_FAILED).mentions("NOT complete", "hash value 5 of 8", "--first", "--resume")
    assert len(told["reasons"]) == 1
    assert [host["state"] for host in told["passes"][0]["hosts"]] == [
        "first" if value == early else "finished" for value in range(HOSTS)
    ]

    migration.run(*share, "--resume", logs=f"host-{early}").expect(EXIT_DONE)
    run, told = report(migration, *names())
    run.expect(EXIT_DONE).mentions("the migration is complete")
    assert (told["objects"], told["copied"], told["exist"]) == (301, 300, 1)
    assert told["bytes_copied"] == sum(
        len(item.body) for key, item in fakes.source.store.objects("bucket").items() if key != "old"
    )
    assert told["proofs"]["etag"]["count"] == 300
    assert [told["passes"][0][name] for name in ["objects", "logged", "hash_count"]] == [301, 301, 8]


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.mark.parametrize("which, words", [
    (signal.SIGKILL, ["did not come to its end"]), (signal.SIGINT, ["interrupted", "not reached"]),
], ids=["kill -9", "CTRL-C"])
def test_a_host_that_did_not_end_well_is_named_until_it_is_resumed(fakes, which, words):
    put_many(fakes, 100)
    migration = fakes.migration()
    run_hosts(migration, [0], count=2)
    mark = len(fakes.record)
    fakes.script.add(faults.delay(0.2), side="source", method="GET", times=8)
    share = ["--hash-count", 2, "--hash-value", 1]
    running = migration.start(*share, "--transfers", 1, "--threads", 1, logs="host-1")
    wait_for(lambda: len(fakes.record.entries("source", "GetObject", since=mark)) >= 3)
    run, told = report(migration, *names(2))
    run.expect(EXIT_FAILED).mentions("hash value 1 of 2 is still running")
    running.send(which)
    running.wait()

    run, told = report(migration, *names(2))
    run.expect(EXIT_FAILED).mentions("hash value 1 of 2", "--resume", *words)
    assert len(told["reasons"]) == 1

    migration.run(*share, "--resume", logs="host-1").expect(EXIT_DONE)
    run, told = report(migration, *names(2))
    run.expect(EXIT_DONE)
    assert told["objects"] == told["copied"] == 100


def test_a_second_pass_heals_the_first(fakes):
    put_many(fakes, 60)
    for key in ["folder/0007", "folder/0042"]:
        fakes.script.add(faults.access_denied(), side="target", method="PUT", key=key, times=1)
    fakes.script.add(
        faults.internal_error(), side="source", method="GET", key="folder/0050", times=2)
    migration = fakes.migration(None, "--retries", "0")
    codes = [run.code for run in run_hosts(migration, range(2), count=2)]
    assert EXIT_FAILED in codes

    run, told = report(migration, *names(2))
    run.expect(EXIT_FAILED).mentions("3 objects are still failed", "--failed-to-folder")
    assert {name: error["count"] for name, error in told["errors"].items()} == {
        "denied": 2, "server": 1,
    }
    assert told["errors"]["server"]["example_key"] == "folder/0050"

    lists = migration.folder / "failed-lists"
    run_program(
        "s3migrate", "--failed-to-folder", lists, "--log-folder", migration.folder / "host-0",
        "--log-folder", migration.folder / "host-1", folder=migration.folder,
    ).expect(EXIT_DONE)
    migration.run(logs="second", src_folder=lists).expect(EXIT_FAILED)
    run, told = report(migration, *names(2), "second")
    run.expect(EXIT_FAILED).mentions("1 objects are still failed", "server=1")
    assert (told["healed"], told["failed"], told["copied"]) == (2, 1, 59)

    migration.run(logs="third", src_folder=lists).expect(EXIT_DONE)
    run, told = report(migration, *names(2), "second", "third")
    run.expect(EXIT_DONE).mentions("failed at first")
    assert (told["healed"], told["failed"], told["copied"]) == (3, 0, 60)
    assert [
        (one["objects"], one["logged"], len(one["hosts"])) for one in told["passes"]
    ] == [(60, 60, 2), (3, 3, 1)]


def test_what_differs_or_is_lost_is_a_warning(fakes):
    put_many(fakes, 20)
    fakes.target.put("bucket", "folder/0003", b"a newer one")
    migration = fakes.migration()
    run_hosts(migration, [0], count=1)
    run, told = report(migration, "host-0")
    run.expect(EXIT_DONE).mentions("WARNING: 1 objects at the target differ", "folder/0003")
    assert told["skips"] == {"differs": {"count": 1, "example": "folder/0003"}}


def test_what_was_replaced_is_told(fakes):
    for key in ("a", "b", "new"):
        fakes.source.put("bucket", key, b"the source's")
    for key in ("a", "b"):
        fakes.target.put("bucket", key, b"old", age_s=1000)
    migration = fakes.migration()
    migration.run("--overwrite", "changed", logs="host-0").expect(EXIT_DONE)
    run, told = report(migration, "host-0")
    run.expect(EXIT_DONE).mentions("replaced by copies  2, such as 'a'")
    assert told["replaced"] == {"count": 2, "example": "a"}
    assert told["copied"] == 3


# --- What is not one migration, or not whole ---


@pytest.fixture
def finished(fakes):
    put_many(fakes, 40)
    migration = fakes.migration()
    for run in run_hosts(migration, range(2), count=2):
        run.expect(EXIT_DONE)
    return migration


def test_a_missing_host_is_named(finished):
    run, _ = report(finished, "host-1")
    run.expect(EXIT_FAILED).mentions("hash value 0 of 2: no folder has its logs")


def test_another_bucket_is_another_migration(finished, fakes):
    fakes.target.store.make_bucket("other")
    finished.run(logs="other", dest_bucket="other").expect(EXIT_DONE)
    run, _ = report(finished, *names(2), "other")
    run.expect(EXIT_FAILED).mentions("another migration", "--dest-bucket")


def test_another_address_of_one_cluster_needs_a_word(finished):
    path = finished.folder / "host-1" / "run.json"
    path.write_text(path.read_text().replace("127.0.0.1", "localhost"))
    run, _ = report(finished, *names(2))
    run.expect(EXIT_FAILED).mentions("another migration", "--several-endpoints")
    run, _ = report(finished, *names(2), options=["--several-endpoints"])
    run.expect(EXIT_DONE)


def test_a_log_that_lost_lines_is_noticed(finished):
    path = finished.folder / "host-0" / "migrate.log"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    run, told = report(finished, *names(2))
    run.expect(EXIT_FAILED).mentions("copied", "a log was changed or cut", "the logs 38")
    assert told["objects"] == 38


def test_mixed_logs_are_noticed(finished):
    one, other = (finished.folder / name / "migrate.log" for name in names(2))
    merged = sorted(one.read_bytes().splitlines(keepends=True) + other.read_bytes().splitlines(True))
    one.write_bytes(b"".join(merged))
    run, _ = report(finished, *names(2))
    run.expect(EXIT_FAILED).mentions("of another hash value than 0", "mixed")


@pytest.mark.parametrize("spoil, words", [
    (lambda folder: shutil.rmtree(folder), ["cannot look into"]),
    (lambda folder: (folder / "run.json").unlink(), ["run.json"]),
    (lambda folder: (folder / "run.json").write_text("{}"), ["run.json", "none that"]),
    (lambda folder: (folder / "summary.json").write_text("{"), ["summary.json", "none that"]),
    (lambda folder: (folder / "migrate.log").write_text("x\n"), ["migrate.log, line 1"]),
], ids=["no folder", "no run.json", "bad run.json", "bad summary.json", "bad log"])
def test_what_cannot_be_read_ends_with_2(finished, spoil, words):
    spoil(finished.folder / "host-1")
    run, _ = report(finished, *names(2))
    run.expect(EXIT_USAGE).mentions(*words)


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["--dry-run", "x"], ["/no/where"]])
def test_wrong_usage_ends_with_2(tmp_path, arguments):
    run = run_program("s3migrate", "report", *arguments, folder=tmp_path).expect(EXIT_USAGE)
    assert run.stdout == "" and run.stderr


def test_the_help_of_the_flat_form_names_the_command(tmp_path):
    run = run_program("s3migrate", "--help", folder=tmp_path).expect(EXIT_DONE)
    run.mentions("--src-url", "OTHER COMMANDS", "  report  Say of the log folders")
    run_program("s3migrate", "report", "--help", folder=tmp_path).expect(EXIT_DONE).mentions(
        "--several-endpoints", "exit codes")
