"""Two tiny services on which the mechanisms are proved: `ledger` keeps things and tells of them, `risk` keeps copies.

They borrow names, keys and databases of real services, and nothing else.
"""

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, ForeignKeyConstraint, Integer, MetaData

from libs.contracts.ids import new_id
from libs.kit import operations
from libs.kit.db import Tx
from libs.kit.etag import etag, require_match
from libs.kit.feed.events import Subject
from libs.kit.paging import Cursor, Limit, Page, SortKey, Statement, cursor_columns, keyset, page, parse_sort
from libs.kit.problems import Problem, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once
from libs.kit.runtime import Runtime
from libs.kit.schema import Text, key, tenant_table, text
from libs.kit.service import Incoming, Service
from libs.kit.tenant_registry import keep_tenants

# -- tables ---------------------------------------------------------------------------------------------------------


def _catalogue() -> tuple[MetaData, MetaData]:
    producer, consumer = MetaData(), MetaData()
    tenant_table(
        "things", producer,
        key(),
        Column("name", Text, nullable=False),
        Column("version", Integer, nullable=False),
    )  # fmt: skip
    tenant_table(
        "promises", producer,
        key(),
        key("thing_id"),
        ForeignKeyConstraint(
            ["tenant_id", "thing_id"], ["things.tenant_id", "things.id"], deferrable=True, initially="DEFERRED"
        ),
    )  # fmt: skip
    tenant_table(
        "chores", producer,
        key(),
        Column("state", Text, nullable=False, server_default=text("'due'")),
        Column("done", Integer, nullable=False, server_default=text("0")),
    )  # fmt: skip
    tenant_table(
        "copies", consumer,
        key(),
        Column("name", Text, nullable=False),
        Column("version", Integer, nullable=False),
        # Counts applications, also of what was not newer: an effect that came twice shows here.
        Column("applied", Integer, nullable=False),
    )  # fmt: skip
    return producer, consumer


THINGS, COPIES = _catalogue()
TABLES = {"ledger": THINGS, "risk": COPIES}

# -- the producer ---------------------------------------------------------------------------------------------------

router = Router("Things")
THING = "thing.changed"
_SORTS = {"name": SortKey("name", "text"), "id": SortKey("id", "uuid")}


class ThingCreate(BaseModel):
    """A thing to make, and how to fail at it."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200, examples=["bolt"])
    fail: str | None = Field(
        None, description="refuse | crash | promise: what goes wrong after the row is written"
    )
    pause: float = 0


class ThingUpdate(BaseModel):
    """A new name."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200, examples=["nut"])


class Thing(BaseModel):
    """A thing."""

    id: UUID
    name: str = Field(examples=["bolt"])
    version: int


class Secret(BaseModel):
    """A thing with something in it that is shown once."""

    id: UUID
    secret: str = Field(examples=["s3cret"])


ThingId = Annotated[UUID, Path(description="the thing's id")]
IfMatch = Annotated[str | None, Header(description="the ETag that was read")]


@router.post(
    "/things",
    status_code=201,
    response_model=Thing,
    summary="Make a thing",
    openapi_extra=scope("ledger:write"),
)
async def create_thing(ctx: Ctx, body: ThingCreate) -> Response:
    """Write the row, tell of it, then fail if asked to."""
    identifier = new_id()
    await insert_things(ctx.tx, [identifier], [body.name])
    if body.pause:
        await asyncio.sleep(body.pause)
    if body.fail == "refuse":
        raise Problem(409, "refused", "As you wished.")
    if body.fail == "crash":
        raise RuntimeError("secret text that nobody may see")
    if body.fail == "promise":  # breaks a constraint that is looked at when the transaction commits
        await ctx.tx.execute(
            "INSERT INTO promises (tenant_id, id, thing_id) VALUES ($1, $2, $2)", ctx.tx.tenant_id, new_id()
        )
    thing = {"id": identifier, "name": body.name, "version": 1}
    return reply(thing, 201, {"Location": f"/v1/things/{identifier}"})


