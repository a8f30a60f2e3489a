"""Companies are the ledger's: one that is not known here is asked of it once."""

from uuid import UUID

from libs.kit.auth import Caller
from libs.kit.db import Row, Tx
from libs.kit.problems import not_found
from libs.kit.runtime import Runtime
from services.credit.storage import exposure


async def company_in_sight(tx: Tx, runtime: Runtime, caller: Caller, company_id: UUID) -> Row:
    """A company the caller may see. Raises 404 for one that is unknown, merged away or outside the perimeter."""
    row = await exposure.company(tx, company_id)
    if row is None:
        await runtime.feed.drain("ledger", tx.tenant_id, within=2)
        row = await exposure.company(tx, company_id)
    if (
        row is None
        or row["merged_into_id"] is not None
        or not await exposure.in_sight(tx, company_id, caller.perimeter)
    ):
        raise not_found("company", company_id)
    return row
