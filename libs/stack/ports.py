"""TCP ports of 127.0.0.1: who may have which."""

import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack

from libs.stack.errors import StackError

LOCALHOST = "127.0.0.1"


def require_free(port: int, setting: str) -> None:
    """Raise StackError unless `port` can be listened on; `setting` is the variable that chooses another."""
    try:
        _listen(port).close()
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise StackError(f"port {port} {why}: stop what holds it or set {setting} to another port") from None


def choose(preferred: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name: the preferred one where nobody has it, for stable addresses, else any.

    All are held until the last is chosen, so no two names get the same.
    """
    with ExitStack() as held:
        return {name: _hold(port, held) for name, port in preferred.items()}


def free_port() -> int:
    """Any port nobody listens on now."""
    return choose({"any": 0})["any"]


def _hold(port: int, held: ExitStack) -> int:
    try:
        sock = _listen(port)
    except (OSError, OverflowError):
        sock = _listen(0)
    held.enter_context(sock)
    return int(sock.getsockname()[1])


def _listen(port: int) -> socket.socket:
    """A listening socket: binding alone would let a second one bind the same port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As servers do: without it, connections of the last run lingering in TIME_WAIT count as "in use".
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOCALHOST, port))
        sock.listen(1)
    except BaseException:
        sock.close()
        raise
    return sock
