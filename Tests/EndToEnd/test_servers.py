"""The real servers: they start, they are what the tables say, and nothing of them is left when they
have stopped."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from odd_keys import ODD_KEYS, REFUSED, as_table
from s3client import S3Client, S3RequestFailed
from servers import KINDS
from servers.ports import free_port

HERE = Path(__file__).parent


@pytest.fixture(scope="module", params=list(KINDS))
def server(request):
    with KINDS[request.param]() as started:
        started.kind = request.param
        yield started


@pytest.fixture(scope="module")
def client(server):
    client = S3Client.of(server)
    client.make_bucket("bucket")
    return client


def test_the_table_of_refused_keys_is_true(server, client):
    client.make_bucket("odd")
    # A key that is found before it was put is another one's double; it shall not overwrite that
    # one.
    doubles = {oddity for oddity, key in ODD_KEYS.items() if not _put_as_new(client, oddity, key)}
    listed = client.listing("odd")  # rclone forgets some keys only when it lists
    refused = {
        oddity
        for oddity, key in ODD_KEYS.items()
        if key not in listed or not _reads_back(client, oddity, key)
    }
    assert refused | doubles == set(REFUSED[server.kind])


def _put_as_new(client, oddity, key) -> bool:
    if _status(client.head, "odd", key) == 200:
        return False
    return _status(client.put, "odd", key, oddity.encode()) == 200


def _reads_back(client, oddity, key) -> bool:
    return (
        _status(client.head, "odd", key) == 200 and client.get("odd", key).body == oddity.encode()
    )


def test_odd_keys_are_odd_but_allowed():
    assert all(0 < len(key.encode()) <= 1024 for key in ODD_KEYS.values())
    assert len(set(ODD_KEYS.values())) == len(ODD_KEYS)
    assert all(set(refused) <= set(ODD_KEYS) for refused in REFUSED.values())


def test_the_table_stands_in_the_documentation():
    assert as_table() in (HERE.parent / "README.md").read_text()


def test_capabilities_are_as_declared(server, client):
    client.put("bucket", "key", b"0123456789", {"x-amz-meta-a": "b"})
    ranged = client.get("bucket", "key", {"range": "bytes=0-4"})
    found = {
        "honest_ranges": ranged.status == 206,
        "conditional_put": _status(client.put, "bucket", "key", b"x", {"if-none-match": "*"})
        == 412,
        "expires": _status(client.put, "bucket", "expires", b"", {"expires": "5d"}) == 200
        and client.get("bucket", "expires").headers.get("expires") == "5d",
        "signatures": _status(S3Client(server.url, server.key, "wrong").get, "bucket", "key")
        == 403,
        "tagging": _status(client.put, "bucket", "tagged", b"", {"x-amz-tagging": "a=b"}) == 200
        and client.get("bucket", "tagged").headers.get("x-amz-tagging-count") == "1",
    }
    assert ranged.body == b"01234"
    assert found == {name: getattr(server.capabilities, name) for name in found}


def _status(call, *arguments) -> int:
    try:
        return call(*arguments).status
    except S3RequestFailed as failure:
        return failure.answer.status


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_after_a_stop(kind):
    server = KINDS[kind]().start()
    pids = [process.pid for _, process in server._processes]
    server.stop()
    server.stop()
    assert not server.answers()
    assert not server.state.exists()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_servers_die_with_a_killed_starter():
    """As when a CI job is cut off: nobody could stop them any more."""
    command = [
        sys.executable,
        "-m",
        "servers",
        "rclone",
        "--",
        "sh",
        "-c",
        "echo $S3_1_URL; exec sleep 60",
    ]
    starter = subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    url = starter.stdout.readline().strip()
    assert _answers(url)
    starter.kill()
    starter.wait()
    os.killpg(starter.pid, 9)  # the sleep, which is no server of ours
    deadline = time.monotonic() + 5
    while _answers(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _answers(url)


def test_the_command_line_passes_the_exit_code_on():
    run = [sys.executable, "-m", "servers"]
    assert subprocess.run([*run, "rclone", "--", "sh", "-c", "exit 7"], cwd=HERE).returncode == 7
    assert (
        subprocess.run([*run, "unheard-of", "--", "true"], cwd=HERE, capture_output=True).returncode
        == 2
    )
    assert subprocess.run([*run, "rclone"], cwd=HERE, capture_output=True).returncode == 2


def test_free_ports_are_not_handed_out_twice():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
