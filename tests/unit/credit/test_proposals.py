"""What limit would be sensible: golden values of every method, computed by hand, and how they combine."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credit.domain.proposals import Combined, Facts, Rules, Share, combine, propose

CLASSES = {"good": Decimal("1.1"), "bad": Decimal("0.7"), "unknown": Decimal(1)}
RULES = Rules(
    need_methods=["need"], acceptable_methods=["capacity", "provider", "history"], combine="min",
    terms_coefficient=Decimal("1.5"), behaviour=CLASSES, history_factor=CLASSES,
    shares=[Share(40, Decimal("0.005"), Decimal("0.1"), Decimal("0.01")),
            Share(80, Decimal("0.02"), Decimal("0.4"), Decimal("0.05"))],
    maximum=None,
)  # fmt: skip
KNOWN = Facts(
    yearly_sales=1_200_000_00, term_days=Decimal(45), late_days=Decimal(10), lead_days=Decimal(5), order_book=20_000_00,
    uninvoiced_deliveries=5_000_00, unpaid_invoices=100_000_00, payer_class="good", score=Decimal(55),
    turnover=30_000_000_00, equity=2_000_000_00, purchases=18_000_000_00, recommended_credit=175_000_00,
    clean_peak=140_000_00,
)  # fmt: skip


def values(facts: Facts, rules: Rules = RULES) -> dict[str, int | None]:
    return {one.method: one.value for one in propose(facts, rules)}


def missing(facts: Facts, method: str) -> list[str]:
    return next(one.missing for one in propose(facts, RULES) if one.method == method)


def test_golden_values() -> None:
    assert values(KNOWN) == {
        "need": 197_260_27,  # 1,200,000 × (45 + 10 + 5) / 365 = 197,260.27
        "afdcc": 206_250_00,  # (20,000 + 5,000 + 100,000) × 1.5 × 1.1
        "capacity": 150_000_00,  # the lowest of 0.5 % of 30 M, 10 % of 2 M and 1 % of 18 M
        "provider": 175_000_00,
        "history": 154_000_00,  # 140,000 × 1.1
    }
    better = replace(KNOWN, score=Decimal(80))
    assert values(better)["capacity"] == 600_000_00  # 2 % of 30 M, below 40 % of 2 M and 5 % of 18 M
    assert values(replace(KNOWN, score=Decimal("39.9")))["capacity"] == 0, (
        "below the first score nothing is acceptable"
    )
    assert values(replace(KNOWN, payer_class="bad"))["history"] == 98_000_00


@pytest.mark.parametrize(
    ("change", "method", "lacking"),
    [
        ({"yearly_sales": None}, "need", ["yearly_sales"]),
        ({"term_days": None}, "need", ["term_days"]),
        ({"score": None}, "capacity", ["score"]),
        ({"turnover": None, "equity": None, "purchases": None}, "capacity", ["turnover", "equity", "purchases"]),
        ({"recommended_credit": None}, "provider", ["recommended_credit"]),
        ({"clean_peak": None}, "history", ["clean_peak"]),
        ({"unpaid_invoices": None, "order_book": None}, "afdcc", ["order_book", "unpaid_invoices"]),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_and_never_taken_for_zero(change, method, lacking) -> None:
    facts = replace(KNOWN, **change)
    assert values(facts)[method] is None
    assert missing(facts, method) == lacking


def test_what_only_helps_may_be_missing() -> None:
    facts = replace(
        KNOWN, uninvoiced_deliveries=None, equity=None, purchases=None, late_days=None, lead_days=None
    )
    assert values(facts)["afdcc"] == 198_000_00
    assert missing(facts, "afdcc") == ["uninvoiced_deliveries"]
    assert values(facts)["capacity"] == 150_000_00
    assert missing(facts, "capacity") == ["equity", "purchases"]
    assert values(facts)["need"] == 147_945_21  # 45 days of 1,200,000


def combined(facts: Facts = KNOWN, **change) -> Combined:
    rules = replace(RULES, **change)
    return combine(propose(facts, rules), facts, rules)


def test_the_smaller_of_acceptable_and_need() -> None:
    assert combined() == Combined(
        150_000_00, 197_260_27, 150_000_00, "acceptable", "reduce_term_or_get_guarantee"
    )
    assert combined(combine="max").value == 175_000_00
    assert combined(combine="average").value == 159_666_67
    enough = combined(replace(KNOWN, yearly_sales=120_000_00))
    assert (enough.value, enough.reason, enough.advice) == (19_726_03, "need", None)
    assert combined(need_methods=["need", "afdcc"]).need == 206_250_00
    capped = combined(maximum=100_000_00)
    assert (capped.value, capped.reason, capped.need) == (100_000_00, "maximum", 197_260_27)


def test_nothing_for_a_company_in_proceedings_and_no_figure_out_of_nothing() -> None:
    failed = combined(replace(KNOWN, proceedings="liquidation"))
    assert (failed.value, failed.reason) == (0, "collective_proceedings")
    assert combined(Facts()) == Combined(None, None, None, "nothing_known", None)
    only_need = combined(Facts(yearly_sales=365_00, term_days=Decimal(10)))
    assert (only_need.value, only_need.acceptable, only_need.reason) == (10_00, None, "need")


amounts = st.one_of(st.none(), st.integers(0, 10**12))


@given(amounts, amounts, amounts, st.integers(1, 10**12))
def test_a_proposal_is_never_above_need_acceptable_or_maximum(sales, peak, provider, maximum) -> None:
    facts = Facts(
        yearly_sales=sales,
        term_days=Decimal(60),
        payer_class="good",
        clean_peak=peak,
        recommended_credit=provider,
    )
    found = combined(facts, maximum=maximum)
    if found.value is not None:
        bounds = [bound for bound in (found.need, found.acceptable, maximum) if bound is not None]
        assert 0 <= found.value == min(bounds)
