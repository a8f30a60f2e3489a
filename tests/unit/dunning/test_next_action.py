"""What comes next for a customer: leader, progress, lateness, cap, netting, and nothing twice."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.ids import new_id
from services.dunning.domain.facts import Contact, Exclusion, ForeignItemError, OpenItem, Passed, Pause
from services.dunning.domain.next_action import NextAction, Nothing, Reason, next_action
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step
from tests.unit.dunning.books import (
    CONTACT,
    CUSTOMER,
    TEMPLATE,
    day,
    default_version,
    emails,
    facts,
    item,
    passing,
    run,
)


def decide(*items: OpenItem, version: ScenarioVersion, on: int, **more: object) -> NextAction | Nothing:
    return next_action(facts(*items, **more), version, day(on))  # type: ignore[arg-type]


def action(*items: OpenItem, version: ScenarioVersion, on: int, **more: object) -> NextAction:
    decided = decide(*items, version=version, on=on, **more)
    assert isinstance(decided, NextAction), decided
    return decided


def test_the_default_scenario_is_two_mails_and_a_call() -> None:
    assert run([item()], default_version(), 0, 90) == [(5, "F1", 0), (15, "F1", 1), (30, "F1", 2)]


@pytest.mark.parametrize(
    ("older", "other"),
    [
        (item("A", due=-3), item("B", 99_999_999, due=0)),
        (item("A", 20_000), item("B", 10_000)),
        (item("A", 10_000), item("B", 10_000)),
        (item("A", 10_000, due=3), item("C", -900, due=-90)),
        (item("A", due=0), replace(item("B", due=1), issue_date=day(-400))),
    ],
    ids=[
        "oldest due date",
        "then largest",
        "then number",
        "a credit never leads",
        "the invoice date says nothing",
    ],
)
def test_who_leads(older: OpenItem, other: OpenItem) -> None:
    version = emails(5)
    assert action(older, other, version=version, on=10).leader is older
    assert action(other, older, version=version, on=10).leader is older


def test_a_late_step_keeps_its_interval_to_the_next() -> None:
    assert run([item()], default_version(), 12, 90) == [(12, "F1", 0), (22, "F1", 1), (37, "F1", 2)]


def test_a_step_done_early_brings_the_next_one_no_closer() -> None:
    version, leader = emails(5, 15), item()
    early = (Passed(leader.id, version.id, 0, 5, day(1)),)
    assert action(leader, version=version, on=6, passed=early).due_on == day(15)


def test_after_an_outage_one_message_and_not_the_backlog() -> None:
    done = run([item()], default_version(), 60, 60)
    assert done == [(60, "F1", 0)]


def test_a_weekly_run_neither_skips_nor_doubles() -> None:
    assert run([item()], default_version(), 0, 70, every=7) == [(7, "F1", 0), (21, "F1", 1), (42, "F1", 2)]


def test_the_next_oldest_takes_over_from_its_own_first_step() -> None:
    version = emails(5, 15)
    first, second = item("A", due=0), item("B", due=4)
    sent = action(first, second, version=version, on=5)
    passed = (passing(sent, version, day(5)),)
    paid = action(second, version=version, on=12, passed=passed)
    assert (paid.leader.number, paid.position, paid.due_on) == ("B", 0, day(9))


def test_a_leader_that_returns_goes_on_where_it_stood() -> None:
    version = emails(5, 15)
    first, second = item("A", due=0), item("B", due=4)
    passed = (Passed(first.id, version.id, 0, 5, day(5)), Passed(second.id, version.id, 0, 5, day(11)))
    back = action(first, second, version=version, on=16, passed=passed)
    assert (back.leader.number, back.position, back.due_on) == ("A", 1, day(15))


def test_another_scenario_does_not_say_again_what_was_said() -> None:
    soft, hard = emails(5, 15, 30), emails(3, 10, 20)
    leader = item()
    passed = (Passed(leader.id, soft.id, 0, 5, day(5)), Passed(leader.id, soft.id, 1, 15, day(15)))
    changed = action(leader, version=hard, on=16, passed=passed)
    assert (changed.position, changed.due_on) == (2, day(20))


def test_two_steps_on_one_day_are_both_done() -> None:
    steps = (
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=5),
        Step(Channel.CALL, Mode.MANUAL, offset_days=5),
    )
    version = ScenarioVersion(new_id(), new_id(), steps)
    assert run([item()], version, 5, 20) == [(5, "F1", 0), (6, "F1", 1)]


def test_a_step_may_count_from_the_one_before() -> None:
    steps = (
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=5),
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, after_days=10),
    )
    version = ScenarioVersion(new_id(), new_id(), steps)
    assert run([item()], version, 9, 40) == [(9, "F1", 0), (19, "F1", 1)]


def test_a_step_before_the_due_date_announces_what_falls_due_first() -> None:
    announced = action(item("A", due=0), item("B", due=20), version=emails(-3, 5), on=-5)
    assert (announced.due_on, [shown.number for shown in announced.items]) == (day(-3), ["A"])


def test_an_automatic_message_waits_for_the_cap_whoever_led_before() -> None:
    version = emails(5, 15, cap_days=7)
    capped = action(item("B"), version=version, on=6, last_automatic_on=day(4))
    assert capped.due_on == day(11)


@pytest.mark.parametrize("mode", [Mode.TO_CONFIRM, Mode.MANUAL])
def test_the_cap_holds_no_person_back(mode: Mode) -> None:
    version = ScenarioVersion(new_id(), new_id(), (Step(Channel.EMAIL, mode, TEMPLATE, offset_days=5),))
    assert action(item(), version=version, on=6, last_automatic_on=day(4)).due_on == day(5)


def test_an_excluded_item_neither_leads_nor_shows_until_its_day_has_passed() -> None:
    disputed = item("A", due=0, exclusion=Exclusion("dispute"))
    promised = item("B", due=1, exclusion=Exclusion("promise", until=day(20)))
    free = item("C", due=2)
    seen = action(disputed, promised, free, version=emails(5), on=20)
    assert [shown.number for shown in seen.items] == ["C"]
    assert action(disputed, promised, free, version=emails(5), on=21).leader is promised


def test_what_nothing_comes_next_for_says_why_and_when_to_look_again() -> None:
    version = emails(5, minimums={"EUR": 5_000})
    small, later = item("A", 3_000, due=0), item("B", 3_000, due=8)
    promised = item(exclusion=Exclusion("promise", until=day(20)))
    assert decide(version=version, on=9) == Nothing(Reason.NOTHING_OPEN)
    assert decide(item(minor=-500), version=version, on=9) == Nothing(Reason.NOTHING_OPEN)
    assert decide(promised, version=version, on=9) == Nothing(Reason.ALL_EXCLUDED, day(21))
    assert decide(small, later, version=version, on=8) == Nothing(Reason.BELOW_MINIMUM, day(9))
    assert action(small, later, version=version, on=9).net == {"EUR": 6_000}
    assert decide(item(), version=version, on=9, pause=Pause("cannot pay", day(30))) == Nothing(
        Reason.PAUSED, day(31)
    )
    assert decide(item(), version=version, on=9, pause=Pause("court")) == Nothing(Reason.PAUSED)
    assert decide(item(), version=emails(), on=9) == Nothing(Reason.NO_STEPS)
    leader = item()
    finished = (Passed(leader.id, version.id, 0, 5, day(5)),)
    assert decide(leader, version=version, on=9, passed=finished) == Nothing(Reason.SCENARIO_FINISHED)


def test_an_older_item_that_returns_sooner_is_looked_at_on_that_day() -> None:
    promised = item("A", due=0, exclusion=Exclusion("promise", until=day(20)))
    assert action(promised, item("B", due=30), version=emails(5), on=9).look_again_on == day(21)
    assert action(promised, item("B", due=3), version=emails(5), on=6).look_again_on == day(8)


def test_a_pause_ends_by_itself() -> None:
    pause = Pause("holidays", day(30))
    assert isinstance(decide(item(), version=emails(5), on=30, pause=pause), Nothing)
    assert isinstance(decide(item(), version=emails(5), on=31, pause=pause), NextAction)


def test_credits_net_within_unit_and_currency_only() -> None:
    elsewhere = UUID(int=201)
    version = emails(5, minimums={"EUR": 1_000})
    debt = item("A", 10_000)
    assert isinstance(decide(debt, item("C", -9_500), version=version, on=9), Nothing)
    assert action(debt, item("C", -9_500, currency="CHF"), version=version, on=9).net == {"EUR": 10_000}
    other_unit = action(debt, item("C", -9_500, unit=elsewhere), version=version, on=9)
    assert other_unit.net == {"EUR": 10_000}
    assert [shown.number for shown in other_unit.items] == ["A"]


def test_a_disputed_credit_pays_nothing() -> None:
    credit = item("C", -9_500, exclusion=Exclusion("dispute"))
    assert action(item("A", 10_000), credit, version=emails(5, minimums={"EUR": 1_000}), on=9).net == {
        "EUR": 10_000
    }


def test_items_under_an_amount_are_ignored() -> None:
    version = emails(5, ignore_under={"EUR": 500})
    assert action(item("A", 499, due=-9), item("B", 500), version=version, on=9).leader.number == "B"


def test_a_pot_covered_by_credits_leaves_the_lead_to_another() -> None:
    francs = item("B", 5_000, due=3, currency="CHF")
    decided = action(item("A", 10_000), item("C", -10_000), francs, version=emails(5), on=9)
    assert decided.leader is francs
    assert decided.net == {"CHF": 5_000}
    assert decided.items == (francs,)


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ((CONTACT,), None),
        ((), "no_contact"),
        ((Contact(UUID(int=1), "Sales", "sales", email="s@example.com"),), "no_contact"),
        ((Contact(UUID(int=1), "Gone", "dunning", email="g@example.com", blacklisted=True),), "no_contact"),
        ((Contact(UUID(int=1), "Accounts", "accounting", email="a@example.com"),), None),
    ],
)
def test_a_mail_nobody_can_receive_is_blocked_and_not_lost(
    contacts: tuple[Contact, ...], expected: str | None
) -> None:
    assert action(item(), version=emails(5), on=9, contacts=contacts).blocked_by == expected


def test_another_customers_item_is_refused_before_anything_is_decided() -> None:
    with pytest.raises(ForeignItemError):
        facts(item(), item(customer=UUID(int=101)))


offsets = st.lists(st.integers(-10, 60), min_size=1, max_size=5).map(sorted)
books = st.lists(
    st.tuples(
        st.integers(-5_000, 50_000).filter(bool),
        st.integers(-40, 40),
        st.sampled_from(["EUR", "CHF"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def made(drawn: list[tuple[int, int, str, bool]]) -> list[OpenItem]:
    return [
        item(
            f"I{position}",
            minor,
            due,
            currency=currency,
            exclusion=Exclusion("dispute") if disputed else None,
        )
        for position, (minor, due, currency, disputed) in enumerate(drawn)
    ]


@given(books, offsets, st.integers(-20, 90))
def test_a_decision_shows_only_what_may_be_claimed(
    drawn: list[tuple[int, int, str, bool]], steps: list[int], on: int
) -> None:
    items = made(drawn)
    decided = decide(*items, version=emails(*steps), on=on)
    if isinstance(decided, Nothing):
        return
    assert decided.leader.open_minor > 0
    assert not any(shown.excluded_on(day(on)) for shown in decided.items)
    assert all(shown.customer_id == CUSTOMER for shown in decided.items)
    assert decided.leader in decided.items
    eligible = [debt for debt in items if debt.open_minor > 0 and not debt.excluded_on(day(on))]
    assert all(
        decided.leader.due_date <= debt.due_date
        for debt in eligible
        if debt.currency == decided.leader.currency
    )
    for currency, net in decided.net.items():
        assert net == sum(shown.open_minor for shown in decided.items if shown.currency == currency)
    assert all(net > 0 for net in decided.net.values()) or decided.due_on > day(on)


@given(books, offsets, st.integers(1, 9), st.integers(0, 12))
def test_no_step_twice_and_no_two_messages_within_the_cap(
    drawn: list[tuple[int, int, str, bool]], steps: list[int], every: int, cap: int
) -> None:
    done = run(made(drawn), emails(*steps, cap_days=cap), -50, 150, every)
    assert len({(number, position) for _, number, position in done}) == len(done)
    sent = [offset for offset, *_ in done]
    assert all(later - earlier >= max(cap, 1) for earlier, later in pairwise(sent))
    for number in {number for _, number, _ in done}:
        positions = [position for _, leader, position in done if leader == number]
        assert positions == list(range(len(positions))), "steps are taken one after the other"


@given(books, offsets, st.integers(-20, 90))
def test_running_a_day_twice_decides_the_same(
    drawn: list[tuple[int, int, str, bool]], steps: list[int], on: int
) -> None:
    items, version = made(drawn), emails(*steps)
    assert decide(*items, version=version, on=on) == decide(*reversed(items), version=version, on=on)


@given(books, offsets, st.integers(-20, 60))
def test_nothing_changes_before_the_day_to_look_again(
    drawn: list[tuple[int, int, str, bool]], steps: list[int], on: int
) -> None:
    """A quiet day may be skipped: until `look_again_on` the same step of the same leader would be found."""
    items, version = made(drawn), emails(*steps)
    decided = decide(*items, version=version, on=on)
    look_again: date = decided.look_again_on or day(on + 40)
    for offset in range((min(look_again, day(on + 40)) - day(on)).days):
        later = next_action(facts(*items), version, day(on) + timedelta(days=offset))
        if isinstance(decided, NextAction) and isinstance(later, NextAction):
            assert (later.leader, later.position, later.due_on) == (
                decided.leader,
                decided.position,
                decided.due_on,
            )
        else:
            assert type(later) is type(decided)
