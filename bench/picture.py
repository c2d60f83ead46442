"""The results at a glance: an SVG with a group of bars for each scenario, rclone's defaults being 1."""

from html import escape

from clients import CURL, OURS, RAW, RCLONE, TUNED

COLOURS = {RCLONE: "#b8bec6", TUNED: "#7d8894", OURS: "#d9541e", CURL: "#c9d6e3", RAW: "#dfe3e8"}
LABEL_WIDTH, BAR_WIDTH, VALUE_WIDTH = 190, 560, 150
BAR_HEIGHT, BAR_GAP, GROUP_GAP, TOP = 15, 3, 16, 64
RATIO_MAX = 12
"""Longer bars are cut, or one of them would make all others unreadable."""


def svg(results: dict) -> str:
    groups = [(_title(result), _bars(result)) for result in results["results"]]
    groups = [(title, bars) for title, bars in groups if bars]
    longest = min(max((ratio for _, bars in groups for _, ratio, _ in bars), default=1), RATIO_MAX)
    y, parts = TOP, []
    for title, bars in groups:
        parts += _group(title, bars, y, BAR_WIDTH / longest)
        y += len(bars) * (BAR_HEIGHT + BAR_GAP) + GROUP_GAP
    width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH
    line_x = LABEL_WIDTH + BAR_WIDTH / longest
    parts.append(f'<line x1="{line_x:.1f}" y1="{TOP - 6}" x2="{line_x:.1f}" y2="{y - GROUP_GAP}" class="one"/>')
    return "\n".join([_opening(width, y), *_legend(results), *parts, "</svg>", ""])


def _title(result: dict) -> str:
    return result["scenario"] if result["servers"] == "fast" else f"{result['scenario']}, {result['servers']}"


def _bars(result: dict) -> list[tuple[str, float, str]]:
    """Client, rate as a multiple of rclone's, and the rate in words."""
    found = []
    for name in COLOURS:
        figures = result["clients"].get(name, {})
        if "failure" in figures:
            found.append((name, 0, f"{name} failed: {figures['failure'].split(':')[0]}"))
        if "times_rclone" not in figures:
            continue
        rate, volume = figures["objects_per_second"], figures["mb_per_second"]
        is_large = result["bytes"] / result["objects"] >= 1024**2 and volume is not None
        words = f"{volume:,.0f} MB/s" if is_large else f"{rate:,.0f}/s"
        found.append((name, figures["times_rclone"], words))
    return found


def _group(title: str, bars: list, y: float, scale: float) -> list[str]:
    height = len(bars) * (BAR_HEIGHT + BAR_GAP)
    parts = [f'<text x="{LABEL_WIDTH - 10}" y="{y + height / 2 + 3}" class="name">{escape(title)}</text>']
    for name, ratio, words in bars:
        length = max(min(ratio, RATIO_MAX) * scale, 1)
        parts.append(
            f'<rect x="{LABEL_WIDTH}" y="{y}" width="{length:.1f}" height="{BAR_HEIGHT}" fill="{COLOURS[name]}">'
            f"<title>{escape(name)}</title></rect>"
        )
        kind = "ours" if name == OURS else "value"
        sign = "… " if ratio > RATIO_MAX else ""
        text = f"{sign}×{ratio:.2f}  {words}" if ratio else words
        parts.append(
            f'<text x="{LABEL_WIDTH + length + 6:.1f}" y="{y + 12}" class="{kind}">{escape(text)}</text>'
        )
        y += BAR_HEIGHT + BAR_GAP
    return parts


def _opening(width: int, height: float) -> str:
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" role="img">
<style>
text {{ font: 12px system-ui, sans-serif; fill: #333 }}
.title {{ font-size: 15px; font-weight: 600 }}
.name {{ text-anchor: end; font-weight: 600 }}
.ours {{ font-weight: 600; fill: #b23f0f }}
.one {{ stroke: #333; stroke-dasharray: 3 3 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>"""


def _legend(results: dict) -> list[str]:
    about = results["machine"]
    parts = [
        f'<text x="10" y="22" class="title">Rate as a multiple of rclone\'s defaults '
        f"({about['date']}, {about['cores']} cores)</text>"
    ]
    x = LABEL_WIDTH
    for name, colour in COLOURS.items():
        parts.append(f'<rect x="{x}" y="36" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 17}" y="46">{name}</text>')
        x += 115
    return parts
