"""What a limit is worth on a day."""

from datetime import date
from decimal import Decimal

import pytest

from services.credit.domain.limit_state import Limit, color_of, effective, state_on, usage_of

DAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("limit", "state", "allowed"),
    [
        (Limit(None, None, None, pending=False), "none", None),
        (Limit(None, None, None, pending=True), "pending", None),
        (Limit("approved", 100, None, pending=False), "approved", 100),
        (Limit("approved", 100, DAY, pending=False), "approved", 100),  # the last day counts
        (Limit("approved", 100, date(2026, 3, 30), pending=False), "expired", None),
        (Limit("approved", 0, None, pending=False), "approved", 0),  # zero is a limit
        (Limit("approved", 100, None, pending=True), "approved", 100),  # in force while another is asked
        (Limit("not_validated", None, None, pending=False), "not_validated", None),
        (Limit("approved", 100, None, pending=False, held=True), "blocked", 0),  # a hold outranks the limit
    ],
)
def test_state_and_amount_allowed(limit: Limit, state: str, allowed: int | None) -> None:
    assert state_on(limit, DAY) == state
    assert effective(state_on(limit, DAY), limit.amount) == allowed


@pytest.mark.parametrize(
    ("state", "pending", "color"),
    [
        ("none", False, "red"),
        ("pending", True, "orange"),
        ("approved", False, "green"),
        ("approved", True, "green"),
        ("not_validated", False, "red"),
        ("not_validated", True, "orange"),
        ("expired", True, "orange"),
        ("blocked", True, "red"),
    ],
)
def test_red_orange_green(state, pending: bool, color: str) -> None:
    assert color_of(state, pending=pending) == color


@pytest.mark.parametrize(
    ("exposure", "allowed", "percent", "exceeded"),
    [
        (50, 100, Decimal("50.0"), 0),
        (120, 100, Decimal("120.0"), 20),
        (-30, 100, Decimal("0.0"), 0),
        (10, 0, None, 10),
        (10, None, None, 10),
        (-10, None, None, 0),
        (1, 3, Decimal("33.3"), 0),
    ],
)
def test_usage(exposure: int, allowed: int | None, percent: Decimal | None, exceeded: int) -> None:
    usage = usage_of(exposure, allowed)
    assert (usage.used_percent, usage.exceeded_by) == (percent, exceeded)
