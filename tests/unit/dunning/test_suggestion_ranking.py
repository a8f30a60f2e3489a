"""How good the order of suggestions is: on the histories of data/ar, against ranking by amount and by age."""

import csv
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from services.dunning.domain.suggestions import (
    HORIZON_DAYS,
    Advice,
    Case,
    Delays,
    LateItem,
    advise,
    still_unpaid,
)

TODAY = date(2026, 3, 2)
CUSTOMER = UUID(int=7)


def case(*late: LateItem, **more: object) -> Case:
    return Case(CUSTOMER, late, **more)  # type: ignore[arg-type]


def late(days: int, amount: str = "100.00", number: str = "F-1") -> LateItem:
    return LateItem(number, Decimal(amount), "EUR", days)


def test_who_never_pays_late_for_long_is_expected_to_pay() -> None:
    prompt, slow = Delays([1] * 20), Delays([45] * 20)
    portfolio = Delays(sorted([1] * 20 + [45] * 20))
    assert (
        still_unpaid(prompt, portfolio, 0)
        < Decimal("0.3")
        < Decimal("0.7")
        < still_unpaid(slow, portfolio, 0)
    )
    # nothing known of either: both are judged by the portfolio
    assert still_unpaid(Delays(), portfolio, 0) == Decimal(21) / 42


def test_reasons_are_figures_and_weights_do_what_they_say() -> None:
    plain = advise(case(late(10)), Delays(), TODAY)
    assert [reason.code for reason in plain.reasons] == ["amount_late", "oldest_item", "usual_behaviour"]
    assert plain.reasons[0].facts == {"EUR": "100.00", "items": 1}
    broken = advise(case(late(10), broken_promises=5), Delays(), TODAY)
    assert (broken.advice, broken.at_stake) == (Advice.FOLLOW_UP_PROMISE, plain.at_stake * Decimal("1.5"))
    called = advise(case(late(10), last_contact_on=TODAY - timedelta(days=4)), Delays(), TODAY)
    assert called.at_stake == plain.at_stake / 2
    assert (
        advise(case(late(10), last_contact_on=TODAY - timedelta(days=5)), Delays(), TODAY).at_stake
        == plain.at_stake
    )
    assert (
        advise(case(late(10), in_proceedings=True, broken_promises=1), Delays(), TODAY).advice
        is Advice.DECLARE_CLAIM
    )
    assert advise(case(late(10), reachable=False), Delays(), TODAY).advice is Advice.MEND_CONTACT


def test_the_channel_that_brought_money_is_taken_again() -> None:
    answered = {"email": (6, 1), "call": (4, 3), "letter": (1, 1)}
    found = advise(case(late(10), answered=answered), Delays(), TODAY)
    assert (found.advice, found.channel) == (Advice.CALL, "call")
    assert found.reasons[-1].facts == {"channel": "call", "contacts": 4, "paid_within_ten_days": 3}
    assert advise(case(late(10)), Delays(), TODAY).advice is Advice.WRITE
    assert advise(case(late(31)), Delays(), TODAY).advice is Advice.CALL


@dataclass(frozen=True)
class Invoice:
    customer: UUID
    number: str
    amount: Decimal
    due: date
    settled: date


def _invoices() -> list[Invoice]:
    source = Path(os.environ.get("ENCOURS_DATA", "../shared/data")) / "ar" / "ibm_accounts_receivable.csv"

    def day(text: str) -> date:
        month, number, year = map(int, text.split("/"))
        return date(year, month, number)

    with source.open(newline="", encoding="utf-8-sig") as file:
        return [
            Invoice(
                uuid5(CUSTOMER, row["customerID"]), row["invoiceNumber"], Decimal(row["InvoiceAmount"]),
                day(row["DueDate"]), day(row["SettledDate"]),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def _captured(order: list[UUID], missing: dict[UUID, Decimal], share: float = 0.3) -> Decimal:
    """Of the money that was still missing two weeks later, the part owed by the first 30 % of a ranking."""
    first = order[: max(1, round(len(order) * share))]
    return sum((missing[customer] for customer in first), Decimal(0)) / sum(missing.values(), Decimal(0))


@pytest.mark.data
def test_the_order_finds_more_of_the_missing_money_than_amount_or_age(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At each week's start the known late invoices are ranked; two weeks later one sees which were still unpaid."""
    invoices = _invoices()
    found: dict[str, list[Decimal]] = defaultdict(list)
    day, end = date(2012, 6, 4), max(one.settled for one in invoices)
    while day < end:
        known = [one for one in invoices if one.settled < day]
        open_late = [one for one in invoices if one.due < day <= one.settled]
        by_customer: dict[UUID, list[Invoice]] = defaultdict(list)
        for one in open_late:
            by_customer[one.customer].append(one)
        horizon = day + timedelta(days=HORIZON_DAYS)
        missing = {
            customer: sum((one.amount for one in own if one.settled > horizon), Decimal(0))
            for customer, own in by_customer.items()
        }
        if len(by_customer) >= 5 and any(missing.values()):
            delays: dict[UUID, list[int]] = defaultdict(list)
            for one in known:
                delays[one.customer].append((one.settled - one.due).days)
            portfolio = Delays(sorted(days for own in delays.values() for days in own))
            stake, amount, age = {}, {}, {}
            for customer, own in by_customer.items():
                items = tuple(LateItem(one.number, one.amount, "USD", (day - one.due).days) for one in own)
                stake[customer] = advise(
                    Case(customer, items, Delays(sorted(delays[customer]))), portfolio, day
                ).at_stake
                amount[customer] = sum((one.amount for one in own), Decimal(0))
                age[customer] = max((day - one.due).days for one in own)
            for name, score in (("suggested", stake), ("by amount", amount), ("by age", age)):
                order = sorted(score, key=lambda customer: (-score[customer], customer))
                found[name].append(_captured(order, missing))
        day += timedelta(days=7)
    mean = {name: sum(shares, Decimal(0)) / len(shares) for name, shares in found.items()}
    with capsys.disabled():
        said = ", ".join(f"{name} {share:.1%}" for name, share in mean.items())
        weeks = len(found["suggested"])
        sys.stdout.write(f"\nmissing money in the first 30 % of a ranking, {weeks} weeks: {said}\n")
    assert mean["suggested"] > mean["by amount"]
    assert mean["suggested"] > mean["by age"] * Decimal("1.2")
