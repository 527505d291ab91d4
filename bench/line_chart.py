"""Line charts as SVG."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 220, 150  # of a panel's area, in pixels
LEFT, TOP, BOTTOM = 60, 30, 80  # around it: labels, title, ticks and legend
COLORS = ("#4c78a8", "#f58518", "#54a24b", "#e45756")  # of the lines of a panel
STEPS = (1, 2, 5, 10)  # where an axis may end, times a power of ten

Point = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """Lines over one axis.

    Attributes:
        title: what the vertical axis shows, which begins at 0.
        lines: points by name, from left to right.
        ticks: labels by their place on the horizontal axis; the first and the last bound it.
    """

    title: str
    lines: Mapping[str, Sequence[Point]]
    ticks: Mapping[float, str]

    def draw(self) -> Iterator[str]:
        """Yield the elements of the panel, from its own origin."""
        top = _round_up(max(y for points in self.lines.values() for _, y in points))
        left, right = min(self.ticks), max(self.ticks)

        def place(x: float, y: float) -> str:
            return f"{WIDTH * (x - left) / (right - left):.1f},{HEIGHT * (1 - y / top):.1f}"

        yield f'<text y="-12" font-weight="bold">{escape(self.title)}</text>'
        for value in (0, top / 2, top):
            height = HEIGHT * (1 - value / top)
            yield f'<path d="M0,{height:.1f}h{WIDTH}" stroke="#dddddd"/>'
            yield f'<text x="-6" y="{height + 4:.1f}" text-anchor="end">{value:,g}</text>'
        for x, label in self.ticks.items():
            across = WIDTH * (x - left) / (right - left)
            yield f'<text x="{across:.1f}" y="{HEIGHT + 16}" text-anchor="middle">{label}</text>'
        for number, (name, points) in enumerate(self.lines.items()):
            color = COLORS[number]
            path = " ".join(place(*point) for point in points)
            yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
            if len(self.lines) > 1:
                x, y = number % 2 * WIDTH // 2, HEIGHT + 38 + number // 2 * 16
                yield f'<text x="{x}" y="{y}" fill="{color}">{escape(name)}</text>'


def draw_chart(panels: Sequence[Panel]) -> str:
    """Return an SVG with the panels beside each other."""
    step = LEFT + WIDTH + 20
    size = f'width="{step * len(panels)}" height="{TOP + HEIGHT + BOTTOM}"'
    groups = (
        f'<g transform="translate({number * step + LEFT},{TOP})">\n'
        + "\n".join(panel.draw())
        + "\n</g>\n"
        for number, panel in enumerate(panels)
    )
    style = 'font-family="sans-serif" font-size="11" fill="#333333"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n'
        f'<rect {size} fill="#ffffff"/>\n{"".join(groups)}</svg>\n'
    )


def _round_up(value: float) -> float:
    """Return the next value at which an axis may end."""
    power: float = 10.0 ** math.floor(math.log10(value or 1))
    return next(step * power for step in STEPS if step * power >= value)
