"""What credit tells the others about limits."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.credit.domain.limit_state import Limit, State, state_on
from services.credit.storage import limits, states, temporaries


def limit_of(tx: Tx, row: Mapping[str, Any] | Row | None, temporary: int = 0) -> Limit:
    """The facts of a limit's row on the tenant's today; `temporary` is what comes on top of it."""
    if row is None:
        return Limit(None, None, None, pending=False)
    decided = None if row["state"] == "none" else row["state"]
    held = row["hold_reason"] is not None and (row["hold_until"] is None or row["hold_until"] >= tx.today)
    return Limit(
        decided, row["amount"], row["valid_until"], pending=row["pending_request_id"] is not None, held=held,
        unvalidated=row["unvalidated_since"] is not None, temporary=temporary,
    )  # fmt: skip


def present_state(tx: Tx, row: Row | None) -> State:
    """The state of a limit on the tenant's today."""
    return state_on(limit_of(tx, row), tx.today)


async def announce_limits(tx: Tx, companies: Sequence[UUID]) -> None:
    """`limit.changed` of each company as it stands, with the state of today. The rows were given a new version before."""
    extra = await temporaries.totals_on(tx, companies, tx.today)
    rows = await limits.limits_of(tx, companies)
    tx.emit("limit.changed", [limit_subject(tx, row, extra.get(row["company_id"], 0)) for row in rows])


def limit_subject(tx: Tx, row: Row, temporary: int) -> Subject:
    """The subject of `limit.changed`."""
    names = ("currency", "valid_from", "valid_until", "pending_request_id")
    facts = limit_of(tx, row, temporary)
    amount = None if facts.amount is None else facts.amount + temporary
    state = {
        "state": state_on(facts, tx.today), "amount": amount, **{name: row[name] for name in names},
        "temporary_amount": temporary,
    }  # fmt: skip
    return Subject(row["company_id"], row["version"], state)


def hold_subject(tx: Tx, row: Row) -> Subject:
    """The subject of `hold.changed`."""
    held = limit_of(tx, row).held
    return Subject(
        row["company_id"], row["version"], {"held": held, "reason": row["hold_reason"] if held else None}
    )


def emit_request(tx: Tx, row: Row) -> None:
    """`limit_request.changed`."""
    names = ("company_id", "amount", "currency", "state", "requested_by", "reason")
    tx.emit(
        "limit_request.changed", [Subject(row["id"], row["version"], {name: row[name] for name in names})]
    )


async def limit_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `limit.changed`, in order of company."""
    rows = await states.limits_after(tx, after, limit)
    extra = await temporaries.totals_on(tx, [row["company_id"] for row in rows], tx.today)
    return [limit_subject(tx, row, extra.get(row["company_id"], 0)) for row in rows]


async def hold_states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The state behind `hold.changed`, in order of company."""
    return [hold_subject(tx, row) for row in await states.limits_after(tx, after, limit)]
