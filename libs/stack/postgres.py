"""A real PostgreSQL 18 with its data in a directory of ours, and the check of one that somebody else runs."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from typing_extensions import override

from libs.stack.binaries import POSTGRES_MAJOR, postgres_bin, postgres_major
from libs.stack.errors import StackError
from libs.stack.identity import Identity, server_identity
from libs.stack.ports import LOCALHOST
from libs.stack.processes import Pause, Process, command_line
from libs.stack.server import Server

SUPERUSER = "encours"
#: Sorting by code point, letters of all of Unicode, and neither depends on the machine's C library.
_INITDB = (
    "-E",
    "UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)
_SETTINGS = {
    "listen_addresses": LOCALHOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Twelve processes with two pools each, and room for a psql.
    "max_connections": "250",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # Compiling a plan costs more than our set-based statements gain by it.
    "jit": "off",
}
#: For data that is thrown away: a power cut may take it, a kill of the server may not (tests kill it on purpose),
#: so commits still reach the operating system.
_VOLATILE = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
_READY_TIMEOUT = 60.0
#: A crash leaves shared memory behind until the last backend has noticed; a moment later it works.
_STILL_GOING = ("pre-existing shared memory block", "lock file")


class Postgres(Server):
    """PostgreSQL with its data in `directory`; `testing` trades durability for speed.

    Without a password every user of the machine is let in.
    """

    name = "postgres"

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        log: Path,
        password: str = "",
        pause: Pause = time.sleep,
        testing: bool = False,
    ) -> None:
        super().__init__(directory, port, log=log, password=password, pause=pause)
        self._data = directory / "data"
        self._testing = testing
        self._identity: Identity | None = None

    @property
    @override
    def url(self) -> str:
        """The superuser's URL; its database is the stem of the services' databases' names."""
        secret = f":{quote(self._password, safe='')}" if self._password else ""
        return f"postgresql://{SUPERUSER}{secret}@{LOCALHOST}:{self.port}/encours"

    @override
    def start(self) -> None:
        """Create the data if need be, repair what a crash left, return once a query is answered.

        Raises StackError in one line: no server found, data of another major version, port taken …
        """
        programs = postgres_bin()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._identity = server_identity(programs / "postgres", self._directory)
        if not self._data.exists():
            self._initialise(programs)
        self._check_version(programs)
        self._end_leftover()
        deadline = time.monotonic() + _READY_TIMEOUT
        while not self._attempt(programs, deadline):
            self._pause(0.2)

    def _initialise(self, programs: Path) -> None:
        """initdb beside, then rename: data half made when the power went is never taken for a cluster."""
        assert self._identity is not None
        unfinished = self._directory / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        secret = self._directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password or "unused")
        os.chown(secret, self._identity.uid, self._identity.gid)
        auth = "scram-sha-256" if self._password else "trust"
        command: list[str | Path] = [
            *self._identity.prefix,
            programs / "initdb",
            "-D",
            unfinished,
            "-U",
            SUPERUSER,
            "-A",
            auth,
            *_INITDB,
        ]
        command += ["--pwfile", secret]
        if self._testing:
            command.append("--no-sync")
        try:
            done = subprocess.run(  # noqa: S603
                command,
                cwd=self._directory,
                env=_environment(),
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
                **self._identity.popen(),
            )
        finally:
            secret.unlink()
        if done.returncode != 0:
            # initdb ends with its tidying up; what went wrong stands before.
            lines = done.stderr.strip().splitlines() or [f"initdb ended with {done.returncode}"]
            signs = ("PANIC:", "FATAL:", "error:")
            reason = next((line for line in lines if any(sign in line for sign in signs)), lines[-1])
            raise StackError(f"PostgreSQL could not create its data in {self._data}: {reason}")
        unfinished.rename(self._data)

    def _check_version(self, programs: Path) -> None:
        data, program = int((self._data / "PG_VERSION").read_text()), postgres_major(programs)
        if data != program:
            raise StackError(
                f"{self._data} is data of PostgreSQL {data}, the server is {program}: "
                "move it away, or `make reset`"
            )

    def _end_leftover(self) -> None:
        """End the server a killed parent left; drop a lock file whose number is somebody else's by now."""
        lock = self._data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        if str(self._data) in command_line(pid):
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 30
            while str(self._data) in command_line(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        elif command_line(pid):
            # A number reused after a reboot: PostgreSQL would refuse to start because of an innocent process.
            lock.unlink(missing_ok=True)

    def _attempt(self, programs: Path, deadline: float) -> bool:
        """Start once and wait for the first answer. False: try again; StackError: there is no use in it."""
        settings = _SETTINGS | (_VOLATILE if self._testing else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = Process(
            self.name,
            [programs / "postgres", "-D", self._data, "-p", str(self.port), *options],
            log=self.log,
            cwd=self._directory,
            env=_environment(),
            identity=self._identity,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )
        self._process.start()
        while self._process.alive:
            if self._answers():
                return True
            if time.monotonic() > deadline:
                self.stop(5)
                raise StackError(f"PostgreSQL did not answer within {_READY_TIMEOUT:.0f} s: see {self.log}")
            self._pause(0.03)
        words = self._process.output()
        if time.monotonic() < deadline and any(sign in words for sign in _STILL_GOING):
            return False
        raise StackError(f"PostgreSQL did not start: {self.last_words()} (see {self.log})")

    def _answers(self) -> bool:
        try:
            return self._says_ready() and fetch_value(_with_database(self.url, "postgres"), "SELECT 1") == 1
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError):
            return False
        except asyncpg.InvalidPasswordError:
            self.stop(5)
            raise StackError(
                f"{self._directory} was made with another password than the one kept beside it: "
                "`make reset` starts afresh"
            ) from None

    def _says_ready(self) -> bool:
        """Whether our own postmaster says so: on a port that was taken, somebody else's would answer the query."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def check_external(url: str, setting: str) -> str:
    """The version of a server somebody else runs. Raises StackError when it is not there or too old."""
    try:
        number = int(fetch_value(_with_database(url, "postgres"), "SHOW server_version_num"))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StackError(
            f"{setting}: no answer from {_without_password(url)}: {error or type(error).__name__}"
        ) from None
    if number // 10000 < POSTGRES_MAJOR:
        raise StackError(f"{setting}: PostgreSQL {number // 10000} is too old, {POSTGRES_MAJOR} is needed")
    return f"{number // 10000}.{number % 10000}"


def fetch_value(url: str, sql: str) -> Any:
    """One value, over a connection of its own; in a thread, because an event loop may be running here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _fetch_value(url, sql)).result()


async def _fetch_value(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def _environment() -> dict[str, str]:
    """Ours without PGDATA and its like, which would steer the server elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}"
