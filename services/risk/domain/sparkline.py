"""A small line of a value over time, as SVG that a front end embeds. Pure: points in, text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Point:
    """A value from a day on."""

    on: date
    value: float


def sparkline(points: Sequence[Point], until: date, *, title: str, width: int = 120, height: int = 24) -> str:
    """A step line: a value holds until the next is known, the last one until `until`. Without points an empty picture.

    The colour is the text's own (`currentColor`); the title is read by screen readers.
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img"><title>{_escaped(title)}</title>'
    )
    if not points:
        return head + "</svg>"
    ordered = sorted(points, key=lambda point: point.on)
    first, days = ordered[0].on, max(1, (until - ordered[0].on).days)
    low, high = min(p.value for p in ordered), max(p.value for p in ordered)
    spread = high - low

    def x(day: date) -> float:
        return _MARGIN + (width - 2 * _MARGIN) * min(1.0, max(0, (day - first).days) / days)

    def y(value: float) -> float:
        share = 0.5 if spread == 0 else (value - low) / spread
        return height - _MARGIN - (height - 2 * _MARGIN) * share

    path = [f"M{x(first):.1f} {y(ordered[0].value):.1f}"]
    for point in ordered[1:]:
        path += [f"H{x(point.on):.1f}", f"V{y(point.value):.1f}"]
    path.append(f"H{width - _MARGIN:.1f}")
    last = ordered[-1]
    return (
        head + f'<path d="{"".join(path)}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        f'<circle cx="{width - _MARGIN:.1f}" cy="{y(last.value):.1f}" r="1.8" fill="currentColor"/></svg>'
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
