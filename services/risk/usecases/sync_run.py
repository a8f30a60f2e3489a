"""A sync as a row: asked for, due, ended; an operation tells its progress."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from libs.kit import clock, operations
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.risk.providers.errors import ProviderError
from services.risk.storage import connections, syncs
from services.risk.usecases.calls import Down
from services.risk.usecases.connecting import told

KIND = "provider_sync"
REMAP = "provider_remap"
#: A daily sync waits so long for a provider that is down, then ends with what it has.
_PATIENCE = timedelta(hours=12)


def decoded(text: str | None) -> Any:
    """A jsonb column's value."""
    return None if text is None else msgspec.json.decode(text)


async def ask(tx: Tx, connection: Row, companies: Sequence[UUID] | None) -> tuple[Row, UUID]:
    """Start a sync now, of every member or of those named; the run and its operation. Raises 409 when the connection rests."""
    _refuse_resting(connection)
    operation = await operations.start(tx, KIND, {"connection_id": str(connection["id"])})
    reason = "asked" if companies is None else "some"
    run = await syncs.start(tx, connection["id"], operation, reason, clock.wall())
    assert run is not None, "a run without a day is always new"
    if companies is not None:
        await syncs.enlist_some(tx, run["id"], connection["id"], companies)
    return run, operation


async def remap(tx: Tx, connection: Row, mapping_version: int) -> tuple[Row, UUID]:
    """Start to understand the stored answers with the present mapping; nobody is asked."""
    operation = await operations.start(tx, REMAP, {"connection_id": str(connection["id"])})
    run = await syncs.start(tx, connection["id"], operation, "remap", clock.wall())
    assert run is not None, "a run without a day is always new"
    await syncs.enlist_records(tx, run["id"], connection["id"], mapping_version)
    return run, operation


async def read_first(tx: Tx, connection_id: UUID, companies: Sequence[UUID]) -> None:
    """Read companies that have just become members."""
    operation = await operations.start(tx, KIND, {"connection_id": str(connection_id)})
    run = await syncs.start(tx, connection_id, operation, "first", clock.wall())
    assert run is not None, "a run without a day is always new"
    await syncs.enlist_some(tx, run["id"], connection_id, companies)


async def plan_day(tx: Tx, day: date, *, at_once: bool) -> list[UUID]:
    """Write down the day's sync of each active connection with a schedule, once; the connections that got one.

    It is due at the connection's hour in the tenant's time zone, or at once (a sandbox tenant's day passes in no time).
    """
    planned = []
    for connection in await connections.every(tx):
        if connection["state"] != "active" or connection["sync_at"] is None:
            continue
        due = clock.wall() if at_once else due_at(day, connection["sync_at"], tx.tenant.time_zone)
        operation = await operations.start(
            tx, KIND, {"connection_id": str(connection["id"]), "day": day.isoformat()}
        )
        run = await syncs.start(tx, connection["id"], operation, "daily", due, day)
        if run is None:
            await operations.cancel(tx, operation)
        else:
            planned.append(connection["id"])
    return planned


def due_at(day: date, at: str, time_zone: str) -> datetime:
    """The instant of a local hour."""
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(time_zone))


def may_wait(tx: Tx, run: Row, down: Down) -> bool:
    """Whether a run is better finished later: a daily one, while the provider is merely down and the day is young.

    A sandbox tenant's day is over when its work is.
    """
    waits = run["reason"] in ("daily", "first") and down.error.retry and tx.tenant.frozen_at is None
    return waits and clock.wall() - run["not_before"] < _PATIENCE


async def end(tx: Tx, run: Row, connection: Row, *, error: ProviderError | None = None) -> None:
    """Finish a run: what was not asked for ends as failed. The operation fails only when no company was read."""
    if error is not None:
        await syncs.give_up_rest(tx, run, "failed", told(error))
    counted = counts(await syncs.counts(tx, [run["id"]]), run["id"])
    failed = error is not None and counted["done"] == counted["failed"]
    members: dict[str, Any] = {"state": "failed" if failed else "succeeded", "finished_at": tx.now}
    if error is not None:
        members["error"] = told(error)
    await syncs.update(tx, run["id"], members)
    noted: dict[str, Any] = {"last_sync_id": run["id"], "last_sync_at": tx.now}
    if error is None:
        noted["error"] = None
    await connections.note(tx, connection["id"], noted)
    await operations.progress(tx, run["operation_id"], counted["done"], counted["companies"])
    if failed and error is not None:
        status = 503 if error.retry else 422
        await operations.fail(
            tx, run["operation_id"], Problem(status, f"provider_{error.kind}", error.detail)
        )
    else:
        await operations.succeed(tx, run["operation_id"], {"sync_id": str(run["id"]), **counted})


def counts(found: Mapping[UUID, Row], run_id: UUID) -> dict[str, int]:
    """How many companies a run has, and what came of them."""
    names = (
        "companies",
        "done",
        "changed",
        "unchanged",
        "not_found",
        "failed",
        "unknown",
        "over_budget",
        "billed",
    )
    row = found.get(run_id)
    return {name: 0 if row is None else row[name] for name in names}


def _refuse_resting(connection: Row) -> None:
    if connection["state"] == "paused":
        raise Problem(409, "invalid_state", "The connection is paused.", state="paused")
    if connection["state"] == "refused":
        detail = "The provider refused the credentials: mend them first."
        raise Problem(409, "invalid_state", detail, state="refused")
