"""LocalStack's S3: the semantics of Amazon's newest (a conditional Complete, checksums kept), and no look at
signatures.

Refusing a body over an existing object destroys that object, so a migrator has to be careful here.
"""

from pathlib import Path

from .base import Capabilities, Server
from .tools import tool

MAIN = Path(__file__).with_name("localstack_main.py")


class LocalStack(Server):
    """One process; any key and any secret will do. Closes the connection after each answer."""

    name = "localstack"
    key = "lskey000000000000000"
    secret = "lssecret000000000000000000000000"
    capabilities = Capabilities(
        conditional_put=True, honest_ranges=True, tagging=True, expires=False, signatures=False
    )

    def start(self):
        settings = {
            "SERVICES": "s3",
            "STRICT_SERVICE_LOADING": "1",
            "EAGER_SERVICE_LOADING": "1",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "LOCALSTACK_HOST": f"127.0.0.1:{self.port}",
            "PERSISTENCE": "0",
            "LS_LOG": "warn",
            # In a container it would take /var/lib/localstack for its own.
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": str(self.state / "root"),
            "XDG_CACHE_HOME": str(self.state / "cache"),
            "TMPDIR": str(self.state),
            "HOME": str(self.state),
        }
        environment = [f"{name}={value}" for name, value in settings.items()]
        # -P: else this very module would be taken for the package of its name.
        self.spawn("localstack", "env", *environment, tool("localstack", "python"), "-P", MAIN)
        self.wait_until(self.answers, "no answer")
        return self
