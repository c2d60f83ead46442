"""Sides that do not answer, throttle, or no longer take our credentials: the run waits, and nothing fails."""

import json
import signal
import time
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

import pytest
from fakes3 import Fault, faults
from fakes3.exchange import Request, error
from fakes3.store import Store
from program import EXIT_DONE, EXIT_INTERRUPTED, EXIT_STOPPED, Migration, Side, clean_environment
from s3client import S3Client, at_once
from servers import Ceph

OLD, NEW = "OLD" * 20, "NEW" * 20


@pytest.fixture
def many(fakes):
    """Objects enough that a run of one thread takes seconds."""
    for number in range(400):
        fakes.source.put("bucket", f"k{number:03}", b"body %d" % number)
    fakes.target.latency_s = 0.03
    return fakes


def start(fakes, *options, **named):
    """`--retries 0`: what counts against an object fails it at once."""
    migration = fakes.migration(None, "--threads", "1", "--transfers", "8", "--retries", "0")
    running = migration.start("--timeout", "3", *options, **named)
    wait_for_objects(fakes, 50)
    return migration, running


def wait_for_objects(fakes, count):
    deadline = time.monotonic() + 60
    while len(fakes.target.store.objects("bucket")) < count:
        assert time.monotonic() < deadline, "the run does not get going"
        time.sleep(0.02)


