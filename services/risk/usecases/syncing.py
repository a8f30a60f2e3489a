"""A sync at work: events, then companies, then (committed) the events acknowledged. Resumes where it was left.

The list of companies is written before the first is asked; each answer is committed as it comes, so a kill costs at most the
calls under way; of those, the ones that are charged are never repeated within the run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from libs.kit import operations
from libs.kit.db import Row, Tx
from services.risk.providers.errors import GarbageAnswer, NotSupported, ProviderError
from services.risk.providers.port import Connection, Provider, ProviderEvent
from services.risk.storage import connections, snapshots, syncs
from services.risk.storage.monitored import members_behind
from services.risk.usecases import staleness, sync_run
from services.risk.usecases.calls import Down
from services.risk.usecases.connecting import adapter_of
from services.risk.usecases.portfolio import reference
from services.risk.usecases.taking_in import Taken, answers_of, take_in

if TYPE_CHECKING:
    from services.risk.usecases.desk import Desk

_BATCH = 200
#: Answers that cost nothing are committed together, as many as come within so many seconds.
_LINGER = 0.25
_REMAP_BATCH = 200
_EVER = timedelta(days=36500)
_OVER_BUDGET = {"code": "over_budget", "detail": "The month's budget of billed calls is used up."}


async def advance(desk: Desk, provider: Provider, connection: Connection, run: Row) -> None:
    """Take a run one step further: list, a batch of companies, or the end. Raises Down."""
    if run["reason"] == "remap":
        await _remap(desk, connection, run)
    elif run["state"] == "queued":
        await _list(desk, provider, run)
    elif run["state"] == "fetching":
        await _fetch(desk, provider, connection, run)
    else:
        await _acknowledge(desk, provider, run)


async def _list(desk: Desk, provider: Provider, run: Row) -> None:
    """Read the events, and write down whom to ask for."""
    connection = desk.row
    events: list[ProviderEvent] = []
    since: str | None = connection["events_cursor"]
    heard = False
    if run["reason"] in ("daily", "asked") and desk.capabilities.events.mode == "pull":
        mark, cursor = since, None
        while True:
            page = await desk.line.ask(lambda c=cursor: provider.events(mark, c))  # type: ignore[misc]
            events += page.events
            since, cursor = page.since or since, page.cursor
            if cursor is None:
                break
        heard = True

    async def write(tx: Tx) -> None:
        named = [
            {"id": event.id, "number": event.registration_number, "ref": event.provider_reference}
            for event in events
        ]
        moved = await members_behind(tx, connection["id"], named) if named else {}
        if run["reason"] in ("daily", "asked"):
            every = run["reason"] == "asked" or connection["refresh"] == "all" or not heard
            days = connection["full_refresh_days"]
            older_than = tx.now - (timedelta(days=days) if days else _EVER)
            await syncs.enlist(
                tx,
                run["id"],
                connection["id"],
                everybody=every,
                moved=list(moved.values()),
                older_than=older_than,
            )
            if heard and not every:
                await syncs.silent_members(tx, run)
        kept = [_kept(event, moved.get(event.id)) for event in events]
        await syncs.update(tx, run["id"], {"state": "fetching", "events": kept, "events_cursor": since})
        counted = sync_run.counts(await syncs.counts(tx, [run["id"]]), run["id"])
        await operations.progress(tx, run["operation_id"], 0, counted["companies"])

    await desk.commit(write)


def _kept(event: ProviderEvent, company_id: UUID | None) -> dict[str, Any]:
    """An event as it waits for its acknowledgement."""
    return {
        "id": event.id, "kind": event.kind, "code": event.code, "registration_number": event.registration_number,
        "provider_reference": event.provider_reference, "occurred_on": event.occurred_on, "ack": event.ack,
        "company_id": company_id,
    }  # fmt: skip


async def _fetch(desk: Desk, provider: Provider, connection: Connection, run: Row) -> None:
    """Ask for a batch of companies and take their answers in as they come."""
    billed = desk.capabilities.fetch_billed
    size = desk.line.at_once if billed else max(_BATCH, 2 * desk.line.at_once)
    batch = await desk.commit(lambda tx: _claim(desk, tx, run, size, billed))
    if not batch:
        await desk.commit(lambda tx: syncs.update(tx, run["id"], {"state": "acknowledging"}))
        return
    gate = asyncio.Semaphore(desk.line.at_once)
    tasks = {asyncio.create_task(_one(desk, provider, connection, row, gate)) for row in batch}
    down: Down | None = None
    unheard: list[Taken] = []
    try:
        while tasks:
            done, tasks = await (
                asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if billed
                else asyncio.wait(tasks, timeout=_LINGER)
            )
            results: list[Taken] = []
            for task in done:
                failure = task.exception()
                if failure is None:
                    result = task.result()
                    lost = result.error is not None and result.error.retry and not result.answers
                    (unheard if lost else results).append(result)
                elif isinstance(failure, Down):
                    down = failure
                else:
                    raise failure
            if results:
                await desk.commit(lambda tx, r=results: _store(desk, tx, run, r, billed))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if down is None and not desk.line.open:
        down = desk.line.down()
    if down is not None:
        # Nobody was there: these have not been read at all, and wait for the provider to come back.
        await desk.commit(lambda tx: _unclaim(desk, tx))
        raise down
    if unheard:
        await desk.commit(lambda tx: _store(desk, tx, run, unheard, billed))


async def _claim(desk: Desk, tx: Tx, run: Row, size: int, billed: bool) -> list[Row]:
    """Take the next companies; where calls are charged, no more than the month's budget holds, which they take at once."""
    if billed and desk.row["budget"] is not None:
        spent = (await connections.billed(tx, tx.today)).get(desk.row["id"], 0)
        size = min(size, desk.row["budget"] - spent)
        if size <= 0:
            await syncs.give_up_rest(tx, run, "over_budget", _OVER_BUDGET)
            return []
    batch = await syncs.claim(tx, run["id"], desk.row["id"], size)
    counted = sync_run.counts(await syncs.counts(tx, [run["id"]]), run["id"])
    await operations.progress(tx, run["operation_id"], counted["done"])
    if billed and batch:
        await connections.count_billed(tx, desk.row["id"], tx.today, len(batch))
    return batch


