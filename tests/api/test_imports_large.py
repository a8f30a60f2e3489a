"""Imports above 10,000 rows: stored, read once whole, applied a batch a transaction by a worker, resumed after a kill."""

import asyncio
import contextlib
import gzip
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from services.ledger.usecases.imports import large
from tests.api.import_steps import TODAY, counts, invoice, ndjson, push, send
from tests.api.ledger_books import require_sound

ROWS = 24_000


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


def many(count: int = ROWS) -> bytes:
    return ndjson(invoice(place, customer_external_id=f"C-{place % 50}") for place in range(count))


async def accepted(ledger: ServiceClient, body: bytes, **query: Any) -> httpx.Response:
    response = await send(ledger, body, source="sap", **query)
    assert response.status_code == 202, response.text
    assert response.json()["status"] == "processing"
    return response


async def shown(ledger: ServiceClient, import_id: str) -> dict[str, Any]:
    response = await ledger.get(f"/v1/imports/{import_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def stored(ledger: ServiceClient, table: str) -> int:
    rows = await ledger.stack.sql(
        "ledger", f"SELECT count(*) AS n FROM {table} WHERE tenant_id = $1", ledger.tenant_id
    )
    count: int = rows[0]["n"]
    return count


async def test_a_large_import_is_resumed_where_it_was_killed(
    ledger: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = await accepted(ledger, gzip.compress(many()))
    made = response.json()
    real, applied, half_done = large.apply_batch, [], asyncio.Event()

    async def dying(tx: Any, push: Any, batch: Any) -> Any:
        outcome = await real(tx, push, batch)
        if len(applied) == 1:
            half_done.set()
            await asyncio.sleep(3600)  # killed here, in the middle of the second batch
        applied.append(batch.received)
        return outcome

    monkeypatch.setattr(large, "apply_batch", dying)
    runtime = ledger.stack.runtime("ledger")
    work = asyncio.create_task(
        large.work_on(runtime.db, ledger.caller.tenant, UUID(made["id"]), runtime.ring)
    )
    await half_done.wait()
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    half = await shown(ledger, made["id"])
    assert (half["status"], half["counts"]["created"]) == ("processing", 10_000)
    operation = (await ledger.get(response.headers["operation-location"])).json()
    assert (operation["status"], operation["progress"]) == ("running", {"done": 10_000, "total": ROWS})

    monkeypatch.setattr(large, "apply_batch", real)
    await ledger.settle()
    done = await shown(ledger, made["id"])
    assert done["status"] == "completed"
    assert counts(done) == {"received": ROWS, "created": ROWS}
    assert done["totals"][0]["accepted"] == f"{ROWS * 100}.00"
    operation = (await ledger.get(response.headers["operation-location"])).json()
    assert (operation["status"], operation["progress"]) == ("succeeded", {"done": ROWS, "total": ROWS})
    assert await stored(ledger, "items") == await stored(ledger, "entries") == ROWS
    assert await stored(ledger, "import_chunks") == 0
    await require_sound(ledger)


async def test_nobody_else_works_on_an_import_that_is_held(ledger: ServiceClient) -> None:
    made = (await accepted(ledger, many(10_001))).json()
    runtime, tenant = ledger.stack.runtime("ledger"), ledger.caller.tenant
    await ledger.stack.sql(
        "ledger",
        "UPDATE imports SET leased_until = now() + interval '1 minute' WHERE id = $1",
        UUID(made["id"]),
    )
    await large.work_on(runtime.db, tenant, UUID(made["id"]), runtime.ring)
    assert await stored(ledger, "items") == 0
    await ledger.stack.sql(
        "ledger",
        "UPDATE imports SET leased_until = now() - interval '1 minute' WHERE id = $1",
        UUID(made["id"]),
    )
    await runtime.service.sweeps[0](runtime)
    await ledger.settle()
    assert (await shown(ledger, made["id"]))["status"] == "completed"


async def test_a_large_file_that_is_bad_at_its_end_changes_nothing(ledger: ServiceClient) -> None:
    response = await accepted(ledger, many(12_000), control_count="12001")
    await ledger.settle()
    failed = await shown(ledger, response.json()["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "control_count_mismatch")
    assert await stored(ledger, "items") == await stored(ledger, "import_chunks") == 0
    operation = (await ledger.get(response.headers["operation-location"])).json()
    assert (operation["status"], operation["error"]["code"]) == ("failed", "control_count_mismatch")


async def test_a_large_snapshot_is_held_confirmed_and_closes(ledger: ServiceClient) -> None:
    scope = {"mode": "snapshot", "business_unit_id": str(ledger.main_business_unit_id)}
    await accepted(ledger, many(14_000), **scope, taken_at="2026-03-20T06:00:00Z")
    refused = await send(ledger, many(5), source="sap", **scope, taken_at="2026-03-21T06:00:00Z")
    assert (refused.status_code, refused.json()["code"]) == (409, "snapshot_in_progress")
    await ledger.settle()
    made = (await accepted(ledger, many(10_500), **scope, taken_at="2026-03-25T06:00:00Z")).json()
    await ledger.settle()
    held = await shown(ledger, made["id"])
    assert (held["status"], held["held"]["closing_count"]) == ("held", 3_500)
    agreed = {"diff_hash": held["held"]["diff_hash"]}
    response = await ledger.post(f"/v1/imports/{made['id']}/confirm", json=agreed)
    assert response.status_code == 202, response.text
    await ledger.settle()
    done = await shown(ledger, made["id"])
    assert counts(done) == {"received": 10_500, "unchanged": 10_500, "closed": 3_500}
    await require_sound(ledger)


async def test_a_large_dry_run_leaves_nothing(ledger: ServiceClient) -> None:
    await push(ledger, invoice(0, amount="7.00", customer_external_id="C-0"))
    made = (await accepted(ledger, many(10_001), dry_run=True)).json()
    await ledger.settle()
    done = await shown(ledger, made["id"])
    assert done["diff"]["counts"]["created"] == 10_000
    assert done["diff"]["counts"]["updated"] == 1
    assert await stored(ledger, "items") == 1


async def test_a_large_import_is_sent_once_under_its_key(ledger: ServiceClient) -> None:
    body, key = many(10_001), {"idempotency-key": "night-1"}
    first = await accepted(ledger, body, headers=key)
    again = await accepted(ledger, body, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert await stored(ledger, "imports") == 1


async def test_a_large_import_can_be_cancelled(ledger: ServiceClient) -> None:
    response = await accepted(ledger, many(10_001))
    path = f"/v1/imports/{response.json()['id']}"
    assert (await ledger.post(f"{path}/cancel")).json()["status"] == "cancelled"
    await ledger.settle()
    assert await stored(ledger, "items") == 0
    operation = (await ledger.get(response.headers["operation-location"])).json()
    assert operation["status"] == "cancelled"


async def test_an_import_that_always_crashes_is_given_up(
    ledger: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = {"mode": "snapshot", "business_unit_id": str(ledger.main_business_unit_id)}
    response = await accepted(ledger, many(), **scope, taken_at="2026-03-20T06:00:00Z")
    real, turns = large.apply_batch, []

    async def crashing(tx: Any, push: Any, batch: Any) -> Any:
        if batch.records[0][0] > 10_000:
            turns.append(batch.records[0][0])
            raise RuntimeError("a row nobody expected")
        return await real(tx, push, batch)

    monkeypatch.setattr(large, "apply_batch", crashing)
    monkeypatch.setattr(large, "FIRST_WAIT", timedelta(0))
    runtime, tenant = ledger.stack.runtime("ledger"), ledger.caller.tenant
    made = UUID(response.json()["id"])
    for _ in range(1 + large.MOST_ATTEMPTS):  # the first one gets on
        with pytest.raises(RuntimeError):
            await large.work_on(runtime.db, tenant, made, runtime.ring)
    await large.work_on(runtime.db, tenant, made, runtime.ring)
    assert len(turns) == 1 + large.MOST_ATTEMPTS
    failed = await shown(ledger, str(made))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "import_gave_up")
    assert "after row 10000" in failed["error"]["detail"]
    assert failed["counts"]["created"] == 10_000  # what was applied stays
    operation = (await ledger.get(response.headers["operation-location"])).json()
    assert (operation["status"], operation["error"]["code"]) == ("failed", "import_gave_up")

    monkeypatch.setattr(large, "apply_batch", real)  # the scope is free again, and the file does no harm
    await accepted(ledger, many(), **scope, taken_at="2026-03-20T06:00:00Z")
    await ledger.settle()
    assert await stored(ledger, "items") == ROWS
    await require_sound(ledger)


async def test_ended_imports_are_forgotten_when_their_time_is_over(service_client: MakeClient) -> None:
    ledger = await service_client("ledger", now=TODAY, settings={"retention": {"imports": 5}})
    bad = await push(ledger, invoice(1), invoice(2, amount="nothing"))
    assert len(bad["errors"]) == 1
    scope = {"mode": "snapshot", "source": "sap", "business_unit_id": str(ledger.main_business_unit_id)}
    rows = [invoice(place) for place in range(10, 20)]
    await push(ledger, *rows, **scope, taken_at="2026-03-20T06:00:00Z")
    held = await push(ledger, *rows[:2], **scope, taken_at="2026-03-21T06:00:00Z")
    assert held["status"] == "held"
    await ledger.live_until(date(2026, 4, 5))
    assert await stored(ledger, "imports") == 3
    await ledger.live_until(date(2026, 4, 6))
    new = await push(ledger, invoice(30))
    await ledger.live_until(date(2026, 4, 12))
    assert (await ledger.get("/v1/imports")).json()["data"] == []
    assert (await ledger.get(f"/v1/imports/{new['id']}")).status_code == 404
    assert [
        await stored(ledger, table) for table in ("import_errors", "import_chunks", "import_batches")
    ] == [0, 0, 0]
    assert await stored(ledger, "items") == 12
