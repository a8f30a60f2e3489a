"""Whatever is done to an account in whatever order: items are the sum of their entries, balances the sum of their items,
no day in the past shows less than nothing, and the last event of each subject is its state."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.contracts.ids import new_id
from libs.kit.db import Tx
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from services.ledger.storage import journal
from services.ledger.storage.announcements import announce
from services.ledger.storage.journal import Touched
from services.ledger.storage.rowset import inline
from tests.api.ledger_books import TODAY, customer, events, last_events, require_sound, states

#: As of no day may an item be open on the wrong side of zero, or by more than its amount.
_OUT_OF_BOUNDS = """
    SELECT i.id, e.effective_on, e.remaining
      FROM items i
      JOIN (SELECT item_id, effective_on, sum(sum(amount)) OVER (PARTITION BY item_id ORDER BY effective_on) AS remaining
              FROM entries WHERE tenant_id = $1 GROUP BY item_id, effective_on) e ON e.item_id = i.id
     WHERE i.tenant_id = $1 AND i.customer_id = $2 AND (e.remaining * i.direction < 0 OR e.remaining * i.direction > i.amount)
"""
#: Signed open amounts and allocations agree: what an allocation moved from a credit it moved from its debit.
_LOPSIDED = """
    SELECT allocation_id, sum(amount) FROM entries
     WHERE tenant_id = $1 AND allocation_id IS NOT NULL GROUP BY allocation_id HAVING sum(amount) <> 0
