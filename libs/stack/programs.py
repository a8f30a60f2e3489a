"""The processes of the house on one machine, and the environment they are told."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from libs.stack.keys import ISSUERS, keep_secret, make_key_pairs, new_master_key, new_password
from libs.stack.ports import LOCALHOST
from libs.stack.servers import Addresses
from libs.stack.settings import StackSettings

GATEWAY = "gateway"
#: Where each listens by preference, counted from the gateway's port; any free port does as well.
_OFFSETS = {
    "ledger": 1,
    "risk": 2,
    "credit": 3,
    "dunning": 4,
    "sandbox": 5,
    "smtp": 6,
    "postgres": 7,
    "valkey": 8,
}
_WORKERS = ("ledger", "risk", "credit", "dunning", "gateway")


@dataclass(frozen=True, slots=True)
class Program:
    """A process to start; with an address, it is ready once /health/ready answers 200 there."""

    name: str
    command: tuple[str, ...]
    url: str | None = None


def preferred_ports(gateway: int) -> dict[str, int]:
    """A wish for everything that listens besides the gateway."""
    return {name: gateway + offset for name, offset in _OFFSETS.items()}


def http_programs(ports: Mapping[str, int]) -> list[Program]:
    """The gateway, the four services and the sandbox."""
    return [
        Program(
            name,
            _uvicorn(f"services.{name}.app:create_app", ports[name]),
            f"http://{LOCALHOST}:{ports[name]}",
        )
        for name in ISSUERS
    ]


def workers() -> Program:
    """All workers in one process: on one machine they share an interpreter to save memory."""
    return Program("workers", (sys.executable, "-m", "services.worker", *_WORKERS))


def migration() -> Program:
    """Every database at its newest revision."""
    return Program("migration", (sys.executable, "-m", "libs.kit.migrations", "upgrade", "all"))


def demo() -> Program:
    """The demo tenant, the main job on it, the morning report."""
    return Program("demo", (sys.executable, "-m", "services.sandbox.demo"))


def environment(
    settings: StackSettings, ports: Mapping[str, int], servers: Addresses, inherited: Mapping[str, str]
) -> dict[str, str]:
    """What every process is told. Keys and secrets that are not given are made, once, and kept.

    What the operator set (another mail server, a log level) passes through; addresses are ours to say.
    """
    home = settings.home
    keys = settings.keys_dir or home / "keys"
    make_key_pairs(keys)
    told = {
        "ENCOURS_DATABASE_URL": servers.database_url,
        "ENCOURS_REDIS_URL": servers.redis_url,
        "ENCOURS_PORT": str(settings.port),
        "ENCOURS_KEYS_DIR": str(keys),
    }
    told |= {f"ENCOURS_{name.upper()}_URL": f"http://{LOCALHOST}:{ports[name]}" for name in ISSUERS}
    defaults = {
        "ENCOURS_MASTER_KEY": keep_secret(home / "master.secret", new_master_key),
        "ENCOURS_BOOTSTRAP_KEY": keep_secret(home / "bootstrap.secret", new_password),
        "ENCOURS_SMTP_URL": f"smtp://{LOCALHOST}:{ports['smtp']}",
        "ENCOURS_SANDBOX": "1",
        "ENCOURS_OUTBOUND_LOOPBACK": "1",
        "PYTHONUNBUFFERED": "1",
    }
    given = {name: value for name, value in inherited.items() if value.strip()}
    return defaults | given | told


def _uvicorn(application: str, port: int) -> tuple[str, ...]:
    listen = ("--host", LOCALHOST, "--port", str(port))
    ending = ("--no-access-log", "--timeout-graceful-shutdown", "25")
    return (sys.executable, "-m", "uvicorn", "--factory", application, *listen, *ending)
