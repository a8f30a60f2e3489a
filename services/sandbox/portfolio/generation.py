"""Puts a portfolio together: the same seed and the same day give the same rows, to the last cent.

Nothing here reads a clock, a file or a network.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from libs.contracts.money import from_minor
from services.sandbox.portfolio import billing, buyers, settlement
from services.sandbox.portfolio.billing import CreditNote, Invoice, Order
from services.sandbox.portfolio.buyers import Account, Unit
from services.sandbox.portfolio.rows import (
    CustomerRow,
    ItemRow,
    LimitWish,
    OrderRow,
    ParentLink,
    PaymentRow,
    RateRow,
)
from services.sandbox.portfolio.settlement import Payment

__all__ = ["Portfolio", "UnitBook", "generate"]

HISTORY_DAYS = 548
_DEFAULT_SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class UnitBook:
    """What one business unit's ERP would send."""

    unit: Unit
    customers: list[CustomerRow]
    items: list[ItemRow]
    payments: list[PaymentRow]
    orders: list[OrderRow]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Eighteen months of trade that end on `today`."""

    today: date
    seed: int
    books: list[UnitBook]
    rates: list[RateRow]
    parents: list[ParentLink]
    limit_wishes: list[LimitWish]


def generate(today: date, seed: int = _DEFAULT_SEED) -> Portfolio:
    """The demo portfolio as it stands in the evening of `today`."""
    rng = Random(seed)  # noqa: S311 - repeatable on purpose; nothing here is a secret
    made = buyers.accounts(rng)
    owed: dict[tuple[str, str], int] = {}
    books = [
        _book(unit, [account for account in made if account.unit is unit], today, owed, rng)
        for unit in buyers.UNITS
    ]
    return Portfolio(
        today=today,
        seed=seed,
        books=books,
        rates=_rates(today, rng),
        parents=_parents(made, rng),
        limit_wishes=_limit_wishes(made, owed, rng),
    )


def _book(
    unit: Unit, made: list[Account], today: date, owed: dict[tuple[str, str], int], rng: Random
) -> UnitBook:
    written = billing.invoices(made, today - timedelta(days=HISTORY_DAYS), today, rng)
    notes = billing.credit_notes(written, today, rng)
    book = billing.orders(made, today, rng)
    received = settlement.payments(written, today, rng) + settlement.deposits(book, today, rng)
    received.sort(key=lambda payment: (payment.day, payment.account.row["external_id"], payment.reference))
    for position, payment in enumerate(received, start=1):
        payment.external_id = f"{unit.prefix}-PAY-{position:05d}"
    _add_owed(owed, written, received)
    return UnitBook(
        unit=unit,
        customers=[account.row for account in made],
        items=[_invoice_row(invoice) for invoice in written] + [_credit_note_row(note) for note in notes],
        payments=[_payment_row(payment) for payment in received],
        orders=[_order_row(order) for order in book],
    )


def _add_owed(owed: dict[tuple[str, str], int], written: list[Invoice], received: list[Payment]) -> None:
    for invoice in written:
        key = (invoice.account.unit.code, invoice.account.row["external_id"])
        owed[key] = owed.get(key, 0) + invoice.amount - invoice.credited
    for payment in received:
        key = (payment.account.unit.code, payment.account.row["external_id"])
        owed[key] = owed.get(key, 0) - payment.amount


def _invoice_row(invoice: Invoice) -> ItemRow:
    currency = invoice.account.row["currency"]
    row = _item_row(
        "invoice", invoice.external_id, invoice.number, invoice, invoice.issued, invoice.amount, invoice.tax
    )
    row["due_date"] = invoice.due.isoformat()
    if invoice.order_reference:
        row["order_reference"] = invoice.order_reference
    if invoice.credited_on is not None:
        row["open_amount"] = from_minor(invoice.amount - invoice.credited, currency)
        row["settled_on"] = invoice.credited_on.isoformat()
    if invoice.dispute and invoice.still_disputed:
        row["reference"] = f"DISPUTE {invoice.dispute}"
        row["custom_fields"] = {"dispute": invoice.dispute}
    return row


def _credit_note_row(note: CreditNote) -> ItemRow:
    row = _item_row(
        "credit_note", note.external_id, note.number, note.invoice, note.issued, note.amount, note.tax
    )
    row["reference"] = note.invoice.number
    if note.applied:
        row["open_amount"] = from_minor(0, row["currency"])
        row["settled_on"] = note.issued.isoformat()
    return row


def _item_row(
    kind: str, external_id: str, number: str, invoice: Invoice, issued: date, amount: int, tax: int
) -> ItemRow:
    currency = invoice.account.row["currency"]
    return {
        "kind": kind,
        "external_id": external_id,
        "number": number,
        "customer_external_id": invoice.account.row["external_id"],
        "issue_date": issued.isoformat(),
        "due_date": issued.isoformat(),
        "currency": currency,
        "amount": from_minor(amount, currency),
        "tax_amount": from_minor(tax, currency),
        "net_amount": from_minor(amount - tax, currency),
    }


def _payment_row(payment: Payment) -> PaymentRow:
    currency = payment.account.row["currency"]
    row: PaymentRow = {
        "external_id": payment.external_id,
        "customer_external_id": payment.account.row["external_id"],
        "amount": from_minor(payment.amount, currency),
        "currency": currency,
        "paid_on": payment.day.isoformat(),
        "reference": payment.reference,
    }
    if payment.parts:
        row["allocations"] = [
            {"item_external_id": invoice.external_id, "amount": from_minor(amount, currency)}
            for invoice, amount in payment.parts
        ]
    else:
        row["allocate"] = "none"
    return row


def _order_row(order: Order) -> OrderRow:
    currency = order.account.row["currency"]
    return {
        "external_id": order.external_id,
        "customer_external_id": order.account.row["external_id"],
        "amount": from_minor(order.amount, currency),
        "tax_included": True,
        "currency": currency,
        "expected_on": order.expected_on.isoformat(),
        "invoiced_amount": from_minor(order.invoiced, currency),
    }


def _rates(today: date, rng: Random) -> list[RateRow]:
    """What a Swiss franc is worth in euros, from the month before the first invoice: a slow walk, one step a
    month."""
    month = (today - timedelta(days=HISTORY_DAYS)).replace(day=1)
    rate = 10_450
    rows: list[RateRow] = []
    while month <= today:
        rate = min(10_950, max(10_150, rate + rng.randint(-110, 120)))
        text = f"{rate // 10_000}.{rate % 10_000:04d}"
        rows.append({"base": "CHF", "quote": "EUR", "rate": text, "valid_on": month.isoformat()})
        month = (month + timedelta(days=32)).replace(day=1)
    return rows


def _parents(made: list[Account], rng: Random) -> list[ParentLink]:
    """Eight groups of two to four companies: a group's head is the first of its members."""
    entities: dict[str, tuple[str, str]] = {}
    for account in made:
        number = account.row["company"].get("registration_number")
        if number and account.row["buyer_kind"] == "private":
            entities.setdefault(number, (account.unit.code, account.row["external_id"]))
    drawn = rng.sample(list(entities.values()), 24)
    links: list[ParentLink] = []
    for _ in range(8):
        head, *members = [drawn.pop() for _ in range(rng.choice((2, 3, 3)))]
        links += [{"child": member, "parent": head} for member in members]
    return links


def _limit_wishes(made: list[Account], owed: dict[tuple[str, str], int], rng: Random) -> list[LimitWish]:
    """Limits for the forty companies that owe most: generous for most of them, too small for some."""
    wishes: list[LimitWish] = []
    seen: set[str] = set()
    for account in sorted(made, key=lambda account: -owed.get(_key(account), 0)):
        number = account.row["company"].get("registration_number")
        if not number or number in seen or len(wishes) == 40:
            continue
        seen.add(number)
        generous = rng.random() < 0.75
        share = rng.randint(125, 220) if generous else rng.randint(60, 90)
        amount = max(500_000, owed[_key(account)] * share // 100 // 500_000 * 500_000)
        wishes.append(
            {
                "unit": account.unit.code,
                "customer_external_id": account.row["external_id"],
                "amount": from_minor(amount, account.row["currency"]),
                "currency": account.row["currency"],
                "reason": "Yearly review" if generous else "New limit after a provider's warning",
            }
        )
    return wishes


def _key(account: Account) -> tuple[str, str]:
    return account.unit.code, account.row["external_id"]
