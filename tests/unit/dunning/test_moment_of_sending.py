"""The last look before a message leaves."""

from dataclasses import replace
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from services.dunning.domain.facts import Contact, CustomerFacts, Exclusion, Passed, Pause
from services.dunning.domain.moment_of_sending import Planned, Withdrawn, at_the_moment
from services.dunning.domain.next_action import NextAction
from tests.unit.dunning.books import day, emails, facts, item

VERSION = emails(5, 15)
DEBT = item("A")
PLANNED = Planned(DEBT.id, VERSION.id, 0)


def test_a_part_payment_changes_the_amount_and_not_the_decision() -> None:
    now = at_the_moment(PLANNED, facts(DEBT, item("PAY", -4_000)), VERSION, day(6))
    assert isinstance(now, NextAction)
    assert now.net == {"EUR": 6_000}


@pytest.mark.parametrize(
    ("book", "code"),
    [
        (facts(), "nothing_open"),
        (facts(item("Z", due=1)), "leader_changed"),
        (facts(DEBT, pause=Pause("cannot pay", day(9))), "paused"),
        (facts(DEBT, passed=(Passed(DEBT.id, VERSION.id, 0, 5, day(5)),)), "already_done"),
        (facts(DEBT, contacts=()), "no_contact"),
        (
            facts(
                DEBT,
                contacts=(Contact(UUID(int=9), "X", "dunning", email="x@example.com", blacklisted=True),),
            ),
            "no_contact",
        ),
        (facts(DEBT, item("CN", -10_000)), "below_minimum"),
    ],
)
def test_what_changed_meanwhile_withdraws_the_step(book: CustomerFacts, code: str) -> None:
    assert at_the_moment(PLANNED, book, VERSION, day(6)) == Withdrawn(code)


def test_a_dispute_opened_meanwhile_withdraws_the_step() -> None:
    disputed = replace(DEBT, exclusion=Exclusion("dispute"))
    assert at_the_moment(PLANNED, facts(disputed), VERSION, day(6)) == Withdrawn("all_excluded")


def test_another_version_of_the_scenario_withdraws_the_step() -> None:
    planned = Planned(DEBT.id, new_id(), 0)
    assert at_the_moment(planned, facts(DEBT), VERSION, day(6)) == Withdrawn("scenario_changed")


def test_another_message_sent_meanwhile_meets_the_cap() -> None:
    version = emails(5, cap_days=7)
    book = facts(DEBT, last_automatic_on=day(6))
    assert at_the_moment(Planned(DEBT.id, version.id, 0), book, version, day(6)) == Withdrawn("frequency_cap")
