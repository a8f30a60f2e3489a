"""How long disputes take."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.paging import Statement
from services.dunning.storage.records import customer_in_sight

_KEYS = {"kind": "r.kind", "owner": "r.owner_user_id::text"}


async def read(
    tx: Tx, by: Literal["kind", "owner"], opened_from: date | None, perimeter: Sequence[UUID] | None
) -> list[Row]:
    """A row a kind or owner; days as a decimal text."""
    statement = Statement()
    statement.where("r.tenant_id = {}", tx.tenant_id)
    if opened_from is not None:
        statement.where("r.opened_on >= {}", opened_from)
    if perimeter is not None:
        statement.where(customer_in_sight("r"), list(perimeter))
    return await tx.fetch(
        f"SELECT {_KEYS[by]} AS key, count(*) FILTER (WHERE r.state = 'open') AS open,"
        " count(*) FILTER (WHERE r.state = 'resolved') AS resolved,"
        " round(avg(r.resolved_on - r.opened_on) FILTER (WHERE r.state = 'resolved' AND r.outcome <> 'requalified'), 1)::text"
        f" AS average_days, min(r.opened_on) FILTER (WHERE r.state = 'open') AS oldest_open_on"
        f" FROM disputes r {statement.clause()} GROUP BY 1 ORDER BY 1",
        *statement.params,
    )
