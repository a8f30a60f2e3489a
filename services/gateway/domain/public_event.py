"""An event as it leaves the house: money as decimal strings, no sealed secret, an id that names the fact for ever."""

from typing import Any
from uuid import UUID, uuid5

from libs.contracts.events import MONEY_MEMBERS
from libs.contracts.money import from_minor


def event_id(tenant_id: UUID, event_type: str, subject_id: UUID, version: int) -> UUID:
    """The same fact read twice (a feed taken up anew) has the same id, so that it is told once."""
    return uuid5(tenant_id, f"{event_type}:{subject_id}:{version}")


def public_state(data: Any, currency: str | None = None) -> Any:
    """A subject's state for the world. Minor units become decimal strings of the `currency` beside them, or further out."""
    if isinstance(data, list):
        return [public_state(part, currency) for part in data]
    if not isinstance(data, dict):
        return data
    beside = data.get("currency")
    currency = beside if isinstance(beside, str) else currency
    return {
        name: from_minor(value, currency)
        if name in MONEY_MEMBERS and type(value) is int and currency is not None
        else public_state(value, currency)
        for name, value in data.items()
        if not name.endswith("_sealed")
    }
