"""What stops deliveries to a company besides its limit: collective proceedings, and an insurer's cover that has stopped."""

from typing import Final
from uuid import UUID

from libs.kit.db import Tx

#: Conciliation is confidential and stops nobody; not to know is no reason either.
_STOPPING: Final = (
    "safeguard", "receivership", "liquidation", "closed_insolvency", "ceased", "other_proceeding",
)  # fmt: skip
_PROCEEDINGS = "SELECT status FROM insolvencies WHERE tenant_id = $1 AND company_id = $2 AND status = ANY($3)"
_STOPPED = """
    SELECT cause, stopped_on FROM cover_stops
     WHERE tenant_id = $1 AND company_id = $2 AND regularised_on IS NULL AND stopped_on <= $3
     ORDER BY stopped_on LIMIT 1
"""


async def reasons_to_stop(tx: Tx, company_id: UUID) -> tuple[str | None, str | None]:
    """The collective proceedings a company is in, and the cause and day for which its cover stopped; None where nothing is."""
    status: str | None = await tx.fetchval(_PROCEEDINGS, tx.tenant_id, company_id, list(_STOPPING))
    stop = await tx.fetchrow(_STOPPED, tx.tenant_id, company_id, tx.today)
    return status, None if stop is None else f"{stop['cause']} since {stop['stopped_on']}"
