"""A small vocabulary for dunning tests: customers, items and days told in one line each."""

from datetime import date, timedelta
from uuid import UUID

from libs.contracts.ids import new_id
from services.dunning.domain.facts import (
    Contact,
    CustomerFacts,
    Exclusion,
    ItemKind,
    OpenItem,
    Passed,
    Pause,
)
from services.dunning.domain.next_action import NextAction, Nothing, next_action
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step, default_steps

#: The due date that "D0" stands for: a Monday.
D0 = date(2026, 3, 2)
TEMPLATE = UUID(int=1)
CUSTOMER = UUID(int=100)
UNIT = UUID(int=200)
CONTACT = Contact(UUID(int=300), "Camille", "dunning", email="camille@example.com", phone="+33199000000")


def day(offset: int) -> date:
    return D0 + timedelta(days=offset)


def item(
    number: str = "F1",
    minor: int = 10_000,
    due: int = 0,
    *,
    currency: str = "EUR",
    unit: UUID = UNIT,
    customer: UUID = CUSTOMER,
    exclusion: Exclusion | None = None,
) -> OpenItem:
    """An open item due `due` days from D0; negative amounts are credits."""
    return OpenItem(
        id=new_id(),
        customer_id=customer,
        business_unit_id=unit,
        currency=currency,
        number=number,
        issue_date=day(due - 30),
        due_date=day(due),
        open_minor=minor,
        kind=ItemKind.INVOICE if minor > 0 else ItemKind.CREDIT_NOTE,
        exclusion=exclusion,
    )


def facts(
    *items: OpenItem,
    passed: tuple[Passed, ...] = (),
    pause: Pause | None = None,
    last_automatic_on: date | None = None,
    contacts: tuple[Contact, ...] = (CONTACT,),
) -> CustomerFacts:
    return CustomerFacts(
        customer_id=CUSTOMER,
        items=items,
        passed=passed,
        contacts=contacts,
        pause=pause,
        last_automatic_on=last_automatic_on,
    )


def emails(*offsets: int, **version: object) -> ScenarioVersion:
    """A scenario of automatic e-mails at the given days after the due date; without a cap unless said."""
    steps = tuple(Step(Channel.EMAIL, Mode.AUTOMATIC, TEMPLATE, offset_days=offset) for offset in offsets)
    return ScenarioVersion(id=new_id(), scenario_id=new_id(), steps=steps, **({"cap_days": 0} | version))  # type: ignore[arg-type]


def default_version() -> ScenarioVersion:
    return ScenarioVersion(id=new_id(), scenario_id=new_id(), steps=default_steps(TEMPLATE, UUID(int=2)))


def passing(action: NextAction, version: ScenarioVersion, on: date) -> Passed:
    """The record of an action done on a day."""
    return Passed(action.leader.id, version.id, action.position, action.nominal_days, on)


def run(
    items: list[OpenItem], version: ScenarioVersion, first: int, last: int, every: int = 1
) -> list[tuple[int, str, int]]:
    """Run a scenario from one day to another, doing each action on the day it is found due.

    Returns (day, leader's number, position) for every action done: what a customer would live through.
    """
    done: list[tuple[int, str, int]] = []
    passed: tuple[Passed, ...] = ()
    last_automatic_on = None
    for offset in range(first, last + 1, every):
        book = facts(*items, passed=passed, last_automatic_on=last_automatic_on)
        action = next_action(book, version, day(offset))
        if isinstance(action, Nothing) or action.due_on > day(offset):
            continue
        done.append((offset, action.leader.number, action.position))
        passed += (passing(action, version, day(offset)),)
        if action.step.sends_by_itself:
            last_automatic_on = day(offset)
    return done
