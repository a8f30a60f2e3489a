"""What is sold: invoices with a season, the credit notes that correct some of them, and the orders still to
come."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from services.sandbox.portfolio.behaviours import PATIENCE_DAYS, Behaviour
from services.sandbox.portfolio.buyers import Account
from services.sandbox.portfolio.rows import TermsRow

__all__ = ["CreditNote", "Invoice", "Order", "credit_notes", "due_date", "invoices", "orders"]

#: January to December: August sleeps, the summer and the year's end are cleared beforehand.
_SEASON = (0.95, 0.97, 1.05, 1.00, 0.98, 1.10, 1.04, 0.74, 1.06, 1.07, 1.08, 0.96)
_DISPUTES = ("price", "quality", "delivery", "administrative")
_SMALLEST_NET = 4_000


@dataclass(slots=True)
class Invoice:
    """An invoice in minor units of the account's currency. `amount` includes `tax`; `credited` is what
    credit notes took off it, the last one on `credited_on`."""

    account: Account
    issued: date
    due: date
    amount: int
    tax: int
    elapsed: float
    dispute: str | None
    external_id: str = ""
    number: str = ""
    order_reference: str | None = None
    credited: int = 0
    credited_on: date | None = None
    still_disputed: bool = False


@dataclass(slots=True)
class CreditNote:
    """A credit on one invoice. `applied` says whether it was set against the invoice or is still
    available."""

    invoice: Invoice
    issued: date
    amount: int
    tax: int
    applied: bool
    external_id: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An order not wholly invoiced yet. Amounts in minor units, tax included."""

    account: Account
    external_id: str
    amount: int
    invoiced: int
    expected_on: date


def due_date(issued: date, terms: TermsRow) -> date:
    """The due date: `days` after the invoice, then, when so agreed, the end of the month that day falls
    in."""
    day = issued + timedelta(days=terms["days"])
    return day.replace(day=monthrange(day.year, day.month)[1]) if terms["end_of_month"] else day


def invoices(made: list[Account], start: date, today: date, rng: Random) -> list[Invoice]:
    """Every invoice of one unit's accounts from `start` to `today`, numbered in the order of their dates."""
    written = [invoice for account in made for invoice in _history(account, start, today, rng)]
    written.sort(key=lambda invoice: (invoice.issued, invoice.account.row["external_id"], invoice.amount))
    prefix = made[0].unit.prefix
    for position, invoice in enumerate(written, start=1):
        invoice.external_id = f"{prefix}-INV-{position:06d}"
        invoice.number = f"{prefix}{invoice.issued:%y}-{position:05d}"
        if rng.random() < 0.5:
            invoice.order_reference = f"{prefix}-SO-{rng.randint(10_000, 99_999)}"
    return written


def _history(account: Account, start: date, today: date, rng: Random) -> list[Invoice]:
    span = (today - start).days
    stopped = account.behaviour.stops_for
    last = today - timedelta(days=stopped - PATIENCE_DAYS) if stopped else today
    written = []
    month = start.replace(day=1)
    while month <= last:
        length = monthrange(month.year, month.month)[1]
        wanted = account.invoices_a_month * _SEASON[month.month - 1]
        for _ in range(int(wanted + rng.random())):
            day = _working_day(month + timedelta(days=rng.randrange(length)))
            if start <= day <= last:
                written.append(_invoice(account, day, (day - start).days / span, rng))
        month += timedelta(days=length)
    return written


def _invoice(account: Account, day: date, elapsed: float, rng: Random) -> Invoice:
    net = max(_SMALLEST_NET, round(account.typical_net * rng.lognormvariate(0, 0.55)))
    tax = (net * account.tax_rate + 500) // 1000
    return Invoice(
        account=account,
        issued=day,
        due=due_date(day, account.row["payment_terms"]),
        amount=net + tax,
        tax=tax,
        elapsed=elapsed,
        dispute=_dispute(account.behaviour, rng),
    )


def _dispute(behaviour: Behaviour, rng: Random) -> str | None:
    return rng.choice(_DISPUTES) if rng.random() < behaviour.disputes else None


def credit_notes(written: list[Invoice], today: date, rng: Random) -> list[CreditNote]:
    """Credit notes on some invoices of one unit. A recent one may still be available; the others were
    applied."""
    made = []
    for invoice in written:
        issued = _working_day(invoice.issued + timedelta(days=rng.randint(4, 40)))
        if rng.random() >= 0.04 or issued > today:
            continue
        percent = rng.choice((5, 10, 10, 20, 30, 100))
        amount, tax = invoice.amount * percent // 100, invoice.tax * percent // 100
        recent = (today - issued).days < 120
        note = CreditNote(invoice, issued, amount, tax, applied=not recent or rng.random() < 0.4)
        if note.applied:
            invoice.credited += amount
            invoice.credited_on = issued
        made.append(note)
    made.sort(key=lambda note: (note.issued, note.invoice.external_id))
    for position, note in enumerate(made, start=1):
        prefix = note.invoice.account.unit.prefix
        note.external_id = f"{prefix}-CN-{position:05d}"
        note.number = f"{prefix}A{note.issued:%y}-{position:04d}"
    return made


def orders(made: list[Account], today: date, rng: Random) -> list[Order]:
    """The order book of one unit: about a third of its accounts wait for something."""
    book: list[Order] = []
    for account in made:
        if rng.random() > 0.36 and not account.row["prepaid"]:
            continue
        for _ in range(rng.choice((1, 1, 2))):
            net = round(account.typical_net * rng.uniform(0.8, 3.5))
            amount = net + (net * account.tax_rate + 500) // 1000
            book.append(
                Order(
                    account=account,
                    external_id=f"{account.unit.prefix}-ORD-{len(book) + 1:05d}",
                    amount=amount,
                    invoiced=amount // 3 if rng.random() < 0.25 else 0,
                    expected_on=_working_day(today + timedelta(days=rng.randint(3, 75))),
                )
            )
    return book


def _working_day(day: date) -> date:
    """The Friday before, for a day at the weekend: offices bill and promise on working days."""
    return day - timedelta(days=max(0, day.weekday() - 4))