@router.post(
    "/secrets",
    status_code=201,
    response_model=Secret,
    summary="Make a secret",
    openapi_extra=shown_once("ledger:write", "secret"),
)
async def create_secret(ctx: Ctx) -> Response:
    """Something that is shown once."""
    identifier = new_id()
    return reply({"id": identifier, "secret": "s3cret"}, 201, {"Location": f"/v1/things/{identifier}"})


@router.get("/things", response_model=Page[Thing], summary="List things", openapi_extra=scope("ledger:read"))
async def list_things(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Annotated[str | None, Query(description="name or id")] = None,
    q: Annotated[str | None, Query(description="part of a name")] = None,
) -> Response:
    """A page of things."""
    statement = Statement()
    statement.where("tenant_id = {}", ctx.tx.tenant_id)
    if q is not None:
        statement.where("strpos(name, {}) > 0", q)
    keys = [*parse_sort(sort, _SORTS, "name"), _SORTS["id"]]
    order = keyset(statement, keys, cursor)
    rows = await ctx.tx.fetch(
        f"SELECT id, name, version, {cursor_columns(keys)} FROM things {statement.clause()} {order}"
        f" LIMIT {limit + 1:d}",
        *statement.params,
    )
    return reply(
        page(rows, limit, lambda row: {"id": row["id"], "name": row["name"], "version": row["version"]})
    )


@router.patch(
    "/things/{thing_id}", response_model=Thing, summary="Rename a thing", openapi_extra=scope("ledger:write")
)
async def update_thing(ctx: Ctx, thing_id: ThingId, body: ThingUpdate, if_match: IfMatch = None) -> Response:
    """Give a thing another name."""
    tx = ctx.tx
    row = await tx.fetchrow(
        "SELECT version FROM things WHERE tenant_id = $1 AND id = $2 FOR UPDATE", tx.tenant_id, thing_id
    )
    if row is None:
        raise not_found("thing", thing_id)
    require_match(if_match, row["version"])
    version = row["version"] + 1
    await rename_thing(tx, thing_id, body.name, version)
    return reply({"id": thing_id, "name": body.name, "version": version}, headers={"ETag": etag(version)})


@router.post(
    "/things/{first}/swap/{second}",
    response_model=Page[Thing],
    summary="Swap two names",
    openapi_extra=scope("ledger:write"),
)
async def swap_things(ctx: Ctx, first: ThingId, second: ThingId) -> Response:
    """Lock one row, then the other, in the order of the caller: two callers who disagree meet in a deadlock."""
    for identifier in (first, second):
        await ctx.tx.execute(
            "UPDATE things SET version = version + 1 WHERE tenant_id = $1 AND id = $2",
            ctx.tx.tenant_id,
            identifier,
        )
        await asyncio.sleep(0.2)
    return reply({"data": [], "next_cursor": None})


@router.post(
    "/chores",
    status_code=202,
    response_model=operations.Operation,
    summary="Start a chore",
    openapi_extra=scope("ledger:write"),
)
async def start_chore(ctx: Ctx) -> Response:
    """Write work down, nudge a worker after the commit."""
    tx = ctx.tx
    identifier = await operations.start(tx, "chore", {}, total=2)
    await tx.execute("INSERT INTO chores (tenant_id, id) VALUES ($1, $2)", tx.tenant_id, identifier)
    tenant_id = tx.tenant_id

    async def nudge() -> None:
        await ctx.runtime.jobs.enqueue(
            "do_chore", str(tenant_id), str(identifier), job_id=f"chore:{identifier}"
        )

    tx.after_commit(nudge)
    row = await tx.fetchrow(
        f"SELECT {operations.COLUMNS} FROM operations WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        identifier,
    )
    assert row is not None, "it was written a moment ago"
    return reply(operations.present("ledger", row), 202, operations.location("ledger", identifier))


