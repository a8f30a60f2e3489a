"""What a dunning decision is made from: one customer's open items and what already happened to them.

Amounts are minor units of the currency beside them, signed: what the customer owes is positive, what it may
deduct (credit notes, unallocated payments) negative. Days are calendar days in the tenant's time zone.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

__all__ = ["Contact", "CustomerFacts", "Exclusion", "ForeignItemError", "OpenItem", "Passed", "Pause"]


class ItemKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why an item is out of the scenario (dispute, promise, specific_action, insolvency, manual …).

    `until` is the last day on which it is out; None means until somebody ends it.
    """

    code: str
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An open item as the ledger's feed tells it. `open_minor` is signed and never zero."""

    id: UUID
    customer_id: UUID
    business_unit_id: UUID
    currency: str
    number: str
    issue_date: date
    due_date: date
    open_minor: int
    kind: ItemKind = ItemKind.INVOICE
    reference: str = ""
    exclusion: Exclusion | None = None

    def days_late(self, as_of: date) -> int:
        """Whole days since the due date, 0 on the due date itself, negative before."""
        return (as_of - self.due_date).days

    def excluded_on(self, day: date) -> bool:
        return self.exclusion is not None and self.exclusion.holds_on(day)


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that is behind us for one leader item: sent, done or skipped on `on`.

    `nominal_days` is where the step stands on the leader's own time line (days after its due date). It is
    kept with the action, so that progress survives another version of the scenario and even another scenario.
    """

    leader_item_id: UUID
    scenario_version_id: UUID
    position: int
    nominal_days: int
    on: date


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at the customer's. `role` is dunning, accounting, sales or other."""

    id: UUID
    name: str
    role: str
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    blacklisted: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent or proposed to this customer up to and including `until` (None: until somebody ends
    it)."""

    reason: str
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


class ForeignItemError(ValueError):
    """An item of another customer among a customer's facts: a message must never show it, so nothing is
    decided."""


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """One customer at a moment. `last_automatic_on` is the day of the last automatic message it got,
    whatever the scenario or the channel; `postal_address` says whether a letter can reach it. Raises
    ForeignItemError."""

    customer_id: UUID
    items: tuple[OpenItem, ...]
    passed: tuple[Passed, ...] = ()
    contacts: tuple[Contact, ...] = ()
    pause: Pause | None = None
    last_automatic_on: date | None = None
    postal_address: bool = True

    def __post_init__(self) -> None:
        for item in self.items:
            if item.customer_id != self.customer_id:
                raise ForeignItemError(f"item {item.id} belongs to another customer")
