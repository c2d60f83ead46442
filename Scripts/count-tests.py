#!/usr/bin/env python3
"""Sums the results of test runners: prints "N passed, N failed", and exits with 1 unless all passed
and all reported.

count-tests.py RESULTS.xml=STATUS...        (JUnit's XML, and with which status its runner ended)
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def count(path: Path, status: int) -> tuple[int, int]:
    """Passed and failed of one runner.

    A file that is missing, torn or without tests is one failure, and so is a runner that ended
    badly for no test's sake.
    """
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        print(f"no results: {path}: {error}")
        return 0, 1
    if not cases:
        print(f"no tests in {path}")
        return 0, 1
    failed = [
        case for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    skipped = [case for case in cases if case.find("skipped") is not None]
    for case in failed:
        print(f"failed: {case.get('classname')} {case.get('name')}")
    for case in skipped:
        print(f"skipped: {case.get('classname')} {case.get('name')}")
    if status != 0 and not failed:
        print(f"the runner of {path} ended with status {status}")
        return len(cases) - len(skipped), 1
    return len(cases) - len(failed) - len(skipped), len(failed)


def main(arguments: list[str]) -> int:
    runners = [argument.rpartition("=") for argument in arguments]
    results = [count(Path(path), int(status)) for path, _, status in runners]
    passed, failed = (sum(column) for column in zip(*results, strict=True))
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
