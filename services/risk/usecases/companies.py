"""Companies as risk knows them from the ledger."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.auth import Caller
from libs.kit.db import Row, Tx
from libs.kit.problems import not_found
from libs.kit.runtime import Runtime
from services.risk.storage import companies


async def company_in_sight(tx: Tx, runtime: Runtime, caller: Caller, company_id: UUID) -> Row:
    """A company the caller may see. Raises 404 for one that is unknown, merged away or outside the perimeter."""
    row = await companies.one(tx, company_id)
    if row is None:
        await runtime.feed.drain("ledger", tx.tenant_id, within=2)
        row = await companies.one(tx, company_id)
    if row is None or row["merged_into_id"] is not None:
        raise not_found("company", company_id)
    if not await companies.seen(tx, [company_id], caller.perimeter):
        raise not_found("company", company_id)
    return row


async def companies_in_sight(tx: Tx, runtime: Runtime, caller: Caller, wanted: Sequence[UUID]) -> list[UUID]:
    """Of these companies, those that exist and the caller may see; the ledger is asked once when some are unknown."""
    found = await companies.seen(tx, wanted, caller.perimeter)
    if len(found) < len(set(wanted)):
        await runtime.feed.drain("ledger", tx.tenant_id, within=2)
        found = await companies.seen(tx, wanted, caller.perimeter)
    return found
