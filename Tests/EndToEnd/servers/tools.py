"""Where Scripts/install-test.sh has put the servers that are Python programs."""

from pathlib import Path

from .base import ServerFailed

_TOOLS = Path(__file__).resolve().parents[3] / ".build-tools"


def tool(environment: str, name: str) -> Path:
    """A program of one of the virtual environments; each has its own, since their needs exclude each other."""
    program = _TOOLS / environment / "bin" / name
    if not program.exists():
        raise ServerFailed(f"{program} is missing: run Scripts/install-test.sh")
    return program
