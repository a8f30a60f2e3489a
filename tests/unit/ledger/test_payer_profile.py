"""How a customer pays, weighted by amount, over six rolling months."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.payer_profile import (
    UNKNOWN,
    Behaviour,
    Means,
    OpenInvoice,
    PayerThresholds,
    ProfileRules,
    Settlement,
    ThresholdsInvalid,
    payer_profile,
)

TODAY = date(2024, 6, 30)
RULES = ProfileRules(minimum_invoices=1)


def paid(
    number: int, amount: int, late: int, *, on: date = date(2024, 5, 15), means: Means = Means.PAYMENT
) -> Settlement:
    due_on = on - timedelta(late)
    return Settlement(UUID(int=number), amount, due_on - timedelta(30), due_on, on, means)


def overdue(number: int, amount: int, late: int) -> OpenInvoice:
    due_on = TODAY - timedelta(late)
    return OpenInvoice(UUID(int=number), amount, due_on - timedelta(30), due_on)


GOLDEN = [paid(1, 10_000_00, 5), paid(2, 2_000_00, 40), paid(3, 500_00, -3)]


def test_delay_is_weighted_by_amount() -> None:
    profile = payer_profile(GOLDEN, [], TODAY)
    assert profile.paid_only.average_delay is not None
    assert profile.paid_only.average_delay.quantize(Decimal("0.01")) == Decimal("10.28")
    assert profile.paid_only.average_duration == profile.paid_only.average_delay + 30
    assert (profile.paid_only.invoices, profile.paid_only.amount) == (3, 12_500_00)
    assert profile.payer_class == "average"


def test_early_payments_may_count_as_on_time() -> None:
    profile = payer_profile(GOLDEN, [], TODAY, ProfileRules(ignore_early=True))
    assert profile.paid_only.average_delay == Decimal(10_000 * 5 + 2_000 * 40) / 12_500


def test_each_partial_payment_counts_with_its_own_date() -> None:
    due_on = date(2024, 4, 1)
    parts = [
        Settlement(UUID(int=1), 60, date(2024, 3, 1), due_on, due_on + timedelta(late), Means.PAYMENT)
        for late in (0, 20)
    ]
    profile = payer_profile(parts, [], TODAY, RULES)
    assert (profile.paid_only.average_delay, profile.paid_only.invoices) == (Decimal(10), 1)


def test_a_credit_note_or_a_write_off_is_nobodys_payment() -> None:
    settled = [
        *GOLDEN,
        paid(4, 10**9, 90, means=Means.CREDIT_NOTE),
        paid(5, 10**9, 90, means=Means.WRITE_OFF),
    ]
    assert payer_profile(settled, [], TODAY) == payer_profile(GOLDEN, [], TODAY)


def test_what_the_source_settled_counts_as_paid() -> None:
    assert payer_profile([paid(1, 100, 9, means=Means.SOURCE)], [], TODAY, RULES).paid_only.average_delay == 9


@pytest.mark.parametrize(
    ("settled_on", "counts"),
    [
        (date(2023, 12, 30), False),
        (date(2023, 12, 31), True),
        (date(2024, 6, 30), True),
        (date(2024, 7, 1), False),
    ],
)
def test_the_window_is_six_rolling_months_without_their_first_day(settled_on: date, counts: bool) -> None:
    profile = payer_profile([paid(1, 100, 5, on=settled_on)], [], TODAY, RULES)
    assert (profile.paid_only.invoices == 1) is counts


def test_open_overdue_spoils_the_profile_of_better_days() -> None:
    profile = payer_profile(GOLDEN, [overdue(9, 12_500_00, 100)], TODAY)
    assert profile.paid_only.payer_class == "average"
    assert profile.with_open_overdue.payer_class == "very_bad"
    assert profile.payer_class == "very_bad"


def test_a_fresh_overdue_does_not_embellish() -> None:
    profile = payer_profile([paid(n, 100, 60) for n in (1, 2, 3)], [overdue(9, 10_000_00, 1)], TODAY)
    assert (profile.with_open_overdue.payer_class, profile.payer_class) == ("good", "very_bad")


def test_what_is_not_due_yet_says_nothing() -> None:
    open_invoices = [overdue(9, 100, 0), overdue(8, 100, -9), overdue(7, 0, 90)]
    assert payer_profile(GOLDEN, open_invoices, TODAY) == payer_profile(GOLDEN, [], TODAY)


def test_who_never_paid_is_judged_by_what_is_overdue() -> None:
    profile = payer_profile([], [overdue(n, 100, 20) for n in (1, 2, 3)], TODAY)
    assert profile.paid_only.payer_class == UNKNOWN
    assert profile.payer_class == "bad"


def test_too_little_to_conclude_is_unknown() -> None:
    few = [paid(1, 100, 5), paid(2, 100, 5), paid(2, 100, 5)]
    assert payer_profile(few, [], TODAY).payer_class == UNKNOWN
    assert payer_profile([], [], TODAY).paid_only == Behaviour(None, None, 0, 0, UNKNOWN)
    assert (
        payer_profile(few, [], TODAY, ProfileRules(minimum_invoices=2, minimum_amount=301)).payer_class
        == UNKNOWN
    )
    assert (
        payer_profile(few, [], TODAY, ProfileRules(minimum_invoices=2, minimum_amount=300)).payer_class
        == "good"
    )


def test_trend_compares_with_the_six_months_before() -> None:
    before = [paid(n, 100, 4, on=date(2023, 10, 1)) for n in (1, 2, 3)]
    assert payer_profile([*GOLDEN, *before], [], TODAY).trend == Decimal("10.28") - 4
    long_ago = paid(4, 10**9, 90, on=date(2023, 6, 30))
    assert payer_profile([*GOLDEN, *before, long_ago], [], TODAY).trend == Decimal("10.28") - 4
    assert payer_profile([*GOLDEN, *before[:2]], [], TODAY).trend is None


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        ("-9", "very_good"),
        ("0", "very_good"),
        ("0.01", "good"),
        ("7", "good"),
        ("7.01", "average"),
        ("15", "average"),
        ("15.01", "bad"),
        ("30", "bad"),
        ("30.01", "very_bad"),
    ],
)
def test_thresholds_are_inclusive(delay: str, expected: str) -> None:
    assert PayerThresholds().class_of(Decimal(delay)) == expected


@pytest.mark.parametrize(
    "thresholds",
    [
        ((("a", Decimal(5)), ("b", Decimal(5))), "c"),
        ((("a", Decimal(5)), ("a", Decimal(9))), "c"),
        ((("a", Decimal(5)),), "a"),
        ((("unknown", Decimal(5)),), "b"),
    ],
)
def test_thresholds_that_say_nothing_are_refused(
    thresholds: tuple[tuple[tuple[str, Decimal], ...], str],
) -> None:
    with pytest.raises(ThresholdsInvalid):
        PayerThresholds(*thresholds)


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(-60, 200)), min_size=1, max_size=20))
def test_average_lies_between_the_best_and_the_worst_delay(facts: list[tuple[int, int]]) -> None:
    settled = [paid(n, amount, late) for n, (amount, late) in enumerate(facts)]
    average = payer_profile(settled, [], TODAY, RULES).paid_only.average_delay
    assert average is not None
    assert min(late for _, late in facts) <= average <= max(late for _, late in facts)
