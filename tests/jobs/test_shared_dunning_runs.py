"""A run is shared by several workers and survives any of them: nobody planned twice, nobody forgotten."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit import clock
from libs.kit.db import Tx
from libs.kit.feed.events import Subject
from services.dunning.storage import run_parts
from services.dunning.usecases import plan, runs

CUSTOMERS = 23


def _customer(place: int, unit: UUID) -> Subject:
    state: dict[str, Any] = {
        "external_id": f"C{place}", "business_unit_id": unit, "company_id": new_id(), "name": f"Client {place}",
        "language": "en", "currency": "EUR", "segment": None, "buyer_kind": "private", "prepaid": False,
        "collector_user_id": None, "address": {"city": "Lyon", "country": "FR"},
        "contacts": [{"name": "Camille", "email": f"c{place}@example.com", "role": "accounting"}], "actors": [],
        "custom_fields": {}, "payer_profile": None, "archived": False,
    }  # fmt: skip
    return Subject(new_id(), 1, state)


def _item(customer: Subject, unit: UUID) -> Subject:
    state: dict[str, Any] = {
        "business_unit_id": unit, "customer_id": customer.id, "company_id": customer.data["company_id"], "kind": "invoice",
        "direction": 1, "external_id": f"F-{customer.data['external_id']}", "number": f"F-{customer.data['external_id']}",
        "issue_date": "2026-01-01", "delivery_date": None, "due_date": "2026-02-01", "original_due_date": "2026-02-01",
        "currency": "EUR", "amount": 10_000, "tax_amount": None, "open_amount": 10_000, "reference": None,
        "order_reference": None, "custom_fields": {}, "closed_on": None, "cancelled": False,
    }  # fmt: skip
    return Subject(new_id(), 1, state)


@pytest.mark.feature("L22")
async def test_workers_share_a_run_and_a_killed_one_is_taken_over(
    service_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await service_client("dunning", now="2026-03-02")
    unit = client.main_business_unit_id
    customers = [_customer(place, unit) for place in range(CUSTOMERS)]
    client.publish("ledger", "customer.changed", *customers)
    client.publish("ledger", "item.changed", *(_item(one, unit) for one in customers))
    await client.settle()

    monkeypatch.setattr(run_parts, "SIZE", 4)
    monkeypatch.setattr(runs, "BATCH", 2)
    planned: Counter[UUID] = Counter()
    killed = []

    async def counting(tx: Tx, some: list[UUID], *args: Any, **options: Any) -> plan.Outcome:
        if len(planned) >= 6 and not killed:
            killed.append(some)
            raise asyncio.CancelledError  # as a worker that is told to go, or dies: nothing of the batch is written
        outcome = await plan.plan_customers(tx, some, *args, **options)
        await asyncio.sleep(0.01)
        planned.update(some)
        return outcome

    monkeypatch.setattr(runs, "plan_customers", counting)
    runtime = client.stack.runtime("dunning")
    tenant = client.caller.tenant
    async with runtime.db.transaction(tenant) as tx:
        row = await runs.start(tx, tx.today, "test", dry_run=False, send_now=False, customer_ids=None)
    ids = (str(tenant.id), str(row["id"]))
    ended = await asyncio.gather(*(runs.run(runtime, *ids) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in ended if one is not None] == [asyncio.CancelledError]
    await runs.run(runtime, *ids)  # the sweep's nudge
    await runs.run(runtime, *ids)  # and one too many

    assert killed
    assert set(planned.values()) == {1}, "no worker plans what another has planned"
    assert len(planned) == CUSTOMERS
    done = (await client.get(f"/v1/dunning-runs/{row['id']}")).json()
    assert (done["status"], done["counts"]["customers"], done["counts"]["planned"]) == (
        "succeeded",
        CUSTOMERS,
        CUSTOMERS,
    )
    actions = await client.stack.sql(
        "dunning",
        "SELECT customer_id, count(*) AS count FROM actions WHERE tenant_id = $1 GROUP BY 1",
        tenant.id,
    )
    assert {one["count"] for one in actions} == {1} and len(actions) == CUSTOMERS


async def test_a_part_whose_worker_died_is_free_again_after_its_lease(service_client: Any) -> None:
    client = await service_client("dunning", now="2026-03-02")
    unit = client.main_business_unit_id
    customers = [_customer(place, unit) for place in range(3)]
    client.publish("ledger", "customer.changed", *customers)
    client.publish("ledger", "item.changed", *(_item(one, unit) for one in customers))
    await client.settle()
    runtime, tenant = client.stack.runtime("dunning"), client.caller.tenant
    async with runtime.db.transaction(tenant) as tx:
        row = await runs.start(tx, tx.today, "test", dry_run=True, send_now=False, customer_ids=None)
        assert await run_parts.divide(tx, row["id"], None) == 1
        assert await run_parts.claim(tx, row["id"]) is not None
        assert await run_parts.claim(tx, row["id"]) is None
        await tx.execute(
            "UPDATE dunning_run_parts SET leased_until = $2 WHERE run_id = $1",
            row["id"],
            clock.wall() - run_parts.LEASE,
        )
        assert await run_parts.claim(tx, row["id"]) is not None
