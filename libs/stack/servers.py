"""PostgreSQL and Valkey together: the ones of an installation, and throwaway ones."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from libs.stack.errors import StackError
from libs.stack.keys import keep_secret, new_password
from libs.stack.ports import free_port
from libs.stack.postgres import Postgres
from libs.stack.processes import Pause, born
from libs.stack.server import Server
from libs.stack.settings import StackSettings
from libs.stack.valkey import Valkey

_THROWAWAY = "encours-servers-"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two servers answer."""

    database_url: str
    redis_url: str


def embedded_servers(settings: StackSettings, ports: dict[str, int], pause: Pause) -> list[Server]:
    """The servers an installation brings along, not yet started: none for an address that is given."""
    home = settings.home
    password = keep_secret(home / "servers.secret", new_password)
    servers: list[Server] = []
    if settings.database_url is None:
        log = settings.logs / "postgres.log"
        servers.append(
            Postgres(home / "postgres", ports["postgres"], log=log, password=password, pause=pause)
        )
    if settings.redis_url is None:
        log = settings.logs / "valkey.log"
        servers.append(Valkey(home / "valkey", ports["valkey"], log=log, password=password, pause=pause))
    return servers


def addresses(settings: StackSettings, servers: list[Server]) -> Addresses:
    """Given addresses first, else those of our own servers."""
    own = {server.name: server.url for server in servers}
    return Addresses(settings.database_url or own["postgres"], settings.redis_url or own["valkey"])


@contextmanager
def throwaway_servers() -> Iterator[Addresses]:
    """Fast servers on free ports with empty data, gone afterwards: for tests. One second to start."""
    base = Path(tempfile.gettempdir())
    _remove_abandoned(base)
    directory = Path(tempfile.mkdtemp(prefix=f"{_THROWAWAY}{os.getpid()}-", dir=base))
    directory.chmod(0o711)
    postgres = Postgres(directory / "postgres", 0, log=directory / "postgres.log", testing=True)
    valkey = Valkey(directory / "valkey", 0, log=directory / "valkey.log")
    try:
        for server in (postgres, valkey):
            _start_on_free_port(server)
        yield Addresses(postgres.url, valkey.url)
    finally:
        for server in (valkey, postgres):
            server.stop(10)
        shutil.rmtree(directory, ignore_errors=True)


def _start_on_free_port(server: Server) -> None:
    """Between choosing a port and listening on it somebody else may take it: choose again."""
    for attempt in (1, 2, 3):
        server.port = free_port()
        try:
            return server.start()
        except StackError:
            if attempt == 3:
                raise
            time.sleep(0.1)
    return None


def _remove_abandoned(base: Path) -> None:
    """What a test run left behind that was killed."""
    for directory in base.glob(f"{_THROWAWAY}*"):
        owner = directory.name.removeprefix(_THROWAWAY).partition("-")[0]
        if owner.isdigit() and born(int(owner)) is None:
            shutil.rmtree(directory, ignore_errors=True)
