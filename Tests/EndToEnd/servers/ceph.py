"""A whole Ceph cluster with a RADOS Gateway: the strict production server, which checks signatures,
clocks and digests.

One monitor, one OSD that keeps everything in memory, one gateway. No authentication inside the
cluster, all on loopback.
"""

import uuid

from .base import Capabilities, Server
from .certificate import make_certificate
from .ports import free_port

CONFIGURATION = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = [v2:127.0.0.1:{mon_port}/0]
public_network = 127.0.0.0/8
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
ms_bind_ipv4 = true
ms_bind_port_min = {bind_min}
ms_bind_port_max = {bind_max}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# The gateway's default mode "secure" needs cephx; without it, it would never connect.
ms_mon_client_mode = crc
ms_mon_cluster_mode = crc
ms_mon_service_mode = crc
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
run_dir = {state}
admin_socket = {state}/$name.asok
log_file = {state}/$name.log
crash_dir = {state}
mon_cluster_log_file = {state}/cluster.log
# Without these two, the first requests wait seconds for the pools to be made.
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
[mon]
mon_data = {state}/mon
mon_osd_min_in_ratio = 0
mon_data_avail_warn = 1
mon_data_avail_crit = 0
auth_allow_insecure_global_id_reclaim = false
[osd]
osd_data = {state}/osd
osd_objectstore = memstore
memstore_device_bytes = {memory_bytes}
osd_op_num_shards = 2
osd_op_num_threads_per_shard = 2
osd_class_load_list = *
osd_class_default_list = *
osd_max_object_name_len = 2048
osd_check_max_object_name_len_on_startup = false
[client]
keyring = /dev/null
# Without tcp_nodelay an answer with a body can wait 40 ms for a delayed acknowledgement.
rgw_frontends = beast endpoint=127.0.0.1:{port} ssl_endpoint=127.0.0.1:{https_port} \
ssl_certificate={state}/cert.pem ssl_private_key={state}/key.pem tcp_nodelay=1
rgw_data = {state}/rgw
rgw_rados_pool_pg_num_min = 4
rgw_override_bucket_index_max_shards = 4
rgw_enable_usage_log = false
rgw_thread_pool_size = 64
rgw_enable_apis = s3, admin
rgw_run_sync_thread = false
rgw_dynamic_resharding = false
# Deleted data is freed after two hours by default; a store in memory would only ever grow.
rgw_gc_obj_min_wait = 2
rgw_gc_processor_period = 5
rgw_gc_processor_max_time = 5
rgw_multipart_min_part_size = {part_bytes_min}
{options}
debug_rgw = 0/0
debug_ms = 0/0
"""

MEMORY_BYTES = 8 << 30
"""How much the OSD says it could hold; nothing is taken before it is used."""


class Ceph(Server):
    """One cluster with one user, named `owner`. `https_url` speaks TLS with `ca_file`."""

    name = "ceph"
    capabilities = Capabilities(
        conditional_put=True, honest_ranges=True, tagging=True, expires=True, signatures=True
    )

    def __init__(self, owner="owner", part_bytes_min=5 << 20, options=""):
        """`part_bytes_min`: less than S3's 5 MiB makes it a source with parts that others refuse.
        `options`: more lines for the gateway's configuration."""
        super().__init__()
        self.owner = owner
        self.part_bytes_min = part_bytes_min
        self.options = options
        self.key = f"{owner}key0000000000000"
        self.secret = f"{owner}secret0000000000000000000000000000000"
        self.https_port = free_port()
        self._configuration = self.state / "ceph.conf"

    @property
    def https_url(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def ca_file(self):
        return self.state / "cert.pem"

    def start(self):
        make_certificate(self.state)
        self._configure()
        self._start_monitor()
        self._start_osd()
        self.start_gateway()
        self.add_user(self.owner, self.key, self.secret)
        return self

    def add_user(self, name: str, key: str, secret: str, *options):
        """Adds a user, for example with `--op-mask=read`."""
        self._admin(
            "user",
            "create",
            f"--uid={name}",
            f"--display-name={name}",
            f"--access-key={key}",
            f"--secret-key={secret}",
            *options,
        )

    def start_gateway(self):
        self.spawn("radosgw", "radosgw", "-f", "-c", self._configuration, "-n", "client.rgw")
        self.wait_until(self.answers, "the gateway does not answer")

    def kill_gateway(self):
        """As if the host had lost power; `start_gateway` brings it back with all data."""
        label, process = self._processes.pop()
        assert label == "radosgw"
        process.kill()
        process.wait()

    def _configure(self):
        for folder in ("mon", "osd", "rgw"):
            (self.state / folder).mkdir()
        self._fsid = str(uuid.uuid4())
        self._mon_port = free_port(count=20)
        self._configuration.write_text(
            CONFIGURATION.format(
                fsid=self._fsid,
                state=self.state,
                mon_port=self._mon_port,
                bind_min=self._mon_port + 1,
                bind_max=self._mon_port + 19,
                memory_bytes=MEMORY_BYTES,
                port=self.port,
                https_port=self.https_port,
                part_bytes_min=self.part_bytes_min,
                options=self.options,
            )
        )

    def _start_monitor(self):
        address = f"[v2:127.0.0.1:{self._mon_port}/0]"
        monmap = self.state / "monmap"
        self.run(
            "monmaptool",
            "--create",
            "--clobber",
            "--fsid",
            self._fsid,
            "--addv",
            "a",
            address,
            monmap,
        )
        monitor = ["ceph-mon", "-c", self._configuration, "-i", "a"]
        self.run(*monitor, "--mkfs", "--monmap", monmap, "--keyring", "/dev/null")
        self.spawn("ceph-mon", *monitor, "-f")

    def _start_osd(self):
        identity = str(uuid.uuid4())
        # Waits for the monitor by itself.
        self.run(
            "ceph",
            "-c",
            self._configuration,
            "--connect-timeout",
            "30",
            "osd",
            "new",
            identity,
            "0",
        )
        osd = ["ceph-osd", "-c", self._configuration, "-i", "0"]
        self.run(*osd, "--mkfs", "--osd-uuid", identity)
        self.spawn("ceph-osd", *osd, "-f")

    def _admin(self, *arguments):
        self.run("radosgw-admin", "-c", self._configuration, *arguments, timeout_s=60)
