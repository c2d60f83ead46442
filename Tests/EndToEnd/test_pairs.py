"""Every server as the source and as the target of every other: what arrives is whole, and what does not is told.

The table of what each target cannot hold, in README.md, comes from here.
"""

import os
from itertools import product
from pathlib import Path

import pytest
from features import FEATURES
from pairs import Filled, Pair, as_table
from program import EXIT_DONE, EXIT_FAILED, check_log

README = Path(__file__).resolve().parents[2] / "README.md"

COUNT = int(os.environ.get("E2E_PAIR_OBJECTS", "150"))
"""Objects of each bucket; 1,000 for the record."""

KINDS = ["ceph", "rclone", "swift", "localstack"]
WAYS = [f"{source}-to-{target}" for source, target in product(KINDS, KINDS)]
pytestmark = pytest.mark.timeout(900)


class Pairs:
    """The migrations, each made when it is first asked for."""

    def __init__(self, sources: dict, targets: dict, seed: int, folder: Path):
        self._sources, self._targets, self._seed = sources, targets, seed
        self._folder = folder
        self._filled: dict[str, Filled] = {}
        self._pairs: dict[tuple[str, ...], Pair] = {}

    def way(self, source: str, target: str, *options: str) -> Pair:
        if source not in self._filled:
            self._filled[source] = Filled(source, self._sources[source], COUNT, self._seed)
        wanted = (source, target, *options)
        if wanted not in self._pairs:
            folder = self._folder / f"{source}-{target}-{len(options)}"
            folder.mkdir(exist_ok=True)
            self._pairs[wanted] = Pair(
                self._filled[source], target, self._targets[target], folder, *options
            )
        return self._pairs[wanted]


@pytest.fixture(scope="module")
def pairs(
    ceph_source, ceph_target, rclone_server, swift_server, localstack_server, seed, tmp_path_factory
):
    others = {"rclone": rclone_server, "swift": swift_server, "localstack": localstack_server}
    return Pairs(
        {"ceph": ceph_source} | others,
        {"ceph": ceph_target} | others,
        seed,
        tmp_path_factory.mktemp("pairs"),
    )


@pytest.mark.parametrize("way", WAYS)
def test_all_arrives_or_is_told(pairs, way):
    pair = pairs.way(*way.split("-to-"))
    assert pair.run.code in (EXIT_DONE, EXIT_FAILED), pair.run
    assert pair.wrong() == []
    only_features = {key for key in pair.failed if not key.startswith("features/")}
    assert only_features == set(), pair.run
    check_log(pair.migration).expect(EXIT_DONE)


@pytest.mark.parametrize("way", WAYS)
def test_losses_and_failures_are_counted(pairs, way):
    pair = pairs.way(*way.split("-to-"))
    summary, losses = pair.run.summary, pair.losses()
    assert summary["objects"] == len(pair.keys)
    assert summary["failed"] == len(pair.failed)
    assert summary["lost_tags"] == losses["no-tags"]
    assert summary["lost_metadata"] == losses["no-meta"]


def test_the_table_in_the_documentation_is_what_was_seen(pairs):
    table = as_table(seen(pairs))
    assert table in README.read_text(), f"in README.md, Servers, should stand\n{table}"


@pytest.mark.parametrize("target", KINDS)
def test_refused_metadata_can_be_left_behind(pairs, target):
    """Only what the target refuses; what it fails at might be an illness of the server."""
    whole, cut = pairs.way("ceph", target), pairs.way("ceph", target, "--drop-refused-metadata")
    refused = {key for key, line in whole.failed.items() if line.error_class == "refused"}
    assert cut.wrong() == []
    assert cut.failed.keys() == whole.failed.keys() - refused
    assert all("no-meta" in cut.lines[key].proof for key in refused)
    for key in refused:
        assert "--drop-refused-metadata" in whole.failed[key].message


def seen(pairs) -> dict[tuple[str, str], str]:
    """(target's kind, feature) → what becomes of such an object, which is the same whatever the source is."""
    found = {}
    for target, name in product(KINDS, FEATURES):
        words = {pairs.way(source, target).comes_to(name) for source in KINDS} - {None}
        assert len(words) == 1, f"{name} at {target}: {words}"
        found[target, name] = words.pop()
    return found
