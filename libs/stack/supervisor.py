"""Starts processes, says how they are, starts again what dies, ends them in order."""

import http.client
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from libs.stack import leftovers
from libs.stack.errors import StackError
from libs.stack.interrupt import Interrupt
from libs.stack.processes import Process

Say = Callable[[str], None]
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
#: Whoever ran this long had started well: its next failure counts as the first.
_SETTLED = 60.0
_TICK = 0.1


class Supervised(Protocol):
    """A process or a server."""

    name: str

    def start(self) -> None: ...
    def stop(self, grace: float = ..., hurry: Callable[[], bool] = ...) -> None: ...
    def last_words(self) -> str: ...

    @property
    def pid(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    @property
    def exit_code(self) -> int | None: ...


@dataclass(slots=True)
class _Charge:
    unit: Supervised
    started: float
    failures: int = 0
    retry_at: float | None = None


class Supervisor:
    """Holds what runs. `notes` is a directory in which the process ids are remembered for the next run."""

    def __init__(self, say: Say, interrupt: Interrupt, notes: Path) -> None:
        self._say = say
        self._interrupt = interrupt
        self._notes = notes
        self._charges: list[_Charge] = []
        self._passing: list[Process] = []

    def start(self, unit: Supervised) -> None:
        """Start something that is to run until the end. Raises StackError when it cannot."""
        self._charges.append(_Charge(unit, time.monotonic()))
        unit.start()
        leftovers.note(self._notes, unit.name, unit.pid)

    def run_to_end(self, process: Process) -> int:
        """Start something that ends by itself and wait; its exit code. The others are looked after."""
        self._passing.append(process)
        process.start()
        while process.alive:
            self._interrupt.pause(_TICK)
            self.look_after()
        self._passing.remove(process)
        code = process.exit_code
        assert code is not None
        return code

    def wait_ready(self, unit: Supervised, url: str, timeout: float) -> None:
        """Return once /health/ready answers 200. Raises StackError when process or time ends before."""
        deadline = time.monotonic() + timeout
        while (reason := _not_ready(url)) is not None:
            if not unit.alive:
                raise StackError(f"{unit.name} stopped ({ending(unit.exit_code)}): {unit.last_words()}")
            if time.monotonic() > deadline:
                raise StackError(f"{unit.name} is not ready after {timeout:.0f} s: {reason}")
            self._interrupt.pause(_TICK)

    def watch(self) -> None:
        """Look after everything until somebody asks for the end, which raises Interrupted."""
        while True:
            self.look_after()
            self._interrupt.pause(_TICK)

    def look_after(self) -> None:
        """One round: note who died, start again whose time has come. A crash loop slows down to 30 s."""
        for charge in self._charges:
            if charge.unit.alive:
                continue
            if charge.retry_at is None:
                self._note_death(charge, f"{charge.unit.name} stopped ({ending(charge.unit.exit_code)})")
            elif time.monotonic() >= charge.retry_at:
                self._start_again(charge)

    def stop(self, first: Sequence[str], last: Sequence[str]) -> None:
        """End everything: `first` one by one, then the others side by side, then `last` one by one."""
        for process in self._passing:
            process.kill()
        units = {charge.unit.name: charge.unit for charge in self._charges}
        others = [name for name in units if name not in (*first, *last)]
        for group in (*([name] for name in first), others, *([name] for name in last)):
            self._stop_together([units[name] for name in group if name in units])
        self._charges.clear()

    def _stop_together(self, units: list[Supervised]) -> None:
        """They end side by side: all are asked before the first is waited for."""
        for unit in units:
            if isinstance(unit, Process):
                unit.ask_to_stop()
        for unit in units:
            unit.stop(hurry=lambda: self._interrupt.hurry)
            leftovers.forget(self._notes, unit.name)

    def _note_death(self, charge: _Charge, what: str) -> None:
        if time.monotonic() - charge.started > _SETTLED:
            charge.failures = 0
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2**charge.failures)
        charge.failures += 1
        charge.retry_at = time.monotonic() + delay
        words = charge.unit.last_words()
        self._say(f"{what}{': ' + words[:160] if words else ''}; again in {delay:g} s")

    def _start_again(self, charge: _Charge) -> None:
        charge.retry_at = None
        charge.started = time.monotonic()
        try:
            charge.unit.start()
        except StackError as error:
            self._note_death(charge, str(error))
            return
        leftovers.note(self._notes, charge.unit.name, charge.unit.pid)
        self._say(f"{charge.unit.name} was started again")


def ending(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "still running"
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _not_ready(url: str) -> str | None:
    """None when ready, else why not."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        body = answer.read(300).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if answer.status == 200 else f"/health/ready answers {answer.status} {' '.join(body.split())}"
