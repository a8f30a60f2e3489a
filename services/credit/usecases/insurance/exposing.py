"""The waterfall of a company's exposure: what is owed, layer by layer what covers it, and what is left (DOMAIN §3.6)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Rate, convert, convert_all, find_conversion
from libs.contracts.money import to_minor
from libs.kit.db import Tx
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from services.credit.domain.insurance.cover import Line
from services.credit.storage import exposure, security
from services.credit.storage.insurance import receivables
from services.credit.usecases.insurance.insuring import Position, positions


@dataclass
class Owed:
    """What a company owes, minor units by (business unit, currency); `book` None where no order book is known."""

    outstanding: dict[tuple[UUID | None, str], int] = field(default_factory=dict)
    overdue: dict[str, int] = field(default_factory=dict)
    credits: dict[str, int] = field(default_factory=dict)
    book: dict[str, int] | None = None
    position: int | None = None

    def by_currency(self) -> dict[str, int]:
        """Over all business units."""
        found: dict[str, int] = {}
        for (_, currency), amount in self.outstanding.items():
            found[currency] = found.get(currency, 0) + amount
        return found


@dataclass(frozen=True, slots=True)
class Waterfall:
    """An exposure, minor units of `currency`."""

    as_of: date
    currency: str
    owed: dict[str, int]
    book: int | None
    lines: list[tuple[Position, Line, int]]
    others: list[tuple[Any, int]]
    guarantee: int
    other_guarantees: int
    real_risk: int
    potential_risk: int | None
    uncovered: int
    split: dict[str, int] | None
    rate_date: date | None
    unconverted: dict[str, int]
    position: int | None


async def waterfall(
    tx: Tx,
    runtime: Runtime,
    token: str,
    company_id: UUID,
    currency: str,
    as_of: date,
    without: Collection[UUID],
) -> Waterfall:
    """The exposure of a company on a day. A past day's totals are the ledger's; `without`: as if those covers were cancelled
    with effect of that day. Raises 503 when the ledger is needed and down."""
    owed = await _owed(tx, runtime, token, company_id, as_of)
    held = await positions(tx, [company_id], without, as_of)
    wanted = {currency, *(position.currency for position in held)}
    rates = await exposure.rates_among(tx, sorted(wanted | set(owed.by_currency())))
    total = convert_all(owed.by_currency(), currency, rates, as_of)
    overdue = convert_all(owed.overdue, currency, rates, as_of).total
    credit = convert_all(owed.credits, currency, rates, as_of).total
    book = None if owed.book is None else convert_all(owed.book, currency, rates, as_of).total
    lines = [
        (position, line, _into(line.counted, line.currency, currency, rates, as_of))
        for position in held
        for line in position.lines(as_of)
    ]
    others = [
        (one, _into(one.amount, one.currency, currency, rates, as_of))
        for one in (await security.guarantees_on(tx, [company_id], as_of))[company_id]
        if one.source == "other_guarantee" and one.valid_from <= as_of
    ]
    guarantee = sum(amount for _, _, amount in lines)
    other = sum(amount for _, amount in others)
    real = total.total - guarantee - other
    units = _by_unit(owed.outstanding, currency, rates, as_of)
    uncovered = max(0, _left(units, lines, as_of) - other)
    return Waterfall(
        as_of=as_of,
        currency=currency,
        owed={
            "outstanding": total.total, "not_due": total.total - overdue - credit, "overdue": overdue, "credits": credit,
        },
        book=book,
        lines=lines,
        others=others,
        guarantee=guarantee,
        other_guarantees=other,
        real_risk=real,
        potential_risk=None if book is None else real + book,
        uncovered=uncovered,
        split=_split(held, currency, rates, as_of) if as_of >= tx.today else None,
        rate_date=total.rate_date,
        unconverted={name: amount for name, amount in total.unconverted.items() if amount},
        position=owed.position,
    )  # fmt: skip


async def _owed(tx: Tx, runtime: Runtime, token: str, company_id: UUID, as_of: date) -> Owed:
    found = Owed()
    if as_of >= tx.today:
        found.book = {}
        for row in await receivables.outstanding_by_unit(tx, company_id):
            currency = row["currency"]
            found.outstanding[row["business_unit_id"], currency] = row["outstanding"]
            found.overdue[currency] = found.overdue.get(currency, 0) + row["overdue"]
            found.credits[currency] = found.credits.get(currency, 0) + row["credits"]
            found.book[currency] = found.book.get(currency, 0) + row["order_book"]
        found.position = await tx.fetchval(
            "SELECT position FROM feed_cursors WHERE tenant_id = $1 AND producer = 'ledger'", tx.tenant_id
        )
        return found
    query = {"by": "company", "company_id": str(company_id), "as_of": as_of.isoformat(), "limit": 200}
    answer = await runtime.peers.get("ledger", "/v1/balances", query, token=token)
    if answer is None:
        raise Problem(503, "peer_unavailable", "The ledger does not show this company's balances.")
    for row in answer["data"]:
        currency = row["currency"]
        found.outstanding[None, currency] = to_minor(row["outstanding"], currency)
        found.overdue[currency] = to_minor(row["overdue"], currency)
        found.credits[currency] = to_minor(row["credits"], currency)
    found.position = answer["as_of_position"]
    return found


def _by_unit(
    owed: Mapping[tuple[UUID | None, str], int], target: str, rates: list[Rate], day: date
) -> dict[UUID | None, int]:
    found: dict[UUID | None, int] = {}
    for (unit, currency), amount in owed.items():
        found[unit] = found.get(unit, 0) + _into(amount, currency, target, rates, day)
    return found


def _left(owed: Mapping[UUID | None, int], lines: Sequence[tuple[Position, Line, int]], day: date) -> int:
    """What stays when each policy pays for the sales of its own business units only; the most restricted policy first."""
    left = dict(owed)
    spent: dict[UUID, int] = {}
    scopes: dict[UUID, frozenset[UUID] | None] = {}
    for position, _, amount in lines:
        identifier = position.insured.policy["id"]
        terms = position.terms(day)
        chosen = terms.business_unit_ids if terms is not None else None
        scopes[identifier] = None if chosen is None else frozenset(chosen)
        spent[identifier] = spent.get(identifier, 0) + amount
    for identifier, units in sorted(scopes.items(), key=lambda one: (one[1] is None, len(one[1] or ()))):
        budget = spent[identifier]
        for unit in left:
            if units is not None and unit is not None and unit not in units:
                continue
            taken = min(budget, max(0, left[unit]))
            left[unit] -= taken
            budget -= taken
    # Another unit's credit balance belongs to the same buyer, and lowers what it owes.
    return max(0, sum(left.values()))


def _split(held: Sequence[Position], currency: str, rates: list[Rate], day: date) -> dict[str, int]:
    """gross = indemnity + retention + above_cover + tax, over the unpaid items of every policy."""
    names = ("gross", "tax", "insured", "indemnity", "retention", "above_cover")
    found = dict.fromkeys((*names, "tax_unknown"), 0)
    for position in held:
        for share in position.shares:
            for name in names:
                value = getattr(share, name)
                found[name] += _into(value or 0, position.currency, currency, rates, day)
            if share.tax is None:
                found["tax_unknown"] += _into(share.gross, position.currency, currency, rates, day)
    return found


def _into(amount: int, source: str, target: str, rates: list[Rate], day: date) -> int:
    conversion = find_conversion(rates, source, target, day)
    return 0 if conversion is None else convert(amount, source, target, conversion)
