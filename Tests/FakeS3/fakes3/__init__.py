"""A scripted S3 server for the tests: it keeps S3's basic rules, records every request, and does
wrong on demand.

    script = Script()
    with FakeS3("source", script) as source, FakeS3("target", script) as target:
        source.put("bucket", "key", b"body")
        script.add(faults.slow_down(), side="target", method="PUT", key="k*", nth=1)
        ...
    script.verify_all_hit()

Signatures are not checked: a real Ceph does that in the same suite.
"""

from . import faults, wire
from .faults import Fault
from .record import Entry, Record
from .script import Script
from .server import FakeS3
from .store import Rules, Store

__all__ = ["Entry", "FakeS3", "Fault", "Record", "Rules", "Script", "Store", "faults", "wire"]
