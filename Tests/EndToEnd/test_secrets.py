"""Secrets are in no log, no message and no help, however a run ends."""

from pathlib import Path
from urllib.parse import quote

import pytest
from fakes3 import faults
from program import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE, clean_environment, run_program

SOURCE_SECRET = "SourceSecret/with+odd=characters0123456"
TARGET_SECRET = "TargetSecret/with+odd=characters0123456"
TOKEN = "SessionToken+which/is=a/secret/too"
SECRETS = (SOURCE_SECRET, TARGET_SECRET, TOKEN)


def leaks(run, *folders: Path) -> list[str]:
    """Where a secret stands, as it is or as it would stand in a URL."""
    places = {"stdout": run.stdout, "stderr": run.stderr}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                places[str(path)] = path.read_text(errors="replace")
    forms = [form for secret in SECRETS for form in (secret, quote(secret, safe=""))]
    return [name for name, text in places.items() if any(form in text for form in forms)]


@pytest.fixture
def migration(fakes):
    for number in range(20):
        fakes.source.put("bucket", f"k{number:02}", b"body")
    return fakes.migration(None, "--retries", "0")


def secrets_in_environment():
    return clean_environment(
        S3MIGRATE_SRC_SECRET=SOURCE_SECRET,
        S3MIGRATE_DEST_SECRET=TARGET_SECRET,
        S3MIGRATE_SRC_SESSION_TOKEN=TOKEN,
        S3MIGRATE_DEST_SESSION_TOKEN=TOKEN,
    )


def by_environment(migration, *options, **replaced):
    return migration.run(*options, environment=secrets_in_environment(), **replaced)


def by_flags(migration, *options, **replaced):
    return migration.run(
        *options,
        environment=clean_environment(),
        src_secret=SOURCE_SECRET,
        dest_secret=TARGET_SECRET,
        **replaced,
    )


WAYS = pytest.mark.parametrize("way", [by_environment, by_flags])


@WAYS
def test_a_good_run_leaks_nothing(fakes, migration, way):
    run = way(migration, "--status-file", migration.folder / "status.json").expect(EXIT_DONE)
    assert leaks(run, migration.folder) == []


@WAYS
def test_a_run_with_failures_leaks_nothing(fakes, migration, way):
    fakes.script.add(faults.access_denied(), side="target", method="PUT", key="k0*", times=None)
    run = way(migration).expect(EXIT_FAILED)
    assert leaks(run, migration.folder) == []


@WAYS
@pytest.mark.parametrize(
    "fault", [faults.signature_does_not_match(), faults.invalid_access_key(), faults.reset()]
)
def test_a_run_that_cannot_begin_leaks_nothing(fakes, migration, way, fault):
    fakes.script.add(fault, side="source", times=None)
    run = way(migration).expect(EXIT_STOPPED)
    assert leaks(run, migration.folder) == []


@WAYS
@pytest.mark.parametrize(
    "options", [["--no-such-option"], ["--threads", "x"], ["stray"], ["--help"], ["--version"]]
)
def test_usage_and_help_leak_nothing(migration, way, options):
    run = way(migration, *options)
    assert run.code == (EXIT_DONE if options[0] in ("--help", "--version") else EXIT_USAGE), run
    assert leaks(run, migration.folder) == []


def test_a_server_that_echoes_the_request_makes_no_leak(fakes, migration):
    """Some servers quote the string to sign or the header; what they say is logged."""
    echo = f"you sent {TOKEN} and I expected {SOURCE_SECRET}"
    fakes.script.add(
        faults.failure(403, "AccessDenied", echo),
        side="source",
        method="GetObject",
        key="k05",
        times=None,
    )
    run = by_environment(migration).expect(EXIT_FAILED)
    assert leaks(run, migration.folder) == []


def test_a_secret_as_a_flag_is_warned_of_once(migration):
    run = by_flags(migration).expect(EXIT_DONE)
    run.mentions("S3MIGRATE_SRC_SECRET")
    assert run.output.count("visible") <= 1


def test_secrets_from_the_environment_are_not_warned_of(migration):
    assert "visible" not in by_environment(migration).expect(EXIT_DONE).output


def test_a_session_token_is_sent_and_signed(fakes, migration):
    by_environment(migration).expect(EXIT_DONE)
    for entry in fakes.record.entries(operation="GetObject"):
        assert entry.headers["x-amz-security-token"] == TOKEN
        assert "x-amz-security-token" in entry.headers["authorization"]


def test_a_password_in_a_url_is_not_repeated(fakes, migration):
    url = fakes.source.url.replace("//", f"//user:{SOURCE_SECRET.replace('/', '')}@")
    run = migration.run(src_url=url)
    assert SOURCE_SECRET.replace("/", "") not in run.output


def test_secrets_come_from_a_profile(fakes, migration, tmp_path):
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = other\naws_secret_access_key = other\n\n"
        f"[old-cluster]\naws_access_key_id = profilekey\naws_secret_access_key = {SOURCE_SECRET}\n"
        f"aws_session_token = {TOKEN}\n"
    )
    environment = clean_environment(HOME=str(home), S3MIGRATE_DEST_SECRET=TARGET_SECRET)
    run = migration.run(
        "--src-profile", "old-cluster", src_key=None, environment=environment
    ).expect(EXIT_DONE)
    assert leaks(run, migration.folder) == []
    for entry in fakes.record.entries("source"):
        assert "Credential=profilekey/" in entry.headers["authorization"]


def test_a_missing_secret_says_where_to_put_it(migration):
    run = migration.run(environment=clean_environment(S3MIGRATE_DEST_SECRET=TARGET_SECRET)).expect(
        EXIT_USAGE
    )
    run.mentions("S3MIGRATE_SRC_SECRET")


def test_help_names_every_option(tmp_path):
    """What the guide names, what DESIGN adds, and the exit codes."""
    text = run_program("s3migrate", "--help", folder=tmp_path).expect(EXIT_DONE).stdout
    options = """
        --src-url --src-bucket --src-key --src-secret --src-folder --src-region --src-profile
        --src-ca-file --dest-url --dest-bucket --dest-key --dest-secret --dest-folder
        --dest-region --dest-profile --dest-ca-file --threads --transfers --hash-count
        --hash-value --start-after --resume --failed-to-folder --dry-run --first
        --multipart-threshold --memory --retries --timeout --log-folder --status-file
        --allow-weak-conditions --allow-incomplete-list --allow-missing --check-log
        S3MIGRATE_SRC_SECRET
    """.split()
    assert [option for option in options if option not in text] == []
