"""LocalStack's main program, kept on loopback: its server binds 0.0.0.0 for IPv4, whatever GATEWAY_LISTEN says.

It runs in LocalStack's own environment, never in that of the tests.
"""

import twisted.internet.endpoints


class Loopback(twisted.internet.endpoints.TCP4ServerEndpoint):
    def __init__(self, reactor, port, backlog=511, interface="127.0.0.1"):
        super().__init__(reactor, port, backlog, interface)


twisted.internet.endpoints.TCP4ServerEndpoint = Loopback

# Only now: what it imports takes the class from there.
from localstack.runtime.main import main  # noqa: E402

if __name__ == "__main__":
    main()
