"""A payer profile from sums: the same rule as payer_profile, for figures that SQL has added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.ledger.domain.payer_profile import UNKNOWN, PayerThresholds


@dataclass(frozen=True, slots=True)
class SummedBehaviour:
    """Days weighted by amount; None where there is nothing to weigh."""

    average_delay: Decimal | None
    average_duration: Decimal | None
    invoices: int
    payer_class: str


@dataclass(frozen=True, slots=True)
class SummedProfile:
    """Twice: paid only, and with what is open and overdue; the class is the worse of the two."""

    paid_only: SummedBehaviour
    with_open_overdue: SummedBehaviour
    payer_class: str
    trend: Decimal | None


def profile_of(sums: Mapping[str, Any], thresholds: PayerThresholds, minimum_invoices: int) -> SummedProfile:
    """The profile behind one row of storage.behaviour_rows."""
    paid = _behaviour(sums, "paid", thresholds, minimum_invoices)
    everything = _behaviour(sums, "all", thresholds, minimum_invoices)
    known = [one for one in (paid.payer_class, everything.payer_class) if one != UNKNOWN]
    before = _ratio(sums["before_delay"], sums["before_weight"])
    enough = sums["before_invoices"] >= minimum_invoices and paid.payer_class != UNKNOWN
    trend = (
        paid.average_delay - before
        if enough and before is not None and paid.average_delay is not None
        else None
    )
    return SummedProfile(paid, everything, max(known, key=thresholds.names.index, default=UNKNOWN), trend)


def _behaviour(
    sums: Mapping[str, Any], part: str, thresholds: PayerThresholds, minimum: int
) -> SummedBehaviour:
    delay = _ratio(sums[f"{part}_delay"], sums[f"{part}_weight"])
    duration = _ratio(sums[f"{part}_duration"], sums[f"{part}_weight"])
    invoices = sums[f"{part}_invoices"]
    known = delay is not None and invoices >= minimum
    return SummedBehaviour(
        delay, duration, invoices, thresholds.class_of(delay) if known and delay is not None else UNKNOWN
    )


def _ratio(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return part / whole if part is not None and whole else None
