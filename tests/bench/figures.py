"""What a bench finds, as ratios to a yardstick of the same run, and the table they stand in."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

_PACKAGES = ("asyncpg", "fastapi", "httptools", "msgspec", "pydantic", "starlette", "uvicorn", "uvloop")
_HEADINGS = ("id", "what", "goal", "measured", "met", "where the time goes")


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio to reach: at least `least`, or at most `most`, itself allowed."""

    least: float | None = None
    most: float | None = None

    def met(self, ratio: float) -> bool:
        """Whether a ratio reaches it."""
        return (self.least is None or ratio >= self.least) and (self.most is None or ratio <= self.most)

    def __str__(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """A ratio to its yardstick, and the figures it was made from, in words."""

    ratio: float
    details: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Without a goal it is there to explain the others."""

    id: str
    what: str
    measured: float
    goal: Goal | None = None
    spent: str = ""
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """yes, NO, or a dash for what has no goal."""
        if self.goal is None:
            return "-"
        return "yes" if self.goal.met(self.measured) else "NO"


def ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """The median of ours to the yardstick's, round by round: what else the machine does disturbs both halves of a round."""
    return median(ours / yardstick for ours, yardstick in pairs)


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest of the values that at least this share of them do not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * share // 1)  # the ceiling
    return ordered[max(0, int(place) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """The figures in columns."""
    rows = [_HEADINGS]
    rows += [
        (
            one.id,
            one.what,
            str(one.goal) if one.goal else "-",
            f"{one.measured:.0f} {one.unit}" if one.unit != "x" else f"{one.measured:.2f}",
            one.verdict,
            one.spent,
        )
        for one in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))


def machine(postgres: str) -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {cores} cores, load {load:.1f} before the run\n"
        f"Python {platform.python_version()}, PostgreSQL {postgres} (fsync on), {packages}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
