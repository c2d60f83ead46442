"""OpenStack Swift with its s3api: strict about the region and every digest, and hostile to those who
rely on conditions: its `If-None-Match` is looked up first and written later.

A proxy and one server each for accounts, containers and objects, on one disk, with memcached.
"""

import getpass

from .base import Capabilities, Server
from .ports import free_port
from .tools import tool

SWIFT = """\
[swift-hash]
swift_hash_path_suffix = tests
swift_hash_path_prefix = tests
[storage-policy:0]
name = Policy-0
default = yes
"""

STORAGE = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {state}
devices = {state}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
log_name = {kind}
log_address = {state}/no-syslog
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
fsync = false
"""

PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {state}
log_name = proxy
log_address = {state}/no-syslog
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo \
versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
node_timeout = 60
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached_port}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
check_bucket_owner = false
allow_multipart_uploads = true
min_segment_size = {part_bytes_min}
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{account_user} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""

RING = """\
import sys
from swift.common.ring import RingBuilder
for kind, port in zip(("account", "container", "object"), map(int, sys.argv[2:])):
    ring = RingBuilder(part_power=4, replicas=1, min_part_hours=1)
    ring.add_dev(dict(region=1, zone=1, ip="127.0.0.1", port=port, device="d1", weight=1))
    ring.rebalance()
    ring.get_ring().save(f"{sys.argv[1]}/{kind}.ring.gz")
"""
"""What nine runs of swift-ring-builder do, in one process."""


class Swift(Server):
    """One account with one user. The access key of `tempauth` is `ACCOUNT:USER`."""

    name = "swift"
    key = "test:owner"
    secret = "swiftsecret"
    capabilities = Capabilities(
        conditional_put=True, honest_ranges=True, tagging=False, expires=True, signatures=True
    )

    def __init__(self, region="us-east-1", part_bytes_min=5 << 20):
        """`region`: signatures for another one are refused."""
        super().__init__()
        self.region = region
        self.part_bytes_min = part_bytes_min
        self._ports = dict(
            zip(("account", "container", "object"), (free_port() for _ in range(3)), strict=True)
        )
        self._memcached_port = free_port()

    def start(self):
        (self.state / "devices" / "d1").mkdir(parents=True)
        self._configure()
        # The user stays the one that started it: to become another one would undo the bond to our life.
        memcached = ["memcached", "-u", getpass.getuser(), "-l", "127.0.0.1", "-m", "64"]
        self.spawn("memcached", *memcached, "-p", self._memcached_port)
        self.run(tool("swift", "python"), "-P", "-c", RING, self.state, *self._ports.values())
        for kind in self._ports:
            self.spawn(kind, tool("swift", f"swift-{kind}-server"), self.state / f"{kind}.conf")
        self.spawn("proxy", tool("swift", "swift-proxy-server"), self.state / "proxy.conf")
        self.wait_until(self._is_up, "the proxy does not answer")
        return self

    def _configure(self):
        facts = {"state": self.state, "user": getpass.getuser()}
        (self.state / "swift.conf").write_text(SWIFT)
        for kind, port in self._ports.items():
            text = STORAGE.format(kind=kind, port=port, **facts)
            (self.state / f"{kind}.conf").write_text(text)
        account, user = self.key.split(":")
        (self.state / "proxy.conf").write_text(
            PROXY.format(
                port=self.port,
                memcached_port=self._memcached_port,
                region=self.region,
                part_bytes_min=self.part_bytes_min,
                account=account,
                account_user=user,
                secret=self.secret,
                **facts,
            )
        )

    def _is_up(self) -> bool:
        return self.answers() and all(self.listens(port) for port in self._ports.values())
