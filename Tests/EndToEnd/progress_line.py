"""The progress line of the guide, to the character."""

import re

RATE = r"\d+(?:\.\d)?"
BYTES = r"\d+(?:\.\d+)?[kKMGTP]?i?B"
LINE = re.compile(
    r"obj=(?P<obj>\d+) :: ign=(?P<ign>\d+) exist=(?P<exist>\d+) work=(?P<work>\d+) "
    r"\[(?P<percent>\d+)% ~(?P<eta>(?:(?:\d+d:)?\d+h:\d+m:\d+s|\?|-+))\] :: "
    rf"fail=(?P<fail>\d+) skip\(dn=(?P<dn>\d+) up=(?P<up>\d+)\) "
    rf"dnld=(?P<dnld>\d+) \({RATE}/s\) dl\.byt=(?P<dlbyt>{BYTES}) \({BYTES}/s\) "
    rf"upld=(?P<upld>\d+) \({RATE}/s\) ul\.byt=(?P<ulbyt>{BYTES}) \({BYTES}/s\)"
)

SAMPLE = (
    "obj=1234 :: ign=56 exist=89 work=123 [45% ~2h:34m:12s] :: fail=2 skip(dn=3 up=4) "
    "dnld=567 (12.3/s) dl.byt=1.2GB (45MB/s) upld=560 (12.1/s) ul.byt=1.1GB (43MB/s)"
)


def progress_lines(text: str) -> list[dict[str, str]]:
    """The fields of every progress line in the text; carriage returns separate lines as line feeds
    do."""
    return [
        match.groupdict()
        for line in re.split(r"[\r\n]+", text)
        if (match := LINE.fullmatch(_without_controls(line).strip()))
    ]


def _without_controls(line: str) -> str:
    """Without the sequences by which a terminal's line is cleared (ECMA-48)."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
