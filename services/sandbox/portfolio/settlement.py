"""What is paid, when, and by how much: money received for the invoices of one account after another."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from services.sandbox.portfolio.behaviours import delay, payment_day
from services.sandbox.portfolio.billing import Invoice, Order
from services.sandbox.portfolio.buyers import Account

__all__ = ["Payment", "deposits", "payments"]

#: Invoices above this are sometimes paid in two instalments (minor units).
_WORTH_SPLITTING = 300_000
_BANK_FEE = 1_500


@dataclass(slots=True)
class Payment:
    """Money received on a day, in minor units. `parts` says which invoices it pays; without any, nobody
    knows yet."""

    account: Account
    day: date
    amount: int
    reference: str
    parts: list[tuple[Invoice, int]] = field(default_factory=list)
    external_id: str = ""


def payments(written: list[Invoice], today: date, rng: Random) -> list[Payment]:
    """Money received up to `today` for the invoices of one unit: a customer pays what it pays on a day in
    one go."""
    planned: dict[tuple[str, date], list[tuple[Invoice, int]]] = defaultdict(list)
    for invoice in written:
        for day, amount in _instalments(invoice, today, rng):
            if day <= today:
                planned[invoice.account.row["external_id"], day].append((invoice, amount))
    received = [_received(day, parts, today, rng) for (_, day), parts in planned.items()]
    received.sort(key=lambda payment: (payment.day, payment.account.row["external_id"]))
    return received


def _instalments(invoice: Invoice, today: date, rng: Random) -> list[tuple[date, int]]:
    """The days on which the customer means to pay and how much, as long as it goes on paying."""
    owed = invoice.amount - invoice.credited
    account, behaviour = invoice.account, invoice.account.behaviour
    wanted = invoice.due + timedelta(days=delay(behaviour, invoice.elapsed, rng))
    if invoice.dispute:
        wanted = invoice.due + timedelta(days=rng.randint(60, 150))
        invoice.still_disputed = wanted > today
    first = payment_day(max(wanted, invoice.issued + timedelta(days=1)), account.run_days)
    stopped = behaviour.stops_for and first > today - timedelta(days=behaviour.stops_for)
    if owed <= 0 or stopped:
        return []
    if owed > _WORTH_SPLITTING and rng.random() < 0.05:
        half = owed * rng.randint(30, 70) // 100
        second = payment_day(first + timedelta(days=rng.randint(25, 70)), account.run_days)
        return [(first, half), (second, owed - half)]
    if account.tax_rate == 0 and owed > _WORTH_SPLITTING and rng.random() < 0.03:
        return [(first, owed - _BANK_FEE)]  # the bank abroad kept its fee: a small rest stays open
    return [(first, owed)]


def _received(day: date, parts: list[tuple[Invoice, int]], today: date, rng: Random) -> Payment:
    invoice = parts[0][0]
    amount = sum(part for _, part in parts)
    if (today - day).days <= 30 and rng.random() < 0.03:
        return Payment(invoice.account, day, amount, reference="SEPA CREDIT TRANSFER")
    named = " ".join(invoice.number for invoice, _ in parts[:4])
    return Payment(invoice.account, day, amount, reference=named, parts=parts)


def deposits(book: list[Order], today: date, rng: Random) -> list[Payment]:
    """Deposits that prepaying customers made on their orders: money that no invoice waits for yet."""
    made = []
    for order in book:
        if order.account.row["prepaid"]:
            day = payment_day(today - timedelta(days=rng.randint(7, 20)), ())
            made.append(Payment(order.account, day, order.amount * 30 // 100, f"DEPOSIT {order.external_id}"))
    return made
