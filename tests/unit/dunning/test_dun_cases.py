"""Cases other products test, told in our words: the same answer, or another one with its reason.

The numbers are those of `data/cases` (DUN-nn). Reminder fees and interest (DUN-10, 11, 32, 34, 81) are claims of the ledger,
never lines a reminder adds by itself; scenarios hang on customers and not on ledger accounts (DUN-29); who may read and who may
send are scopes, dunning:read and dunning:send (DUN-31).
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from services.dunning.domain.facts import Exclusion, Pause
from services.dunning.domain.moment_of_sending import Planned, Withdrawn, at_the_moment
from services.dunning.domain.next_action import NextAction, Nothing, Reason, next_action
from services.dunning.domain.scenario import Channel, Mode, Step, findings
from tests.unit.dunning.books import (
    TEMPLATE,
    day,
    default_version,
    emails,
    facts,
    item,
    passing,
    run,
)

LEVELS = (5, 20, 40)
#: Cases shown here; the data-marked test below checks that the list of cases still knows them.
SHOWN = (
    1, 3, 5, 6, 8, 13, 21, 22, 24, 26, 27, 41, 42, 44, 46, 47, 49, 51, 52, 54, 60, 61, 63, 65, 66, 68, 70, 71, 73, 82, 84,
)  # fmt: skip


def test_dun_01_nothing_before_the_first_level() -> None:
    assert run([item()], emails(*LEVELS), 0, 4) == []
    assert run([item()], emails(*LEVELS), 0, 5) == [(5, "F1", 0)]


def test_dun_03_what_was_not_done_is_not_escalated() -> None:
    decided = next_action(facts(item()), emails(*LEVELS), day(30))
    assert isinstance(decided, NextAction)
    assert decided.position == 0


def test_dun_05_06_a_block_holds_the_level_and_its_end_lets_the_next_one_through() -> None:
    version, debt = emails(*LEVELS), item()
    first = next_action(facts(debt), version, day(5))
    assert isinstance(first, NextAction)
    passed = (passing(first, version, day(5)),)
    assert isinstance(
        next_action(facts(debt, passed=passed, pause=Pause("blocked")), version, day(30)), Nothing
    )
    freed = next_action(facts(debt, passed=passed), version, day(30))
    assert isinstance(freed, NextAction)
    assert (freed.position, freed.due_on) == (1, day(20))


def test_dun_08_51_after_the_last_step_nothing_more() -> None:
    assert run([item()], emails(*LEVELS), 0, 200) == [(5, "F1", 0), (20, "F1", 1), (40, "F1", 2)]


def test_dun_13_an_unmatched_payment_is_deducted_and_one_message_leaves() -> None:
    decided = next_action(facts(item(minor=10_000), item("PAY", -5_000)), emails(5), day(5))
    assert isinstance(decided, NextAction)
    assert decided.net == {"EUR": 5_000}


def test_dun_21_decided_otherwise_steps_count_days_and_no_month_ends() -> None:
    """OCA rounds "due + 30 days" up to the month's end. A reminder that waits for the month's end is late by up to a month for
    nobody's good: here 30 days are 30 days."""
    assert run([item()], emails(30), 0, 60) == [(30, "F1", 0)]


def test_dun_22_a_step_counts_from_the_one_before_it_once_that_was_sent() -> None:
    steps = (
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=5),
        Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, after_days=10),
    )
    version = replace(emails(5), steps=steps)
    assert run([item()], version, 0, 40) == [(5, "F1", 0), (15, "F1", 1)]
    assert run([item()], version, 9, 40) == [(9, "F1", 0), (19, "F1", 1)], "sent late, it keeps its distance"


def test_dun_24_three_runs_far_apart_take_three_steps() -> None:
    assert run([item()], emails(*LEVELS), 30, 210, every=60)[:3] == [
        (30, "F1", 0),
        (90, "F1", 1),
        (150, "F1", 2),
    ]


def test_dun_26_the_first_step_cannot_count_from_a_step_before() -> None:
    steps = [Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, after_days=10)]
    assert [finding.code for finding in findings(steps)] == ["first_step_relative"]


def test_dun_27_decided_otherwise_an_invoice_may_be_cancelled_and_its_reminder_is_withdrawn() -> None:
    """OCA refuses to cancel an invoice whose reminder waits to be sent. Books come first: the invoice is cancelled and the
    reminder withdrawn at the moment of sending."""
    version, debt = emails(5), item()
    assert at_the_moment(Planned(debt.id, version.id, 0), facts(), version, day(6)) == Withdrawn(
        "nothing_open"
    )


@pytest.mark.parametrize(("minimum", "found"), [(5_099, False), (5_000, True), (4_999, True)])
def test_dun_41_46_the_minimum_is_inclusive_and_the_scenarios_own(minimum: int, found: bool) -> None:
    decided = next_action(facts(item(minor=5_000)), emails(5, minimums={"EUR": minimum}), day(9))
    assert isinstance(decided, NextAction) == found


def test_dun_42_decided_otherwise_a_currency_without_a_minimum_has_none() -> None:
    """Lago claims nothing in a currency without a threshold. A customer billed in a second currency would
    then never be reminded of it, so here a minimum in pounds says nothing about euros."""
    assert isinstance(
        next_action(facts(item(minor=5_000)), emails(5, minimums={"GBP": 1}), day(9)), NextAction
    )


