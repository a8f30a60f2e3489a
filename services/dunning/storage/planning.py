"""Facts for many customers at once, in a handful of statements, whatever their number."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import msgspec

from libs.kit.db import Row, Tx
from services.dunning.domain.facts import Contact, CustomerFacts, Exclusion, ItemKind, OpenItem, Passed, Pause
from services.dunning.storage.letters import blocked_among_contacts, folded
from services.dunning.storage.scenarios import Scenarios

LIVE = ("proposed", "to_confirm", "due", "blocked")
_CUSTOMERS = """
    SELECT id, company_id, business_unit_id, external_id, name, language, contacts, address, country, time_zone,
           collector_user_id, scenario_id
      FROM customers WHERE tenant_id = $1 AND id = ANY($2) AND NOT archived
"""
#: What is owed from before a judgment is out, whatever else is agreed on it (DOMAIN §1, insolvency).
_ITEMS = """
    SELECT i.id, i.customer_id, i.business_unit_id, i.currency, i.number, i.issue_date, i.due_date, i.open_amount, i.kind,
           i.reference, coalesce(s.excluded_by, CASE WHEN r.company_id IS NOT NULL THEN 'insolvency' END) AS excluded_by,
           CASE WHEN r.company_id IS NULL THEN s.excluded_until END AS excluded_until
      FROM items i
      JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id
      LEFT JOIN situations s ON s.tenant_id = i.tenant_id AND s.item_id = i.id
      LEFT JOIN company_risks r ON r.tenant_id = c.tenant_id AND r.company_id = c.company_id
           AND r.legal_status IN ('safeguard', 'receivership', 'liquidation', 'other_proceeding')
           AND (r.judged_on IS NULL OR i.issue_date < r.judged_on)
     WHERE i.tenant_id = $1 AND i.customer_id = ANY($2) AND i.open_amount <> 0
"""
_PASSED = """
    SELECT customer_id, leader_item_id, scenario_version_id, position, nominal_days, done_on
      FROM actions WHERE tenant_id = $1 AND customer_id = ANY($2) AND kind = 'scenario' AND state IN ('done', 'skipped')
"""
_PAUSES = """
    SELECT customer_id, reason, until FROM pauses WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = 'active'
"""
#: Messages that left, to any account of these customers' companies.
_MESSAGES = """
    SELECT c.company_id, a.customer_id, max(a.done_on) AS done_on
      FROM customers c JOIN actions a ON a.tenant_id = c.tenant_id AND a.customer_id = c.id
     WHERE c.tenant_id = $1 AND c.company_id = ANY($2) AND a.state = 'done' AND a.channel IN ('email', 'letter', 'sms')
       AND a.mode <> 'manual'
     GROUP BY c.company_id, a.customer_id
"""
_DUE = """
    SELECT id FROM customers
     WHERE tenant_id = $1 AND look_again_on <= $2 AND ($3::uuid IS NULL OR id > $3) AND ($4::uuid[] IS NULL OR id = ANY($4))
     ORDER BY id LIMIT $5
"""


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


async def facts_of(
    tx: Tx, customers: Sequence[UUID], scenarios: Scenarios | None = None
) -> dict[UUID, tuple[Row, CustomerFacts]]:
    """What is decided from, by customer, with the row it belongs to. Archived customers are left out."""
    rows = await tx.fetch(_CUSTOMERS, tx.tenant_id, customers)
    items: dict[UUID, list[OpenItem]] = defaultdict(list)
    for row in await tx.fetch(_ITEMS, tx.tenant_id, customers):
        items[row["customer_id"]].append(item_of(row))
    passed: dict[UUID, list[Passed]] = defaultdict(list)
    for row in await tx.fetch(_PASSED, tx.tenant_id, customers):
        passed[row["customer_id"]].append(
            Passed(
                row["leader_item_id"],
                row["scenario_version_id"],
                row["position"],
                row["nominal_days"],
                row["done_on"],
            )
        )
    pauses = {
        row["customer_id"]: Pause(row["reason"], row["until"])
        for row in await tx.fetch(_PAUSES, tx.tenant_id, customers)
    }
    own, company = await _last_messages(tx, [row["company_id"] for row in rows])
    blocked = await blocked_among_contacts(tx, rows)
    return {
        row["id"]: (
            row,
            CustomerFacts(
                customer_id=row["id"],
                items=tuple(items[row["id"]]),
                passed=tuple(passed[row["id"]]),
                contacts=tuple(contacts_of(row, blocked)),
                pause=pauses.get(row["id"]),
                last_automatic_on=company.get(row["company_id"])
                if scenarios is None or scenarios.of(row).cap_across_accounts
                else own.get(row["id"]),
                postal_address=row["address"] != "{}",
            ),
        )
        for row in rows
    }


async def _last_messages(tx: Tx, companies: Sequence[UUID]) -> tuple[dict[UUID, date], dict[UUID, date]]:
    """The day of the last message by customer, and by company."""
    own: dict[UUID, date] = {}
    company: dict[UUID, date] = {}
    for row in await tx.fetch(_MESSAGES, tx.tenant_id, list(set(companies))):
        own[row["customer_id"]] = row["done_on"]
        company[row["company_id"]] = max(company.get(row["company_id"], row["done_on"]), row["done_on"])
    return own, company


async def companies_to_be_written_to(tx: Tx, companies: Sequence[UUID]) -> dict[UUID, UUID]:
    """Companies one of whose accounts has a message waiting to leave by itself -> that account."""
    rows = await tx.fetch(
        "SELECT c.company_id, min(a.customer_id::text)::uuid AS customer_id FROM customers c JOIN actions a"
        " ON a.tenant_id = c.tenant_id AND a.customer_id = c.id WHERE c.tenant_id = $1 AND c.company_id = ANY($2)"
        " AND a.state = 'due' AND a.mail_id IS NOT NULL GROUP BY c.company_id",
        tx.tenant_id, list(set(companies)),
    )  # fmt: skip
    return {row["company_id"]: row["customer_id"] for row in rows}


async def live_actions(tx: Tx, customers: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Scenario actions that were planned and are not done."""
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in await tx.fetch(
        "SELECT id, customer_id, leader_item_id, scenario_version_id, position, state, mail_id, reason FROM actions"
        " WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = ANY($3) AND kind = 'scenario'",
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
    """A customer's contacts; one with a blocked address is reached by nothing. The ledger gives them no ids:
    theirs come from the customer's and from how they are reached."""
    known: list[dict[str, Any]] = msgspec.json.decode(row["contacts"])
    return [
        Contact(
            id=uuid5(row["id"], contact.get("email") or contact.get("phone") or contact.get("name") or ""),
            name=contact.get("name") or "",
            role=contact.get("role") or "other",
            email=contact.get("email"),
            phone=contact.get("phone"),
            language=contact.get("language"),
            blacklisted=any(
                (kind, folded(kind, contact.get(kind) or "")) in blocked for kind in ("email", "phone")
            ),
        )
        for contact in known
    ]


def item_of(row: Row) -> OpenItem:
    """An open item from its row, with what holds it out."""
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
        exclusion=Exclusion(row["excluded_by"], row["excluded_until"]) if row["excluded_by"] else None,
    )
