"""The one line of a log that tells why a process ended."""

from pathlib import Path

_TRACEBACK = "Traceback (most recent call last):"
_FATAL = ("FATAL:", "PANIC:")


def last_words(log: Path, since: int = 0) -> str:
    """The exception of the last traceback, else PostgreSQL's last fatal message, else the last line; '' without any.

    `since` is the byte at which the run in question begins: an older one's end is no explanation.
    """
    lines = tail(log, since).splitlines()
    for number in range(len(lines) - 1, -1, -1):
        if _TRACEBACK in lines[number]:
            raised = next((line for line in lines[number + 1 :] if line[:1].strip()), "")
            return raised.strip()
    fatal = [line for line in lines if any(sign in line for sign in _FATAL)]
    written = fatal or [line for line in lines if line.strip()]
    return written[-1].strip() if written else ""


def tail(log: Path, since: int = 0, size: int = 16384) -> str:
    """The end of a log, at most `size` bytes of it."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - size))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
