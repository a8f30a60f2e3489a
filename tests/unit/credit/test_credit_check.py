"""The rules of a credit check."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credit.domain.credit_check import Standing, apply_rules, decide

FINE = Standing(state="approved", allowed=1000, amount=100, outstanding=500, order_book=200, reserved=100)


def outcome(standing: Standing, *waived: str) -> tuple[str, list[str]]:
    rules = apply_rules(standing, waived)
    return decide(rules), [rule.code for rule in rules if not rule.passed]


@pytest.mark.parametrize(
    ("change", "decision", "failed"),
    [
        ({}, "allow", []),
        ({"amount": 200}, "allow", []),  # the headroom is inclusive
        ({"amount": 201}, "hold", ["limit_exceeded"]),
        ({"outstanding": 2000, "amount": 0}, "hold", ["limit_exceeded"]),
        ({"allowed": None, "state": "none"}, "hold", ["limit_missing"]),
        ({"allowed": None, "state": "pending"}, "hold", ["limit_missing"]),
        ({"allowed": 900, "state": "pending"}, "allow", []),  # a default limit stands in
        ({"allowed": None, "state": "not_validated"}, "hold", ["limit_not_validated"]),
        ({"allowed": None, "state": "expired"}, "hold", ["limit_expired"]),
        (
            {"allowed": 0, "outstanding": 0, "order_book": 0, "reserved": 0, "amount": 0},
            "hold",
            ["limit_zero"],
        ),
        ({"allowed": 0, "state": "blocked", "hold_reason": "x"}, "refuse", ["blocked", "limit_exceeded"]),
        ({"missing_rates": ["USD"], "amount": None}, "hold", ["rate_missing"]),
        ({"proceedings": "receivership"}, "hold", ["legal_proceedings"]),
        ({"cover_stopped": "overdue since 2026-01-01"}, "hold", ["cover_stopped"]),
    ],
)
def test_every_rule(change, decision, failed) -> None:
    assert outcome(replace(FINE, **change)) == (decision, failed)


def test_a_release_lets_pass_what_it_saw_and_never_a_block() -> None:
    over = replace(FINE, amount=500)
    assert outcome(over, "limit_exceeded")[0] == "allow"
    assert outcome(replace(over, proceedings="liquidation"), "limit_exceeded")[0] == "hold"
    held = replace(FINE, state="blocked", allowed=0)
    assert outcome(held, "blocked", "limit_exceeded")[0] == "refuse"


@given(
    st.integers(0, 2000),
    st.integers(-500, 2000),
    st.integers(0, 2000),
    st.integers(0, 2000),
    st.integers(0, 2000),
)
def test_what_is_allowed_fits(allowed, outstanding, order_book, reserved, amount) -> None:
    standing = replace(
        FINE,
        allowed=allowed,
        outstanding=outstanding,
        order_book=order_book,
        reserved=reserved,
        amount=amount,
    )
    fits = outstanding + order_book + reserved + amount <= allowed
    assert (outcome(standing)[0] == "allow") == (fits and allowed > 0)