"""

_cents = st.integers(1, 20_000)
_days = st.integers(-40, 3)
_pick = st.integers(0, 50)
_kinds = st.sampled_from(["invoice", "credit_note", "other"])
_currencies = st.sampled_from(["EUR", "EUR", "EUR", "CHF"])
_step = st.one_of(
    st.tuples(st.just("record"), _kinds, _cents, _days, _currencies),
    st.tuples(st.just("pay"), _cents, _days, st.sampled_from(["oldest", "exact", "none"]), _currencies),
    st.tuples(st.just("allocate"), _pick, _pick, _cents),
    st.tuples(st.just("take_back"), _pick, _pick),
    st.tuples(st.just("reverse"), _pick),
    st.tuples(st.just("write_off"), _pick, st.one_of(st.none(), _cents)),
    st.tuples(st.just("cancel"), _pick),
    st.tuples(st.just("reopen"), _pick),
    st.tuples(st.just("state_open"), _pick, st.integers(0, 100)),
    st.tuples(st.just("move_due_date"), _pick, _days),
    st.tuples(st.just("order"), _cents, st.sampled_from(["open", "closed"])),
    st.tuples(st.just("day")),
)


class Account:
    """One customer and what was recorded on it; steps that the rules refuse are answered 4xx and change nothing."""

    def __init__(self, client: ServiceClient, customer_id: str) -> None:
        self.client = client
        self.customer_id = customer_id
        self.items: list[dict[str, Any]] = []
        self.payments: list[str] = []
        self.orders = 0

    async def take(self, step: tuple[Any, ...]) -> None:
        await getattr(self, f"_{step[0]}")(*step[1:])

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        response = await self.client.post(path, json=body)
        assert response.status_code in (200, 201, 409, 422), response.text
        made: dict[str, Any] = response.json()
        return made if response.status_code < 300 else None

    def _day_at(self, offset: int) -> str:
        return (self.client.caller.tenant.today() + timedelta(days=offset)).isoformat()

    def _item(self, pick: int) -> str | None:
        return self.items[pick % len(self.items)]["id"] if self.items else None

    async def _record(self, kind: str, cents: int, offset: int, currency: str) -> None:
        body = {
            "kind": kind, "customer_id": self.customer_id, "issue_date": self._day_at(offset), "currency": currency,
            "amount": f"{cents / 100:.2f}", "due_date": self._day_at(offset + 20),
        }  # fmt: skip
        made = await self._post("/v1/items", {**body, **({"direction": "debit"} if kind == "other" else {})})
        assert made is not None
        self.items.append(made)

    async def _pay(self, cents: int, offset: int, mode: str, currency: str) -> None:
        made = await self._post(
            "/v1/payments",
            {
                "customer_id": self.customer_id, "amount": f"{cents / 100:.2f}", "currency": currency,
                "paid_on": self._day_at(offset), "allocate": mode,
            },
        )  # fmt: skip
        if made is not None:
            self.payments.append(made["id"])
            self.items.append(made)

    async def _allocate(self, credit: int, debit: int, cents: int) -> None:
        if self.items:
            line = {"item_id": self._item(debit), "amount": f"{cents / 100:.2f}"}
            await self._post(f"/v1/items/{self._item(credit)}/allocations", {"allocations": [line]})

    async def _take_back(self, pick: int, which: int) -> None:
        if self.items:
            listed = (await self.client.get(f"/v1/items/{self._item(pick)}/allocations")).json()["data"]
            if listed:
                one = listed[which % len(listed)]
                await self._post(f"/v1/items/{one['credit_item_id']}/allocations/{one['id']}/reverse", {})

    async def _reverse(self, pick: int) -> None:
        if self.payments:
            path = f"/v1/payments/{self.payments[pick % len(self.payments)]}/reverse"
            await self._post(path, {"reason": "bounced"})

    async def _write_off(self, pick: int, cents: int | None) -> None:
        if self.items:
            amount = None if cents is None else f"{cents / 100:.2f}"
            await self._post(f"/v1/items/{self._item(pick)}/write-off", {"amount": amount})

    async def _cancel(self, pick: int) -> None:
        if self.items:
            await self._post(f"/v1/items/{self._item(pick)}/cancel", {})

    async def _reopen(self, pick: int) -> None:
        if self.items:
            await self._post(f"/v1/items/{self._item(pick)}/reopen", {})

    async def _state_open(self, pick: int, percent: int) -> None:
        if self.items:
            one = self.items[pick % len(self.items)]
            left = round(float(one["amount"]) * percent / 100, 2) * (
                1 if one.get("direction") == "debit" else -1
            )
            response = await self.client.patch(f"/v1/items/{one['id']}", json={"open_amount": f"{left:.2f}"})
            assert response.status_code == 200, response.text

    async def _move_due_date(self, pick: int, offset: int) -> None:
        if self.items:
            response = await self.client.patch(
                f"/v1/items/{self._item(pick)}", json={"due_date": self._day_at(offset)}
            )
            assert response.status_code == 200, response.text

    async def _order(self, cents: int, status: str) -> None:
        self.orders += 1
        await self._post(
            "/v1/orders",
            {
                "external_id": f"{self.customer_id}-{self.orders}", "customer_id": self.customer_id, "currency": "EUR",
                "amount": f"{cents / 100:.2f}", "status": status,
            },
        )  # fmt: skip

    async def _day(self) -> None:
        await self.client.live_until(self.client.caller.tenant.today() + timedelta(days=1))


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(_step, min_size=4, max_size=25))
async def test_any_course_of_events_leaves_a_sound_ledger(
    service_client: MakeClient, steps: list[tuple[Any, ...]]
) -> None:
    client = await service_client("ledger", now=TODAY)
    account = Account(client, (await customer(client))["id"])
    for step in steps:
        await account.take(step)
    await require_sound(client)
    assert await client.stack.sql("ledger", _OUT_OF_BOUNDS, client.tenant_id, UUID(account.customer_id)) == []
    assert await client.stack.sql("ledger", _LOPSIDED, client.tenant_id) == []
    for event_type in ("item.changed", "payment.changed", "order.changed"):
        assert await states(client, event_type) == await last_events(client, event_type)
    told, present = await last_events(client, "balance.changed"), await states(client, "balance.changed")
    assert {k: v["rows"] for k, v in told.items()} == {k: v["rows"] for k, v in present.items()}


async def blocked(client: ServiceClient) -> None:
    """Return once somebody waits for a lock in the ledger's database."""
    for _ in range(500):
        waiting = await client.stack.sql(
            "ledger",
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        if waiting[0]["count"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


async def test_a_second_currency_begun_at_the_same_time_is_told_in_full(service_client: MakeClient) -> None:
    """Three at once on a new customer: the first makes its EUR row, the second its CHF row without having seen the first,
    the third moves EUR meanwhile. No two of them tell of different states under one version."""
    client = await service_client("ledger", now=TODAY)
    account = UUID((await customer(client))["id"])
    db, tenant = client.stack.runtime("ledger").db, client.caller.tenant

    async def record(tx: Tx, currency: str) -> Touched:
        row = {
            "id": new_id(), "business_unit_id": client.main_business_unit_id, "customer_id": account, "kind": "invoice",
            "direction": 1, "currency": currency, "issue_date": tenant.today(), "due_date": tenant.today(),
            "stated_on": tenant.today(), "amount": 100, "custom_fields": {},
        }  # fmt: skip
        return await journal.insert_items(tx, inline(journal.FIRST_SEEN, [row]))

    async with db.transaction(tenant) as second:
        async with db.transaction(tenant) as first:
            touched = await record(first, "EUR")
            beginning = asyncio.create_task(record(second, "CHF"))
            await blocked(client)  # the second waits for the first, whose row it cannot see
            await announce(first, touched)
        began = await beginning
        async with db.transaction(tenant) as third:
            moved = await record(third, "EUR")
            telling = asyncio.create_task(announce(second, began))
            await blocked(client)  # the second tells only what the third has settled
            await announce(third, moved)
        await telling
    told = [version for _, version, _ in await events(client, "balance.changed")]
    assert len(set(told)) == len(told) == 3
    newest = (await last_events(client, "balance.changed"))[str(account)]
    assert [(row["currency"], row["outstanding"]) for row in newest["rows"]] == [("CHF", 100), ("EUR", 200)]
    await require_sound(client)
