"""The rows of a portfolio, shaped as the public imports take them: the caller's keys, money as decimal
strings, dates as YYYY-MM-DD."""

from typing import Any, NotRequired, TypedDict

__all__ = [
    "AllocationRow",
    "CompanyRow",
    "ContactRow",
    "CustomerRow",
    "ItemRow",
    "LimitWish",
    "OrderRow",
    "ParentLink",
    "PaymentRow",
    "RateRow",
    "TermsRow",
]


class CompanyRow(TypedDict):
    """A legal entity by the numbers it is registered under."""

    country: str
    name: str
    registration_number: NotRequired[str]
    vat_number: NotRequired[str]


class TermsRow(TypedDict):
    days: int
    end_of_month: bool
    day_of_month: NotRequired[int]


class ContactRow(TypedDict):
    name: str
    email: str
    role: str
    language: str
    phone: NotRequired[str]


class CustomerRow(TypedDict):
    external_id: str
    name: str
    company: CompanyRow
    language: str
    currency: str
    payment_terms: TermsRow
    segment: str
    buyer_kind: str
    prepaid: bool
    contacts: list[ContactRow]
    address: dict[str, str]
    custom_fields: dict[str, Any]


class ItemRow(TypedDict):
    """An invoice or a credit note. `amount` is positive and includes tax; `open_amount` is signed."""

    kind: str
    external_id: str
    number: str
    customer_external_id: str
    issue_date: str
    due_date: str
    currency: str
    amount: str
    tax_amount: str
    net_amount: str
    order_reference: NotRequired[str]
    reference: NotRequired[str]
    open_amount: NotRequired[str]
    settled_on: NotRequired[str]
    custom_fields: NotRequired[dict[str, Any]]


class AllocationRow(TypedDict):
    item_external_id: str
    amount: str


class PaymentRow(TypedDict):
    """Money received. Either `allocations` says what it pays, or `allocate` is "none": nobody knows yet."""

    external_id: str
    customer_external_id: str
    amount: str
    currency: str
    paid_on: str
    reference: str
    allocations: NotRequired[list[AllocationRow]]
    allocate: NotRequired[str]


class OrderRow(TypedDict):
    external_id: str
    customer_external_id: str
    amount: str
    tax_included: bool
    currency: str
    expected_on: str
    invoiced_amount: str


class RateRow(TypedDict):
    """One unit of `base` is worth `rate` units of `quote` from `valid_on`."""

    base: str
    quote: str
    rate: str
    valid_on: str


class LimitWish(TypedDict):
    """A credit limit somebody would ask for the company behind a customer account."""

    unit: str
    customer_external_id: str
    amount: str
    currency: str
    reason: str


class ParentLink(TypedDict):
    """A company and the company that owns it, each named by one of its accounts (unit code, external id)."""

    child: tuple[str, str]
    parent: tuple[str, str]
