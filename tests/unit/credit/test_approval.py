"""Who decides a credit limit."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credit.domain.approval import Level, NobodyDecides, may_decide, plan_route

ANNA, BEN, CLARA, DORA = (UUID(int=number) for number in range(1, 5))
LEVELS = [
    Level("director", 50_000_00, (CLARA,)),
    Level("credit manager", 10_000_00, (ANNA, BEN)),
    Level("board", None, (DORA,)),
]


@pytest.mark.parametrize(
    ("amount", "requester", "expected"),
    [
        (5_000_00, DORA, ["credit manager"]),
        (10_000_00, DORA, ["credit manager"]),  # ceilings are inclusive
        (10_000_01, ANNA, ["director"]),
        (5_000_00, CLARA, ["credit manager"]),
        (50_000_00, CLARA, ["board"]),  # alone at the level: the next one decides
        (10**12, ANNA, ["board"]),
        (0, ANNA, ["credit manager"]),
    ],
)
def test_the_first_level_with_authority_decides(amount: int, requester: UUID, expected: list[str]) -> None:
    route = plan_route(LEVELS, amount, requester, "first_with_authority")
    assert [step.level for step in route] == expected
    assert all(requester not in step.user_ids for step in route)


def test_all_levels_below_take_part_when_the_policy_says_so() -> None:
    route = plan_route(LEVELS, 20_000_00, DORA, "all_below")
    assert [step.level for step in route] == ["credit manager", "director"]


def test_levels_above_the_requester_take_part_when_the_policy_says_so() -> None:
    route = plan_route(LEVELS, 10**9, ANNA, "all_above_requester")
    assert [step.level for step in route] == ["director", "board"]


def test_without_levels_anybody_with_the_right_decides() -> None:
    (step,) = plan_route([], 1, ANNA, "first_with_authority")
    assert may_decide(step, BEN)


def test_an_amount_above_the_top_level_is_an_error_that_says_so() -> None:
    with pytest.raises(NobodyDecides) as refusal:
        plan_route(LEVELS[:2], 50_000_01, ANNA, "first_with_authority")
    assert refusal.value.code == "above_top_level"


def test_nobody_but_the_requester_is_an_error_that_says_so() -> None:
    with pytest.raises(NobodyDecides) as refusal:
        plan_route([Level("alone", 100, (ANNA,))], 100, ANNA, "first_with_authority")
    assert refusal.value.code == "no_approver"


users = st.sampled_from([ANNA, BEN, CLARA, DORA])
levels = st.lists(
    st.builds(
        Level,
        st.text(min_size=1, max_size=5),
        st.none() | st.integers(0, 1000),
        st.lists(users, min_size=1, max_size=4, unique=True).map(tuple),
    ),
    max_size=5,
)


@given(
    levels,
    st.integers(0, 1200),
    users,
    st.sampled_from(["first_with_authority", "all_below", "all_above_requester"]),
)
def test_nobody_ever_decides_their_own_request_nor_above_their_level(
    levels, amount, requester, routing
) -> None:
    try:
        route = plan_route(levels, amount, requester, routing)
    except NobodyDecides:
        return
    assert route
    if not levels:
        return
    assert all(step.user_ids and requester not in step.user_ids for step in route)
    last = route[-1].user_ids
    assert any(
        (level.ceiling is None or level.ceiling >= amount) and set(last) <= set(level.user_ids)
        for level in levels
    )