def wait_until(is_so, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def make_bucket(server) -> str:
    """On a server that ends with its test, bucket and all."""
    S3Client.of(server).make_bucket("target")
    return "target"


def complete(fakes, run):
    assert fakes.wrong() == []
    assert run.logs.failed == []
    assert run.summary["failed"] == 0


# Nobody answers


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_side_that_is_down_pauses_the_run(many, side):
    status_file = many.folder / "status.json"
    _, running = start(many, "--status-file", status_file)
    server = getattr(many, side)
    server.go_down()
    states = set()

    def is_told():
        if not status_file.exists():
            return False
        states.add(json.loads(status_file.read_bytes())[side]["state"])
        return "down" in states

    wait_until(is_told)
    time.sleep(4)
    server.listen()
    run = running.wait().expect(EXIT_DONE)
    complete(many, run)
    run.mentions(f"{side}: {server.url} has not answered for", "waiting (at most 60 min)")
    run.mentions(f"{side}: {server.url} answers again after")
    final = json.loads(status_file.read_bytes())
    assert (final[side]["state"], final[side]["down_seconds"]) == ("up", 0)


def test_an_outage_that_lasts_too_long_stops_the_run_and_a_resume_goes_on(many):
    migration, running = start(many, "--outage-timeout", "3s")
    many.target.go_down()
    run = running.wait(30).expect(EXIT_STOPPED)
    run.mentions("target", "has not answered for", "--outage-timeout", "--resume")
    assert run.logs.failed == []
    assert run.summary["failed"] == 0
    assert run.summary["not_reached"] > 0
    many.target.listen()
    complete(many, migration.run("--resume").expect(EXIT_DONE))


def test_a_signal_ends_a_run_that_waits(many):
    migration, running = start(many)
    many.target.go_down()
    time.sleep(4)
    asked = time.monotonic()
    running.send(signal.SIGINT)
    run = running.wait(20).expect(EXIT_INTERRUPTED)
    assert time.monotonic() - asked < 8
    assert run.logs.failed == []
    many.target.listen()
    complete(many, migration.run("--resume").expect(EXIT_DONE))


def test_a_load_balancer_with_nobody_behind_it_is_an_outage(many):
    """Its 503 has no S3 document, and it answers everybody so."""
    many.script.add(faults.html_page(503), side="target", method="*", nth=150, times=14)
    _, running = start(many)
    run = running.wait().expect(EXIT_DONE)
    complete(many, run)
    run.mentions("target", "HTTP 503", "answers again")


def test_an_object_that_nobody_can_have_does_not_look_like_an_outage(many):
    many.script.add(faults.reset(), side="source", method="GetObject", key="k399", times=None)
    run = many.migration(None, "--retries", "4").run().expect(1)
    assert run.logs.keys_with("fail") == {"k399"}
    assert "has not answered" not in run.output


def test_of_a_name_with_two_addresses_one_may_refuse(many):
    """localhost is ::1 and 127.0.0.1 to libcurl, and the server listens at one of them."""
    migration = many.migration()
    port = many.target.url.rsplit(":", 1)[1]
    run = migration.run(dest_url=f"http://localhost:{port}").expect(EXIT_DONE)
    complete(many, run)
    assert "has not answered" not in run.output


def test_a_gateway_that_is_killed_and_comes_back(ceph_source, new_bucket, tmp_path):
    with Ceph("outage") as target:
        source_bucket, target_bucket = new_bucket(ceph_source), make_bucket(target)
        client = S3Client.of(ceph_source)
        keys = [f"k{number:04}" for number in range(1500)]
        at_once(lambda key: client.put(source_bucket, key, key.encode() * 50), keys)
        migration = Migration(
            Side.of(ceph_source, source_bucket), Side.of(target, target_bucket), tmp_path, keys
        )
        running = migration.start("--threads", 1, "--transfers", 4, "--retries", "1")
        log = tmp_path / "logs/migrate.log"
        wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") > 100)
        target.kill_gateway()
        time.sleep(20)
        target.start_gateway()
        run = running.wait().expect(EXIT_DONE)
        assert run.logs.failed == []
        run.mentions("has not answered", "answers again")
        copy = S3Client.of(target)
        assert sorted(copy.listing(target_bucket)) == keys


# Throttling


def test_a_gateway_that_takes_four_requests_at_once(ceph_source, new_bucket, tmp_path):
    """A real 503 SlowDown (rgw_max_concurrent_requests): nothing fails, and few are refused."""
    with Ceph("narrow", options="rgw_max_concurrent_requests = 4") as target:
        source_bucket, target_bucket = new_bucket(ceph_source), make_bucket(target)
        client = S3Client.of(ceph_source)
        keys = [f"k{number:04}" for number in range(3000)]
        at_once(lambda key: client.put(source_bucket, key, key.encode() * 50), keys)
        status_file = tmp_path / "status.json"
        migration = Migration(
            Side.of(ceph_source, source_bucket), Side.of(target, target_bucket), tmp_path, keys
        )
        run = migration.run("--status-file", status_file, "--threads", 2).expect(EXIT_DONE)
        assert run.logs.failed == []
        assert len(run.logs.keys_with("copied")) == 3000
        status = json.loads(status_file.read_bytes())["target"]
        print("refused:", status["throttled_answers"], "concurrency:", status["concurrency"])
        assert 0 < status["throttled_answers"] < 1000
        assert status["concurrency"] < 64


def test_without_throttling_nothing_is_held_back(many):
    status_file = many.folder / "status.json"
    run = many.migration().run("--status-file", status_file, "--threads", 2).expect(EXIT_DONE)
    complete(many, run)
    status = json.loads(status_file.read_bytes())
    for side in ("source", "target"):
        assert (status[side]["concurrency"], status[side]["throttled"]) == (64, False)


# Everything fails for one reason


def test_a_hundred_that_fail_alike_stop_the_run(many):
    many.script.add(faults.access_denied(), side="target", method="PutObject", key="k*", times=None)
    run = many.migration().run().expect(EXIT_STOPPED)
    run.mentions("failed for one reason", "AccessDenied")
    assert run.summary["not_reached"] > 0
    assert 100 <= run.summary["failed"] < 300


def test_a_number_of_failures_that_is_too_much(many):
    many.script.add(faults.access_denied(), side="source", method="GetObject", key="k*5", times=None)
    run = many.migration().run("--max-failures", 7, "--transfers", 2, "--threads", 1)
    run.expect(EXIT_STOPPED).mentions("7 objects have failed", "--max-failures")
    assert 7 <= run.summary["failed"] < 15


# Credentials and clocks


def expired_unless(token: str) -> Fault:
    """Of a HEAD the refusal has no words, as always."""

    def strike(request: Request, store: Store):
        if request.headers.get("x-amz-security-token") == token:
            return store.answer(request)
        return error(400, "ExpiredToken", request, {}, "The provided token has expired.")

    return Fault("expired unless new", strike)


class Profile:
    """An AWS credentials file whose session token is replaced while a run goes on."""

    def __init__(self, home: Path):
        self.path = home / ".aws/credentials"
        self.path.parent.mkdir(parents=True)
        self.environment = clean_environment(HOME=str(home), S3MIGRATE_SRC_SECRET=Side.secret)
        self.write(OLD)

    def write(self, token: str):
        new = self.path.with_suffix(".new")
        new.write_text(
            f"[target]\naws_access_key_id = {Side.key}\naws_secret_access_key = {Side.secret}\n"
            f"aws_session_token = {token}\n"
        )
        new.replace(self.path)


@pytest.fixture
def profile(tmp_path):
    return Profile(tmp_path / "home")


def start_with(profile, fakes, *options):
    return start(
        fakes, "--dest-profile", "target", *options, environment=profile.environment, dest_key=None
    )


@pytest.mark.parametrize("method", ["*", "HeadObject"])
def test_a_token_that_is_replaced_in_its_profile(many, profile, method):
    """No object fails, whichever request is the first to be refused."""
    if method == "HeadObject":
        # A 412 to an object of somebody else is settled by a HEAD.
        for number in range(100, 400, 3):
            many.target.put("bucket", f"k{number:03}", b"of a client")
        # A HEAD's refusal has no words, so the program asks for a listing; the first is the preflight's.
        listing = many.script.add(
            expired_unless(NEW), side="target", method="ListObjectsV2", nth=2, times=None
        )
    nth = 60 if method == "*" else 1
    rule = many.script.add(
        expired_unless(NEW), side="target", method=method, key="k*", nth=nth, times=None
    )
    _, running = start_with(profile, many)
    wait_until(lambda: rule.hits > 0)
    if method == "*":
        time.sleep(2)
    else:
        wait_until(lambda: listing.hits > 0)
    profile.write(NEW)
    run = running.wait().expect(EXIT_DONE)
    assert run.logs.failed == []
    run.mentions("the credentials of the profile 'target' have expired", "new credentials")
    if method == "*":
        complete(many, run)
    for secret in (OLD, NEW):
        assert secret not in run.output


def test_a_token_that_is_not_replaced_stops_the_run(many, profile):
    many.script.add(
        expired_unless(NEW), side="target", method="PutObject", key="k*", nth=60, times=None
    )
    migration, running = start_with(profile, many, "--outage-timeout", "3s")
    run = running.wait(30).expect(EXIT_STOPPED)
    run.mentions("have expired", "still the same", "--resume")
    assert run.logs.failed == []
    profile.write(NEW)
    run = migration.run(
        "--resume", "--dest-profile", "target", environment=profile.environment, dest_key=None
    )
    complete(many, run.expect(EXIT_DONE))


def test_a_token_of_the_environment_cannot_be_replaced(many):
    many.script.add(
        expired_unless(NEW), side="target", method="PutObject", key="k*", nth=60, times=None
    )
    _, running = start(many)
    run = running.wait(30).expect(EXIT_STOPPED)
    run.mentions("ExpiredToken", "--dest-profile")
    assert run.logs.failed == []


def test_a_clock_that_goes_wrong_in_the_middle(many):
    """The target's clock jumps two hours: what is signed by ours is refused from then on."""

    def strike(request: Request, store: Store):
        server_now = time.time() + 7200
        stamp = request.headers["x-amz-date"]
        signed = parsedate_to_datetime(
            f"{stamp[6:8]} {MONTHS[int(stamp[4:6]) - 1]} {stamp[:4]} "
            f"{stamp[9:11]}:{stamp[11:13]}:{stamp[13:15]} GMT"
        ).timestamp()
        if abs(server_now - signed) < 900:
            return store.answer(request)
        date = {"date": formatdate(server_now, usegmt=True)}
        return error(403, "RequestTimeTooSkewed", request, date, "The difference is too large.")

    many.script.add(Fault("clock", strike), side="target", method="*", key="k*", nth=60, times=None)
    run = many.migration(None, "--retries", "1").run().expect(EXIT_DONE)
    complete(many, run)
    refused = [entry for entry in many.record.entries("target") if entry.status == 403]
    assert 0 < len(refused) <= 200


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
