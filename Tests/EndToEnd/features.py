"""What an object may have besides its bytes, feature by feature: all that S3 allows, and that not every server
holds."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Feature:
    """One thing about an object that a server may refuse, drop or change."""

    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


FEATURES: dict[str, Feature] = {
    "standard headers": Feature(
        {
            "content-type": 'text/plain; charset="utf-8"',
            "content-encoding": "gzip",
            "content-language": "de, en",
            "content-disposition": "attachment; filename*=UTF-8''%e2%82%ac.txt",
            "cache-control": "max-age=0, no-cache",
        }
    ),
    "metadata": Feature({"x-amz-meta-owner": "alice", "x-amz-meta-mtime": "1700000000.123456789"}),
    "empty metadata value": Feature({"x-amz-meta-empty": ""}),
    "metadata with symbols": Feature(
        {"x-amz-meta-symbols": "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\ a b"}
    ),
    "RFC 2047 metadata, quoted": Feature({"x-amz-meta-text": "=?UTF-8?Q?gr=C3=BC=C3=9Fe?="}),
    "RFC 2047 metadata, base64": Feature({"x-amz-meta-text": "=?UTF-8?B?5ryi5a2X?="}),
    "metadata value of raw UTF-8": Feature({"x-amz-meta-text": "grüße".encode().decode("latin-1")}),
    "metadata name with a dot": Feature({"x-amz-meta-a.b": "dot"}),
    "metadata name with an underscore": Feature({"x-amz-meta-a_b": "underscore"}),
    "metadata name of 140 bytes": Feature({"x-amz-meta-" + "n" * 140: "v"}),
    "60 metadata names": Feature({f"x-amz-meta-n{number}": f"v{number}" for number in range(60)}),
    "metadata value over 256 bytes": Feature({"x-amz-meta-long": "v" * 300}),
    "metadata over 2 KB": Feature({f"x-amz-meta-l{number}": "v" * 250 for number in range(9)}),
    "Expires with a date": Feature({"expires": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "Expires without a date": Feature({"expires": "5d"}),
    "website redirect": Feature({"x-amz-website-redirect-location": "/other/place"}),
    "tags": Feature(tags={"project": "a+b c=d", "stage": "", "größe": "x/y:z"}),
    "tags of characters that S3 forbids": Feature(tags={"project": "a & b"}),
}
"""Name → feature. The names stand in the table of README.md."""
