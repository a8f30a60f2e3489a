"""Transactions in the name of one tenant, over asyncpg.

One request or one job is one transaction: the kit opens it, the use case works in it, nobody else commits, and it is
committed before the answer leaves. The tenant is set by a literal SET LOCAL sent together with BEGIN: a session-wide SET
behind a transaction-pooling proxy once showed 376 of 400 reads another tenant's rows.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import structlog

from libs.contracts.ids import new_id
from libs.kit import context
from libs.kit.feed.events import EventBuffer, Subject
from libs.kit.tenants import Tenant

T = TypeVar("T")
Row: TypeAlias = asyncpg.Record
Enqueue: TypeAlias = Callable[..., Awaitable[Any]]
log = structlog.get_logger(__name__)

APP_ROLE = "encours_app"
SYSTEM_ROLE = "encours_system"
_CONFLICTS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name something is changed, for the audit log: a user, a key, or the house itself."""

    subject: str
    key_id: UUID | None = None
    user_id: UUID | None = None


SYSTEM = Actor("system")


class Tx:
    """An open transaction of one tenant. Hand it down; never keep it."""

    def __init__(self, connection: asyncpg.Connection, tenant: Tenant) -> None:
        self.connection = connection
        self.tenant = tenant
        self.tenant_id: UUID = tenant.id
        self.now: datetime = tenant.now()
        self.today: date = tenant.today()
        self.actor = SYSTEM
        self.events = EventBuffer()
        self._after_commit: list[Callable[[], Awaitable[None]]] = []
        self._nudges: dict[tuple[str, ...], None] = {}
        self._savepoints = 0

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """All rows of a statement."""
        rows: list[Row] = await self.connection.fetch(sql, *args)
        return rows

    async def batches(self, sql: str, *args: Any, size: int = 500) -> AsyncIterator[list[Row]]:
        """The rows of a statement, some at a time as they are asked for: planned and sorted once, never held whole."""
        cursor = await self.connection.cursor(sql, *args)
        while rows := await cursor.fetch(size):
            yield rows

    async def fetchrow(self, sql: str, *args: Any) -> Row | None:
        """The first row, or None."""
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; the number of rows it touched."""
        status = await self.connection.execute(sql, *args)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once a row, in one round trip."""
        await self.connection.executemany(sql, rows)

    async def copy_to_temp(
        self, table: str, definition: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Create a temporary table that goes with the transaction and COPY rows into it.

        COPY straight into a table with row-level security is refused by PostgreSQL; the temporary table costs nothing
        measurable and lets one INSERT … SELECT do the rest.
        """
        await self.connection.execute(f"CREATE TEMP TABLE {table} ({definition}) ON COMMIT DROP")
        await self.connection.copy_records_to_table(table, records=rows, columns=list(columns))

    def emit(self, event_type: str, subjects: Iterable[Subject]) -> None:
        """Record facts for the other services; written with the transaction, seen by nobody unless it commits."""
        self.events.add(event_type, subjects)

    def audit(self, action: str, kind: str, identifier: UUID, before: Any = None, after: Any = None) -> None:
        """Say who changed what, for the audit log the gateway keeps; `before` and `after` hold the changed members only.

        `action` is `object.verb_past`; one written `object_verb` in the code is told with the dot as well.
        """
        record = {
            "action": audit_action(action, kind),
            "object": {"type": kind, "id": identifier},
            "before": before,
            "after": after,
            "actor": self.actor.subject,
            "key_id": self.actor.key_id,
            "user_id": self.actor.user_id,
            "request_id": context.request_id(),
        }
        self.emit("audit.recorded", [Subject(new_id(), 1, record)])

    def after_commit(self, action: Callable[[], Awaitable[None]]) -> None:
        """Run something once the transaction has committed (a doorbell, a nudge). It may be lost: a sweep finds the work."""
        self._after_commit.append(action)

    def nudge(self, job: str, *ids: str) -> None:
        """Once the transaction has committed, run one of the service's own jobs, once however often it is asked for."""
        self._nudges[(job, *ids)] = None

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happens inside when an exception passes through."""
        self._savepoints += 1
        name = f"sp{self._savepoints}"
        await self.connection.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            await self.connection.execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            raise
        await self.connection.execute(f"RELEASE SAVEPOINT {name}")

    async def _committed(self, enqueue: "Enqueue | None") -> None:
        if enqueue is not None:
            for job, *ids in self._nudges:
                await enqueue(job, *ids)
        for action in self._after_commit:
            try:
                await action()
            except Exception as error:  # the work is a row; whoever sweeps will find it
                log.warning("after_commit_failed", error=repr(error))


def audit_action(action: str, kind: str) -> str:
    """The name of an action as the audit log has it everywhere: `customer.changed`."""
    if "." in action:
        return action
    if action.startswith(f"{kind}_"):
        return f"{kind}.{action.removeprefix(kind + '_')}"
    return ".".join(action.rsplit("_", 1))


class Database:
    """A service's database: one pool for tenants' work, a small one for the system's."""

    def __init__(self, url: str, *, name: str, size: int = 10) -> None:
        self._url = url
        self._name = name
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._system_pool: asyncpg.Pool | None = None
        self._closing: set[asyncio.Task[None]] = set()
        #: puts a job into the service's queue; it never raises
        self.enqueue: Enqueue | None = None

    async def open(self) -> None:
        """Connect. Raises OSError or asyncpg.PostgresError when the server is not there."""
        self._pool = await self._create_pool(APP_ROLE, self._size)
        self._system_pool = await self._create_pool(SYSTEM_ROLE, 2)

    async def close(self) -> None:
        """Give every connection back and close them."""
        if self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        for pool in (self._pool, self._system_pool):
            if pool is not None:
                await pool.close()

    async def _create_pool(self, role: str, size: int) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=size,
            command_timeout=300,
            max_inactive_connection_lifetime=300,
            reset=_nothing_to_reset,
            server_settings={
                "role": role,
                "application_name": self._name,
                # Work in bulk is planned each time, for the tables as large as they then are: a plan kept from before the
                # first import, when they were empty, read 20,000 items again for each of 10,000 payments.
                "plan_cache_mode": "force_custom_plan",
                "idle_in_transaction_session_timeout": "120000",
                "lock_timeout": "30000",
            },
        )

    @asynccontextmanager
    async def transaction(
        self, tenant: Tenant, *, readonly: bool = False, snapshot: bool = False, kept_plans: bool = False
    ) -> AsyncIterator[Tx]:
        """Open a transaction in the tenant's name; commit on leaving, roll back on an exception.

        readonly transactions are ended off the caller's path, for there is nothing to commit. snapshot gives one
        consistent picture over several statements (REPEATABLE READ), for exports. kept_plans saves planning each statement
        anew, which costs a request that touches a few rows more than running it.
        """
        assert self._pool is not None, "the database is not open"
        connection = await self._pool.acquire()
        handed_over = False
        try:
            await connection.execute(_begin(tenant.id, readonly, snapshot, kept_plans))
            tx = Tx(connection, tenant)
            yield tx
            if readonly:
                handed_over = True
                self._end_later(connection)
            else:
                await tx.events.write(tx)
                await connection.execute("COMMIT")
        except BaseException:
            if not connection.is_closed():
                await asyncio.shield(_roll_back(connection))
            raise
        finally:
            if not handed_over:
                await self._pool.release(connection)
        await tx._committed(self.enqueue)

    def _end_later(self, connection: asyncpg.Connection) -> None:
        """A read has its answer already: let it travel while the transaction is closed behind it."""
        task = asyncio.get_running_loop().create_task(self._end(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _end(self, connection: asyncpg.Connection) -> None:
        assert self._pool is not None
        try:
            await connection.execute("ROLLBACK")
        finally:
            await self._pool.release(connection)

    async def run(self, tenant: Tenant, work: Callable[[Tx], Awaitable[T]], *, kept_plans: bool = False) -> T:
        """Run `work` in a transaction, again (three times in all) when PostgreSQL chose it as a deadlock's victim."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self.transaction(tenant, kept_plans=kept_plans) as tx:
                    return await work(tx)
            except _CONFLICTS:
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0.02 * attempt)
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def system(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the system's role, which may read (and only read) over all tenants: for sweeps that list work."""
        assert self._system_pool is not None, "the database is not open"
        async with self._system_pool.acquire() as connection:
            yield connection

    async def ping(self) -> None:
        """Raise unless the server answers."""
        async with self.system() as connection:
            await connection.fetchval("SELECT 1", timeout=2)


def _begin(tenant_id: UUID, readonly: bool, snapshot: bool, kept_plans: bool) -> str:
    modes = (" ISOLATION LEVEL REPEATABLE READ" if snapshot else "") + (" READ ONLY" if readonly else "")
    begin = f"BEGIN{modes}; SET LOCAL app.tenant_id = '{UUID(int=tenant_id.int)}'"
    return f"{begin}; SET LOCAL plan_cache_mode = force_generic_plan" if kept_plans else begin


async def _roll_back(connection: asyncpg.Connection) -> None:
    await connection.execute("ROLLBACK")


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """asyncpg's own reset costs a round trip on every release; we use nothing that outlives a transaction."""
