"""Keys that break programs, and which server cannot hold which of them and why.

`test_servers.py` asks the real servers whether `REFUSED` is true in both directions: a server that
has learned to hold a key fails there as well as one that has forgotten.
"""

ODD_KEYS: dict[str, str] = {
    "space": "odd/a b  c",
    "leading space": " odd",
    "trailing space": "odd/end ",
    "plus": "odd/a+b",
    "percent": "odd/100%",
    "percent escape": "odd/a%2Fb",
    "percent escape, lower case": "odd/a%2fb",
    "percent no escape": "odd/%zz",
    "question mark": "odd/a?b=c",
    "hash": "odd/a#b",
    "ampersand": "odd/a&b;c",
    "equals": "odd/a=b",
    "single quote": "odd/it's",
    "double quote": 'odd/"quoted"',
    "backslash": "odd/a\\b",
    "leading backslash": "\\odd",
    "asterisk": "odd/*",
    "tilde": "odd/~home",
    "leading tilde": "~",
    "brackets": "odd/{a}[b]<c>|^`",
    "colon, at, comma, dollar": "odd/a:b@c,d$e!(f)",
    "xml entity": "odd/&amp;&#10;]]>",
    "double slash": "odd//twice",
    "triple slash": "odd///thrice",
    "leading slash": "/odd",
    "two leading slashes": "//odd",
    "dot segments": "odd/./..",
    "dot dot inside": "odd/x/../y",
    "only a dot": ".",
    "only two dots": "..",
    "trailing slash": "odd/folder/",
    "file and folder of one name": "odd/both",
    "file below the folder of one name": "odd/both/file",
    "hidden": "odd/.hidden",
    "emoji": "odd/\U0001f600",
    "emoji of several code points": "odd/\U0001f469\u200d\U0001f680",
    "accent composed": "odd/\u00e9",
    "accent combining": "odd/e\u0301",
    "cjk": "odd/\u6f22\u5b57",
    "right to left": "odd/\u05e9\u05dc\u05d5\u05dd",
    "last of the basic plane": "odd/\uff5e",
    "private use": "odd/\ue000",
    "newline": "odd/a\nb",
    "trailing newline": "odd/end\n",
    "tab": "odd/a\tb",
    "carriage return": "odd/a\rb",
    "trailing carriage return": "odd/end\r",
    "control characters": "odd/\x01\x1f\x7f",
    "name of 255 bytes": "odd/" + "n" * 255,
    "name of 256 bytes": "odd/" + "n" * 256,
    "1,024 bytes": "odd/" + "k" * 1020,
    "1,024 bytes of three-byte letters": "odd/x" + "\u6f22" * 339 + "yz",
    "reads like a hidden list": "odd/manifest.json",
    "one letter": "o",
}
"""Name of the oddity → key."""

_PATH = (
    "it takes a key for a path, where an empty or dotted segment has no place: 400 InvalidArgument"
)
_FOLDER = "it takes a key for a path: one name cannot be a file and a folder, 500 InternalError"
_MARKER = "it lists `x/` as `x`"
_LONG = "it keeps a key's segments as file names, which end at 255 bytes: 500 InternalError"
_CONTROL = (
    "it lists control characters as their pictures (U+240A for a newline) "
    "and then knows the key no longer: 404"
)
_NORMAL = "it finds another key instead that differs in Unicode normalisation only"

_RCLONE = {
    "double slash": _PATH,
    "triple slash": _PATH,
    "leading slash": _PATH,
    "two leading slashes": _PATH,
    "dot segments": _PATH,
    "dot dot inside": _PATH,
    "only a dot": _PATH,
    "only two dots": _PATH,
    "trailing slash": _MARKER,
    "file below the folder of one name": _FOLDER,
    "accent combining": _NORMAL,
}

REFUSED: dict[str, dict[str, str]] = {
    "ceph": {},
    "rclone": _RCLONE
    | {
        "newline": _CONTROL,
        "trailing newline": _CONTROL,
        "tab": _CONTROL,
        "carriage return": _CONTROL,
        "trailing carriage return": _CONTROL,
        "control characters": _CONTROL,
        "name of 256 bytes": _LONG,
        "1,024 bytes": _LONG,
        "1,024 bytes of three-byte letters": _LONG,
    },
    "rclone-memory": _RCLONE,
    "swift": {},
    "localstack": {},
}
"""Server → oddity → why it cannot hold that key beside those that come before it in `ODD_KEYS`."""


def odd_keys_for(*servers: str) -> dict[str, str]:
    """The oddities that every one of the named servers can hold."""
    return {
        oddity: key
        for oddity, key in ODD_KEYS.items()
        if not any(oddity in REFUSED[server] for server in servers)
    }


def as_table() -> str:
    """`REFUSED` in Markdown, a row for each server and reason; it stands in Tests/README.md."""
    rows = ["| server | it cannot hold | because |", "| --- | --- | --- |"]
    for server, refused in REFUSED.items():
        for reason in dict.fromkeys(refused.values()):
            oddities = ", ".join(oddity for oddity, why in refused.items() if why == reason)
            rows.append(f"| {server} | {oddities} | {reason} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(as_table())
