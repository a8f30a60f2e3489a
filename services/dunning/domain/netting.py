"""What a customer is asked for: debts less the credits it has not used, within one business unit and one
currency.

A credit note of one unit never pays the invoice of another, nor francs euros (DOMAIN §1, netting).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.dunning.domain.facts import OpenItem
from services.dunning.domain.scenario import ScenarioVersion

__all__ = ["Pot", "pots"]


@dataclass(frozen=True, slots=True)
class Pot:
    """The items of one customer that net against each other.

    `debts` are those a scenario may claim: neither excluded nor too small, oldest first. `credits` are
    negative.
    """

    business_unit_id: UUID
    currency: str
    debts: tuple[OpenItem, ...]
    credits: tuple[OpenItem, ...]

    def claimed(self, as_of: date) -> tuple[OpenItem, ...]:
        """Debts past their due date; before anything is late, those that fall due first."""
        first_due = self.debts[0].due_date if self.debts else as_of
        return tuple(item for item in self.debts if item.due_date < as_of or item.due_date == first_due)

    def net(self, as_of: date) -> int:
        """What is claimed less unused credits, in minor units; zero or less when credits cover it."""
        return sum(item.open_minor for item in (*self.claimed(as_of), *self.credits))

    def worth_claiming(self, as_of: date, minimum: int) -> bool:
        """Whether the net is above zero and reaches the scenario's minimum."""
        return bool(self.debts) and self.net(as_of) > 0 and self.net(as_of) >= minimum

    def grows_on(self, as_of: date) -> date | None:
        """The next day on which one more debt becomes late, if there is one."""
        return min(
            (item.due_date + timedelta(days=1) for item in self.debts if item.due_date >= as_of), default=None
        )


def pots(items: Iterable[OpenItem], version: ScenarioVersion, as_of: date) -> list[Pot]:
    """A customer's items sorted into pots. An item excluded on `as_of` is in none of them, debit or credit:
    a credit under dispute pays nothing. A scenario that does not net leaves all credits out."""
    debts: dict[tuple[UUID, str], list[OpenItem]] = {}
    credits: dict[tuple[UUID, str], list[OpenItem]] = {}  # noqa: A001 - the field's word
    for item in items:
        if item.excluded_on(as_of):
            continue
        key = item.business_unit_id, item.currency
        if item.open_minor < 0:
            if not version.net_credits:
                continue
            credits.setdefault(key, []).append(item)
        elif item.open_minor >= version.ignore_under.get(item.currency, 0):
            debts.setdefault(key, []).append(item)
    return [
        Pot(unit, currency, tuple(sorted(found, key=seniority)), tuple(credits.get((unit, currency), ())))
        for (unit, currency), found in sorted(debts.items())
    ]


def seniority(item: OpenItem) -> tuple[date, int, str, UUID]:
    """The order in which items lead: oldest due date, then largest open amount, then number (DOMAIN §1).

    Amounts of two currencies are compared as they stand, in minor units: only a tie on the due date gets
    there, and the order must merely be the same every day.
    """
    return item.due_date, -item.open_minor, item.number, item.id
