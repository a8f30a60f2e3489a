"""A person looks at what no rule could settle."""

from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.credit.storage.insurance import covers
from services.credit.storage.insurance.rows import one
from services.credit.usecases.insurance.projecting import layers_of, project


async def review_cover(tx: Tx, cover: Row, user_id: UUID, comment: str) -> Row:
    """Mark every decision that acts on a cover as looked at. Raises 409 `invalid_state` when nothing needs it."""
    await covers.lock_buyer(tx, cover["policy_id"], cover["company_id"])
    if not cover["needs_review"]:
        raise Problem(409, "invalid_state", "Nothing about this guarantee needs a review.")
    rows = await covers.decisions_of(tx, cover["policy_id"], cover["company_id"])
    acting = [row["id"] for row in rows if cover["layer"] in layers_of(row) and row["reviewed_at"] is None]
    await tx.execute(
        "UPDATE guarantee_decisions SET reviewed_by = $3, reviewed_at = $4, updated_at = $4, version = version + 1"
        " WHERE tenant_id = $1 AND id = ANY($2)",
        tx.tenant_id, acting, user_id, tx.now,
    )  # fmt: skip
    await project(tx, cover["policy_id"], cover["company_id"])
    tx.audit("guarantee_reviewed", "guarantee", cover["id"], {"needs_review": True}, {"comment": comment})
    changed = await one(tx, covers.COVERS, cover["id"])
    assert changed is not None, "covers are never deleted"
    return changed
