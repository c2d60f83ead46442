"""Clients that write, overwrite and delete at both sides while a migration goes on between two Cephs."""

import bisect
import random
import threading
import time

import pytest
from histories import Deed, History, Version, judged
from large_objects import open_uploads
from meddling_proxy import MeddlingProxy
from program import EXIT_DONE, Migration, Side, check_log
from s3client import S3Client, at_once

MEBIBYTE = 1 << 20
KEYS = 1600
LARGE_EVERY = 100
CLIENTS = 4
IN_PARTS = ["--multipart-threshold", "5MiB", "--part-size", "5MiB"]
SLOTS = ["--threads", 2, "--transfers", 6]


class Clients:
    """Threads that do something to keys near the place where the migration is. A key belongs to one of them, so the
    order of what is done to it is known."""

    def __init__(self, source: tuple[S3Client, str], target: tuple[S3Client, str], keys, seed):
        self.ends = {"source": source, "target": target}
        self.keys, self.seed = keys, seed
        self.histories = {key: History(key) for key in keys}
        self.place = lambda: 0
        """The index of the key that the migration is busy with."""
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)
        ]

    def put(self, side: str, key: str, version: Version):
        client, bucket = self.ends[side]
        body = version.body(key)
        self._do(side, key, version, lambda: client.put(bucket, key, body))

    def delete(self, side: str, key: str):
        client, bucket = self.ends[side]
        self._do(side, key, None, lambda: client.delete(bucket, key))

    def _do(self, side, key, version, act):
        begun = time.monotonic()
        act()
        deed = Deed(side, version, begun, time.monotonic(), time.time())
        self.histories[key].deeds.append(deed)

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def count(self) -> int:
        return sum(len(history.deeds) for history in self.histories.values()) - len(self.keys)

    def _work(self, number: int):
        chance = random.Random(f"{self.seed} client {number}")
        try:
            while not self._stop.is_set():
                self._act(chance, number)
        except BaseException as error:  # told by the thread that joins
            self._errors.append(error)

    def _act(self, chance, number: int):
        """One key: near the migration's place, or anywhere."""
        near = int(self.place() + chance.gauss(10, 30))
        index = near if chance.random() < 0.8 else chance.randrange(len(self.keys))
        index = min(max(index, 0), len(self.keys) - 1) // CLIENTS * CLIENTS + number
        if index >= len(self.keys):
            return
        key = self.keys[index]
        history = self.histories[key]
        act = chance.choices(range(6), [3, 3, 3, 2, 2, 2])[0]
        if act == 0:
            self.put("source", key, history.new_version(chance, in_parts(index)))
        elif act == 1:
            self.delete("source", key)
        elif act == 2:
            self.put("target", key, history.new_version(chance))
        elif act == 3:
            self.delete("target", key)
        elif act == 4:
            self.delete("source", key)
            self.delete("target", key)
        elif (version := history.last("source")) is not None:
            self.put("target", key, version)


def in_parts(index: int) -> bool:
    return index % LARGE_EVERY == 7


class Place:
    """The last key that the migration has read, as an index."""

    def __init__(self, proxy: MeddlingProxy, keys):
        self._proxy, self._keys, self._index = proxy, keys, 0

    def __call__(self) -> int:
        read = [one.key for one in self._proxy.exchanges()[-20:] if one.is_object_read]
        if read:
            self._index = bisect.bisect_left(self._keys, read[-1])
        return self._index


def delays(share, longest_s, seed):
    chance = random.Random(f"{seed} delays")
    return lambda one: chance.random() ** 2 * longest_s if chance.random() < share else 0.01


def migrate_among_clients(servers, new_bucket, folder, seed, *options, known=()):
    """The histories of all keys, judged by the logs; and the run."""
    buckets = [new_bucket(server) for server in servers]
    ends = [(S3Client.of(server), bucket) for server, bucket in zip(servers, buckets)]
    keys = [f"{number % 10}/{number:05}" for number in range(KEYS)]
    keys.sort()
    clients = Clients(*ends, keys, seed)
    chance = random.Random(seed)
    first = {
        key: clients.histories[key].new_version(chance, in_parts(index))
        for index, key in enumerate(keys)
    }
    at_once(lambda key: clients.put("source", key, first[key]), keys, threads=4)
    with MeddlingProxy(servers[0]) as source, MeddlingProxy(servers[1]) as target:
        # An answer that comes late is about an object that may be gone by then.
        source.delay_s, target.delay_s = delays(0.1, 2.5, seed), delays(0.03, 1.0, seed)
        clients.place = Place(source, keys)
        migration = Migration(
            Side.of(source, buckets[0]), Side.of(target, buckets[1]), folder, keys,
            options=[*IN_PARTS, *map(str, SLOTS), *options],
        )  # fmt: skip
        with clients:
            begun = time.monotonic()
            run = migration.run("--allow-missing")
            ended = time.monotonic()
        for exchange in target.exchanges():
            if exchange.key in clients.histories:
                clients.histories[exchange.key].exchanges.append(exchange)
    run.expect(EXIT_DONE)
    check_log(migration).expect(EXIT_DONE)
    for key, history in clients.histories.items():
        history.begun, history.ended = begun, ended
        answer = ends[1][0].request("GET", buckets[1], key, expect=(200, 404))
        history.found = answer.body if answer.status == 200 else None
    assert open_uploads(*ends[1]) == []
    return clients, run


def judge(clients: Clients, run, overwrites: bool) -> list[str]:
    lines = {line.key: line for line in run.logs.lines}
    assert lines.keys() == clients.histories.keys(), "each key has one line"
    return [
        wrong
        for key, history in clients.histories.items()
        for wrong in judged(history, lines[key], overwrites)
    ]


@pytest.mark.parametrize("mode", ["never", "changed"])
def test_what_clients_did_stays(ceph_source, ceph_target, new_bucket, tmp_path, seed, mode):
    clients, run = migrate_among_clients(
        (ceph_source, ceph_target), new_bucket, tmp_path, seed, "--overwrite", mode
    )
    assert clients.count() > 2000, "the clients did too little"
    assert judge(clients, run, overwrites=mode == "changed") == []
    outcomes = list(run.logs.outcomes.values())
    told = {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    unknown = sum(len(history.perhaps) for history in clients.histories.values())
    print(f"{unknown} unanswered PUTs; {clients.count()} deeds in {run.seconds:.1f} s; {told}; {run.summary['skips']}")
    assert all(told[outcome] > 20 for outcome in ("copied", "skip-up", "skip-dn"))
    assert run.summary["copied"] == told["copied"]
