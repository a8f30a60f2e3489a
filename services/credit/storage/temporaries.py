"""Temporary limits as rows: amounts on top of a company's limit between two dates, both inclusive."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx

_COLUMNS = "id, company_id, amount, currency, valid_from, valid_until, request_id"


async def add(tx: Tx, values: dict[str, Any]) -> None:
    """A temporary limit that was approved."""
    await tx.execute(
        "INSERT INTO temporary_limits (tenant_id, id, company_id, amount, currency, valid_from, valid_until, request_id,"
        " created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1)",
        tx.tenant_id, new_id(), values["company_id"], values["amount"], values["currency"], values["valid_from"],
        values["valid_until"], values["request_id"], tx.now,
    )  # fmt: skip


async def not_over(tx: Tx, companies: Sequence[UUID], day: date) -> dict[UUID, list[Row]]:
    """Those that count on `day` or later, by company, the soonest first."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM temporary_limits WHERE tenant_id = $1 AND company_id = ANY($2) AND valid_until >= $3"
        " ORDER BY valid_from, id",
        tx.tenant_id, list(companies), day,
    )  # fmt: skip
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["company_id"], []).append(row)
    return found


async def totals_on(tx: Tx, companies: Sequence[UUID], day: date) -> dict[UUID, int]:
    """What comes on top of each company's limit on a day, minor units; companies without anything are not named."""
    rows = await tx.fetch(
        "SELECT company_id, sum(amount)::bigint AS amount FROM temporary_limits"
        " WHERE tenant_id = $1 AND company_id = ANY($2) AND valid_from <= $3 AND valid_until >= $3 GROUP BY company_id",
        tx.tenant_id, list(companies), day,
    )  # fmt: skip
    return {row["company_id"]: row["amount"] for row in rows}


async def companies_changing_on(tx: Tx, first: date, last: date) -> list[UUID]:
    """Companies of which a temporary limit begins, or ended the day before, on a day between the two."""
    rows = await tx.fetch(
        "SELECT DISTINCT company_id FROM temporary_limits WHERE tenant_id = $1"
        " AND (valid_from BETWEEN $2 AND $3 OR valid_until + 1 BETWEEN $2 AND $3) ORDER BY company_id",
        tx.tenant_id, first, last,
    )  # fmt: skip
    return [row["company_id"] for row in rows]


async def end_on(tx: Tx, company_id: UUID, day: date) -> None:
    """Cut what is left short: nothing counts from `day` on."""
    await tx.execute(
        "DELETE FROM temporary_limits WHERE tenant_id = $1 AND company_id = $2 AND valid_from >= $3",
        tx.tenant_id, company_id, day,
    )  # fmt: skip
    await tx.execute(
        "UPDATE temporary_limits SET valid_until = $3::date - 1, updated_at = $4, version = version + 1"
        " WHERE tenant_id = $1 AND company_id = $2 AND valid_until >= $3",
        tx.tenant_id, company_id, day, tx.now,
    )  # fmt: skip


async def follow_merger(tx: Tx, ended: UUID, target: UUID) -> None:
    """What was on top of a limit that was merged away goes with it."""
    await tx.execute(
        "UPDATE temporary_limits SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id, ended, target,
    )  # fmt: skip
