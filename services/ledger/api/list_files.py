"""The ledger's lists as CSV and XLSX: one column a member, under its own name, so that a file can be pushed back."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Response

from libs.kit.db import Row
from libs.kit.exports import Column, Form, Query, Type, whole_list
from libs.kit.route import Ctx

#: Of an answer that may also be a file.
VARY = {"Vary": "Accept"}
_AMOUNTS = frozenset(
    "amount tax_amount net_amount open_amount unallocated_amount invoiced_amount promise_amount balance".split()
)
_NUMBERS = frozenset(("days_late", "source_version", "terms_days", "terms_day_of_month"))


def columns(members: str) -> tuple[Column, ...]:
    """The columns of some members; what their cells are goes by the name."""
    return tuple(Column(name, name, _type(name)) for name in members.split())


def _type(name: str) -> Type:
    if name in _AMOUNTS:
        return "amount"
    if name in _NUMBERS:
        return "number"
    return "date" if name.endswith(("_date", "_on")) else "text"


ITEMS = columns(
    "id external_id number kind direction customer_id customer_external_id customer_name company_id business_unit_id"
    " issue_date delivery_date due_date original_due_date days_late currency amount tax_amount net_amount open_amount status"
    " closed_on reference order_reference source source_version status_code follow_up_on resolution_owner excluded_by"
    " promised_on promise_amount promise_state dispute_kind dispute_state next_action next_action_channel next_action_on"
    " custom_fields created_at updated_at"
)
STATEMENT = columns(
    "item_id kind direction external_id number reference order_reference issue_date due_date days_late currency amount"
    " open_amount balance status status_code follow_up_on resolution_owner excluded_by promised_on promise_amount promise_state"
    " dispute_kind dispute_state next_action next_action_channel next_action_on"
)
PAYMENTS = columns(
    "id external_id customer_id customer_external_id company_id business_unit_id paid_on currency amount unallocated_amount"
    " status reference reversed_reason source custom_fields created_at updated_at"
)
ORDERS = columns(
    "id external_id customer_id customer_external_id company_id business_unit_id expected_on currency amount tax_included"
    " invoiced_amount status reference source source_version custom_fields created_at updated_at"
)
CUSTOMERS = columns(
    "id external_id name business_unit_id company_id company_name country registration_number vat_number lei group_id language"
    " currency terms_days terms_end_of_month terms_day_of_month segment buyer_kind prepaid collector_user_id contact_name"
    " contact_email contact_phone archived custom_fields created_at updated_at"
)
COMPANIES = columns(
    "id name country registration_number vat_number lei private parent_id group_id merged_into_id created_at updated_at"
)


async def list_file(
    ctx: Ctx,
    form: Form,
    name: str,
    shown: tuple[Column, ...],
    query: Query,
    present: Callable[[Row], Mapping[str, Any]],
) -> Response:
    """Everything a list's query finds, read in one picture of its own. `present` gives the cells of a row by member."""
    return await whole_list(form, name, shown, ctx.runtime.db, ctx.caller.tenant, query, present)


def flat_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of what collection says of an item (item_facts.ItemFacts)."""
    promise, dispute = facts["promise"] or {}, facts["dispute"] or {}
    action = facts["next_action"] or {}
    return {
        **facts,
        "promised_on": promise.get("promised_on"),
        "promise_amount": promise.get("amount"),
        "promise_state": promise.get("state"),
        "dispute_kind": dispute.get("kind"),
        "dispute_state": dispute.get("state"),
        "next_action": action.get("kind"),
        "next_action_channel": action.get("channel"),
        "next_action_on": action.get("due_on"),
    }
