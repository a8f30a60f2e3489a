"""What every bench has: a house of real processes on servers that keep what they are told, and a result to print.

A bench is a module `pNN_name.py` of this folder with `async def run(context)`, which gives a list of figures, or NAME, GOAL (the
ratio to reach, and whether more or less is better) and a single Result. Only ratios of one run are worth anything: both sides
on the same machine, at the same time.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from libs.contracts.ids import new_id
from libs.kit.auth import Caller, Keys
from libs.kit.db import Database
from libs.kit.openapi.files import generate, write
from libs.kit.tenants import Tenant
from libs.stack.keys import make_key_pairs, new_master_key
from libs.stack.ports import choose, free_port
from libs.stack.postgres import Postgres
from libs.stack.valkey import Valkey
from services.gateway.usecases.tenants import create_tenant
from tests.bench import yardsticks
from tests.bench.figures import Goal, Result

__all__ = ["Context", "Goal", "House", "Owner", "Result", "open_house", "spent"]

_READY_WITHIN = 180.0
_SERVICES = ("gateway", "ledger")
_YARDSTICKS = "yardsticks"
_SCOPES = frozenset({"ledger:read", "ledger:write"})


@dataclass(frozen=True, slots=True)
class Owner:
    """A tenant on the present clock (a sandbox tenant's is read at every request), its admin key and main business unit."""

    id: UUID
    api_key: str
    business_unit_id: UUID


@dataclass(slots=True)
class Context:
    """What benches work with. `scale` 1 gives the sizes that finish in some ten minutes; `found` hands figures from one bench to
    the next (P2 and P3 are measured against P1's rate)."""

    house: "House"
    scale: float = 1.0
    found: dict[str, Any] = field(default_factory=dict)

    def rows(self, count: int) -> int:
        """So many rows at this scale, in whole batches."""
        return max(20_000, int(count * self.scale) // 10_000 * 10_000)


class House:
    """Gateway, ledger and the ledger's worker, each a process, as in production; and the yardsticks in a process too."""

    def __init__(self, directory: Path, database_url: str, redis_url: str, postgres_pid: int = 0) -> None:
        self._directory = directory
        self._database_url = database_url
        self._postgres_pid = postgres_pid
        self._ports = choose(dict.fromkeys((*_SERVICES, _YARDSTICKS), 0))
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        make_key_pairs(directory / "keys")
        (directory / "openapi").mkdir()
        write(directory / "openapi", generate())
        self._environment = os.environ | {
            "ENCOURS_DATABASE_URL": database_url,
            "ENCOURS_REDIS_URL": redis_url,
            "ENCOURS_KEYS_DIR": str(directory / "keys"),
            "ENCOURS_OPENAPI_DIR": str(directory / "openapi"),
            "ENCOURS_MASTER_KEY": new_master_key(),
            "ENCOURS_LOG_LEVEL": "error",
            "ENCOURS_RATE_LIMIT": "1000000000",  # counted, never reached
            "BENCH_DATABASE_URL": self.database(_YARDSTICKS),
            **{f"ENCOURS_{name.upper()}_URL": self.url(name) for name in _SERVICES},
        }

    def url(self, service: str) -> str:
        """Where a service listens."""
        return f"http://127.0.0.1:{self._ports[service]}"

    async def start(self) -> None:
        """Migrate, start, wait until all are ready."""
        for service in _SERVICES:
            await self._run("-m", "libs.kit.migrations", "upgrade", service)
        for service in _SERVICES:
            listen = ("--host", "127.0.0.1", "--port", str(self._ports[service]), "--no-access-log")
            app = f"services.{service}.app:create_app"
            self._processes[service] = await self._spawn("-m", "uvicorn", "--factory", app, *listen)
        self._processes["worker"] = await self._spawn("-m", "services.worker", "ledger")
        await self._start_yardsticks()
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(_READY_WITHIN):
            for path in (
                *(f"{self.url(service)}/health/ready" for service in _SERVICES),
                f"{self.url(_YARDSTICKS)}/hello",
            ):
                while not await _ready(client, path):
                    self._refuse_ended()
                    await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End every process."""
        for process in self._processes.values():
            if process.returncode is None:
                process.terminate()
        for process in self._processes.values():
            await process.wait()

    def port(self, name: str) -> int:
        """Of a service, or of the yardsticks."""
        return self._ports[name]

    async def owner(self) -> Owner:
        """A new tenant that the ledger knows."""
        db = Database(self.database("gateway"), name="bench", size=2)
        await db.open()
        try:
            made = await create_tenant(db, "Bench", "Europe/Paris", "EUR")
        finally:
            await db.close()
        headers = {"authorization": f"Bearer {self._keys().sign_service('ledger')}"}
        async with httpx.AsyncClient(base_url=self.url("ledger"), trust_env=False, timeout=60) as client:
            body = {"tenant_id": str(made.tenant_id)}
            drained = await client.post("/internal/feed/drain", json=body, headers=headers)
            if drained.status_code != 503:  # dunning does not run here; the gateway's feed is read by then
                drained.raise_for_status()
        return Owner(made.tenant_id, made.api_key, made.business_unit_id)

    def client(self, owner: Owner) -> httpx.AsyncClient:
        """A client with a tenant's admin key, through the gateway."""
        bearer = {"authorization": f"Bearer {owner.api_key}"}
        return httpx.AsyncClient(base_url=self.url("gateway"), trust_env=False, headers=bearer, timeout=600)

    async def tenant(self) -> httpx.AsyncClient:
        """A client of a new tenant."""
        return self.client(await self.owner())

    def token(self, owner: Owner) -> str:
        """What the gateway would hand a service for the owner's key; good for five minutes."""
        tenant = Tenant(owner.id, "Europe/Paris", "EUR")
        unit = owner.business_unit_id
        caller = Caller(tenant, _SCOPES, "key:bench", new_id(), main_business_unit_id=unit)
        return self._keys().sign_user(caller)

    def database(self, name: str) -> str:
        """A database of the house (`ledger`, `gateway`, `yardsticks`), as the superuser sees it."""
        url = make_url(self._database_url)
        return url.set(database=f"{url.database}_{name}").render_as_string(hide_password=False)

    @property
    def database_url(self) -> str:
        """Of the ledger's database."""
        return self.database("ledger")

    async def connect(self, name: str = "ledger") -> asyncpg.Connection:
        """A database, past all policies."""
        return await asyncpg.connect(self.database(name))

    def cpu_seconds(self) -> dict[str, float]:
        """Processor seconds used so far by each process; PostgreSQL with its backends."""
        used = {name: _cpu_seconds([process.pid]) for name, process in self._processes.items()}
        return used | {"postgres": _cpu_seconds(_tree(self._postgres_pid))}

    def memory(self) -> int:
        """Bytes that the three processes have for themselves, their share of what they share included (PSS)."""
        return sum(_pss(process.pid) for name, process in self._processes.items() if name != _YARDSTICKS)

    def _keys(self) -> Keys:
        return Keys(self._directory / "keys", "gateway")

    async def _start_yardsticks(self) -> None:
        connection = await asyncpg.connect(
            make_url(self._database_url).set(database="postgres").render_as_string(hide_password=False)
        )
        await connection.execute(f'CREATE DATABASE "{make_url(self.database(_YARDSTICKS)).database}"')
        await connection.close()
        connection = await self.connect(_YARDSTICKS)
        await connection.execute(yardsticks.TABLE)
        await connection.close()
        listen = ("--host", "127.0.0.1", "--port", str(self.port(_YARDSTICKS)), "--no-access-log")
        app = "tests.bench.yardsticks:create_app"
        self._processes[_YARDSTICKS] = await self._spawn("-m", "uvicorn", "--factory", app, *listen)

    def _refuse_ended(self) -> None:
        """Raise RuntimeError with the end of the log when a process did not come up."""
        ended = [name for name, process in self._processes.items() if process.returncode is not None]
        if ended:
            raise RuntimeError(f"{', '.join(ended)} ended: {(self._directory / 'log').read_text()[-2000:]}")

    async def _run(self, *arguments: str) -> None:
        process = await self._spawn(*arguments)
        if await process.wait():
            raise RuntimeError(f"{' '.join(arguments)} failed: see {self._directory / 'log'}")

    async def _spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        with (self._directory / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, *arguments, env=self._environment, stdout=log, stderr=log
            )


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    """A house on servers of its own that sync to disk, gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="encours-bench-"))
    directory.chmod(0o711)  # noqa: ASYNC240 - before anything else runs
    postgres = Postgres(directory / "postgres", free_port(), log=directory / "postgres.log")
    valkey = Valkey(directory / "valkey", free_port(), log=directory / "valkey.log")
    try:
        postgres.start()
        valkey.start()
        house = House(directory, postgres.url, valkey.url, postgres.pid)
        try:
            await house.start()
            yield house
        finally:
            await house.stop()
    finally:
        valkey.stop(10)
        postgres.stop(10)
        shutil.rmtree(directory, ignore_errors=True)


async def _ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def spent(before: dict[str, float], after: dict[str, float], *names: str) -> str:
    """Whose processor time it was: "postgres 62%, ledger 38%". All processes, unless named."""
    used = {name: max(0.0, after[name] - before[name]) for name in names or after}
    total = sum(used.values()) or 1.0
    large = sorted((name for name in used if used[name] / total >= 0.05), key=lambda name: -used[name])
    return ", ".join(f"{name} {used[name] / total:.0%}" for name in large)


def _cpu_seconds(pids: list[int]) -> float:
    """Of all their threads, and of children that ended; 0 where the system does not say."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _tree(pid: int) -> list[int]:
    """A process and its children."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return [pid]
    return [pid, *(int(child) for child in text.split())]