async def insert_things(tx: Tx, identifiers: list[UUID], names: list[str]) -> None:
    """Make things and tell of them, all in one event where they fit."""
    await tx.execute(
        "INSERT INTO things (tenant_id, id, name, version)"
        " SELECT $1, * FROM unnest($2::uuid[], $3::text[], array_fill(1, ARRAY[cardinality($2::uuid[])]))",
        tx.tenant_id, identifiers, names,
    )  # fmt: skip
    tx.emit(THING, [Subject(i, 1, {"name": n}) for i, n in zip(identifiers, names, strict=True)])


async def rename_thing(tx: Tx, identifier: UUID, name: str, version: int) -> None:
    """Change a thing and tell of it."""
    await tx.execute(
        "UPDATE things SET name = $3, version = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        identifier,
        name,
        version,
    )
    tx.emit(THING, [Subject(identifier, version, {"name": name})])


async def read_things(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """State reader of `thing.changed`."""
    rows = await tx.fetch(
        "SELECT id, name, version FROM things WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        tx.tenant_id, after or UUID(int=0), limit,
    )  # fmt: skip
    return [Subject(row["id"], row["version"], {"name": row["name"]}) for row in rows]


async def do_chore(runtime: Runtime, tenant_id: str, identifier: str) -> None:
    """The job: re-read under lock, act, record."""
    async with runtime.db.transaction(await runtime.tenant(UUID(tenant_id))) as tx:
        state = await tx.fetchval(
            "SELECT state FROM chores WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
            tx.tenant_id,
            UUID(identifier),
        )
        if state != "due":
            return
        await tx.execute(
            "UPDATE chores SET state = 'done', done = done + 1 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            UUID(identifier),
        )
        await operations.progress(tx, UUID(identifier), 1)
        await operations.succeed(tx, UUID(identifier), {"chore": "done"})


async def sweep_chores(runtime: Runtime) -> None:
    """Nudge again for what is still due."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch("SELECT tenant_id, id FROM chores WHERE state = 'due' LIMIT 100")
    for row in rows:
        await runtime.jobs.enqueue(
            "do_chore", str(row["tenant_id"]), str(row["id"]), job_id=f"chore:{row['id']}"
        )


# -- the consumer ---------------------------------------------------------------------------------------------------


async def keep_copies(tx: Tx, subjects: list[Incoming]) -> None:
    """Handler of `thing.changed`, set-based; counts every application."""
    rows = [{"id": s.id, "name": s.data["name"], "version": s.version} for s in subjects]
    await tx.execute(
        """
        INSERT INTO copies (tenant_id, id, name, version, applied)
        SELECT $1, s.id, s.name, s.version, 1
          FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, name text, version int) ORDER BY s.id
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = CASE WHEN copies.version < excluded.version THEN excluded.name ELSE copies.name END,
            version = greatest(copies.version, excluded.version), applied = copies.applied + 1
        """,
        tx.tenant_id,
        msgspec.json.encode(rows, enc_hook=str).decode(),
    )


async def forget_copies(tx: Tx) -> None:
    """Empty what came from the producer."""
    await tx.execute("DELETE FROM copies WHERE tenant_id = $1", tx.tenant_id)


def producer(**changes: object) -> Service:
    """The service that keeps things."""
    parts = {
        "name": "ledger",
        "title": "Things",
        "description": "Keeps things.",
        "routers": [router],
        "consumers": ("risk",),
        "consumes": {"gateway": {"tenant.changed": keep_tenants}},
        "states": {THING: read_things},
        "jobs": {"do_chore": do_chore},
        "sweeps": [sweep_chores],
    }
    return Service(**(parts | changes))  # type: ignore[arg-type]


def consumer(**changes: object) -> Service:
    """The service that keeps copies."""
    parts = {
        "name": "risk",
        "title": "Copies",
        "description": "Keeps copies of things.",
        "consumes": {"gateway": {"tenant.changed": keep_tenants}, "ledger": {THING: keep_copies}},
        "forgets": {"ledger": forget_copies},
    }
    return Service(**(parts | changes))  # type: ignore[arg-type]
