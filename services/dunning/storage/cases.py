"""What suggestions are made from, for many customers in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from libs.contracts.currencies import exponent
from libs.kit.db import Row, Tx
from services.dunning.domain.contacts import reachable_contact
from services.dunning.domain.scenario import Channel
from services.dunning.domain.suggestions import Case, Delays, LateItem
from services.dunning.storage import planning
from services.dunning.storage.letters import blocked_among_contacts

#: Insolvent: nothing from before the judgment is asked for, but it is to be declared.
_PROCEEDINGS = "('safeguard', 'receivership', 'liquidation', 'other_proceeding')"
#: Customers with the most that is late and held out by nothing. Amounts in several currencies are added as they stand.
_CANDIDATES = f"""
    SELECT c.id, c.company_id, c.name, c.contacts, c.collector_user_id, c.business_unit_id,
           r.legal_status IN {_PROCEEDINGS} AS in_proceedings
      FROM customers c
      JOIN LATERAL (SELECT sum(i.open_amount) AS late FROM items i
                      LEFT JOIN situations s ON s.tenant_id = i.tenant_id AND s.item_id = i.id
                     WHERE i.tenant_id = $1 AND i.customer_id = c.id AND i.open_amount > 0 AND i.due_date < $2
                       AND s.excluded_by IS NULL) o ON o.late > 0
      LEFT JOIN company_risks r ON r.tenant_id = c.tenant_id AND r.company_id = c.company_id
     WHERE c.tenant_id = $1 AND NOT c.archived AND ($3::uuid[] IS NULL OR c.business_unit_id = ANY($3))
       AND ($4::uuid IS NULL OR c.collector_user_id = $4) AND ($5::uuid IS NULL OR c.id = $5)
       AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.tenant_id = $1 AND p.customer_id = c.id AND p.state = 'active')
     ORDER BY o.late DESC, c.id LIMIT 2000
"""
_LATE = """
    SELECT i.customer_id, i.number, i.open_amount, i.currency, $3 - i.due_date AS days_late FROM items i
      LEFT JOIN situations s ON s.tenant_id = i.tenant_id AND s.item_id = i.id
     WHERE i.tenant_id = $1 AND i.customer_id = ANY($2) AND i.open_amount > 0 AND i.due_date < $3 AND s.excluded_by IS NULL
     ORDER BY i.due_date, i.id
"""
#: When items were paid, by value date: the day they were closed on is when somebody booked it.
_PAID = """
    SELECT a.key::uuid AS item_id, max(p.paid_on) AS paid_on
      FROM payments p CROSS JOIN LATERAL jsonb_each_text(p.allocations) a WHERE p.tenant_id = $1 AND {which} GROUP BY 1
"""
_SETTLED = "i.closed_on IS NOT NULL AND NOT i.cancelled AND i.kind IN ('invoice', 'other')"
_DELAYS = f"""
    WITH paid AS ({_PAID.format(which="p.customer_id = ANY($2)")})
    SELECT i.customer_id, array_agg(d.delay ORDER BY d.delay) AS days
      FROM items i LEFT JOIN paid ON paid.item_id = i.id
     CROSS JOIN LATERAL (SELECT coalesce(paid.paid_on, i.closed_on) - i.due_date AS delay) d
     WHERE i.tenant_id = $1 AND i.customer_id = ANY($2) AND i.closed_on > $3::date - 730 AND {_SETTLED}
     GROUP BY i.customer_id
"""
_PORTFOLIO = f"""
    WITH paid AS ({_PAID.format(which="p.paid_on > $2::date - 730")})
    SELECT coalesce(paid.paid_on, i.closed_on) - i.due_date AS delay, count(*) AS count
      FROM items i LEFT JOIN paid ON paid.item_id = i.id
     WHERE i.tenant_id = $1 AND i.closed_on > $2::date - 365 AND {_SETTLED}
     GROUP BY 1 ORDER BY 1
"""
_PROMISES = """
    SELECT customer_id, count(*) AS broken FROM promises
     WHERE tenant_id = $1 AND customer_id = ANY($2) AND state IN ('broken', 'partly') AND promised_on > $3::date - 180
     GROUP BY customer_id
"""
_CONTACTS = """
    SELECT a.customer_id, a.channel, count(*) AS tried, max(a.done_on) AS last_on,
           count(*) FILTER (WHERE EXISTS (SELECT 1 FROM payments p WHERE p.tenant_id = $1 AND p.customer_id = a.customer_id
                            AND p.paid_on BETWEEN a.done_on AND a.done_on + 10)) AS paid
      FROM actions a WHERE a.tenant_id = $1 AND a.customer_id = ANY($2) AND a.state = 'done'
       AND a.channel IN ('email', 'letter', 'sms', 'call') GROUP BY a.customer_id, a.channel
"""
_WAITING = """
    SELECT DISTINCT customer_id FROM actions WHERE tenant_id = $1 AND customer_id = ANY($2) AND state = 'to_confirm'
"""


async def read(
    tx: Tx, perimeter: Sequence[UUID] | None, collector: UUID | None, customer_id: UUID | None
) -> list[tuple[Row, Case]]:
    """Customers to whom something can be suggested, with what is known of them."""
    rows = await tx.fetch(
        _CANDIDATES,
        tx.tenant_id,
        tx.today,
        None if perimeter is None else list(perimeter),
        collector,
        customer_id,
    )
    ids = [row["id"] for row in rows]
    late: dict[UUID, list[LateItem]] = defaultdict(list)
    for one in await tx.fetch(_LATE, tx.tenant_id, ids, tx.today):
        late[one["customer_id"]].append(_late_item(one))
    delays = {
        one["customer_id"]: Delays(one["days"])
        for one in await tx.fetch(_DELAYS, tx.tenant_id, ids, tx.today)
    }
    broken = {
        one["customer_id"]: one["broken"] for one in await tx.fetch(_PROMISES, tx.tenant_id, ids, tx.today)
    }
    waiting = {one["customer_id"] for one in await tx.fetch(_WAITING, tx.tenant_id, ids)}
    answered: dict[UUID, dict[str, tuple[int, int]]] = defaultdict(dict)
    last: dict[UUID, date] = {}
    for one in await tx.fetch(_CONTACTS, tx.tenant_id, ids):
        customer = one["customer_id"]
        answered[customer][one["channel"]] = (one["tried"], one["paid"])
        last[customer] = max(last.get(customer, one["last_on"]), one["last_on"])
    blocked = await blocked_among_contacts(tx, rows)
    return [
        (
            row,
            Case(
                customer_id=row["id"],
                late=tuple(late[row["id"]]),
                delays=delays.get(row["id"], Delays()),
                broken_promises=broken.get(row["id"], 0),
                in_proceedings=bool(row["in_proceedings"]),
                reachable=any(
                    reachable_contact(planning.contacts_of(row, blocked), channel)
                    for channel in (Channel.EMAIL, Channel.CALL)
                ),
                waiting_to_confirm=row["id"] in waiting,
                last_contact_on=last.get(row["id"]),
                answered=answered[row["id"]],
            ),
        )
        for row in rows
    ]


async def portfolio_delays(tx: Tx) -> Delays:
    """How late the whole portfolio paid over the last year."""
    days: list[int] = []
    for row in await tx.fetch(_PORTFOLIO, tx.tenant_id, tx.today):
        days += [row["delay"]] * row["count"]
    return Delays(days)


def _late_item(row: Row) -> LateItem:
    amount = Decimal(row["open_amount"]).scaleb(-exponent(row["currency"]))
    return LateItem(row["number"], amount, row["currency"], row["days_late"])
