"""Key lists and log fields as DESIGN has them: literal bytes, escaped only where a line begins with
a backslash."""

from pathlib import Path

_ESCAPES = {0x5C: b"\\\\", 0x09: b"\\t", 0x0A: b"\\n", 0x0D: b"\\r"}
_PLAIN = {b"\\"[0]: b"\\", b"t"[0]: b"\t", b"n"[0]: b"\n", b"r"[0]: b"\r"}


def escaped(key: str) -> bytes:
    """The key as the first field of a line."""
    raw = key.encode("utf-8", "surrogateescape")
    if not raw.startswith(b"\\") and not any(byte in raw for byte in b"\t\n\r"):
        return raw
    return b"\\" + b"".join(_ESCAPES.get(byte, bytes([byte])) for byte in raw)


def unescaped(field: bytes) -> str:
    """The key that the first field of a line stands for."""
    if not field.startswith(b"\\"):
        return field.decode("utf-8", "surrogateescape")
    raw, rest = bytearray(), field[1:]
    while rest:
        if rest[0] != 0x5C:
            raw.append(rest[0])
            rest = rest[1:]
        elif rest[1:2] == b"x":
            raw.append(int(rest[2:4], 16))
            rest = rest[4:]
        else:
            raw += _PLAIN[rest[1]]
            rest = rest[2:]
    return raw.decode("utf-8", "surrogateescape")


def key_order(key: str) -> bytes:
    """What keys are sorted by: their bytes."""
    return key.encode("utf-8", "surrogateescape")


def write_lists(folder: Path, keys, chunks=1, sizes: dict[str, int] | None = None) -> Path:
    """Writes the keys, sorted, into `chunks` files that overlap (every chunk holds every n-th
    key)."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(keys, key=key_order)
    for index in range(chunks):
        lines = [_line(key, sizes) for key in ordered[index::chunks]]
        (folder / f"chunk-{index:03}").write_bytes(b"".join(lines))
    return folder


def _line(key: str, sizes) -> bytes:
    return escaped(key) + (f"\t{sizes[key]}".encode() if sizes else b"") + b"\n"
