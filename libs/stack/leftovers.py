"""Processes that outlived a supervisor killed with -9, found again and ended.

Linux ends them with their parent (see Process). Elsewhere they would go on, hold their ports and work beside
their successors; so each start is noted, and the next run ends what it still finds.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from libs.stack.processes import born

_GRACE = 10.0


def note(directory: Path, name: str, pid: int) -> None:
    """Remember a process that was just started."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"{pid} {born(pid)}")


def forget(directory: Path, name: str) -> None:
    """The process is gone."""
    (directory / name).unlink(missing_ok=True)


def end(directory: Path) -> list[str]:
    """End what is noted and still runs: politely, after ten seconds by force. Returns the names."""
    found = {file: _still_ours(file.read_text()) for file in sorted(directory.glob("*"))}
    running = {file.name: pid for file, pid in found.items() if pid is not None}
    for pid in running.values():
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    for file in found:
        while (still := _still_ours(file.read_text())) is not None and time.monotonic() < deadline + _GRACE:
            if time.monotonic() > deadline:
                _send(still, signal.SIGKILL)
            time.sleep(0.05)
        file.unlink()
    return list(running)


def _still_ours(text: str) -> int | None:
    """The id of a noted process that runs. Of that id alone: by now it may be somebody else's process."""
    number, _, since = text.partition(" ")
    return int(number) if number.isdigit() and born(int(number)) == since else None


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
