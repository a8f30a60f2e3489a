"""Which service tells which events, and what a caller needs to read them."""

from collections.abc import Iterable

from libs.contracts.events import CATALOGUE

_SCOPES: dict[str, str] = {
    "gateway": "admin",
    "ledger": "ledger:read",
    "risk": "risk:read",
    "credit": "credit:read",
    "dunning": "dunning:read",
}
#: service -> the types it tells: the catalogue keeps each service's states in a module of its name
EVENT_TYPES: dict[str, tuple[str, ...]] = {
    service: tuple(
        sorted(name for name, state in CATALOGUE.items() if state.__module__.rpartition(".")[2] == service)
    )
    for service in _SCOPES
}
#: event type -> the scope to read it
SCOPE_OF: dict[str, str] = {
    event_type: _SCOPES[service] for service, types in EVENT_TYPES.items() for event_type in types
}


def readable(scopes: Iterable[str]) -> list[str]:
    """The event types that somebody with these scopes may read; `admin` stands for all."""
    held = frozenset(scopes)
    return sorted(name for name, needed in SCOPE_OF.items() if needed in held or "admin" in held)
