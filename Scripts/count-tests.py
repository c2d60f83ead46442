#!/usr/bin/env python3
"""Sums the results of test runners: prints "N passed, N failed", and exits with 1 unless all passed and all reported.

    count-tests.py RESULTS.xml...        (JUnit's XML, one file from each runner)
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def count(path: Path) -> tuple[int, int]:
    """Passed and failed of one runner. A file that is missing, torn or without tests is one failure."""
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        print(f"no results: {path}: {error}")
        return 0, 1
    if not cases:
        print(f"no tests in {path}")
        return 0, 1
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    for case in failed:
        print(f"failed: {case.get('classname')} {case.get('name')}")
    for case in skipped:
        print(f"skipped: {case.get('classname')} {case.get('name')}")
    return len(cases) - len(failed) - len(skipped), len(failed)


def main(paths: list[str]) -> int:
    results = [count(Path(path)) for path in paths]
    passed, failed = (sum(column) for column in zip(*results, strict=True))
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
