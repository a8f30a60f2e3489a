"""One child process: its own session, its output in one log file, gone when its parent is gone."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from libs.stack.identity import Identity
from libs.stack.last_words import last_words, tail

Pause = Callable[[float], None]
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PROC = Path("/proc/self")
_LOG_KEPT = 20 * 1024 * 1024


class Process:
    """A program with a name. Start it from the main thread: Linux ends it with the thread it came from."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        identity: Identity | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        to_terminal: bool = False,
    ) -> None:
        """`death_signal` is what Linux sends when we die; `to_terminal`: its output goes where ours does."""
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self._env = dict(env) if env is not None else None
        self._cwd = cwd
        self._identity = identity
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._to_terminal = to_terminal
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start it. Raises OSError when the program cannot be run."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.log)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        identity = self._identity
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603
                [*(identity.prefix if identity else ()), *self.command],
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=None if self._to_terminal else output,
                stderr=output,
                # Ctrl-C reaches a whole process group: in sessions of their own, processes end in our order.
                start_new_session=True,
                preexec_fn=_dies_with_parent(self._death_signal),
                **(identity.popen() if identity else {}),
            )

    @property
    def pid(self) -> int:
        """The process id. Only of a process that was started."""
        assert self._popen is not None
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended (minus the number of the signal that ended it); None while it runs."""
        return None if self._popen is None else self._popen.poll()

    def ask_to_stop(self) -> None:
        """Send the signal for an orderly end, and do not wait."""
        if self.alive:
            self._signal(self._stop_signal)

    def stop(self, grace: float = 27.0, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask, wait `grace` seconds (until `hurry` says otherwise), then kill: nothing of it is left."""
        if not self.alive:
            return
        self.ask_to_stop()
        deadline = time.monotonic() + grace
        while self.alive and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """End it and whatever it started, at once."""
        if self._popen is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def last_words(self) -> str:
        """The line of its log that tells why it ended, or an empty string."""
        return last_words(self.log, self._log_start)

    def output(self) -> str:
        """The end of what it wrote since it was started."""
        return tail(self.log, self._log_start)

    def _signal(self, number: signal.Signals) -> None:
        assert self._popen is not None
        self._popen.send_signal(number)


def born(pid: int) -> str | None:
    """When a process started, in the machine's own words, to tell it from a later one of that id.

    None when no such process runs (one that ended and was not waited for does not run).
    """
    if not _PROC.exists():
        return _ps(pid, "lstart=")
    try:
        # The command's name, in parentheses, may hold anything; fields are counted from behind it.
        fields = (_PROC.parent / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def command_line(pid: int) -> str:
    """The command a process was started with; empty when there is no such process."""
    if Path("/proc/self").exists():
        try:
            return (
                Path(f"/proc/{pid}/cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode(errors="replace")
                .strip()
            )
        except OSError:
            return ""
    return _ps(pid, "command=") or ""


def _ps(pid: int, column: str) -> str | None:
    command = ["/bin/ps", "-o", column, "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.strip() or None


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_KEPT:
        log.replace(log.with_suffix(".log.1"))


def _dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask to be told
            os._exit(1)

    return prepare
