"""Long work: answered 202, followed at `/v1/operations/{id}` with progress, long-polled with `?wait=`."""

import asyncio
import time
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, streamed

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
MAX_WAIT = 60
_POLL_SECONDS = 0.2
COLUMNS = "id, kind, status, done, total, result, error, created_at, updated_at"


class Progress(BaseModel):
    """How far the work is; `total` is null while it is not known."""

    done: int
    total: int | None


class Operation(BaseModel):
    """Long work under way or ended."""

    id: str = Field(examples=["ledger.019a0000-0000-7000-8000-000000000000"])
    service: str = Field(description="who does the work", examples=["ledger"])
    kind: str = Field(description="what work it is", examples=["import"])
    status: Status
    progress: Progress
    result: dict[str, Any] | None = Field(description="what came out, once succeeded")
    error: dict[str, Any] | None = Field(description="a problem, once failed")
    created_at: datetime
    updated_at: datetime


def router_of(service: str) -> Router:
    """The route that shows a service's operations. The gateway finds the service by the id's prefix."""
    router = Router("Operations")

    @router.get(
        "/operations/{operation_id}",
        response_model=Operation,
        summary="Follow long work",
        openapi_extra=streamed(""),
    )
    async def get_operation(
        ctx: Ctx,
        operation_id: Annotated[
            str, Path(pattern=r"^[a-z]+\.[0-9a-f-]{36}$", description="`{service}.{uuid}`")
        ],
        wait: Annotated[int, Query(ge=0, le=MAX_WAIT, description="seconds to wait for the end")] = 0,
    ) -> Response:
        """The state of an operation. With `wait`, the answer comes when the work ends or the time is over."""
        identifier = _identifier(operation_id, service)
        deadline = time.monotonic() + wait
        while True:
            async with ctx.runtime.db.transaction(ctx.caller.tenant, readonly=True) as tx:
                row = await tx.fetchrow(
                    f"SELECT {COLUMNS} FROM operations WHERE tenant_id = $1 AND id = $2",
                    tx.tenant_id,
                    identifier,
                )
            if row is None:
                raise not_found("operation", operation_id)
            if row["status"] not in ("queued", "running") or time.monotonic() >= deadline:
                return reply(present(service, row))
            await asyncio.sleep(_POLL_SECONDS)

    return router


def present(service: str, row: Row) -> dict[str, Any]:
    """The public object of an operation's row."""
    return {
        "id": f"{service}.{row['id']}",
        "service": service,
        "kind": row["kind"],
        "status": row["status"],
        "progress": {"done": row["done"], "total": row["total"]},
        "result": raw(row["result"]),
        "error": raw(row["error"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


async def start(tx: Tx, kind: str, given: dict[str, Any], *, total: int | None = None) -> UUID:
    """Write down work to be done; the caller nudges a worker after the commit."""
    identifier = new_id()
    await tx.execute(
        "INSERT INTO operations (tenant_id, id, kind, status, done, total, input, created_at, updated_at, version)"
        " VALUES ($1, $2, $3, 'queued', 0, $4, $5, $6, $6, 1)",
        tx.tenant_id, identifier, kind, total, msgspec.json.encode(given, enc_hook=str).decode(), tx.now,
    )  # fmt: skip
    return identifier


async def progress(tx: Tx, identifier: UUID, done: int, total: int | None = None) -> None:
    """Say how far it is."""
    await tx.execute(
        "UPDATE operations SET status = 'running', done = $3, total = coalesce($4, total), updated_at = $5,"
        " version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, done, total, tx.now,
    )  # fmt: skip


async def succeed(tx: Tx, identifier: UUID, result: dict[str, Any]) -> None:
    """End well."""
    await _end(tx, identifier, "succeeded", result=result)


async def fail(tx: Tx, identifier: UUID, problem: Problem) -> None:
    """End badly; the problem is shown as it stands."""
    error = {"status": problem.status, "code": problem.code, "detail": problem.detail}
    await _end(tx, identifier, "failed", error=error)


async def cancel(tx: Tx, identifier: UUID) -> None:
    """End because somebody asked for it."""
    await _end(tx, identifier, "cancelled")


async def _end(tx: Tx, identifier: UUID, status: Status, **outcome: dict[str, Any]) -> None:
    texts = {name: msgspec.json.encode(value, enc_hook=str).decode() for name, value in outcome.items()}
    await tx.execute(
        "UPDATE operations SET status = $3, result = $4, error = $5, done = coalesce(total, done), updated_at = $6,"
        " leased_until = NULL, version = version + 1 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id, identifier, status, texts.get("result"), texts.get("error"), tx.now,
    )  # fmt: skip


def location(service: str, identifier: UUID) -> dict[str, str]:
    """The `Operation-Location` header of a 202."""
    return {"Operation-Location": f"/v1/operations/{service}.{identifier}"}


def _identifier(operation_id: str, service: str) -> UUID:
    name, _, rest = operation_id.partition(".")
    try:
        identifier = UUID(rest)
    except ValueError:
        raise not_found("operation", operation_id) from None
    if name != service:
        raise not_found("operation", operation_id)
    return identifier
