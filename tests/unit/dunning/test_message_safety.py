"""What no message may ever do, over generated portfolios in which anything may happen between planning and sending."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.ids import new_id
from services.dunning.domain.contacts import reachable_contact
from services.dunning.domain.facts import CustomerFacts, Exclusion, ForeignItemError, OpenItem, Pause
from services.dunning.domain.moment_of_sending import (
    Planned,
    Withdrawn,
    at_the_moment,
    specific_at_the_moment,
)
from services.dunning.domain.next_action import NextAction, next_action
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step
from services.dunning.domain.simulation import PastItem, simulate
from tests.unit.dunning.books import CONTACT, CUSTOMER, TEMPLATE, UNIT, day, item, passing

HOLDS = ("dispute", "promise", "specific_action", "litigation", "insolvency", "payment_plan", "handed_over")
_UNITS = (UNIT, UUID(int=201))
_items = st.builds(
    item,
    number=st.sampled_from(["A", "B", "C", "D"]),
    minor=st.integers(-20_000, 40_000).filter(bool),
    due=st.integers(-40, 40),
    currency=st.sampled_from(["EUR", "EUR", "USD"]),
    unit=st.sampled_from(_UNITS),
    exclusion=st.none()
    | st.builds(Exclusion, st.sampled_from(HOLDS), st.none() | st.integers(0, 30).map(day)),
)
_steps = st.lists(
    st.tuples(st.integers(-10, 60), st.sampled_from([Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.CALL])), max_size=5
).map(
    lambda found: tuple(
        Step(channel, Mode.AUTOMATIC if channel.is_message else Mode.MANUAL, TEMPLATE, offset_days=offset)
        for offset, channel in sorted(found, key=lambda one: one[0])
    )
)  # fmt: skip
_versions = st.builds(
    ScenarioVersion,
    id=st.builds(new_id),
    scenario_id=st.builds(new_id),
    steps=_steps,
    minimums=st.sampled_from([{}, {"EUR": 5_000}, {"EUR": 30_000, "USD": 1}]),
    ignore_under=st.sampled_from([{}, {"EUR": 1_000}]),
    cap_days=st.sampled_from([0, 3, 7]),
    net_credits=st.booleans(),
)
_pauses = st.none() | st.builds(Pause, st.just("asked"), st.none() | st.integers(0, 30).map(day))


def _book(items: list[OpenItem], pause: Pause | None, last: int | None = None) -> CustomerFacts:
    return CustomerFacts(
        CUSTOMER, tuple(items), contacts=(CONTACT,), pause=pause, last_automatic_on=None if last is None else day(last)
    )  # fmt: skip


def _is_safe(said: NextAction, now: CustomerFacts, on: int, followed: frozenset[str] = frozenset()) -> None:
    present = {one.id: one for one in now.items}
    assert said.items, "a message speaks of something"
    for one in said.items:
        assert present[one.id] == one, "its own customer's items, with the amounts of now"
        held = one.excluded_on(day(on)) and one.exclusion is not None and one.exclusion.code not in followed
        assert not held, "nothing disputed, promised or otherwise held out"
    assert now.pause is None or not now.pause.holds_on(day(on))
    assert any(amount > 0 for amount in said.net.values())
    sums: dict[str, int] = {}
    for one in said.items:
        sums[one.currency] = sums.get(one.currency, 0) + one.open_minor
    assert sums == said.net, "what it asks for is what it lists"


@given(
    st.lists(_items, max_size=6), st.lists(_items, max_size=3), _versions, _pauses, _pauses, st.integers(0, 60),
    st.integers(0, 20), st.none() | st.integers(-10, 60), st.data(),
)  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_whatever_happens_between_planning_and_sending_a_message_stays_safe(
    before: list[OpenItem], added: list[OpenItem], version: ScenarioVersion, pause: Pause | None, later: Pause | None,
    planned_on: int, waited: int, last: int | None, data: st.DataObject,
) -> None:  # fmt: skip
    planned = next_action(_book(before, pause), version, day(planned_on))
    if not isinstance(planned, NextAction):
        return
    changed = []
    for one in before:  # paid, paid in part, put under dispute, or as it was
        fate = data.draw(st.sampled_from(["paid", "partly", "held", "same", "same"]))
        if fate == "partly" and abs(one.open_minor) > 1:
            changed.append(replace(one, open_minor=one.open_minor // 2 or 1))
        elif fate == "held":
            changed.append(replace(one, exclusion=Exclusion("dispute")))
        elif fate != "paid":
            changed.append(one)
    on = planned_on + waited
    now = _book([*changed, *added], later, last)
    said = at_the_moment(Planned(planned.leader.id, version.id, planned.position), now, version, day(on))
    if isinstance(said, Withdrawn):
        return
    _is_safe(said, now, on)
    assert said.leader.id == planned.leader.id
    if said.step.sends_by_itself and last is not None:
        assert day(last) + timedelta(days=version.cap_days) <= day(on), "never within the cap's window"
    for unit in _UNITS:  # credits of one unit and currency never pay another's
        for currency in {one.currency for one in said.items}:
            pot = [one for one in said.items if one.business_unit_id == unit and one.currency == currency]
            assert not pot or sum(one.open_minor for one in pot) > 0


@given(
    st.lists(_items, min_size=1, max_size=6),
    _versions,
    _pauses,
    st.integers(0, 60),
    st.none() | st.integers(-10, 60),
    st.data(),
)
@settings(max_examples=300, deadline=None)
def test_a_specific_message_speaks_of_its_own_items_only(
    items: list[OpenItem],
    version: ScenarioVersion,
    pause: Pause | None,
    on: int,
    last: int | None,
    data: st.DataObject,
) -> None:
    wanted = frozenset(one.id for one in items if data.draw(st.booleans()))
    now = _book(items, pause, last)
    step = Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE)
    contact = reachable_contact(now.contacts, Channel.EMAIL)
    said = specific_at_the_moment(wanted, step, now, version, contact, day(on))
    if isinstance(said, Withdrawn):
        return
    _is_safe(said, now, on, frozenset({"specific_action", "promise", "payment_plan"}))
    assert {one.id for one in said.items} <= wanted
    assert last is None or day(last) + timedelta(days=version.cap_days) <= day(on)


@given(st.lists(_items, max_size=5), _versions, _pauses)
@settings(max_examples=200, deadline=None)
def test_a_simulated_quarter_keeps_the_cap_and_takes_no_step_twice(
    items: list[OpenItem], version: ScenarioVersion, pause: Pause | None
) -> None:
    book = _book(items, pause)
    done = simulate(book, version, day(0), day(90), working_day=lambda on: on)
    assert done == simulate(book, version, day(0), day(90), working_day=lambda on: on)
    taken = [(one.action.leader.id, one.action.position) for one in done]
    assert len(taken) == len(set(taken))
    sent = [one.on for one in done if one.action.step.sends_by_itself]
    assert all((after - before).days >= version.cap_days for before, after in pairwise(sent))
    for one in done:
        assert not any(shown.excluded_on(one.on) for shown in one.action.items)


def test_a_simulation_does_what_days_lived_one_by_one_do() -> None:
    version = ScenarioVersion(new_id(), new_id(), tuple(
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=offset) for offset in (5, 20, 40)
    ))  # fmt: skip
    debt, other = item("A"), item("B", due=10)
    done = simulate(_book([debt, other], None), version, day(0), day(80), working_day=lambda on: on)
    lived, passed, last = [], (), None
    for offset in range(81):
        book = replace(_book([debt, other], None), passed=passed, last_automatic_on=last)
        found = next_action(book, version, day(offset))
        if isinstance(found, NextAction) and found.due_on <= day(offset):
            lived.append((day(offset), found.position))
            passed, last = (*passed, passing(found, version, day(offset))), day(offset)
    assert [(one.on, one.action.position) for one in done] == lived


def test_a_replay_stops_where_the_money_came() -> None:
    version = ScenarioVersion(new_id(), new_id(), (
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=5),
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=20),
    ))  # fmt: skip
    debt = item("A", minor=10_000)
    past = [PastItem(debt, ((debt.issue_date, 10_000), (day(7), 4_000), (day(18), 0)))]
    done = simulate(_book([], None), version, day(-30), day(60), working_day=lambda on: on, past=past)
    assert [(one.on, one.action.net) for one in done] == [(day(5), {"EUR": 10_000})]


def test_a_strangers_item_is_refused_before_anything_is_decided() -> None:
    with pytest.raises(ForeignItemError):
        _book([item(customer=UUID(int=5))], None)
