"""Ctrl-C, SIGTERM and a closed terminal, taken note of and acted upon between two steps.

A handler that raised could strike between the start of a process and the note that it was started, and leave
an orphan; so it only counts, and every wait of the stack is a `pause` that looks at the count.
"""

import signal
import time
from types import FrameType

from libs.stack.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """Counts the requests to end: the first asks for an orderly stop, the second for a quick one."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Take the signals over for the rest of the process's life."""
        for number in _SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Interrupted at once when the end was asked for, before or meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            if self.count:
                raise Interrupted
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))

    @property
    def hurry(self) -> bool:
        """Whether it was asked for twice."""
        return self.count > 1
