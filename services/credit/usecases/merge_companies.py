"""Two companies became one: of two live limits the lower applies and a person looks; requests and history follow."""

from typing import Any
from uuid import UUID

from libs.contracts.exchange import convert, find_conversion
from libs.kit.db import Row, Tx
from services.credit.domain.limit_state import effective, state_on
from services.credit.storage import exposure, limits
from services.credit.usecases.announce import emit_limit, emit_request, limit_of

_VALUES = (
    "state", "amount", "currency", "valid_from", "valid_until", "request_id", "pending_request_id", "needs_review", "reason",
)  # fmt: skip


async def merge_companies(tx: Tx, ended: UUID, into: UUID | str) -> None:
    """Move what hangs on `ended` to `into`. Running it again finds nothing left to move."""
    target = UUID(str(into))
    await _cancel_pending(tx, ended)
    await tx.execute(
        "UPDATE limit_requests SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id,
        ended,
        target,
    )
    await tx.execute(
        "UPDATE limit_history SET company_id = $3 WHERE tenant_id = $1 AND company_id = $2",
        tx.tenant_id,
        ended,
        target,
    )
    first, second = await limits.limit(tx, target, lock=True), await limits.limit(tx, ended, lock=True)
    if second is None:
        return
    chosen = await _lower(tx, first, second)
    values: dict[str, Any] = {name: chosen[name] for name in _VALUES}
    values["pending_request_id"] = first["pending_request_id"] if first else None
    values["needs_review"] = values["needs_review"] or (
        first is not None and _live(tx, first) and _live(tx, second)
    )
    kept = await limits.keep_limit(tx, target, values)
    await limits.add_history(
        tx, target, "merged", kept, user_id=None, comment=None, request_id=kept["request_id"]
    )
    await tx.execute("DELETE FROM limits WHERE tenant_id = $1 AND company_id = $2", tx.tenant_id, ended)
    emit_limit(tx, kept)


async def _cancel_pending(tx: Tx, company_id: UUID) -> None:
    row = await tx.fetchrow(
        "SELECT id FROM limit_requests WHERE tenant_id = $1 AND company_id = $2 AND state = 'pending' FOR UPDATE",
        tx.tenant_id, company_id,
    )  # fmt: skip
    if row is not None:
        emit_request(tx, await limits.update_request(tx, row["id"], state="cancelled", decided_at=tx.now))


async def _lower(tx: Tx, first: Row | None, second: Row) -> Row:
    if first is None or not _live(tx, first):
        return second
    if not _live(tx, second):
        return first
    if "blocked" in (first["state"], second["state"]):
        return first if first["state"] == "blocked" else second
    rates = await exposure.rates_into(tx, first["currency"])
    conversion = find_conversion(rates, second["currency"], first["currency"], tx.today)
    if (
        conversion is None
    ):  # without a rate nobody can say which is lower: the one that stays, and a person looks
        return first
    return (
        second
        if convert(second["amount"], second["currency"], first["currency"], conversion) < first["amount"]
        else first
    )


def _live(tx: Tx, row: Row) -> bool:
    return effective(state_on(limit_of(row), tx.today), row["amount"]) is not None
