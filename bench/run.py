"""s3migrate side by side with `rclone copy` and with the raw relay, between the same two endpoints: `make bench`.

Machines are shared and noisy, so the programs run in turn, round after round, and what counts is the ratio of their
medians. Each run copies into a new, empty bucket.
"""

import argparse
import json
import resource
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import endpoints
import measure
import picture
import report
import thresholds
from clients import HAND_SET, OURS, Clients
from endpoints import TOP
from scenarios import ALL, KIB, MIB, QUICK, Scenario, parse

REAL_SERVERS = [("4KiB", 3_000), ("1MiB", 300)]
"""Real servers are slow: a few objects tell what there is to tell."""


def contest(kind: str, scenario: Scenario, options) -> dict:
    """All clients in turn, round after round. A client that fails once is not run again."""
    with endpoints.pair(kind, scenario, options.endpoint_threads) as pair, tempfile.TemporaryDirectory() as folder:
        clients = Clients(scenario, pair, Path(folder), options.s3migrate)
        runs = {name: [] for name in wanted_clients(clients, options)}
        number = 0
        for round_number in range(-options.warm_up, options.rounds):
            for name, measured in runs.items():
                if any(run.failure for run in measured):
                    continue
                number += 1
                run = one_run(pair, clients, name, number)
                if round_number >= 0 or run.failure:
                    measured.append(run)
        return report.result(kind, scenario, runs, count_calls(pair, clients, runs, options))


def wanted_clients(clients: Clients, options) -> list[str]:
    if options.hand_set:
        return [OURS, *HAND_SET]
    return [name for name in clients.names if not options.clients or name in options.clients]


def one_run(pair, clients: Clients, name: str, number: int) -> measure.Measured:
    bucket = pair.new_bucket(number)
    command = clients.command(name, bucket)
    before = pair.received_bytes()
    run = measure.run(command.line, command.environment)
    missing = clients.scenario.total_bytes - (pair.received_bytes() - before)
    pair.forget(bucket)
    if run.failure:
        return replace(run, failure=clients.reason(bucket) or run.failure)
    is_copy = clients.scenario.kind == "copy" and pair.name == "fast"
    if is_copy and missing > 0:
        # Whoever copies nothing is quick: the endpoint's count is the judge.
        return measure.Measured(0, 0, 0, f"{missing} bytes never came to the target")
    return run


def count_calls(pair, clients: Clients, runs: dict, options) -> dict[str, int | None]:
    """System calls, in a run of their own, since counting slows everything down."""
    if not options.system_calls:
        return {}
    calls = {}
    for name, measured in runs.items():
        if not any(run.failure for run in measured):
            bucket = pair.new_bucket(1_000 + len(calls))
            command = clients.command(name, bucket)
            calls[name] = measure.system_calls(command.line, command.environment)
            pair.forget(bucket)
    return calls


def contests(options) -> list[tuple[str, Scenario]]:
    wanted = options.scenarios or (QUICK if options.check else ALL)
    found = []
    for kind in options.servers:
        if kind == "fast":
            scenarios = [parse(text, options.https, options.rtt) for text in wanted]
            found += [(kind, scenario.quick() if options.quick else scenario) for scenario in scenarios]
        else:
            found += [(kind, real_scenario(name, count)) for name, count in REAL_SERVERS]
    return found


def real_scenario(name: str, count: int) -> Scenario:
    return Scenario(name, ({"4KiB": 4 * KIB, "1MiB": MIB}[name],), count, count, count)


def write(results: dict, folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / "table.md").write_text(report.document(results))
    (folder / "picture.svg").write_text(picture.svg(results))
    print(f"\nwritten: {folder}/results.json, table.md, picture.svg")


def check(results: dict):
    found = thresholds.violations(results)
    print("\n".join(found) or "all thresholds are kept")
    sys.exit(1 if found else 0)


def milliseconds(text: str) -> int:
    return int(text.removesuffix("ms"))


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help="NAME[:https][:rtt=20ms] (default: all)")
    parser.add_argument("--servers", nargs="+", default=["fast"], choices=["fast", *endpoints.KINDS])
    parser.add_argument("--rounds", type=int, default=3, help="that count (default 3)")
    parser.add_argument("--warm-up", type=int, default=1, help="rounds before them (default 1)")
    parser.add_argument("--https", action="store_true", help="for all scenarios")
    parser.add_argument("--rtt", type=milliseconds, default=0, metavar="20ms", help="for all scenarios")
    parser.add_argument("--quick", action="store_true", help="fewer objects")
    parser.add_argument("--check", action="store_true", help="compare with thresholds.json; implies --quick")
    parser.add_argument("--clients", nargs="+", help="only these, as the table names them")
    parser.add_argument("--hand-set", action="store_true", help="only ours: defaults against other threads and transfers")
    parser.add_argument("--system-calls", action="store_true", help="count them too, with strace")
    parser.add_argument("--endpoint-threads", type=int, default=1, help="of each fast endpoint (default 1)")
    parser.add_argument("--results", type=Path, default=TOP / "bench/.build/results", metavar="FOLDER")
    parser.add_argument("--s3migrate", default=str(TOP / ".build/release/s3migrate"), metavar="PROGRAM")
    options = parser.parse_args(arguments)
    options.quick = options.quick or options.check
    if options.system_calls and not measure.can_count_system_calls():
        parser.error("there is no strace")
    return options


def main():
    options = options_of(sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        wanted = contests(options)
    except ValueError as error:
        sys.exit(f"error: {error}")
    endpoints.build_tools()
    results = {"machine": report.machine(), "results": []}
    print(report.heading(), flush=True)
    for kind, scenario in wanted:
        result = contest(kind, scenario, options)
        results["results"].append(result)
        print(report.rows(result), flush=True)
    if options.hand_set:
        print(f"\n{report.hand_set(results)}")
        return
    write(results, options.results)
    if options.check:
        check(results)


if __name__ == "__main__":
    main()
