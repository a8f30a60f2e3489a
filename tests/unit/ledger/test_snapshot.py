"""What a snapshot closes, and what holds it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.snapshot import (
    HeldReason,
    LedgerItem,
    Scope,
    ScopeFigures,
    SnapshotChanged,
    SnapshotSuperseded,
    brake_reason,
    check_confirmed,
    check_order,
    closing,
    closing_amounts,
    diff_hash,
    figures,
)

TAKEN_AT = datetime(2024, 6, 30, 2, tzinfo=UTC)
LYON, LILLE = UUID(int=1), UUID(int=2)
SCOPE = Scope(LYON, "erp", TAKEN_AT)
HOUR = timedelta(hours=1)


def item(external_id: str, amount: int = 100, currency: str = "EUR") -> LedgerItem:
    return LedgerItem(external_id, LYON, "erp", TAKEN_AT - HOUR, currency, amount)


def ids(items: list[LedgerItem]) -> list[str]:
    return [i.external_id for i in items]


def test_open_items_that_the_file_does_not_name_close() -> None:
    assert ids(closing([item("c"), item("b"), item("a")], SCOPE, {"b"})) == ["a", "c"]


@pytest.mark.parametrize(
    "spared",
    [
        replace(item("x"), business_unit_id=LILLE),
        replace(item("x"), source="other-erp"),
        replace(item("x"), changed_at=TAKEN_AT + HOUR),
        replace(item("x"), is_receipt=True),
        replace(item("x"), open_amount=0),
    ],
    ids=["another unit", "another source", "changed since", "our own receipt", "already closed"],
)
def test_what_the_snapshot_cannot_know_stays(spared: LedgerItem) -> None:
    assert closing([spared], SCOPE, ()) == []
    assert ids(closing([replace(item("x"), changed_at=TAKEN_AT)], SCOPE, ())) == ["x"]


def judged(open_items: list[LedgerItem], gone: int, unidentified_rows: int = 0) -> HeldReason | None:
    received = {i.external_id for i in open_items[gone:]}
    closed = closing(open_items, SCOPE, received)
    assert len(closed) == gone
    return brake_reason(figures(open_items, SCOPE, closed), unidentified_rows=unidentified_rows)


TEN = [item(f"{n:02}") for n in range(10)]


def test_the_brake_allows_its_share_and_holds_above_it() -> None:
    assert judged(TEN, 0) is None
    assert judged(TEN, 2) is None
    assert judged(TEN, 3) is HeldReason.COUNT


def test_the_brake_looks_at_each_currency() -> None:
    chf = [item("c1", 5, "CHF"), item("c2", 94, "CHF")]
    assert judged([*chf, *TEN], 1) is None
    assert judged([*reversed(chf), *TEN], 1) is HeldReason.AMOUNT


def test_credits_do_not_hide_debits_from_the_brake() -> None:
    large = [item("a", 10_000), item("b", -10_000)]
    assert judged([*large, *TEN], 2) is HeldReason.AMOUNT


def test_rows_nobody_can_name_hold_whatever_would_close() -> None:
    assert judged(TEN, 1, unidentified_rows=1) is HeldReason.UNIDENTIFIED_ROWS
    assert judged(TEN, 0, unidentified_rows=1) is None


def test_the_brake_counts_only_its_scope() -> None:
    elsewhere = [replace(i, external_id=f"l{i.external_id}", business_unit_id=LILLE) for i in TEN]
    closed = closing([*TEN, *elsewhere], SCOPE, {i.external_id for i in TEN[3:]})
    assert figures([*TEN, *elsewhere], SCOPE, closed) == ScopeFigures(10, {"EUR": 1000}, 3, {"EUR": 300})


@pytest.mark.parametrize(
    ("brake", "expected"), [("0", HeldReason.COUNT), ("0.29", HeldReason.COUNT), ("1", None)]
)
def test_the_share_is_the_tenants(brake: str, expected: HeldReason | None) -> None:
    assert brake_reason(ScopeFigures(10, {"EUR": 10}, 3, {"EUR": 3}), Decimal(brake)) is expected


@given(
    st.lists(st.tuples(st.integers(-100, 100), st.sampled_from(["EUR", "CHF"]), st.booleans()), max_size=30)
)
def test_the_brake_agrees_with_its_definition(facts: list[tuple[int, str, bool]]) -> None:
    items = [item(f"{n:02}", amount, currency) for n, (amount, currency, _) in enumerate(facts)]
    received = {i.external_id for i, (_, _, kept) in zip(items, facts, strict=True) if kept}
    closed = closing(items, SCOPE, received)
    alive = [i for i in items if i.open_amount]
    shares = [len(closed) * 5 > len(alive)] + [
        sum(abs(i.open_amount) for i in closed if i.currency == code) * 5
        > sum(abs(i.open_amount) for i in alive if i.currency == code)
        for code in ("EUR", "CHF")
    ]
    assert (brake_reason(figures(items, SCOPE, closed)) is not None) == any(shares)


def test_the_amounts_that_would_leave_are_signed_and_by_currency() -> None:
    gone = [item("a", 100), item("b", -30), item("c", 5, "CHF")]
    assert closing_amounts(gone) == {"EUR": 70, "CHF": 5}


ROWS = [("a", "EUR", 100), ("b", "EUR", 50)]


@pytest.mark.parametrize(
    "other",
    [
        [],
        ROWS[:1],
        [("a", "EUR", 100), ("b", "EUR", 51)],
        [("a", "EUR", 100), ("b", "CHF", 50)],
        [('a","EUR",100]\n["b', "EUR", 50)],
    ],
)
def test_the_hash_tells_one_list_from_another(other: list[tuple[str, str, int]]) -> None:
    assert diff_hash(ROWS) == diff_hash(iter(list(ROWS)))
    assert diff_hash(other) != diff_hash(ROWS)
    check_confirmed(diff_hash(ROWS), diff_hash(ROWS))
    with pytest.raises(SnapshotChanged):
        check_confirmed(diff_hash(ROWS), diff_hash(other))


def test_an_older_snapshot_is_superseded_and_the_same_one_may_come_again() -> None:
    check_order(TAKEN_AT, None)
    check_order(TAKEN_AT, TAKEN_AT)
    check_order(TAKEN_AT, TAKEN_AT - HOUR)
    with pytest.raises(SnapshotSuperseded):
        check_order(TAKEN_AT, TAKEN_AT + HOUR)
