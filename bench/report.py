"""Results as JSON and as a table."""

import os
import platform
import statistics
import subprocess
from datetime import date
from pathlib import Path

from clients import CURL, OURS, RAW, RCLONE, TUNED
from measure import Measured
from scenarios import GIB, MIB, Scenario
from servers.rclone import rclone_program


def machine() -> dict:
    """What the figures depend on. The load tells whether others used the machine."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").open() if "model name" in line), "?"
    )
    return {
        "date": date.today().isoformat(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg()[0],
        "rclone": _first_line([str(rclone_program()), "version"]),
        "swift": _first_line(["swift", "--version"]),
        "curl": _first_line(["curl-config", "--version"]),
    }


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return "?"
    return (done.stdout.splitlines() or ["?"])[0]


def result(kind: str, scenario: Scenario, measured: dict[str, list[Measured]], calls: dict) -> dict:
    """One scenario's figures; a client that failed has its reason instead."""
    clients = {name: _figures(scenario, runs, calls.get(name)) for name, runs in measured.items()}
    _compare(clients)
    return {
        "servers": kind,
        "scenario": scenario.title,
        "objects": scenario.count,
        "bytes": scenario.total_bytes,
        "clients": clients,
    }


def _figures(scenario: Scenario, runs: list[Measured], calls: int | None) -> dict:
    failure = next((run.failure for run in runs if run.failure), None)
    if failure:
        return {"failure": failure}
    seconds = statistics.median(run.seconds for run in runs)
    cpu = statistics.median(run.cpu_seconds for run in runs)
    return {
        "rounds": len(runs),
        "seconds": seconds,
        "seconds_min": min(run.seconds for run in runs),
        "seconds_max": max(run.seconds for run in runs),
        "objects_per_second": scenario.count / seconds,
        "mb_per_second": scenario.total_bytes / seconds / 1e6 if scenario.kind == "copy" else None,
        "cpu_us_per_object": cpu / scenario.count * 1e6,
        "cpu_seconds_per_gib": cpu / (scenario.total_bytes / GIB) if scenario.kind == "copy" else None,
        "peak_mib": max(run.peak_mib for run in runs),
        "system_calls_per_object": calls / scenario.count if calls else None,
    }


def _compare(clients: dict[str, dict]):
    """Adds each one's rate as a multiple of rclone's defaults, and ours of the others'."""

    def rate(name: str) -> float | None:
        return clients.get(name, {}).get("objects_per_second")

    for figures in clients.values():
        if rate(RCLONE) and "failure" not in figures:
            figures["times_rclone"] = figures["objects_per_second"] / rate(RCLONE)
    best = max(filter(None, [rate(RCLONE), rate(TUNED)]), default=None)
    if rate(OURS) and best:
        clients[OURS]["times_best_rclone"] = rate(OURS) / best
    for name, share in ((RAW, "share_of_raw"), (CURL, "share_of_curl")):
        if rate(OURS) and rate(name):
            clients[OURS][share] = rate(OURS) / rate(name)


HEADINGS = ["servers", "scenario", "objects", "client", "objects/s", "MB/s", "seconds, min–max", "CPU µs/object"]
HEADINGS += ["CPU s/GiB", "peak MiB", "calls/object", "times rclone"]


def heading() -> str:
    return f"| {' | '.join(HEADINGS)} |\n|{' --- |' * len(HEADINGS)}"


def rows(result: dict) -> str:
    return "\n".join(_row(result, name, figures) for name, figures in result["clients"].items())


def _row(result: dict, name: str, figures: dict) -> str:
    start = [result["servers"], result["scenario"], f"{result['objects']:,}", name]
    if "failure" in figures:
        reason = " ".join(figures["failure"].split())[:60].replace("|", "/")
        return f"| {' | '.join(start)} | failed: {reason} |{' |' * (len(HEADINGS) - 5)}"

    def number(name: str, form: str) -> str:
        value = figures.get(name)
        return "–" if value is None else format(value, form)

    rate_form = ",.0f" if figures["objects_per_second"] >= 10 else ".2f"
    cells = [
        number("objects_per_second", rate_form),
        number("mb_per_second", ",.0f"),
        f"{figures['seconds_min']:.2f}–{figures['seconds_max']:.2f}",
        number("cpu_us_per_object", ",.0f" if figures["cpu_us_per_object"] >= 10 else ".2f"),
        number("cpu_seconds_per_gib", ".2f" if result["bytes"] >= MIB else ",.0f"),
        number("peak_mib", ",.0f"),
        number("system_calls_per_object", ",.1f"),
        number("times_rclone", ".2f"),
    ]
    return f"| {' | '.join(start + cells)} |"


def summary(results: dict) -> str:
    """Ours against the others, a line for each scenario; the goals are set in these figures."""
    titles = ["scenario", "objects/s", "MB/s", "times rclone's best", "share of the raw relay's", "CPU µs/object"]
    titles += ["rclone's (the lower)", "curl relay's", "raw relay's", "peak MiB"]
    lines = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    return "\n".join(lines + [_summary_row(result, len(titles)) for result in results["results"]])


def hand_set(results: dict) -> str:
    """Our defaults against the best of the settings that were tried."""
    lines = ["| scenario | by default, objects/s | best by hand | with | the default's share |", "|" + " --- |" * 5]
    for result in results["results"]:
        rates = {name: figures.get("objects_per_second", 0) for name, figures in result["clients"].items()}
        default = rates.pop(OURS)
        best = max(rates, key=lambda name: rates[name])
        settings = best.removeprefix(OURS).strip()
        share = f"{default / rates[best]:.2f}" if rates[best] else "–"
        lines.append(f"| {result['scenario']} | {default:,.0f} | {rates[best]:,.0f} | `{settings}` | {share} |")
    return "\n".join(lines)


def _summary_row(result: dict, width: int) -> str:
    clients = result["clients"]
    ours = clients.get(OURS, {})
    if "objects_per_second" not in ours:
        return f"| {result['scenario']} | failed: {ours.get('failure', '?').split(':')[0]} |{' |' * (width - 2)}"

    def cell(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    def cpu(*names: str) -> float | None:
        found = (clients.get(name, {}).get("cpu_us_per_object") for name in names)
        return min(filter(None, found), default=None)

    cpu_form = ",.0f" if ours["cpu_us_per_object"] >= 10 else ".2f"
    cells = [
        cell(ours["objects_per_second"], ",.0f"),
        cell(ours["mb_per_second"], ",.0f"),
        cell(ours.get("times_best_rclone"), ".2f"),
        cell(ours.get("share_of_raw"), ".0%"),
        *(cell(cpu(*names), cpu_form) for names in [(OURS,), (RCLONE, TUNED), (CURL,), (RAW,)]),
        cell(ours["peak_mib"], ",.0f"),
    ]
    return f"| {result['scenario']} | {' | '.join(cells)} |"


def document(results: dict) -> str:
    """The whole table, with what it was measured on."""
    about = results["machine"]
    lines = [
        f"{about['date']}, {about['cpu']}, {about['cores']} cores, {about['kernel']}, {about['swift']}, "
        f"{about['curl']}, {about['rclone']}; load at the start {about['load']:.1f}.",
        "",
        summary(results),
        "",
        heading(),
        *(rows(result) for result in results["results"]),
    ]
    return "\n".join(lines) + "\n"
