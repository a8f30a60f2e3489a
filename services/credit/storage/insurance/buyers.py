"""Who a company is at an insurer."""

from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from services.credit.storage.insurance.rows import columns, insert, update

TABLE = "insurer_buyers"


async def of_company(tx: Tx, connection_id: UUID, company_id: UUID, *, lock: bool = False) -> Row | None:
    """What a connection knows of a company."""
    tail = " FOR UPDATE" if lock else ""
    return await tx.fetchrow(
        f"SELECT {columns(TABLE)} FROM {TABLE} WHERE tenant_id = $1 AND connection_id = $2 AND company_id = $3{tail}",
        tx.tenant_id, connection_id, company_id,
    )  # fmt: skip


async def by_insurer_id(tx: Tx, connection_id: UUID, insurer_buyer_id: str) -> Row | None:
    """The company behind an insurer's buyer id, once a person or an exact id said so."""
    return await tx.fetchrow(
        f"SELECT {columns(TABLE)} FROM {TABLE} WHERE tenant_id = $1 AND connection_id = $2 AND insurer_buyer_id = $3"
        " AND state = 'identified' ORDER BY id LIMIT 1",
        tx.tenant_id, connection_id, insurer_buyer_id,
    )  # fmt: skip


async def keep(tx: Tx, connection_id: UUID, company_id: UUID, **values: Any) -> Row:
    """Write down what is known of a company at a connection."""
    known = await of_company(tx, connection_id, company_id, lock=True)
    if known is not None:
        return await update(tx, TABLE, known["id"], **values)
    made = await insert(
        tx, TABLE, new_id(),
        {"connection_id": connection_id, "company_id": company_id, "candidates": "[]", "state": "candidates", **values},
    )  # fmt: skip
    assert made is not None, "an insert returns its row"
    return made


async def of_companies(tx: Tx, company_id: UUID) -> list[Row]:
    """What every connection knows of a company."""
    return await tx.fetch(
        f"SELECT {columns(TABLE)} FROM {TABLE} WHERE tenant_id = $1 AND company_id = $2 ORDER BY id",
        tx.tenant_id, company_id,
    )  # fmt: skip
