"""What hangs on a company goes over to the one it was merged into."""

from typing import Final
from uuid import UUID

from libs.kit.db import Tx

_FOLLOWING: Final = (
    "limit_requests", "limit_history", "other_guarantees", "credit_checks", "credit_reservations", "open_orders",
)  # fmt: skip
#: Of two open reviews of a kind one is enough.
_TWINS = """
    UPDATE limit_reviews r SET state = 'cancelled', outcome = 'merged', completed_at = $4, updated_at = $4,
           version = version + 1
     WHERE r.tenant_id = $1 AND r.company_id = $2 AND r.state = 'open' AND EXISTS (
        SELECT 1 FROM limit_reviews t WHERE t.tenant_id = $1 AND t.company_id = $3 AND t.kind = r.kind AND t.state = 'open')
"""


async def follow(tx: Tx, ended: UUID, target: UUID) -> None:
    """Re-point every row of a company that ended."""
    await tx.execute(_TWINS, tx.tenant_id, ended, target, tx.now)
    for table in (*_FOLLOWING, "limit_reviews"):
        await tx.execute(
            f"UPDATE {table} SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2",
            tx.tenant_id,
            ended,
            target,
        )
    await tx.execute(
        "UPDATE credit_files SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2"
        " AND NOT EXISTS (SELECT 1 FROM credit_files WHERE tenant_id = $1 AND company_id = $3)",
        tx.tenant_id, ended, target,
    )  # fmt: skip
