"""What a flat file says in other words than our rows: signs, settled amounts, payment terms as text."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from services.ledger.domain.intake.errors import Fault
from services.ledger.domain.intake.mappings import Mapping
from services.ledger.domain.payment_terms import TermsUnreadable, due_date, parse_terms

Values = dict[str, Any]
_AMOUNTS = ("amount", "tax_amount", "net_amount")


def complete_item(values: Values, mapping: Mapping) -> list[Fault]:
    """Settle signs, open amount and due date of an item row in place. `settled_amount` and `payment_terms` are consumed.
    Terms that cannot be read leave the due date to the customer's own."""
    if mapping.negative_amounts == "credit_note":
        _turn_into_credit_note(values)
    credit = values.get("kind") in ("credit_note", "payment") or values.get("direction") == "credit"
    if mapping.open_amounts == "unsigned" and values.get("open_amount"):
        values["open_amount"] = _signed(values["open_amount"].lstrip("+-"), credit)
    settled = values.pop("settled_amount", None)
    if settled and values.get("amount") and not values.get("open_amount"):
        values["open_amount"] = _signed(
            format(Decimal(values["amount"]) - abs(Decimal(settled)), "f"), credit
        )
    terms = values.pop("payment_terms", None)
    if terms and values.get("issue_date") and not values.get("due_date"):
        _due_by_terms(values, terms)
    return []


def _turn_into_credit_note(values: Values) -> None:
    """A negative invoice, and a credit note written as one, is a credit note of the positive amount."""
    if values.get("kind") in ("invoice", "credit_note") and str(values.get("amount")).startswith("-"):
        values["kind"] = "credit_note"
        for name in _AMOUNTS:
            if values.get(name):
                values[name] = values[name].removeprefix("-")


def _signed(figure: str, credit: bool) -> str:
    if not credit:
        return figure
    return figure[1:] if figure.startswith("-") else f"-{figure}"


def _due_by_terms(values: Values, terms: str) -> None:
    try:
        values["due_date"] = due_date(
            date.fromisoformat(values["issue_date"]), parse_terms(terms)
        ).isoformat()
    except (TermsUnreadable, OverflowError):
        return


def complete_customer(values: Values, mapping: Mapping) -> list[Fault]:
    """Read the payment terms of a customer row in place."""
    terms = values.pop("payment_terms", None)
    if terms is None:
        return []
    try:
        read = parse_terms(terms)
    except TermsUnreadable:
        return [
            Fault(
                "/payment_terms",
                "payment_terms_unreadable",
                'expected terms such as "Net 30" or "30 days EOM"',
            )
        ]
    values["payment_terms"] = {
        "days": read.days,
        "end_of_month": read.end_of_month,
        "day_of_month": read.day_of_month,
    }
    return []


COMPLETIONS: dict[str, Callable[[Values, Mapping], list[Fault]]] = {
    "items": complete_item,
    "customers": complete_customer,
}
#: Fields a flat file may fill besides those of the row itself; a star stands for any name.
FLAT_FIELDS: dict[str, frozenset[str]] = {
    "items": frozenset({"settled_amount", "payment_terms", "custom_fields.*"}),
    "customers": frozenset({"payment_terms", "company.*", "address.*", "contact.*", "custom_fields.*"}),
    "orders": frozenset({"custom_fields.*"}),
    "payments": frozenset({"custom_fields.*"}),
    "credit_limits": frozenset(),
}
