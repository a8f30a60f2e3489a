"""A real Redis-compatible server (Valkey), and the check of one that somebody else runs.

It only wakes people up: everything in it may be lost at any moment, so nothing is written to disk.
"""

import os
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from typing_extensions import override

from libs.stack.binaries import valkey_server
from libs.stack.errors import StackError
from libs.stack.identity import server_identity
from libs.stack.ports import LOCALHOST
from libs.stack.processes import Process
from libs.stack.server import Server

_READY_TIMEOUT = 15.0
_CONFIGURATION = """\
bind {host}
port {port}
dir {directory}
save ""
appendonly no
maxmemory-policy noeviction
"""


class Valkey(Server):
    """Valkey, with nothing in `directory` but its configuration.

    Without a password every user of the machine is let in.
    """

    name = "valkey"
    grace = 5.0

    @property
    @override
    def url(self) -> str:
        """Its first database."""
        secret = f":{self._password}@" if self._password else ""
        return f"redis://{secret}{LOCALHOST}:{self.port}/0"

    @override
    def start(self) -> None:
        program = valkey_server()
        self._directory.mkdir(parents=True, exist_ok=True)
        identity = server_identity(program, self._directory)
        configuration = self._write_configuration()
        os.chown(configuration, identity.uid, identity.gid)
        self._process = Process(
            self.name, [program, configuration], log=self.log, cwd=self._directory, identity=identity
        )
        self._process.start()
        deadline = time.monotonic() + _READY_TIMEOUT
        while not self._answers():
            if not self._process.alive:
                raise StackError(f"Valkey did not start: {self.last_words()} (see {self.log})")
            if time.monotonic() > deadline:
                self._process.kill()
                raise StackError(f"Valkey did not answer within {_READY_TIMEOUT:.0f} s: see {self.log}")
            self._pause(0.01)

    def _write_configuration(self) -> Path:
        """A file, because a password among the arguments is shown to everybody by `ps`."""
        text = _CONFIGURATION.format(host=LOCALHOST, port=self.port, directory=self._directory)
        if self._password:
            text += f"requirepass {self._password}\n"
        path = self._directory / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def _answers(self) -> bool:
        try:
            return ping(self.url)
        except OSError:
            return False


def ping(url: str, timeout: float = 5.0) -> bool:
    """Whether the server of a URL lets us in. Raises OSError without an answer, ValueError for a bad URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("expected redis://host:port/0")
    with socket.create_connection((parts.hostname, parts.port or 6379), timeout=timeout) as plain:
        wrapped = parts.scheme == "rediss"
        connection = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
            if wrapped
            else plain
        )
        with connection:
            if parts.password is not None:
                names = [unquote(parts.username)] if parts.username else []
                connection.sendall(_request("AUTH", *names, unquote(parts.password)))
                if not connection.recv(4096).startswith(b"+OK"):
                    return False
            connection.sendall(_request("PING"))
            return connection.recv(4096).startswith(b"+PONG")


def check_external(url: str, setting: str) -> None:
    """Raise StackError in one line unless the server of a URL answers and lets us in."""
    where = f"{urlsplit(url).hostname}:{urlsplit(url).port or 6379}"
    try:
        if not ping(url):
            raise StackError(f"{setting}: {where} refuses the password")
    except (OSError, ValueError) as error:
        raise StackError(f"{setting}: no answer from {where}: {error}") from None


def _request(*words: str) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
