"""`make run`: from nothing to a morning report, then in the foreground until Ctrl-C."""

import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from libs.stack import leftovers
from libs.stack.errors import Interrupted, StackError
from libs.stack.interrupt import Interrupt
from libs.stack.lock import run_lock
from libs.stack.ports import LOCALHOST, choose, require_free
from libs.stack.postgres import check_external as check_postgres
from libs.stack.processes import Process
from libs.stack.programs import (
    GATEWAY,
    Program,
    demo,
    environment,
    http_programs,
    migration,
    preferred_ports,
    workers,
)
from libs.stack.servers import addresses, embedded_servers
from libs.stack.settings import ROOT, StackSettings
from libs.stack.supervisor import Supervisor, ending
from libs.stack.valkey import check_external as check_redis

_READY_TIMEOUT = 120.0


def say(line: str) -> None:
    """One line of progress. A terminal that has gone away must not stop the stopping."""
    try:
        sys.stdout.write(f"encours: {line}\n")
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123


def run(
    settings: StackSettings, inherited: Mapping[str, str], programs: Sequence[Program] | None = None
) -> int:
    """Start everything, show the demo, stay until asked to end. Raises StackError when it does not come up.

    `programs` replaces the HTTP processes and workers of the house, migration and demo left out.
    """
    interrupt = Interrupt()
    interrupt.install()
    with run_lock(settings.home):
        supervisor = Supervisor(say, interrupt, settings.home / "pids")
        try:
            _Start(settings, inherited, supervisor, interrupt).all(programs)
            supervisor.watch()
        except Interrupted:
            say("stopping (once more to stop at once)")
        finally:
            # The door closes first, the data last; services and workers end in between, side by side.
            supervisor.stop(first=[GATEWAY], last=["valkey", "postgres"])
            settings.environment_file.unlink(missing_ok=True)
    say("stopped")
    return 0


class _Start:
    """The way up, step by step."""

    def __init__(
        self,
        settings: StackSettings,
        inherited: Mapping[str, str],
        supervisor: Supervisor,
        interrupt: Interrupt,
    ) -> None:
        self._settings = settings
        self._inherited = inherited
        self._supervisor = supervisor
        self._interrupt = interrupt
        self._began = time.monotonic()

    def all(self, programs: Sequence[Program] | None) -> None:
        """Servers, schema, processes, demo."""
        settings = self._settings
        require_free(settings.port, "ENCOURS_PORT")
        for name in leftovers.end(settings.home / "pids"):
            say(f"ended {name}, left over from a run that was killed")
        ports = choose(preferred_ports(settings.port)) | {GATEWAY: settings.port}
        env = self._servers(ports)
        write_environment(settings.environment_file, env)
        if programs is None:
            self._pass(migration(), env, "databases are at their newest revision")
        self._processes([*http_programs(ports), workers()] if programs is None else programs, env)
        where = f"http://{LOCALHOST}:{settings.port}"
        say(f"ready on {where} after {self._elapsed()}; logs in {_shown(settings.logs)}")
        if programs is None:
            self._demo(env)
        say("Ctrl-C stops it; `make stop` does so from another shell")

    def _servers(self, ports: dict[str, int]) -> dict[str, str]:
        settings = self._settings
        if settings.database_url is not None:
            version = check_postgres(settings.database_url, "ENCOURS_DATABASE_URL")
            say(f"PostgreSQL {version} given, and it answers")
        if settings.redis_url is not None:
            check_redis(settings.redis_url, "ENCOURS_REDIS_URL")
            say("Redis given, and it answers")
        servers = embedded_servers(settings, ports, self._interrupt.pause)
        for server in servers:
            self._supervisor.start(server)
            say(f"{server.name} answers on {LOCALHOST}:{server.port} after {self._elapsed()}")
        return environment(settings, ports, addresses(settings, servers), self._inherited)

    def _processes(self, programs: Sequence[Program], env: Mapping[str, str]) -> None:
        started = [(program, self._process(program, env)) for program in programs]
        say(f"starting {', '.join(program.name for program in programs)}")
        for _, process in started:
            self._supervisor.start(process)
        for program, process in started:
            if program.url is not None:
                self._supervisor.wait_ready(process, program.url, _READY_TIMEOUT)

    def _pass(self, program: Program, env: Mapping[str, str], done: str) -> None:
        process = self._process(program, env)
        code = self._supervisor.run_to_end(process)
        if code != 0:
            raise StackError(f"{program.name} failed{_reason(process)}")
        say(f"{done} after {self._elapsed()}")

    def _demo(self, env: Mapping[str, str]) -> None:
        """It prints its report itself. Without it everything still works, so its failure ends nothing."""
        process = self._process(demo(), env, to_terminal=True)
        code = self._supervisor.run_to_end(process)
        if code != 0:
            say(f"the demo failed{_reason(process)}; everything else goes on")

    def _process(self, program: Program, env: Mapping[str, str], to_terminal: bool = False) -> Process:
        log = self._settings.logs / f"{program.name}.log"
        return Process(program.name, program.command, log=log, env=env, cwd=ROOT, to_terminal=to_terminal)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:.1f} s"


def write_environment(path: Path, env: Mapping[str, str]) -> None:
    """What the processes are told, for a shell: `set -a; . .encours/run.env`. It holds secrets."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    ours = sorted(name for name in env if name.startswith("ENCOURS_"))
    path.write_text("".join(f"{name}={shlex.quote(env[name])}\n" for name in ours))


def read_environment(path: Path) -> dict[str, str]:
    """What `write_environment` wrote."""
    words = (word.partition("=") for word in shlex.split(path.read_text()))
    return {name: value for name, _, value in words}


def _reason(process: Process) -> str:
    words = process.last_words()
    return f" ({ending(process.exit_code)}){': ' + words if words else ''}; its log is {_shown(process.log)}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
