"""Compares results with the thresholds that are kept in `thresholds.json`."""

import json
from pathlib import Path

from clients import OURS

FILE = Path(__file__).with_name("thresholds.json")


def violations(results: dict, thresholds: dict | None = None) -> list[str]:
    """What is worse than it may be, one line each. A scenario that failed, or was not run, is one too.

    Names that end in `_min` bound the figure from below, `_max` from above.
    """
    if thresholds is None:
        thresholds = json.loads(FILE.read_text())
    figures = {
        result["scenario"]: result["clients"].get(OURS, {})
        for result in results["results"]
        if result["servers"] == "fast"
    }
    found = []
    for scenario, bounds in thresholds.items():
        if scenario not in figures:
            found.append(f"{scenario}: was not measured")
        elif "failure" in figures[scenario]:
            found.append(f"{scenario}: {figures[scenario]['failure']}")
        else:
            found += _exceeded(scenario, figures[scenario], bounds)
    return found


def _exceeded(scenario: str, figures: dict, bounds: dict) -> list[str]:
    found = []
    for bound, limit in bounds.items():
        name, _, kind = bound.rpartition("_")
        value = figures.get(name)
        if kind not in ("min", "max"):
            raise ValueError(f"{FILE.name}: {bound!r} ends neither in _min nor in _max")
        if value is None:
            found.append(f"{scenario}: {name} was not measured")
        elif (kind == "min" and value < limit) or (kind == "max" and value > limit):
            word = "at least" if kind == "min" else "at most"
            found.append(f"{scenario}: {name} is {value:.2f}, and has to be {word} {limit}")
    return found
