"""What decisions make of a cover: whatever order they come in, however often."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credit.domain.insurance.cover import Buyer, Layered, lines_on
from services.credit.domain.insurance.policy_terms import Terms
from services.credit.domain.insurance.secured import Step, slices
from services.credit.domain.insurance.timeline import Decision, Tranche, timeline
from services.credit.domain.insurance.vocabulary import ENDS, GRANTS, status_of

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def decided(
    number: int, status: str = "approved", amount: int | None = 100_00, **members: object
) -> Decision:
    facts = {
        "id": UUID(int=number), "product": "permanent", "status": status, "decided_at": NOON + timedelta(hours=number),
        "sequence": 0, "effective_from": DAY, "currency": "EUR", "amount": amount, **members,
    }  # fmt: skip
    return Decision(**facts)  # type: ignore[arg-type]


def amounts(decisions: list[Decision], *days: int, layer: str = "permanent") -> list[int | None]:
    line = timeline(layer, decisions)  # type: ignore[arg-type]
    found = [line.on(DAY + timedelta(days=day)) for day in days]
    return [None if worth is None else worth.amount for worth in found]


def test_a_grant_told_late_never_revives_what_a_newer_decision_ended() -> None:
    cancelled = decided(5, "cancelled", None, effective_from=DAY + timedelta(days=10))
    late = decided(2, "approved", 500_00, effective_from=DAY + timedelta(days=20))
    assert amounts([cancelled, decided(1), late], -1, 0, 9, 10, 20) == [None, 100_00, 100_00, 0, 0]


def test_an_announced_withdrawal_leaves_the_cover_until_its_day() -> None:
    notice = decided(2, "withdrawal_announced", None, withdrawal_date=DAY + timedelta(days=30))
    assert amounts([decided(1), notice], 29, 30) == [100_00, 0]


def test_a_refused_increase_leaves_the_cover_that_stands() -> None:
    assert amounts([decided(1), decided(2, "increase_refused_cover_unchanged", 100_00)], 0) == [100_00]
    assert amounts([decided(1), decided(2, "pending", None), decided(3, "needs_review", 1)], 0) == [100_00]


def test_a_tie_is_settled_by_the_more_restrictive_and_reported() -> None:
    one, other = decided(1, amount=80_00), decided(2, amount=50_00, decided_at=NOON + timedelta(hours=1))
    line = timeline("permanent", [one, other])
    assert line.on(DAY) is not None and line.on(DAY).amount == 50_00  # type: ignore[union-attr]
    assert line.tied == {one.id, other.id}
    twin = replace(one, id=UUID(int=9))
    assert timeline("permanent", [one, twin]).tied == frozenset()


def test_of_two_companies_that_became_one_the_lower_cover_holds_until_something_new_is_decided() -> None:
    merger = {"merged_from": UUID(int=77), "merged_at": NOON + timedelta(hours=5)}
    higher = decided(1, amount=80_00)
    lower = decided(2, amount=50_00, expires_at=DAY + timedelta(days=9), **merger)
    assert amounts([higher, lower], 0, 9, 10) == [50_00, 50_00, 80_00]
    assert timeline("permanent", [lower, higher]).tied == {higher.id, lower.id}
    # One that ended cuts nothing, and leaves nothing to look at.
    refused = decided(3, "refused", None, **merger)
    assert amounts([higher, refused], 0) == [80_00]
    assert timeline("permanent", [higher, refused]).tied == frozenset()
    # Before the merger a decision is about one of them; after it, about both.
    assert amounts([higher, lower, decided(4, amount=70_00)], 0) == [50_00]
    assert amounts([higher, lower, decided(6, amount=70_00)], 0) == [70_00]
    assert amounts([higher, lower, decided(6, "cancelled", None)], 0) == [0]


def test_tranches_fall_into_their_layers() -> None:
    both = decided(
        1, amount=150_00, product="permanent_plus_temporary",
        tranches=(Tranche("permanent", 100_00, None, None),
                  Tranche("temporary", 50_00, DAY, DAY + timedelta(days=9))),
    )  # fmt: skip
    assert amounts([both], 0, 10) == [100_00, 100_00]
    assert amounts([both], 0, 9, 10, layer="temporary") == [50_00, 50_00, 0]


@given(
    st.lists(
        st.builds(
            lambda status, hours, sequence, start, length, amount: (status, hours, sequence, start, length, amount),
            st.sampled_from(sorted(GRANTS | ENDS | {"withdrawal_announced", "pending", "superseded"})),
            st.integers(0, 6), st.integers(0, 2), st.integers(0, 40), st.none() | st.integers(0, 60), st.integers(0, 5),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_any_order_with_any_repetition_makes_the_same_days(facts: list[tuple]) -> None:  # type: ignore[type-arg]
    decisions = [
        decided(
            n, status, amount * 1000, decided_at=NOON + timedelta(hours=hours), sequence=sequence,
            effective_from=DAY + timedelta(days=start),
            expires_at=None if length is None else DAY + timedelta(days=start + length),
            withdrawal_date=DAY + timedelta(days=start + 5),
        )
        for n, (status, hours, sequence, start, length, amount) in enumerate(facts)
    ]  # fmt: skip
    expected = timeline("permanent", decisions)
    shuffled = [*decisions, *decisions[: len(decisions) // 2]]
    random.Random(len(facts)).shuffle(shuffled)
    unique = list({one.id: one for one in shuffled}.values())
    assert timeline("permanent", unique) == expected


def test_a_thousand_orders_of_the_same_decisions() -> None:
    statuses = [
        "approved",
        "reduced",
        "withdrawal_announced",
        "cancelled",
        "approved",
        "refused",
        "partially_approved",
    ]
    decisions = [
        decided(
            n, status, (n + 1) * 1000, sequence=n % 2, decided_at=NOON + timedelta(hours=n // 2),
            effective_from=DAY + timedelta(days=3 * n), withdrawal_date=DAY + timedelta(days=3 * n + 7),
        )
        for n, status in enumerate(statuses)
    ]  # fmt: skip
    expected = timeline("permanent", decisions)
    assert len(expected.periods) > 2
    source = random.Random(7)
    for _ in range(1000):
        order = [*decisions, *source.choices(decisions, k=4)]
        source.shuffle(order)
        assert timeline("permanent", list({one.id: one for one in order}.values())) == expected


def layered(layer: str, *decisions: Decision, number: int = 1, evidence_on: date | None = None) -> Layered:
    return Layered(UUID(int=number), layer, timeline(layer, decisions), evidence_on)  # type: ignore[arg-type]


def counted(
    layers: list[Layered], terms: Terms, day: date = DAY, buyer: Buyer = Buyer()
) -> dict[str, tuple[int, str | None]]:
    return {line.layer: (line.counted, line.reason) for line in lines_on(layers, terms, buyer, "EUR", day)}


OWN = Terms(discretionary_limit=Decimal("200"), non_named_ceiling=Decimal("50"))


def test_a_top_up_falls_with_its_primary_and_a_cap_plus_does_not() -> None:
    primary = decided(1, "cancelled", None, effective_from=DAY + timedelta(days=5))
    layers = [
        layered("permanent", decided(0), primary, number=1),
        layered("topup", decided(2, product="topup", amount=40_00), number=2),
        layered("topup_plus", decided(3, product="topup_plus", amount=30_00), number=3),
    ]
    assert counted(layers, OWN) == {
        "permanent": (100_00, None),
        "topup": (40_00, None),
        "topup_plus": (30_00, None),
    }
    after = counted(layers, OWN, DAY + timedelta(days=5))
    assert after == {"topup": (0, "primary_missing"), "topup_plus": (30_00, None)}


def test_a_discretionary_limit_needs_evidence_before_the_delivery_and_ends_on_the_insurers_word() -> None:
    dcl = decided(1, product="dcl", amount=150_00)
    justified = layered("dcl", dcl, evidence_on=DAY)
    assert counted([justified], OWN) == {"dcl": (150_00, None)}
    assert counted([layered("dcl", dcl)], OWN) == {"dcl": (0, "evidence_missing")}
    later = layered("dcl", dcl, evidence_on=DAY + timedelta(days=1))
    assert counted([later], OWN) == {"dcl": (0, "evidence_later_than_delivery")}
    refused = layered("permanent", decided(2, "refused", 0), number=2)
    assert counted([justified, refused], OWN) == {"dcl": (0, "insurer_decided")}
    top_up_refused = layered("topup", decided(2, "refused", 0, product="topup"), number=2)
    assert counted([justified, top_up_refused], OWN) == {"dcl": (150_00, None)}
    bad_news = Buyer(adverse_on=DAY)
    assert counted([justified], OWN, DAY, bad_news) == {"dcl": (0, "adverse_information")}
    above = layered("dcl", decided(1, product="dcl", amount=250_00), evidence_on=DAY)
    assert counted([above], OWN) == {"dcl": (200_00, "above_ceiling")}


def test_an_ended_discretionary_or_named_cover_does_not_fall_back_to_non_named() -> None:
    small = layered("non_named", decided(9, product="non_named", amount=50_00), number=9)
    assert counted([small], OWN) == {"non_named": (50_00, None)}
    ended = layered("dcl", decided(1, "cancelled", None, product="dcl"), evidence_on=DAY)
    assert counted([small, ended], OWN)["non_named"] == (0, "discretionary_limit_set")
    cancelled = layered("permanent", decided(2, "cancelled", None), number=2)
    assert counted([small, cancelled], OWN)["non_named"] == (0, "insurer_decided")


def test_a_temporary_amount_adds_or_replaces_by_clause() -> None:
    layers = [
        layered("permanent", decided(1), number=1),
        layered(
            "temporary",
            decided(2, product="temporary", amount=30_00, expires_at=DAY + timedelta(days=2)),
            number=2,
        ),
    ]
    assert counted(layers, OWN) == {"permanent": (100_00, None), "temporary": (30_00, None)}
    replacing = Terms(temporary="replaces")
    assert counted(layers, replacing) == {
        "permanent": (0, "replaced_by_temporary"),
        "temporary": (30_00, None),
    }
    assert counted(layers, replacing, DAY + timedelta(days=3)) == {"permanent": (100_00, None)}
    abroad = Terms(countries=["DE"])
    assert counted(layers[:1], abroad, buyer=Buyer(country="FR")) == {"permanent": (0, "country_not_covered")}


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.data())
def test_slices_that_last_add_up_to_the_least_between(heights: list[int], data: st.DataObject) -> None:
    steps = [Step(DAY + timedelta(days=n), height) for n, height in enumerate(heights)]
    first = data.draw(st.integers(0, len(heights) - 1))
    last = data.draw(st.integers(first, len(heights) - 1))
    start, end = DAY + timedelta(days=first), DAY + timedelta(days=last)
    lasting = sum(a for a, begins, ends in slices(steps) if begins <= start and (ends is None or ends >= end))
    assert lasting == min(heights[first : last + 1])


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("granted", "approved"),
        ("Granted-Partial", "partially_approved"),
        ("refused", "refused"),
        ("DC99", "needs_review"),
    ],
)
def test_an_unknown_word_is_neither_a_grant_nor_a_refusal(word: str, status: str) -> None:
    assert status_of(word) == status
