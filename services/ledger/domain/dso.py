"""Days sales outstanding and its family. Amounts in minor units of one currency, tax included on both sides;
days and percentages as exact Decimals, rounded only where they are shown.

Formulas: benjipays and the Oracle HFM routine (count-back), My DSO Manager (contractual and overdue), CriskCo
(average days delinquent), fswfunding (collection effectiveness). A figure that would divide by zero is None,
with a reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.ledger.domain.months import days_in_month, first_of_month, previous_month

NO_SALES = "no_sales"
NO_RECEIVABLES = "no_receivables"
RECEIVABLES_NEGATIVE = "receivables_negative"
NOTHING_COLLECTABLE = "nothing_collectable"


class DsoMethod(StrEnum):
    SIMPLE = "simple"
    COUNT_BACK = "count_back"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or None with the `reason` why there is none."""

    value: Decimal | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SalesPeriod:
    """Net sales (invoices less credit notes, minor units) of a month; `days` that count in it."""

    month: date
    """First day of the month."""
    days: int
    sales: int


@dataclass(frozen=True, slots=True)
class CountBack:
    """Days of sales that the receivables stand for, newest month first."""

    days: Figure
    exhausted: bool
    """True when known sales explain the receivables wholly."""
    unexplained: int
    """Receivables older than the known sales, in minor units; the days never extrapolate over them."""
    holes: tuple[date, ...]
    """Months without sales that were counted through (first days)."""


@dataclass(frozen=True, slots=True)
class DsoFamily:
    """Days. `dso = contractual + overdue = best_possible + add`, all by one method over one period."""

    method: DsoMethod
    dso: Figure
    contractual: Figure
    overdue: Figure
    best_possible: Figure
    add: Figure
    exhausted: bool | None
    unexplained: int | None
    holes: tuple[date, ...]


def sales_periods(
    as_of: date, sales_by_month: Mapping[date, int], months: int, history_from: date | None = None
) -> list[SalesPeriod]:
    """The last `months` months up to `as_of`, newest first; a month that is not over counts its days elapsed.

    `sales_by_month` is keyed by first days and holds, for the month of `as_of`, the sales up to that day
    only. Months before the one of `history_from` (the first sale ever) are left out: before that there is no
    history, whereas a month without sales after it is a hole.
    """
    periods: list[SalesPeriod] = []
    month, days = first_of_month(as_of), as_of.day
    oldest = first_of_month(history_from) if history_from else date.min
    while len(periods) < months and month >= oldest:
        periods.append(SalesPeriod(month, days, sales_by_month.get(month, 0)))
        month = previous_month(month)
        days = days_in_month(month)
    return periods


def simple_dso(receivables: int, periods: Sequence[SalesPeriod]) -> Figure:
    """`receivables / sales * days` over all the periods together."""
    sales = sum(period.sales for period in periods)
    if receivables < 0:
        return Figure(None, RECEIVABLES_NEGATIVE)
    if sales <= 0:
        return Figure(None, NO_SALES)
    return Figure(Decimal(receivables * sum(period.days for period in periods)) / sales)


def count_back_dso(receivables: int, periods: Sequence[SalesPeriod]) -> CountBack:
    """Subtract month after month of sales (newest first) from the receivables and count their days.

    A month without net sales counts its days and stands in `holes`: the receivables are older than it. Where
    no period has sales at all there is nothing to count, and the days are None.
    """
    if receivables < 0:
        return CountBack(Figure(None, RECEIVABLES_NEGATIVE), False, 0, ())
    left, days, holes = receivables, Decimal(0), []
    for period in periods:
        if left == 0:
            break
        if period.sales <= 0:
            holes.append(period.month)
        taken = min(left, max(period.sales, 0))
        # A month taken whole counts its whole days: no division, so that no rounding creeps into the sum.
        days += Decimal(taken * period.days) / period.sales if 0 < taken < period.sales else period.days
        left -= taken
    if left == receivables != 0:
        return CountBack(Figure(None, NO_SALES), False, left, tuple(holes))
    return CountBack(Figure(days), left == 0, left, tuple(holes))


def dso_family(
    method: DsoMethod, receivables: int, not_due: int, periods: Sequence[SalesPeriod]
) -> DsoFamily:
    """All the figures of one method. `receivables` is what is outstanding, credits deducted; `not_due` the
    debits not yet due.

    contractual = DSO * not due / receivables and overdue the rest: a share, so credits that outweigh what is
    overdue make it negative. best possible = the same method on what is not due; average days delinquent
    (add) the difference.
    """
    counted = count_back_dso(receivables, periods) if method is DsoMethod.COUNT_BACK else None
    dso = counted.days if counted else simple_dso(receivables, periods)
    best = count_back_dso(not_due, periods).days if counted else simple_dso(not_due, periods)
    contractual = _contractual(dso, receivables, not_due)
    return DsoFamily(
        method=method,
        dso=dso,
        contractual=contractual,
        overdue=_difference(dso, contractual),
        best_possible=best,
        add=_difference(dso, best),
        exhausted=counted.exhausted if counted else None,
        unexplained=counted.unexplained if counted else None,
        holes=counted.holes if counted else tuple(p.month for p in periods if p.sales <= 0),
    )


def _contractual(dso: Figure, receivables: int, not_due: int) -> Figure:
    if dso.value is None:
        return dso
    if receivables == 0:
        return Figure(None, NO_RECEIVABLES)
    return Figure(dso.value * not_due / receivables)


def _difference(whole: Figure, part: Figure) -> Figure:
    if whole.value is None or part.value is None:
        return Figure(None, whole.reason or part.reason)
    return Figure(whole.value - part.value)


@dataclass(frozen=True, slots=True)
class TrueDso:
    days: Figure
    unexplained: int
    """Signed open amount of the items whose month of issue has no net sales, which the days leave out."""


def true_dso(
    open_items: Iterable[tuple[date, int]], sales_by_month: Mapping[date, int], as_of: date
) -> TrueDso:
    """Sum over `(issued_on, open amount)` of age * open / net sales of the month of issue (months by first
    day)."""
    days, explained, unexplained = Decimal(0), False, 0
    for issued_on, open_amount in open_items:
        sales = sales_by_month.get(first_of_month(issued_on), 0)
        if sales <= 0:
            unexplained += open_amount
            continue
        explained = True
        days += Decimal((as_of - issued_on).days * open_amount) / sales
    if not explained:
        return TrueDso(Figure(None, NO_SALES if unexplained else NO_RECEIVABLES), unexplained)
    return TrueDso(Figure(days), unexplained)


def collection_effectiveness(
    opening: int, sales: int, closing: int, closing_not_due: int, months: int = 1
) -> Figure:
    """CEI in percent: `(B + S/N - E) / (B + S/N - Ec) * 100`, what was collected of what could be.

    B and E are the receivables at both ends of the `months` (N), Ec those not yet due at the end, S the
    credit sales of the whole period.
    """
    base = opening * months + sales
    collectable = base - closing_not_due * months
    if collectable <= 0:
        return Figure(None, NOTHING_COLLECTABLE)
    return Figure(Decimal((base - closing * months) * 100) / collectable)
