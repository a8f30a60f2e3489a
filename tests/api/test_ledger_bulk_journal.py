"""The journal's statements over thousands of rows: the same rules as for one, in three statements and some events."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.db import Tx
from libs.kit.feed.events import SUBJECTS_PER_EVENT
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from services.ledger.domain import journal as rules
from services.ledger.domain.journal import EntryKind
from services.ledger.storage import items, journal, orders
from services.ledger.storage.announcements import announce
from services.ledger.storage.journal import Touched
from services.ledger.storage.rowset import Rowset, definition, inline, temporary
from tests.api.ledger_books import TODAY, balance, customer, entries, last_events, require_sound, states

_today = date.fromisoformat(TODAY)
_names = iter(range(1_000_000))


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


async def loaded(tx: Tx, columns: dict[str, str], rows: list[dict[str, Any]]) -> Rowset:
    """The rows in a temporary table, as an import has them."""
    table = f"loaded_{next(_names)}"
    records = [tuple(row.get(name) for name in columns) for row in rows]
    await tx.copy_to_temp(table, definition(columns), list(columns), records)
    return temporary(table)


def invoices(count: int, customer_ids: list[UUID], business_unit_id: UUID) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)
    for number in range(count):
        issued = _today + timedelta(days=chance.randint(-400, 10))
        sign = chance.choice([1, 1, 1, -1])
        amount = chance.randint(1, 1_000_000)
        left = chance.choice([None, None, 0, amount, chance.randint(0, amount)])
        yield {
            "id": new_id(),
            "business_unit_id": business_unit_id,
            "customer_id": chance.choice(customer_ids),
            "kind": "invoice" if sign > 0 else "credit_note",
            "direction": sign,
            "external_id": f"F-{number}",
            "currency": chance.choice(["EUR", "CHF"]),
            "issue_date": issued,
            "due_date": issued + timedelta(days=30),
            "amount": amount,
            "open_amount": None if left is None else sign * left,
            "settled_on": None if chance.random() < 0.5 else issued + timedelta(days=chance.randint(-20, 60)),
            "stated_on": _today - timedelta(days=1),
            "source": "sap",
            "custom_fields": "{}",
        }


async def accounts(ledger: ServiceClient, count: int) -> list[UUID]:
    return [UUID((await customer(ledger))["id"]) for _ in range(count)]


async def test_three_thousand_first_sights_follow_the_rules_of_one(ledger: ServiceClient) -> None:
    rows = list(invoices(3_000, await accounts(ledger, 20), ledger.main_business_unit_id))
    db, tenant = ledger.stack.runtime("ledger").db, ledger.caller.tenant
    async with db.transaction(tenant) as tx:
        touched = await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, rows))
        await announce(tx, touched)
    assert len(touched.item_ids) == 3_000
    async with db.transaction(tenant, readonly=True) as tx:
        written = await items.entries_of(tx, [row["id"] for row in rows])
        stored = {
            row["id"]: row for row in await tx.fetch("SELECT * FROM items WHERE tenant_id = $1", tenant.id)
        }
    for row in rows:
        expected = rules.first_sight(
            row["direction"] * row["amount"],
            row["open_amount"],
            issued_on=row["issue_date"],
            file_date=row["stated_on"],
            today=_today,
            settled_on=row["settled_on"],
        )
        got = written[row["id"]]
        assert [(e.kind, e.amount, e.effective_on) for e in got] == [
            (e.kind, e.amount, e.effective_on) for e in expected
        ]
        item = stored[row["id"]]
        assert item["closed_on"] == rules.closed_on(expected)
        assert item["as_of_approximate"] == any(entry.as_of_approximate for entry in expected)
    await require_sound(ledger)
    assert await states_of_all(ledger, "item.changed") == await last_events(ledger, "item.changed")
    assert await states(ledger, "balance.changed") == await last_events(ledger, "balance.changed")
    counts = await ledger.stack.sql(
        "ledger",
        "SELECT subject_count FROM events WHERE tenant_id = $1 AND type = 'item.changed' ORDER BY id",
        ledger.tenant_id,
    )
    assert [row["subject_count"] for row in counts] == [SUBJECTS_PER_EVENT] * 6


async def states_of_all(ledger: ServiceClient, event_type: str) -> dict[str, dict[str, Any]]:
    """All pages of a state."""
    every: dict[str, dict[str, Any]] = {}
    after = ""
    while True:
        query = f"tenant_id={ledger.tenant_id}&limit=700{after}"
        page = (await ledger.stack.call("ledger", "GET", f"/internal/state/{event_type}?{query}")).json()
        every |= {subject["id"]: subject["data"] for subject in page["data"]}
        if page["next"] is None:
            return every
        after = f"&after={page['next']}"


async def test_known_keys_are_passed_over(ledger: ServiceClient) -> None:
    rows = list(invoices(10, await accounts(ledger, 2), ledger.main_business_unit_id))
    db, tenant = ledger.stack.runtime("ledger").db, ledger.caller.tenant
    async with db.transaction(tenant) as tx:
        await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, rows[:6]))
    again = [{**row, "id": new_id()} for row in rows]
    async with db.transaction(tenant) as tx:
        touched = await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, again))
    assert set(touched.item_ids) == {row["id"] for row in again[6:]}
    await require_sound(ledger)


async def test_many_entries_close_items_on_the_day_the_rules_say(ledger: ServiceClient) -> None:
    """Items are closed on the first day from which nothing was open, also when entries come out of order."""
    (account,) = await accounts(ledger, 1)
    chance = random.Random(11)
    rows = [
        {
            **row,
            "open_amount": None,
            "currency": "EUR",
            "issue_date": date(2026, 1, 1),
            "due_date": date(2026, 3, 1),
        }
        for row in invoices(400, [account], ledger.main_business_unit_id)
    ]
    db, tenant = ledger.stack.runtime("ledger").db, ledger.caller.tenant
    async with db.transaction(tenant) as tx:
        await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, rows))
    given = []
    for row in rows:
        left = -row["direction"] * row["amount"]
        parts = chance.choice([[left], [left // 2, left - left // 2], [left, -left, left], [left // 3]])
        for part in parts:
            day = date(2026, 1, 1) + timedelta(days=chance.randint(0, 60))
            kind = EntryKind.SETTLED_BY_SOURCE if part * left > 0 else EntryKind.REOPENED
            given.append(
                {
                    "item_id": row["id"],
                    "kind": kind.value,
                    "amount": part,
                    "effective_on": day,
                    "source": "dms",
                    "approximate": True,
                }
            )
    async with db.transaction(tenant) as tx:
        await items.lock(tx, [row["id"] for row in rows], None)
        touched = await journal.apply_entries(
            tx, await loaded(tx, journal.ENTRIES, given), import_id=new_id()
        )
        await announce(tx, touched)
    assert set(touched.item_ids) == {row["id"] for row in rows}
    async with db.transaction(tenant, readonly=True) as tx:
        journals = await items.entries_of(tx, [row["id"] for row in rows])
        stored = await tx.fetch("SELECT * FROM items WHERE tenant_id = $1", tenant.id)
    for item in stored:
        assert item["open_amount"] == rules.open_amount(journals[item["id"]])
        assert item["closed_on"] == rules.closed_on(journals[item["id"]])
        assert (item["source"], item["as_of_approximate"], item["version"]) == ("dms", True, 2)
    assert any(item["closed_on"] for item in stored)
    await require_sound(ledger)


async def test_many_attributes_change_at_once(ledger: ServiceClient) -> None:
    one, two = await accounts(ledger, 2)
    rows = [
        {**row, "open_amount": None, "currency": "EUR"}
        for row in invoices(300, [one], ledger.main_business_unit_id)
    ]
    db, tenant = ledger.stack.runtime("ledger").db, ledger.caller.tenant
    async with db.transaction(tenant) as tx:
        await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, rows))
    updates = [
        {
            **row,
            "item_id": row["id"],
            "customer_id": two if n % 2 else one,
            "due_date": _today + timedelta(days=n % 7 - 3),
        }
        for n, row in enumerate(rows)
    ]
    async with db.transaction(tenant) as tx:
        await items.lock(tx, [row["id"] for row in rows], None)
        touched = await journal.update_items(tx, await loaded(tx, journal.UPDATES, updates))
        await announce(tx, touched)
    assert set(touched.customer_ids) == {one, two}
    await require_sound(ledger)
    assert (await balance(ledger, str(two)) or {})["items_count"] == 150
    kept = await ledger.stack.sql(
        "ledger", "SELECT customer_id, due_date FROM item_versions WHERE tenant_id = $1", ledger.tenant_id
    )
    assert len(kept) == 300
    assert {row["customer_id"] for row in kept} == {one}
    assert {row["due_date"] for row in kept} == {row["due_date"] for row in rows}


async def test_orders_are_upserted_and_stale_ones_passed_over(ledger: ServiceClient) -> None:
    one, two = await accounts(ledger, 2)
    db, tenant = ledger.stack.runtime("ledger").db, ledger.caller.tenant

    def order(number: int, amount: int, version: int, account: UUID = one) -> dict[str, Any]:
        return {
            "id": new_id(), "business_unit_id": ledger.main_business_unit_id, "customer_id": account,
            "external_id": f"SO-{number}", "currency": "EUR", "amount": amount, "tax_included": True, "invoiced_amount": 0,
            "status": "open", "custom_fields": "{}", "source": "sap", "source_version": version,
        }  # fmt: skip

    async def push(*given: dict[str, Any]) -> orders.Written:
        async with db.transaction(tenant) as tx:
            written = await orders.upsert_orders(tx, await loaded(tx, orders.ORDERS, list(given)))
            await announce(tx, written.touched, order_ids=written.order_ids)
        return written

    first = await push(*[order(n, 100, 1) for n in range(1_000)])
    assert len(first.order_ids) == len(first.created_ids) == 1_000
    same = await push(*[order(n, 100, 2) for n in range(1_000)])
    assert same.order_ids == () and same.touched == Touched()
    moved = await push(order(0, 100, 3, two), order(1, 250, 3), order(2, 999, 0), order(5_000, 7, 1))
    assert (len(moved.order_ids), len(moved.created_ids)) == (3, 1)
    assert (await balance(ledger, str(one)) or {})["order_book"] == 100 * 999 + 150 + 7
    assert (await balance(ledger, str(two)) or {})["order_book"] == 100
    await require_sound(ledger)
    assert await states_of_all(ledger, "order.changed") == await last_events(ledger, "order.changed")


async def test_one_row_sent_with_the_statement_and_one_from_a_table_are_written_alike(
    ledger: ServiceClient,
) -> None:
    (account,) = await accounts(ledger, 1)
    (row,) = invoices(1, [account], ledger.main_business_unit_id)
    row |= {"open_amount": row["direction"] * row["amount"] // 2}
    other = {**row, "id": new_id(), "external_id": "other"}
    db, tenant = ledger.stack.runtime("ledger").db, ledger.caller.tenant
    async with db.transaction(tenant) as tx:
        await journal.insert_items(tx, inline(journal.FIRST_SEEN, [{**row, "custom_fields": {}}]))
        await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, [other]))
    assert await entries(ledger, str(row["id"])) == await entries(ledger, str(other["id"]))
    first, second = [(await ledger.get(f"/v1/items/{each['id']}")).json() for each in (row, other)]
    assert {**first, "id": None, "external_id": None} == {**second, "id": None, "external_id": None}


async def test_closing_days_are_worked_out_once_for_a_tenant_that_statistics_do_not_know(
    ledger: ServiceClient,
) -> None:
    """After others have filled the tables and been analysed, PostgreSQL expects one item of a new tenant: where it may, it works
    out the days of all items again for each of them, and a file of payments took minutes."""
    account = UUID((await customer(ledger))["id"])
    runtime, tenant = ledger.stack.runtime("ledger"), ledger.caller.tenant
    await ledger.stack.sql("ledger", "ANALYZE items, entries")
    async with runtime.db.transaction(tenant) as tx:
        given = list(invoices(2_000, [account], ledger.main_business_unit_id))
        await journal.insert_items(tx, await loaded(tx, journal.FIRST_SEEN, given))
        settled = [
            {"item_id": row["id"], "kind": 2, "amount": 1, "effective_on": row["issue_date"]} for row in given
        ]
        rows = await loaded(tx, journal.ENTRIES, settled)
        statement = rows.put_into(journal._APPLY_ENTRIES, 5)
        plan = [
            line[0]
            for line in await tx.fetch(
                f"EXPLAIN (COSTS OFF) {statement}", tx.tenant_id, tx.now, tx.today, None
            )
        ]
    starts = [n for n, line in enumerate(plan) if line.startswith("  CTE ")] + [len(plan)]
    parts = {plan[start].strip(): plan[start:end] for start, end in pairwise(starts)}
    assert any("WindowAgg" in line for line in parts["CTE changes"])
    assert not any("WindowAgg" in line for line in parts["CTE written"])
