"""What PostgreSQL and Valkey have in common: a process that counts as started once it answers."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from libs.stack.errors import StackError
from libs.stack.processes import Pause, Process


class Server(ABC):
    """A server with a directory of ours, on a port of 127.0.0.1; started again, it has the same address."""

    name: str
    grace = 30.0

    def __init__(
        self, directory: Path, port: int, *, log: Path, password: str = "", pause: Pause = time.sleep
    ) -> None:
        """`pause` is how it waits: one that raises ends the waiting."""
        self.port = port
        self.log = log
        self._directory = directory
        self._password = password
        self._pause = pause
        self._process: Process | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it answers."""

    @abstractmethod
    def start(self) -> None:
        """Return once it answers. Raises StackError in one line."""

    @property
    def process(self) -> Process:
        """Its process. Raises StackError before it was started."""
        if self._process is None:
            raise StackError(f"{self.name} was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.alive

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.exit_code

    def last_words(self) -> str:
        """The line of its log that tells why it ended."""
        return self._process.last_words() if self._process is not None else ""

    def stop(self, grace: float | None = None, hurry: Callable[[], bool] = lambda: False) -> None:
        """An orderly end, by force after `grace` seconds."""
        if self._process is not None:
            self._process.stop(self.grace if grace is None else grace, hurry)

    def kill(self) -> None:
        """The end at once, as in a crash."""
        if self._process is not None:
            self._process.kill()
