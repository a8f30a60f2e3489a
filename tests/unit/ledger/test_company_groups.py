"""Groups of companies: attach, absorb, tops, over any forest."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.company_groups import GroupCycle, absorb, attach, tops

A, B, C, D = (UUID(int=n) for n in range(1, 5))


@st.composite
def forests(draw: st.DrawFn) -> dict[UUID, UUID | None]:
    """Parents of some companies; each may stand under an earlier one, which excludes rings."""
    ids = [UUID(int=n + 1) for n in range(draw(st.integers(2, 12)))]
    return {
        company: draw(st.none() | st.sampled_from(ids[:place])) if place else None
        for place, company in enumerate(ids)
    }


def ancestors(parents: dict[UUID, UUID | None], company: UUID) -> list[UUID]:
    found: list[UUID] = []
    above = parents[company]
    while above is not None:
        assert above not in found, "a ring"
        found.append(above)
        above = parents[above]
    return found


def test_the_top_of_a_chain_is_everybodys() -> None:
    assert tops({A: None, B: A, C: B, D: None}) == {A: A, B: A, C: A, D: D}


@pytest.mark.parametrize(("child", "parent"), [(A, A), (A, B), (A, C), (B, C)])
def test_nobody_stands_above_itself(child: UUID, parent: UUID) -> None:
    with pytest.raises(GroupCycle):
        attach({A: None, B: A, C: B}, child, parent)


@pytest.mark.parametrize(
    ("parents", "ended", "survivor", "expected"),
    [
        ({A: None, B: A, C: None}, A, C, {A: None, B: C, C: None}),
        ({A: None, B: A}, B, A, {A: None, B: None}),
        ({A: None, B: A}, A, B, {A: None, B: None}),
        ({A: None, B: A, C: B, D: C}, B, D, {A: None, B: None, C: D, D: A}),
    ],
)
def test_what_stood_below_stands_below_the_survivor(
    parents: dict[UUID, UUID | None], ended: UUID, survivor: UUID, expected: dict[UUID, UUID | None]
) -> None:
    assert absorb(parents, ended, survivor) == expected


@given(forests(), st.data())
def test_attaching_makes_no_ring(parents: dict[UUID, UUID | None], data: st.DataObject) -> None:
    child, parent = data.draw(st.sampled_from(list(parents))), data.draw(st.sampled_from(list(parents)))
    try:
        after = attach(parents, child, parent)
    except GroupCycle:
        assert child == parent or child in ancestors(parents, parent)
    else:
        assert ancestors(after, child)[0] == parent
        assert tops(after) == {each: ([each, *ancestors(after, each)])[-1] for each in after}


@given(forests(), st.data())
def test_absorbing_makes_no_ring_and_loses_nobody(
    parents: dict[UUID, UUID | None], data: st.DataObject
) -> None:
    ended, survivor = data.draw(st.permutations(list(parents)))[:2]
    after = absorb(parents, ended, survivor)
    assert after.keys() == parents.keys()
    assert after[ended] is None and ended not in after.values()
    for company in after:
        if company not in (ended, survivor) and parents[company] == ended:
            assert after[company] == survivor
        ancestors(after, company)
