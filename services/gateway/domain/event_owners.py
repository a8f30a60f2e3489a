"""Which service tells which events, and what a caller needs to read them."""

from collections.abc import Iterable

from libs.contracts.events import CATALOGUE

_GATEWAY = frozenset({"tenant.changed", "business_unit.changed", "user.changed"})
_LEDGER = frozenset(
    {
        "company.changed", "company.merged", "customer.changed", "item.changed", "payment.changed", "order.changed",
        "balance.changed", "rate.changed", "import.completed",
    }
)  # fmt: skip
_RISK = frozenset(
    {
        "provider_data.changed", "legal_status.changed", "grade.changed", "assignment.changed", "monitoring.changed",
        "alert.opened", "alert.closed",
    }
)  # fmt: skip
_DUNNING = frozenset(
    {
        "qualification.changed", "promise.changed", "dispute.changed", "pause.changed", "action.changed",
        "message.sent",
    }
)  # fmt: skip

#: A type that is none of the others' is credit's.
EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "gateway": tuple(sorted(_GATEWAY)),
    "ledger": tuple(sorted(_LEDGER)),
    "risk": tuple(sorted(_RISK)),
    "credit": tuple(sorted(CATALOGUE.keys() - _GATEWAY - _LEDGER - _RISK - _DUNNING)),
    "dunning": tuple(sorted(_DUNNING)),
}
_SCOPES: dict[str, str] = {
    "gateway": "admin",
    "ledger": "ledger:read",
    "risk": "risk:read",
    "credit": "credit:read",
    "dunning": "dunning:read",
}
#: event type -> the scope to read it
SCOPE_OF: dict[str, str] = {
    event_type: _SCOPES[service] for service, types in EVENT_TYPES.items() for event_type in types
}


def readable(scopes: Iterable[str]) -> list[str]:
    """The event types that somebody with these scopes may read; `admin` stands for all."""
    held = frozenset(scopes)
    return sorted(name for name, needed in SCOPE_OF.items() if needed in held or "admin" in held)
