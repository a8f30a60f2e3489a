"""What credit tells the others about limits."""

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.credit.domain.limit_state import Limit, State, state_on


def limit_of(row: Row | None) -> Limit:
    """The facts of a limit's row."""
    if row is None:
        return Limit(None, None, None, pending=False)
    decided = None if row["state"] == "none" else row["state"]
    return Limit(decided, row["amount"], row["valid_until"], pending=row["pending_request_id"] is not None)


def present_state(tx: Tx, row: Row | None) -> State:
    """The state of a limit on the tenant's today."""
    return state_on(limit_of(row), tx.today)


def emit_limit(tx: Tx, row: Row) -> None:
    """`limit.changed`, with the state of today."""
    state = {
        "state": present_state(tx, row),
        **{
            name: row[name]
            for name in ("amount", "currency", "valid_from", "valid_until", "pending_request_id")
        },
    }
    tx.emit("limit.changed", [Subject(row["company_id"], row["version"], state)])


def emit_request(tx: Tx, row: Row) -> None:
    """`limit_request.changed`."""
    names = ("company_id", "amount", "currency", "state", "requested_by", "reason")
    tx.emit(
        "limit_request.changed", [Subject(row["id"], row["version"], {name: row[name] for name in names})]
    )
