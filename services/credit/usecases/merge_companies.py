"""Two companies became one: of two live limits the lower applies and a person looks; what hangs on them follows."""

from typing import Any
from uuid import UUID

from libs.contracts.exchange import convert, find_conversion
from libs.kit.db import Row, Tx
from services.credit.domain.limit_state import allowed_on
from services.credit.storage import agenda, exposure, limits, mergers, temporaries
from services.credit.usecases.announce import announce_limits, emit_request, hold_subject, limit_of
from services.credit.usecases.insurance.merging import merge_insurance

_DECIDED = (
    "state", "amount", "currency", "valid_from", "valid_until", "request_id", "reason", "authorised_unsecured",
    "unvalidated_since",
)  # fmt: skip
_HELD = ("hold_reason", "hold_until", "held_by", "held_at")


async def merge_companies(tx: Tx, ended: UUID, into: UUID | str) -> None:
    """Move what hangs on `ended` to `into`. Running it again finds nothing left to move."""
    target = UUID(str(into))
    await _cancel_pending(tx, ended)
    await mergers.follow(tx, ended, target)
    await agenda.follow_merger(tx, ended, target)
    await _merge_limits(tx, ended, target)
    await merge_insurance(tx, ended, target)


async def _merge_limits(tx: Tx, ended: UUID, target: UUID) -> None:
    rows = {row["company_id"]: row for row in await limits.lock_limits(tx, [target, ended])}
    first, second = rows.get(target), rows.get(ended)
    if second is None:
        return
    chosen = await _lower(tx, first, second)
    other = ended if chosen["company_id"] == target else target
    await temporaries.end_on(tx, other, tx.today)
    await temporaries.follow_merger(tx, ended, target)
    values: dict[str, Any] = {name: chosen[name] for name in _DECIDED}
    held = first if first is not None and first["hold_reason"] is not None else second
    values |= {name: held[name] for name in _HELD}
    both = first is not None and _live(tx, first) and _live(tx, second)
    values["needs_review"] = chosen["needs_review"] or both
    kept = await limits.change_limit(tx, target, **values)
    await limits.add_history(
        tx, target, "merged", kept, user_id=None, comment=None, request_id=kept["request_id"]
    )
    await tx.execute("DELETE FROM limits WHERE tenant_id = $1 AND company_id = $2", tx.tenant_id, ended)
    await announce_limits(tx, [target])
    if held["hold_reason"] is not None:
        tx.emit("hold.changed", [hold_subject(tx, kept)])


async def _cancel_pending(tx: Tx, company_id: UUID) -> None:
    for row in await limits.pending_of(tx, [company_id]):
        emit_request(tx, await limits.update_request(tx, row["id"], state="cancelled", decided_at=tx.now))


async def _lower(tx: Tx, first: Row | None, second: Row) -> Row:
    if first is None or not _live(tx, first):
        return second
    if not _live(tx, second):
        return first
    rates = await exposure.rates_into(tx, first["currency"])
    conversion = find_conversion(rates, second["currency"], first["currency"], tx.today)
    if (
        conversion is None
    ):  # without a rate nobody can say which is lower: the one that stays, and a person looks
        return first
    in_common = convert(second["amount"], second["currency"], first["currency"], conversion)
    return second if in_common < first["amount"] else first


def _live(tx: Tx, row: Row) -> bool:
    return row["amount"] is not None and allowed_on(limit_of(tx, row), tx.today) is not None
