"""What a claim would bring, and how what comes in later is shared (DOMAIN §1 and §3.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal
from uuid import UUID

from libs.contracts.money import to_minor
from services.credit.domain.insurance.insured import Share
from services.credit.domain.insurance.policy_terms import Terms

Standing = Literal["estimated", "waiting_dispute", "nothing_insured"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Minor units of the policy's currency: gross = indemnity_before_deductible + retention + above_cover + tax."""

    standing: Standing
    gross: int
    tax: int
    insured: int
    retention: int
    above_cover: int
    deductible: int
    capped_by: int
    indemnity: int
    disputed_items: tuple[UUID, ...]


def estimate(
    shares: Sequence[Share], terms: Terms, currency: str, disputed: frozenset[UUID], paid_this_year: int
) -> Estimate:
    """What the insurer would pay: the insured share, less the deductible before or after the percentage by clause, within what
    is left of the policy's maximum liability. Nothing is estimated while every item is in dispute."""
    agreed = [share for share in shares if share.item.id not in disputed]
    insured = sum(share.insured for share in agreed)
    paid = sum(share.indemnity for share in agreed)
    taken = 0
    if terms.deductible is not None and insured:
        amount = to_minor(terms.deductible.amount, currency)
        if terms.deductible.applied == "before":
            amount = int((Decimal(amount) * paid / insured).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
        taken = min(paid, amount)
    capped = 0
    if terms.max_liability is not None:
        left = max(0, to_minor(terms.max_liability, currency) - paid_this_year)
        capped = max(0, paid - taken - left)
    standing: Standing = "estimated"
    if disputed and not agreed:
        standing = "waiting_dispute"
    elif not insured:
        standing = "nothing_insured"
    return Estimate(
        standing=standing,
        gross=sum(share.gross for share in agreed),
        tax=sum(share.tax or 0 for share in agreed),
        insured=insured,
        retention=insured - paid,
        above_cover=sum(share.above_cover for share in agreed),
        deductible=taken,
        capped_by=capped,
        indemnity=paid - taken - capped,
        disputed_items=tuple(sorted(share.item.id for share in shares if share.item.id in disputed)),
    )


def insurers_share(amount: int, indemnity: int, gross: int) -> int:
    """The insurer's part of a recovery: as it paid of the whole debt, half-even."""
    if gross <= 0:
        return 0
    return int((Decimal(amount) * indemnity / gross).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in range(day.day, 0, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")
