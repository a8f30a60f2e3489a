"""Open items at any past day, as SQL: the one relation that every report is an aggregate of.

Today's come from the items themselves; another day's from the journal (entries effective by then), and another knowledge's
from what was recorded by then, with the attributes of that time. `tests/api/test_ledger_reports.py` holds these statements
to the pure rules of `domain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from libs.kit.db import Tx
from libs.kit.paging import Statement
from libs.kit.problems import invalid

_TODAY = """
    SELECT i.id, i.customer_id, i.business_unit_id, i.kind, i.currency, i.issue_date, i.due_date, i.open_amount
      FROM items i WHERE i.tenant_id = {tenant} AND i.open_amount <> 0
"""
_PAST = """
    SELECT i.id, i.customer_id, i.business_unit_id, i.kind, i.currency, i.issue_date, i.due_date, s.open_amount
      FROM (SELECT e.item_id, sum(e.amount)::bigint AS open_amount FROM entries e
             WHERE e.tenant_id = {tenant} AND e.effective_on <= {as_of}
             GROUP BY e.item_id HAVING sum(e.amount) <> 0) s
      JOIN items i ON i.tenant_id = {tenant} AND i.id = s.item_id
"""
_KNOWN = """
    SELECT i.id, coalesce(v.customer_id, i.customer_id) AS customer_id, i.business_unit_id, i.kind, i.currency,
           i.issue_date, coalesce(v.due_date, i.due_date) AS due_date, s.open_amount
      FROM (SELECT e.item_id, sum(e.amount)::bigint AS open_amount FROM entries e
             WHERE e.tenant_id = {tenant} AND e.effective_on <= {as_of} AND e.recorded_at <= {known_at}
             GROUP BY e.item_id HAVING sum(e.amount) <> 0) s
      JOIN items i ON i.tenant_id = {tenant} AND i.id = s.item_id
      LEFT JOIN LATERAL (SELECT w.customer_id, w.due_date FROM item_versions w
                          WHERE w.tenant_id = {tenant} AND w.item_id = i.id AND w.superseded_at > {known_at}
                          ORDER BY w.superseded_at LIMIT 1) v ON true
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """The day a report is about, and what was known when (None: all that is known now)."""

    as_of: date
    known_at: datetime | None

    def is_today(self, tx: Tx) -> bool:
        """Whether the maintained facts answer."""
        return self.as_of == tx.today and self.known_at is None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose items: None is everybody's. `perimeter` is the caller's."""

    customer_id: UUID | None = None
    company_id: UUID | None = None
    group_id: UUID | None = None
    business_unit_id: Sequence[UUID] | None = None
    currency: str | None = None
    perimeter: Sequence[UUID] | None = None


def moment(tx: Tx, as_of: date | None, known_at: datetime | None) -> Moment:
    """The moment asked for, today by default. Raises 422 for a day that has not come."""
    day = as_of or tx.today
    if day > tx.today:
        raise invalid("?as_of", "in_the_future", f"expected {tx.today} or an earlier day")
    if known_at is not None and known_at.tzinfo is None:
        raise invalid("?known_at", "time_zone_missing", "expected an instant with a time zone")
    return Moment(day, known_at)


def relation(tx: Tx, statement: Statement, when: Moment) -> str:
    """`SELECT id, customer_id, business_unit_id, kind, currency, issue_date, due_date, open_amount …`."""
    tenant = f"{statement.bind(tx.tenant_id)}::uuid"
    if when.is_today(tx):
        return _TODAY.format(tenant=tenant)
    as_of = f"{statement.bind(when.as_of)}::date"
    if when.known_at is None:
        return _PAST.format(tenant=tenant, as_of=as_of)
    known_at = f"{statement.bind(when.known_at)}::timestamptz"
    return _KNOWN.format(tenant=tenant, as_of=as_of, known_at=known_at)


def narrow(statement: Statement, scope: Scope, *, whole_companies: bool) -> None:
    """Add the scope's conditions on `o` (open items), `c` (customers) and `p` (companies).

    whole_companies: company rows cover the whole company, so a perimeter chooses companies and not their items.
    """
    for column, value in (
        ("o.customer_id", scope.customer_id),
        ("c.company_id", scope.company_id),
        ("p.group_id", scope.group_id),
        ("o.currency", scope.currency),
    ):
        if value is not None:
            statement.where(f"{column} = {{}}", value)
    if scope.business_unit_id:
        statement.where("o.business_unit_id = ANY({})", list(scope.business_unit_id))
    if scope.perimeter is None:
        return
    if whole_companies:
        statement.where(
            "EXISTS (SELECT 1 FROM customers s WHERE s.tenant_id = c.tenant_id AND s.company_id = c.company_id"
            " AND s.business_unit_id = ANY({}))",
            list(scope.perimeter),
        )
    else:
        statement.where("o.business_unit_id = ANY({})", list(scope.perimeter))


#: What a row is about -> (key, name, extra join): `o` open items, `c` customers, `p` companies, `g` groups, `u` units.
KEYS: dict[str, tuple[str, str, str]] = {
    "customer": ("c.id", "c.name", ""),
    "company": ("p.id", "p.name", ""),
    "group": ("g.id", "g.name", " JOIN companies g ON g.tenant_id = p.tenant_id AND g.id = p.group_id"),
    "business_unit": (
        "u.id",
        "u.name",
        " JOIN business_units u ON u.tenant_id = o.tenant_id AND u.id = o.business_unit_id",
    ),
    "collector": (
        "coalesce(c.collector_user_id, '00000000-0000-0000-0000-000000000000'::uuid)",
        "''::text",
        "",
    ),
    "total": ("'00000000-0000-0000-0000-000000000000'::uuid", "''::text", ""),
}


def joined(tx: Tx, statement: Statement, when: Moment, by: str) -> str:
    """FROM clause: open items with their customer, company and whatever names the rows."""
    tenant = f"{statement.bind(tx.tenant_id)}::uuid"
    return (
        f"FROM (SELECT {tenant} AS tenant_id, r.* FROM ({relation(tx, statement, when)}) r) o"
        " JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id"
        " JOIN companies p ON p.tenant_id = c.tenant_id AND p.id = c.company_id" + KEYS[by][2]
    )
