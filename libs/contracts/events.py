"""The event catalogue: every type, and the whole state its subject carries.

Money is minor units (int) beside an ISO 4217 currency inside the house; the public stream writes decimal strings. Dates are
ISO 8601 texts. A consumer applies a subject only if its version is newer than the one it holds, and needs no predecessor.
One JSON Schema a type is generated from these models into `openapi/events/`.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Direction = Literal[1, -1]


class State(BaseModel):
    """The state of a subject after the fact."""

    model_config = ConfigDict(extra="forbid")


# -- gateway --------------------------------------------------------------------------------------------------------


class TenantChanged(State):
    """A tenant was created, suspended, its settings or (sandbox) clock moved. Subject: the tenant."""

    name: str
    status: Literal["active", "suspended", "deleted"]
    time_zone: str
    currency: str
    sandbox: bool
    frozen_at: datetime | None
    settings: dict[str, Any]


class BusinessUnitChanged(State):
    """An own company that invoices."""

    code: str
    name: str
    main: bool


class UserChanged(State):
    """A person of the tenant; `perimeter` holds business unit ids, null is all."""

    name: str
    email: str
    roles: list[str]
    perimeter: list[UUID] | None
    active: bool


# -- ledger ---------------------------------------------------------------------------------------------------------


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


# -- risk -----------------------------------------------------------------------------------------------------------


class ProviderDataChanged(State):
    """A provider's field of a company got another value. Subject: the company."""

    provider: str
    fields: dict[str, Any]


class LegalStatusChanged(State):
    """A company entered or left collective proceedings. Subject: the company."""

    status: str
    kind: str | None
    judged_on: date | None
    published_on: date | None


class GradeChanged(State):
    """The internal grade of a company. Subject: the company."""

    grade: str | None
    points: str | None


class AssignmentChanged(State):
    """Who or what looks after a customer. Subject: the customer."""

    kind: str
    value: str | None
    manual: bool
    rule_id: UUID | None


class MonitoringChanged(State):
    """Membership of a company in a provider's portfolio. Subject: the company."""

    provider: str
    state: Literal["adding", "member", "removing", "failed", "unknown"]


class AlertChanged(State):
    """An alert opened or closed. Subject: the alert."""

    kind: str
    company_id: UUID | None
    customer_id: UUID | None
    criticality: str
    state: Literal["open", "acknowledged", "closed"]


# -- credit ---------------------------------------------------------------------------------------------------------


class LimitChanged(State):
    """The credit limit of a company, minor units. Subject: the company."""

    state: Literal["none", "pending", "approved", "not_validated", "expired", "blocked"]
    amount: int | None
    currency: str | None
    valid_from: date | None
    valid_until: date | None
    pending_request_id: UUID | None


class LimitRequestChanged(State):
    """A request for a limit moved. Subject: the request."""

    company_id: UUID
    amount: int
    currency: str
    state: Literal["pending", "approved", "rejected", "cancelled", "expired"]
    requested_by: UUID
    reason: str | None


class CoverChanged(State):
    """An insurer's cover of a company, minor units. Subject: the cover."""

    company_id: UUID
    policy_id: UUID
    layer: str
    amount: int
    currency: str
    percent: str | None
    effective_from: date
    expires_at: date | None


class OtherGuaranteeChanged(State):
    """A bank guarantee, deposit … Subject: the guarantee."""

    company_id: UUID
    kind: str
    amount: int
    currency: str
    valid_from: date
    valid_to: date | None


class HoldChanged(State):
    """Deliveries to a company are held or released. Subject: the company."""

    held: bool
    reason: str | None


class GuaranteeDecided(State):
    """An insurer decided. Subject: the decision."""

    company_id: UUID
    status: str
    granted_amount: int | None
    currency: str
    effective_from: date | None


class ClockApproaching(State):
    """A cover clock is near its end. Subject: the clock."""

    company_id: UUID
    kind: str
    date: date
    days_left: int


# -- dunning --------------------------------------------------------------------------------------------------------


class QualificationChanged(State):
    """An item got a status. Subject: the item."""

    status_code: str | None
    category: str | None
    follow_up_on: date | None
    resolution_owner_id: UUID | None
    comment: str | None


class PromiseChanged(State):
    """A promise to pay, minor units. Subject: the promise."""

    customer_id: UUID
    item_ids: list[UUID]
    amount: int
    currency: str
    promised_on: date
    state: Literal["open", "kept", "partly", "broken", "cancelled"]


class DisputeChanged(State):
    """A dispute. Subject: the dispute."""

    customer_id: UUID
    item_ids: list[UUID]
    kind: str
    state: Literal["open", "resolved"]


class PauseChanged(State):
    """A pause of collection. Subject: the customer."""

    paused_until: date | None
    reason: str | None


class ActionChanged(State):
    """An action of the agenda. Subject: the action."""

    customer_id: UUID
    kind: str
    channel: str
    state: Literal["proposed", "to_confirm", "due", "done", "skipped", "cancelled", "blocked"]
    due_on: date
    leader_item_id: UUID | None
    item_ids: list[UUID]


class MessageSent(State):
    """A message left the house. Subject: the message."""

    customer_id: UUID
    channel: str
    subject: str
    to: list[str]
    item_ids: list[UUID]
    sent_at: datetime


CATALOGUE: dict[str, type[State]] = {
    "tenant.changed": TenantChanged,
    "business_unit.changed": BusinessUnitChanged,
    "user.changed": UserChanged,
    "company.changed": CompanyChanged,
    "company.merged": CompanyMerged,
    "customer.changed": CustomerChanged,
    "item.changed": ItemChanged,
    "payment.changed": PaymentChanged,
    "order.changed": OrderChanged,
    "balance.changed": BalanceChanged,
    "rate.changed": RateChanged,
    "import.completed": ImportCompleted,
    "provider_data.changed": ProviderDataChanged,
    "legal_status.changed": LegalStatusChanged,
    "grade.changed": GradeChanged,
    "assignment.changed": AssignmentChanged,
    "monitoring.changed": MonitoringChanged,
    "alert.opened": AlertChanged,
    "alert.closed": AlertChanged,
    "limit.changed": LimitChanged,
    "limit_request.changed": LimitRequestChanged,
    "cover.changed": CoverChanged,
    "other_guarantee.changed": OtherGuaranteeChanged,
    "hold.changed": HoldChanged,
    "guarantee.decided": GuaranteeDecided,
    "clock.approaching": ClockApproaching,
    "qualification.changed": QualificationChanged,
    "promise.changed": PromiseChanged,
    "dispute.changed": DisputeChanged,
    "pause.changed": PauseChanged,
    "action.changed": ActionChanged,
    "message.sent": MessageSent,
}

#: Members that hold minor units of the `currency` beside them: the public stream writes them as decimal strings.
MONEY_MEMBERS = frozenset(
    "amount tax_amount open_amount invoiced_amount outstanding overdue credits order_book granted_amount".split()
)
