"""Which part of what a buyer owes is insured, item by item, and what it would bring: insured(D), DOMAIN §1 and §3.6.

Gross = indemnity + retention + above cover + VAT. VAT follows the open amount pro rata; without a tax amount an item is
`tax_unknown` and never taken as net. An item keeps the cover that was in force when it was delivered.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from services.credit.domain.insurance.cover import Line
from services.credit.domain.insurance.policy_terms import Terms

#: Findings that leave an item without cover.
LOSING = frozenset(
    {
        "country_not_covered", "public_buyer", "related_buyer", "individual_buyer", "prepaid_buyer", "delivered_after_stop",
        "term_too_long", "outside_policy", "no_cover_at_delivery", "tax_unknown", "foreclosed", "rate_missing",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """A receivable (or credit, with a negative open amount), minor units of `currency`."""

    id: UUID
    number: str | None
    business_unit_id: UUID
    kind: str
    issue_date: date
    delivery_date: date | None
    due_date: date
    original_due_date: date
    currency: str
    amount: int
    tax_amount: int | None
    open_amount: int
    buyer_kind: str = "private"
    prepaid: bool = False

    @property
    def delivered_on(self) -> date:
        """The delivery, or the invoice where nobody said when."""
        return self.delivery_date or self.issue_date


@dataclass(frozen=True, slots=True)
class Stop:
    """Days without cover for new deliveries; `regularised_on` is the first day after."""

    stopped_on: date
    regularised_on: date | None


@dataclass(frozen=True, slots=True)
class Share:
    """An item's part in a claim, minor units of the policy's currency: gross = indemnity + retention + above_cover + tax,
    unless a finding left it without cover; then all of the net is above cover."""

    item: Item
    gross: int
    tax: int | None
    insured: int
    indemnity: int
    retention: int
    above_cover: int
    findings: tuple[str, ...]

    @property
    def covered(self) -> bool:
        """Whether any of it is insured."""
        return self.insured > 0


Lines = Callable[[date], Sequence[Line]]


def shares(
    items: Sequence[Item], lines: Lines, terms_at: Callable[[date], Terms | None], units: frozenset[UUID] | None,
    stops: Sequence[Stop], convert: Callable[[int, str], int | None], foreclosed: frozenset[UUID] = frozenset(),
) -> list[Share]:  # fmt: skip
    """The share of each unpaid debit, in order of delivery. Cover is used up in that order; `units` None is all of them."""
    found, used = [], 0
    for item in sorted(net_of_credits(items), key=lambda one: (one.delivered_on, one.due_date, one.id)):
        terms = terms_at(item.delivered_on)
        gross = convert(item.open_amount, item.currency)
        if gross is None:
            found.append(Share(item, 0, None, 0, 0, 0, 0, ("rate_missing",)))
            continue
        tax = _tax(item, gross)
        base = (
            gross
            if terms is not None and terms.insured_base == "gross"
            else (None if tax is None else gross - tax)
        )
        counted = [line for line in lines(item.delivered_on) if line.counted > 0]
        findings = findings_of(item, terms, units, stops)
        if not counted:
            findings.append("no_cover_at_delivery")
        if base is None:
            findings.append("tax_unknown")
        if item.id in foreclosed:
            findings.append("foreclosed")
        insured = indemnity = 0
        if base is not None and not LOSING.intersection(findings):
            insured, indemnity = _taken(counted, used, base)
            used += insured
        outside = 0 if tax is None or (terms and terms.insured_base == "gross") else tax
        above = gross - outside - insured
        found.append(Share(item, gross, tax, insured, indemnity, insured - indemnity, above, tuple(findings)))
    return found


def findings_of(
    item: Item, terms: Terms | None, units: frozenset[UUID] | None, stops: Sequence[Stop]
) -> list[str]:
    """Compliance findings of an item (DOMAIN §1), those that lose cover and those that only should be mended."""
    if terms is None or (units is not None and item.business_unit_id not in units):
        return ["outside_policy"]
    found = []
    if item.prepaid and "prepaid" in terms.exclusions:
        found.append("prepaid_buyer")
    if item.buyer_kind in terms.exclusions:
        found.append(f"{item.buyer_kind}_buyer")
    if terms.max_terms is not None and (item.original_due_date - item.issue_date).days > terms.max_terms:
        found.append("term_too_long")
    late = terms.invoicing_days
    if late is not None and item.issue_date > item.delivered_on + timedelta(days=late):
        found.append("invoiced_late")
    if any(_stopped(item.delivered_on, stop, terms) for stop in stops):
        found.append("delivered_after_stop")
    if item.due_date != item.original_due_date:
        found.append("due_date_moved")
    return found


def net_of_credits(items: Iterable[Item]) -> list[Item]:
    """Open debits, less open credits of the same business unit and currency, the oldest debit first."""
    debits = [item for item in items if item.open_amount > 0]
    left: dict[tuple[UUID, str], int] = {}
    for item in items:
        if item.open_amount < 0:
            key = (item.business_unit_id, item.currency)
            left[key] = left.get(key, 0) - item.open_amount
    found = []
    for item in sorted(debits, key=lambda one: (one.original_due_date, one.id)):
        key = (item.business_unit_id, item.currency)
        taken = min(item.open_amount, left.get(key, 0))
        left[key] = left.get(key, 0) - taken
        if taken < item.open_amount:
            found.append(replace(item, open_amount=item.open_amount - taken))
    return found


def oldest_first(items: Sequence[Item]) -> list[Item]:
    """Items as an insurer sees them that takes every receipt for the oldest debt: what was paid is spread anew."""
    pools: dict[tuple[UUID, str], int] = {}
    debits = [
        item
        for item in items
        if item.kind in ("invoice", "other") and item.amount > 0 and item.open_amount >= 0
    ]
    rest = [item for item in items if item.open_amount < 0]
    for item in debits:
        key = (item.business_unit_id, item.currency)
        pools[key] = pools.get(key, 0) + item.amount - item.open_amount
    found = []
    for item in sorted(debits, key=lambda one: (one.original_due_date, one.id)):
        key = (item.business_unit_id, item.currency)
        paid = min(item.amount, pools[key])
        pools[key] -= paid
        if paid < item.amount:
            found.append(replace(item, open_amount=item.amount - paid))
    return found + rest


def percent_of(amount: int, percent: Decimal) -> int:
    """A share of minor units, half-even."""
    return int((amount * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _taken(lines: Sequence[Line], used: int, base: int) -> tuple[int, int]:
    """What an item takes of the cover that those before it left, and what the layers it falls into pay of it."""
    bottom, insured, indemnity = 0, 0, 0
    low, high = used, used + base
    for line in lines:
        part = max(0, min(high, bottom + line.counted) - max(low, bottom))
        insured += part
        indemnity += percent_of(part, line.percent)
        bottom += line.counted
    return insured, indemnity


def _tax(item: Item, gross: int) -> int | None:
    if item.tax_amount is None or item.amount == 0:
        return None
    return int(
        (Decimal(gross) * item.tax_amount / item.amount).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    )


def _stopped(day: date, stop: Stop, terms: Terms) -> bool:
    if day < stop.stopped_on:
        return False
    if stop.regularised_on is None:
        return True
    return day < stop.regularised_on and terms.regularisation == "future_only"