def test_dun_44_not_again_within_the_window() -> None:
    decided = next_action(facts(item(), last_automatic_on=day(6)), emails(5, cap_days=4), day(9))
    assert isinstance(decided, NextAction)
    assert decided.due_on == day(10)


def test_dun_47_70_71_what_is_excluded_stays_out_and_comes_back_at_once() -> None:
    version = emails(5)
    written_off = item(exclusion=Exclusion("manual"))
    assert next_action(facts(written_off), version, day(6)) == Nothing(Reason.ALL_EXCLUDED)
    freed = next_action(facts(item()), version, day(6))
    assert isinstance(freed, NextAction)
    assert freed.due_on <= day(6)


def test_dun_49_decided_otherwise_currencies_share_one_leader_and_one_message() -> None:
    """Lago counts attempts by currency. A customer is one reader: the oldest item leads whatever its currency, each currency has
    its own minimum and net, and one that is below it is left out."""
    book = [item("USD", 5_000, due=-3, currency="USD"), item("EUR", 2_500)]
    decided = next_action(facts(*book), emails(5, minimums={"USD": 4_000, "EUR": 2_000}), day(9))
    assert isinstance(decided, NextAction)
    assert (decided.leader.number, decided.net) == ("USD", {"USD": 5_000, "EUR": 2_500})
    alone = next_action(facts(*book), emails(5, minimums={"USD": 6_000, "EUR": 2_000}), day(9))
    assert isinstance(alone, NextAction)
    assert (alone.leader.number, alone.net) == ("EUR", {"EUR": 2_500})


def test_dun_52_decided_otherwise_two_units_are_one_message() -> None:
    """Lago makes one attempt a billing entity. A customer is told once: the leader of both units drives,
    each unit's credits stay its own."""
    ours, theirs = item("A", 5_000, due=-1), item("B", 6_000, unit=UUID(int=201))
    decided = next_action(facts(ours, theirs), emails(5, minimums={"EUR": 4_000}), day(9))
    assert isinstance(decided, NextAction)
    assert decided.net == {"EUR": 11_000}
    assert {shown.number for shown in decided.items} == {"A", "B"}


def test_dun_54_a_small_invoice_waits_for_the_next_to_reach_the_threshold() -> None:
    """Due 2 and 5 days from D0, threshold 150.00: nothing for 149.00 alone, then 155.00."""
    version = emails(1, 3, minimums={"EUR": 15_000}, cap_days=2)
    book = [item("A", 14_900, due=2), item("B", 600, due=5)]
    assert [offset for offset, *_ in run(book, version, 3, 12)] == [6, 8]


@pytest.mark.parametrize(
    ("invoices", "expected"),
    [(0, False), (1, True), (2, True)],
)
def test_dun_60_61_68_any_unpaid_late_invoice_counts(invoices: int, expected: bool) -> None:
    book = [item(f"I{number}", 10_000) for number in range(invoices)]
    assert isinstance(next_action(facts(*book), emails(5), day(6)), NextAction) == expected


def test_dun_63_levels_are_reached_on_their_days() -> None:
    assert run([item()], emails(30, 40, 50), 24, 51) == [(30, "F1", 0), (40, "F1", 1), (50, "F1", 2)]


def test_dun_65_a_chargeback_brings_an_old_invoice_back_and_its_reversal_clears_it() -> None:
    version = emails(30)
    assert isinstance(next_action(facts(), version, day(35)), Nothing)
    returned = next_action(facts(item()), version, day(35))
    assert isinstance(returned, NextAction)
    assert returned.due_on == day(30), "the original due date still counts"


def test_dun_66_the_next_invoice_starts_from_its_own_age() -> None:
    recent = item("B", due=30)
    decided = next_action(facts(recent), emails(30), day(35))
    assert isinstance(decided, NextAction)
    assert decided.due_on == day(60)


def test_dun_73_decided_otherwise_a_late_run_does_not_skip_the_warning() -> None:
    """Kill Bill applies the most severe state that is satisfied. Here steps are taken in order: the first
    reminder goes first however late it is, and the interval to the next is kept."""
    assert run([item()], emails(2, 4, 6), 8, 14) == [(8, "F1", 0), (10, "F1", 1), (12, "F1", 2)]


def test_dun_82_84_paid_or_credited_meanwhile_nothing_leaves() -> None:
    version, debt = default_version(), item()
    planned = Planned(debt.id, version.id, 0)
    assert at_the_moment(planned, facts(), version, day(6)) == Withdrawn("nothing_open")
    credited = facts(debt, item("CN", -10_000))
    assert at_the_moment(planned, credited, version, day(6)) == Withdrawn("below_minimum")
    assert isinstance(at_the_moment(planned, facts(debt), version, day(6)), NextAction)


@pytest.mark.data
def test_the_list_of_cases_knows_every_case_shown_here() -> None:
    source = Path(os.environ.get("ENCOURS_DATA", "../shared/data")) / "cases" / "cases.json"
    known = {case["id"] for case in json.loads(source.read_text()) if case["area"] == "dunning"}
    assert {f"DUN-{number:02d}" for number in SHOWN} <= known
