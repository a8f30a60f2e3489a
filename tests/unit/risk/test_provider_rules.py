"""Pure rules of provider data: chosen, merged, compared, weighed; covers, breaker, pictures."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.domain.breaker import FIRST_PAUSE, LONGEST_PAUSE, THRESHOLD, Breaker
from services.risk.domain.covering import LAYERS, Cover, coverage, risk_of
from services.risk.domain.profile import minor_of
from services.risk.domain.sparkline import Point, sparkline
from services.risk.domain.values import (
    NOT_SUPPLIED,
    Record,
    ScorePoint,
    changed,
    chosen,
    fall_of,
    merged,
    trend_of,
)

NOW = datetime(2026, 3, 31, 6, 10, tzinfo=UTC)
TODAY = date(2026, 3, 31)


def value(told: Any = None, state: str = "known", **members: Any) -> dict[str, Any]:
    return {**NOT_SUPPLIED, "state": state, "value": told, **members}


def record(priority: int, as_of: str = "2026-03-01", **values: Any) -> Record:
    day = date.fromisoformat(as_of)
    return Record(UUID(int=priority), f"p{priority}", "score", priority, values, day, NOW, timedelta(days=7))


@pytest.mark.parametrize(
    ("field", "rules", "offers", "winner"),
    [
        ("turnover", {}, [value("1"), value("2")], 1),
        ("turnover", {}, [value(state="no_data"), value("2")], 2),
        ("turnover", {}, [value(state="not_supplied"), value(state="no_data")], 2),
        ("turnover", {}, [value(state="no_data"), value(state="error")], 2),
        (
            "turnover",
            {"turnover": "latest"},
            [value("1", as_of="2026-02-01"), value("2", as_of="2026-03-01")],
            2,
        ),
        ("turnover", {"turnover": "worst"}, [value("5", currency="EUR"), value("3", currency="EUR")], 2),
        ("turnover", {"turnover": "worst"}, [value("5", currency="EUR"), value("3", currency="USD")], 1),
        ("privileges_amount", {"privileges_amount": "worst"}, [value("5"), value("30")], 2),
        ("score", {"score": "worst"}, [value("A", normalised="40.00"), value("B", normalised="39.99")], 2),
        ("legal_status", {}, [value("none"), value("receivership")], 2),
        ("legal_status", {}, [value("liquidation"), value("receivership")], 1),
        ("legal_status", {"legal_status": "priority"}, [value("none"), value("receivership")], 1),
        ("legal_status", {}, [value(state="error"), value("none")], 2),
    ],
)
def test_the_rule_chooses_and_says_whose_value_it_is(field, rules, offers, winner) -> None:
    better = {"turnover": "high", "privileges_amount": "low", "score": "high", "legal_status": None}
    records = [record(place, **{field: offer}) for place, offer in enumerate(offers, start=1)]
    picked = chosen(list(reversed(records)), rules, better)[field]
    assert picked["provider"] == f"p{winner}"
    assert picked["value"] == offers[winner - 1]["value"]
    assert picked["stale_from"] == "2026-04-08"


def test_a_field_nobody_speaks_of_is_not_supplied() -> None:
    assert chosen([record(1)], {}, {"paydex": "high"})["paydex"]["state"] == "not_supplied"


def test_an_error_keeps_what_was_known_and_since_when() -> None:
    earlier = NOW - timedelta(days=3)
    kept = merged({"paydex": value(state="error"), "score": value("9")}, {"paydex": value(72)}, earlier)
    assert (kept["paydex"]["value"], kept["paydex"]["fetched_at"]) == (72, earlier.isoformat())
    assert kept["score"]["value"] == "9"
    again = merged({"paydex": value(state="error")}, kept, NOW)
    assert again["paydex"]["fetched_at"] == earlier.isoformat(), "the first time it was not confirmed counts"
    assert merged({"paydex": value(state="error")}, {}, NOW)["paydex"]["state"] == "error"
    assert (
        merged({"paydex": value(state="no_data")}, {"paydex": value(72)}, NOW)["paydex"]["state"] == "no_data"
    )


def test_only_another_value_is_a_change() -> None:
    before = {"score": value("9", raw="9"), "paydex": value(72), "turnover": value(state="no_data")}
    now = {"score": value("9", raw="09", as_of="2026-03-31"), "paydex": value(0), "turnover": value(state="no_data"),
           "name": value("Alpes"), "grade": value(state="no_data")}  # fmt: skip
    assert {name: (old and old["value"], new["value"]) for name, (old, new) in changed(before, now).items()} == {
        "paydex": (72, 0), "name": (None, "Alpes"),
    }  # fmt: skip
    assert set(changed(before, {"paydex": value(state="not_supplied")})) == {"paydex"}


def points(*told: tuple[int, str]) -> list[ScorePoint]:
    return [ScorePoint(TODAY - timedelta(days=days), Decimal(score)) for days, score in told]


@pytest.mark.parametrize(
    ("told", "trend"),
    [
        ([(10, "50")], "unknown"),
        ([(10, "50"), (1, "52")], "stable"),
        ([(10, "50"), (1, "52.01")], "up"),
        ([(10, "50"), (1, "47.99")], "down"),
        ([(200, "50"), (1, "40")], "unknown"),
        ([(1, "40"), (10, "50")], "down"),
    ],
)
def test_a_trend_has_a_dead_band(told, trend) -> None:
    assert trend_of(points(*told), TODAY) == trend


@pytest.mark.parametrize(
    ("told", "fall"),
    [
        ([], None),
        ([(1, "50")], None),
        ([(30, "60"), (1, "50.01")], None),
        ([(30, "60"), (1, "50")], ("60", "50")),
        ([(30, "60"), (20, "70"), (1, "58")], ("70", "58")),
        ([(300, "80"), (1, "58")], ("80", "58")),  # in force when the ninety days began
        ([(300, "80"), (100, "60"), (1, "58")], None),
        ([(30, "60"), (20, "40"), (1, "55")], None),
    ],
)
def test_a_fall_is_ten_points_within_ninety_days(told, fall) -> None:
    found = fall_of(points(*told), TODAY)
    assert (found and (str(found[0].value), str(found[1].value))) == fall


def cover(layer: str, amount: int, first: str | None = None, last: str | None = None) -> Cover:
    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    return Cover(layer, amount, day(first), day(last))


@pytest.mark.parametrize(
    ("covers", "total"),
    [
        ([], 0),
        ([cover("permanent", 120)], 120),
        ([cover("permanent", 120), cover("temporary", 30, "2026-03-31", "2026-03-31")], 150),
        ([cover("permanent", 120), cover("temporary", 30, "2026-04-01")], 120),
        ([cover("permanent", 120, last="2026-03-30")], 0),
        ([cover("permanent", 100), cover("topup", 20), cover("discretionary", 50)], 120),
        ([cover("permanent", 0), cover("discretionary", 50), cover("non_named", 10)], 50),
        ([cover("non_named", 10)], 10),
        ([cover("substitute", 70)], 70),
    ],
)
def test_named_layers_add_up_and_others_stand_in(covers, total) -> None:
    assert coverage(covers, TODAY).total == total


def test_no_cover_told_is_not_a_cover_of_nothing() -> None:
    assert set(coverage([], TODAY).layers.values()) == {None}
    assert coverage([cover("permanent", 0)], TODAY).layers["permanent"] == 0
    ending = [cover("permanent", 5, last="2026-05-01"), cover("topup", 5, last="2026-04-01")]
    assert coverage(ending, TODAY).expires_at == date(2026, 4, 1)


def test_the_published_example_of_real_and_potential_risk() -> None:
    risk = risk_of(180_000_00, 40_000_00, 120_000_00, 10_000_00)
    assert (risk.real, risk.potential) == (50_000_00, 90_000_00)


@given(st.lists(st.tuples(st.sampled_from(LAYERS), st.integers(0, 10**9)), max_size=8))
def test_what_is_covered_never_exceeds_what_was_granted(granted) -> None:
    found = coverage([cover(layer, amount) for layer, amount in granted], TODAY)
    assert 0 <= found.total <= sum(amount for _, amount in granted)


def test_the_circuit_opens_longer_each_time_and_closes_at_once() -> None:
    breaker = Breaker()
    for _ in range(THRESHOLD - 1):
        breaker = breaker.failed(NOW)
        assert breaker.lets_through(NOW)
    breaker = breaker.failed(NOW)
    assert not breaker.lets_through(NOW + FIRST_PAUSE - timedelta(seconds=1))
    assert breaker.lets_through(NOW + FIRST_PAUSE)
    again = breaker.failed(NOW + FIRST_PAUSE)
    assert not again.lets_through(NOW + 3 * FIRST_PAUSE - timedelta(seconds=1))
    for _ in range(20):
        again = again.failed(NOW)
    assert again.closed_until == NOW + LONGEST_PAUSE
    assert again.answered() == Breaker()


@pytest.mark.parametrize(
    ("told", "currency", "minor"),
    [("50000", "EUR", 5_000_000), ("12.345", "EUR", 1234), ("12.355", "EUR", 1236), ("500", "JPY", 500),
     ("No Limit", "EUR", None), (None, "EUR", None), ("1", None, None), ("1", "XXQ", None)],
)  # fmt: skip
def test_a_providers_amount_in_minor_units(told, currency, minor) -> None:
    assert minor_of(told, currency) == minor


def test_a_picture_of_steps() -> None:
    drawn = sparkline([Point(date(2026, 1, 1), 10.0), Point(date(2026, 2, 1), 20.0)], TODAY, title="a < b")
    assert "<title>a &lt; b</title>" in drawn
    assert drawn.count("H") == 2
    assert "<path" not in sparkline([], TODAY, title="nothing")
    assert "NaN" not in sparkline([Point(TODAY, 5.0)], TODAY, title="one")
