"""Users are the gateway's: one that is not known here is asked of it once."""

from uuid import UUID

from libs.kit.db import Tx
from libs.kit.problems import invalid
from libs.kit.runtime import Runtime
from services.credit.storage import people


async def require_person(tx: Tx, runtime: Runtime, user_id: UUID, pointer: str) -> None:
    """Raise 422 `user_unknown` at `pointer` for a user nobody knows or who has left."""
    if await people.exists(tx, user_id):
        return
    await runtime.feed.drain("gateway", tx.tenant_id, within=2)
    if not await people.exists(tx, user_id):
        raise invalid(pointer, "user_unknown", "expected the id of an active user of yours")
