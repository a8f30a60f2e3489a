"""One run a checkout, and the way another shell finds it."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from libs.stack.errors import StackError

#: Longer than the slowest orderly end: requests under way, then PostgreSQL's checkpoint.
_STOP_TIMEOUT = 75.0


@contextmanager
def run_lock(home: Path) -> Iterator[None]:
    """Hold the checkout; when the holder dies the system lets go of it. Raises StackError when it is held."""
    home.mkdir(parents=True, exist_ok=True)
    # Servers run as another user must be able to pass through; what is secret in here has modes of its own.
    home.chmod(0o711)
    with (home / "run.lock").open("a+") as file:
        if not _try_lock(file.fileno()):
            raise StackError(
                f"already running here (process {_holder(home) or 'unknown'}): `make stop` ends it"
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def is_running(home: Path) -> bool:
    """Whether somebody holds the checkout."""
    try:
        with (home / "run.lock").open("a+") as file:
            return not _try_lock(file.fileno())
    except FileNotFoundError:
        return False


def stop_running(home: Path, timeout: float = _STOP_TIMEOUT) -> bool:
    """End the run of this checkout in an orderly way and wait for it; False when there is none.

    Whoever holds the lock is ours by that alone: a stale number in the file is never signalled.
    Raises StackError when it belongs to another user or does not end.
    """
    if not is_running(home):
        return False
    deadline = time.monotonic() + timeout
    _signal(home, signal.SIGTERM)
    while is_running(home):
        if time.monotonic() > deadline:
            raise StackError(f"process {_holder(home)} did not end within {timeout:.0f} s")
        time.sleep(0.1)
    return True


def _signal(home: Path, number: signal.Signals) -> None:
    holder = _holder(home)
    if holder is None:
        raise StackError("it is just starting or ending: try again in a moment")
    try:
        os.kill(holder, number)
    except PermissionError:
        raise StackError(f"process {holder} belongs to another user") from None
    except ProcessLookupError:
        return


def _holder(home: Path) -> int | None:
    text = (home / "run.lock").read_text()
    return int(text) if text.isdigit() else None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