async def _unclaim(desk: Desk, tx: Tx) -> None:
    """The circuit opened before these were asked: they are asked another time, and cost nothing."""
    freed = await syncs.orphans(tx, desk.row["id"], ask_again=True)
    if desk.capabilities.fetch_billed and freed:
        await connections.count_billed(tx, desk.row["id"], tx.today, -len(freed))


async def _one(
    desk: Desk, provider: Provider, connection: Connection, row: Row, gate: asyncio.Semaphore
) -> Taken:
    """Ask for one company and understand the answers. Raises Down."""
    async with gate:
        company = reference(row)
        try:
            answers = await desk.line.ask(lambda: provider.fetch(company))
        except ProviderError as error:
            return Taken(row["company_id"], error=error)
    return understood(desk.row["adapter"], connection, Taken(row["company_id"], answers))


def understood(adapter: str, connection: Connection, taken: Taken) -> Taken:
    """The answers mapped; what the mapping cannot make sense of is an error of that company alone."""
    try:
        snapshot = adapter_of(adapter).map(taken.answers, connection)
    except ProviderError as error:
        return Taken(taken.company_id, taken.answers, error=error, raw_id=taken.raw_id)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        broken = GarbageAnswer("The answer is not what the provider's format promises.")
        return Taken(taken.company_id, taken.answers, error=broken, raw_id=taken.raw_id)
    return Taken(taken.company_id, taken.answers, snapshot, raw_id=taken.raw_id)


async def _store(desk: Desk, tx: Tx, run: Row, results: Sequence[Taken], billed: bool) -> None:
    await take_in(tx, desk.row, run, results)
    charged = sum(sum(answer.billed for answer in result.answers) for result in results)
    difference = charged - (len(results) if billed else 0)
    if difference:
        await connections.count_billed(tx, desk.row["id"], tx.today, difference)


async def _acknowledge(desk: Desk, provider: Provider, run: Row) -> None:
    """Mark as read what led to something that is committed; what failed is told again next time."""
    events = [_event(one) for one in sync_run.decoded(run["events"])]
    if events and desk.capabilities.events.ack:
        failed = await desk.commit(lambda tx: syncs.not_read(tx, run["id"]))
        told = {one["id"]: one["company_id"] for one in sync_run.decoded(run["events"])}
        heard = [event for event in events if told[event.id] not in failed]
        if heard:
            with contextlib.suppress(NotSupported):
                await desk.line.ask(lambda: provider.acknowledge(heard))

    async def write(tx: Tx) -> None:
        if run["events_cursor"] is not None:
            await connections.note(tx, desk.row["id"], {"events_cursor": run["events_cursor"]})
            desk.row = await connections.one(tx, desk.row["id"]) or desk.row
        await staleness.mark(tx)
        await sync_run.end(tx, run, desk.row)

    await desk.commit(write)


def _event(kept: dict[str, Any]) -> ProviderEvent:
    return ProviderEvent(
        id=kept["id"], kind=kept["kind"], code=kept["code"], registration_number=kept["registration_number"],
        provider_reference=kept["provider_reference"], occurred_on=None, ack=kept["ack"],
    )  # fmt: skip


async def _remap(desk: Desk, connection: Connection, run: Row) -> None:
    """Understand a batch of stored answers with the present mapping."""

    async def work(tx: Tx) -> bool:
        batch = await syncs.claim(tx, run["id"], desk.row["id"], _REMAP_BATCH)
        stored = await snapshots.raw_of(tx, desk.row["id"], [row["company_id"] for row in batch])
        results = [
            understood(desk.row["adapter"], connection, Taken(company, answers_of(content), raw_id=raw_id))
            for company, (raw_id, content) in stored.items()
        ]
        await take_in(tx, desk.row, run, results, "remapped")
        if batch:
            return True
        version = adapter_of(desk.row["adapter"]).mapping_version
        desk.row = await connections.update(tx, desk.row["id"], {"mapping_version": version})
        await sync_run.end(tx, run, desk.row)
        return False

    step: Callable[[Tx], Awaitable[bool]] = work
    await desk.commit(step)
