"""Facts for many customers at once, in a handful of statements, whatever their number."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from services.dunning.domain.facts import Contact, CustomerFacts, ItemKind, OpenItem, Passed
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step
from services.dunning.storage.letters import blocked_among_contacts, folded

LIVE = ("proposed", "to_confirm", "due", "blocked")
_CUSTOMERS = """
    SELECT id, business_unit_id, external_id, name, language, contacts, address, collector_user_id
      FROM customers WHERE tenant_id = $1 AND id = ANY($2) AND NOT archived
"""
_ITEMS = """
    SELECT id, customer_id, business_unit_id, currency, number, issue_date, due_date, open_amount, kind, reference
      FROM items WHERE tenant_id = $1 AND customer_id = ANY($2) AND open_amount <> 0
"""
_PASSED = """
    SELECT customer_id, leader_item_id, scenario_version_id, position, nominal_days, done_on, channel, mode, state
      FROM actions WHERE tenant_id = $1 AND customer_id = ANY($2) AND state IN ('done', 'skipped')
"""
_DUE = """
    SELECT id FROM customers
     WHERE tenant_id = $1 AND look_again_on <= $2 AND ($3::uuid IS NULL OR id > $3) AND ($4::uuid[] IS NULL OR id = ANY($4))
     ORDER BY id LIMIT $5
"""
_VERSION = """
    SELECT v.id, v.scenario_id, v.steps, v.minimums, v.ignore_under, v.cap_days
      FROM scenarios s JOIN scenario_versions v ON v.tenant_id = s.tenant_id AND v.scenario_id = s.id
     WHERE s.tenant_id = $1 AND s.is_default ORDER BY v.number DESC LIMIT 1
"""


async def default_version(tx: Tx) -> ScenarioVersion:
    """The newest version of the scenario that customers without another one follow."""
    row = await tx.fetchrow(_VERSION, tx.tenant_id)
    assert row is not None, "every tenant starts with a scenario"
    return version_of(row)


def version_of(row: Row) -> ScenarioVersion:
    """A scenario version from its row."""
    return ScenarioVersion(
        id=row["id"],
        scenario_id=row["scenario_id"],
        steps=tuple(_step(step) for step in msgspec.json.decode(row["steps"])),
        minimums=msgspec.json.decode(row["minimums"]),
        ignore_under=msgspec.json.decode(row["ignore_under"]),
        cap_days=row["cap_days"],
    )


async def customers_to_look_at(
    tx: Tx, day: date, after: UUID | None, only: Sequence[UUID] | None, limit: int
) -> list[UUID]:
    """Customers whose next decision may be due on a day, in order of id: a quiet day costs what moves, not what is open."""
    return [row["id"] for row in await tx.fetch(_DUE, tx.tenant_id, day, after, only, limit)]


async def lock_customers(tx: Tx, customers: Sequence[UUID]) -> None:
    """Hold customers against everybody else who plans or sends for them."""
    await tx.fetch(
        "SELECT id FROM customers WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
        tx.tenant_id,
        customers,
    )


async def facts_of(tx: Tx, customers: Sequence[UUID]) -> dict[UUID, tuple[Row, CustomerFacts]]:
    """Each customer's row and facts. Archived customers are left out: nobody writes to them."""
    items: dict[UUID, list[OpenItem]] = defaultdict(list)
    for row in await tx.fetch(_ITEMS, tx.tenant_id, customers):
        items[row["customer_id"]].append(_item(row))
    passed: dict[UUID, list[Passed]] = defaultdict(list)
    automatic: dict[UUID, date] = {}
    for row in await tx.fetch(_PASSED, tx.tenant_id, customers):
        customer = row["customer_id"]
        passed[customer].append(
            Passed(
                row["leader_item_id"],
                row["scenario_version_id"],
                row["position"],
                row["nominal_days"],
                row["done_on"],
            )
        )
        if row["mode"] == Mode.AUTOMATIC and Channel(row["channel"]).is_message and row["state"] == "done":
            automatic[customer] = max(automatic.get(customer, row["done_on"]), row["done_on"])
    rows = await tx.fetch(_CUSTOMERS, tx.tenant_id, customers)
    blocked = await blocked_among_contacts(tx, rows)
    return {
        row["id"]: (
            row,
            CustomerFacts(
                customer_id=row["id"],
                items=tuple(items[row["id"]]),
                passed=tuple(passed[row["id"]]),
                contacts=tuple(contacts_of(row, blocked)),
                last_automatic_on=automatic.get(row["id"]),
                postal_address=row["address"] != "{}",
            ),
        )
        for row in rows
    }


async def live_actions(tx: Tx, customers: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Scenario actions that were planned and are not done."""
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in await tx.fetch(
        "SELECT id, customer_id, leader_item_id, scenario_version_id, position, state, mail_id, reason FROM actions"
        " WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = ANY($3)",
        tx.tenant_id, customers, list(LIVE),
    ):  # fmt: skip
        found[row["customer_id"]].append(row)
    return found


async def look_again(tx: Tx, days: dict[UUID, date | None]) -> None:
    """Write down when each customer's next decision may be due."""
    await tx.execute(
        "UPDATE customers c SET look_again_on = d.day FROM unnest($2::uuid[], $3::date[]) AS d(id, day)"
        " WHERE c.tenant_id = $1 AND c.id = d.id AND c.look_again_on IS DISTINCT FROM d.day",
        tx.tenant_id, list(days), list(days.values()),
    )  # fmt: skip


def contacts_of(row: Row, blocked: Collection[tuple[str, str]] = ()) -> list[Contact]:
    """A customer's contacts; one with a blocked address is reached by nothing. They have no ids of their own in the ledger: their
    place in the list serves."""
    known: list[dict[str, Any]] = msgspec.json.decode(row["contacts"])
    return [
        Contact(
            id=UUID(int=place),
            name=contact.get("name") or "",
            role=contact.get("role") or "other",
            email=contact.get("email"),
            phone=contact.get("phone"),
            language=contact.get("language"),
            blacklisted=any(
                (kind, folded(kind, contact.get(kind) or "")) in blocked for kind in ("email", "phone")
            ),
        )
        for place, contact in enumerate(known)
    ]


def _item(row: Row) -> OpenItem:
    return OpenItem(
        id=row["id"],
        customer_id=row["customer_id"],
        business_unit_id=row["business_unit_id"],
        currency=row["currency"],
        number=row["number"],
        issue_date=row["issue_date"],
        due_date=row["due_date"],
        open_minor=row["open_amount"],
        kind=ItemKind(row["kind"]),
        reference=row["reference"] or "",
    )


def _step(stored: dict[str, Any]) -> Step:
    template = stored.get("template_id")
    return Step(
        channel=Channel(stored["channel"]),
        mode=Mode(stored["mode"]),
        template_id=UUID(template) if template else None,
        offset_days=stored.get("offset_days"),
        after_days=stored.get("after_days"),
    )
