"""What the ledger tells: companies, customers, items, payments, orders, balances, rates, imports."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from libs.contracts.events.state import State

Direction = Literal[1, -1]


class CompanyChanged(State):
    """A buyer's legal entity. `private`: stands for one customer without an identifier."""

    name: str
    country: str | None
    registration_number: str | None
    vat_number: str | None
    lei: str | None
    private: bool
    parent_id: UUID | None
    group_id: UUID
    merged_into_id: UUID | None


class CompanyMerged(State):
    """A company was merged into another: what hung on it belongs to the other now. Subject: the company that ended."""

    into_id: UUID


class CustomerChanged(State):
    """An account of a buyer with one business unit."""

    external_id: str
    business_unit_id: UUID
    company_id: UUID
    name: str
    language: str
    currency: str | None
    segment: str | None
    buyer_kind: Literal["private", "public", "individual", "related"]
    prepaid: bool
    collector_user_id: UUID | None
    address: dict[str, Any]
    contacts: list[dict[str, Any]]
    actors: list[dict[str, Any]]
    custom_fields: dict[str, Any]
    payer_profile: dict[str, Any] | None
    archived: bool


class ItemChanged(State):
    """An invoice, credit note, payment or other item. `amount` is positive, `open_amount` signed, both in minor units."""

    business_unit_id: UUID
    customer_id: UUID
    company_id: UUID
    kind: Literal["invoice", "credit_note", "payment", "other"]
    direction: Direction
    external_id: str | None
    number: str | None
    issue_date: date
    delivery_date: date | None
    due_date: date
    original_due_date: date
    currency: str
    amount: int
    tax_amount: int | None
    open_amount: int
    reference: str | None
    order_reference: str | None
    custom_fields: dict[str, Any]
    closed_on: date | None
    cancelled: bool


class PaymentChanged(State):
    """A payment was recorded, allocated or reversed. Subject: the item of kind payment."""

    customer_id: UUID
    currency: str
    amount: int
    open_amount: int
    paid_on: date
    reference: str | None
    allocations: list[dict[str, Any]]
    reversed_reason: str | None


class OrderChanged(State):
    """An order of the order book; what is not yet invoiced counts in potential risk."""

    business_unit_id: UUID
    customer_id: UUID
    company_id: UUID
    external_id: str
    currency: str
    amount: int
    tax_included: bool
    invoiced_amount: int
    expected_on: date | None
    status: Literal["open", "closed", "cancelled"]


class BalanceChanged(State):
    """What one customer owes in one currency, in minor units. Subject: the customer (one subject holds all its currencies).

    Each row: outstanding = not due + overdue + credits; `overdue` is as of `day` in the tenant's time zone.
    """

    company_id: UUID
    business_unit_id: UUID
    day: date
    rows: list["BalanceRow"]


class BalanceRow(State):
    """One currency of a balance."""

    currency: str
    outstanding: int
    overdue: int
    credits: int
    order_book: int
    items_count: int


class RateChanged(State):
    """An exchange rate: units of `quote` for one of `base`. Subject: derived from base, quote and day."""

    base: str
    quote: str
    valid_on: date
    rate: str


class ImportCompleted(State):
    """An import reached its end."""

    kind: str
    mode: str
    source: str | None
    business_unit_id: UUID
    status: str
    counts: dict[str, int]


class LimitStated(State):
    """A source says what a company's limit is, minor units: decided elsewhere, put in force by credit. Subject: the company."""

    amount: int
    currency: str
    valid_until: date | None
    reason: str | None
    source: str | None
    stated_by: UUID | None
