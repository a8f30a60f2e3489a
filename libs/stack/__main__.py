"""The commands behind the Makefile: `python -m libs.stack run|stop|reset|exec|keys`."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from libs.stack.errors import StackError
from libs.stack.keys import make_key_pairs
from libs.stack.lock import is_running, run_lock, stop_running
from libs.stack.ports import choose
from libs.stack.programs import GATEWAY, environment, preferred_ports
from libs.stack.run import read_environment, run, say
from libs.stack.servers import addresses, embedded_servers, throwaway_servers
from libs.stack.settings import ROOT, StackSettings, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked. What prevents it is one line on standard error, and exit code 2."""
    given = _parser().parse_args(arguments)
    try:
        if given.verb == "keys":
            make_key_pairs(given.directory)
            return 0
        return _with_settings(given, read_settings(os.environ))
    except StackError as error:
        sys.stderr.write(f"encours: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m libs.stack", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="start everything and stay in the foreground")
    verbs.add_parser("stop", help="stop the run of this checkout")
    verbs.add_parser("reset", help="stop, then delete all data of this checkout")
    execute = verbs.add_parser("exec", help="run a command with the settings and servers of this checkout")
    execute.add_argument("--throwaway", action="store_true", help="on empty servers that are gone afterwards")
    execute.add_argument("command", nargs=argparse.REMAINDER)
    keys = verbs.add_parser("keys", help="make the key pairs of the issuers that have none")
    keys.add_argument("directory", type=Path)
    return parser


def _with_settings(given: argparse.Namespace, settings: StackSettings) -> int:
    if given.verb == "run":
        return run(settings, os.environ)
    if given.verb == "exec":
        return execute(given.command, settings, throwaway=given.throwaway)
    say("stopped" if stop_running(settings.home) else "nothing is running here")
    if given.verb == "reset":
        reset(settings)
    return 0


def reset(settings: StackSettings) -> None:
    """Delete the data under the lock, so that no run begins meanwhile. Given servers are not ours."""
    with run_lock(settings.home):
        for path in settings.home.iterdir():
            if path.name != "run.lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    say("data, keys and logs of this checkout are deleted")
    if settings.database_url is not None:
        say("the databases of ENCOURS_DATABASE_URL are untouched")


def execute(command: list[str], settings: StackSettings, *, throwaway: bool) -> int:
    """Run a command told what the processes of this checkout are told; its exit code."""
    words = command[1:] if command[:1] == ["--"] else command
    if not words:
        raise StackError("exec: which command?")
    with _environment(settings, throwaway=throwaway) as env:
        return subprocess.run(words, cwd=ROOT, env=dict(env), check=False).returncode  # noqa: S603


@contextmanager
def _environment(settings: StackSettings, *, throwaway: bool) -> Iterator[Mapping[str, str]]:
    """Settings of the run of this checkout; with none running, of its servers started for the occasion."""
    ports = choose(preferred_ports(settings.port)) | {GATEWAY: settings.port}
    if throwaway:
        with throwaway_servers() as given:
            yield environment(settings, ports, given, os.environ)
    elif is_running(settings.home) and settings.environment_file.exists():
        yield os.environ | read_environment(settings.environment_file)
    else:
        with run_lock(settings.home):
            servers = embedded_servers(settings, ports, time.sleep)
            try:
                for server in servers:
                    server.start()
                yield environment(settings, ports, addresses(settings, servers), os.environ)
            finally:
                for server in reversed(servers):
                    server.stop()


if __name__ == "__main__":
    sys.exit(main())
