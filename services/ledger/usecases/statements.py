"""The account statement of a customer."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import invalid, not_found
from services.ledger.storage import statements
from services.ledger.usecases.accounts import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementOrder:
    """What to show: the items open on the day, or the closed ones too; one currency or all."""

    as_of: date
    currency: str | None = None
    closed_too: bool = False


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """Whose it is, its lines (one more than asked for when there are more), and per currency its totals over all lines."""

    account: Row
    lines: list[Row]
    totals: list[Row]


async def read_statement(
    tx: Tx, customer_id: UUID, order: StatementOrder, reach: Reach, *, cursor: str | None, limit: int | None
) -> AccountStatement:
    """A page of a statement, or all of it without a limit. Raises 404, 422 for a day to come."""
    if order.as_of > tx.today:
        raise invalid("?as_of", "date_in_future", f"expected a date up to today, {tx.today.isoformat()}")
    account = await statements.account(tx, customer_id, reach.perimeter)
    if account is None:
        raise not_found("customer", customer_id)
    lines = await statements.read_lines(
        tx, customer_id, order.as_of, order.currency, closed_too=order.closed_too, cursor=cursor, limit=limit
    )
    totals = await statements.read_totals(tx, customer_id, order.as_of, order.currency)
    return AccountStatement(account, lines, totals)
