"""What a letter may say: plain facts about one customer, and nothing that could lead to another's."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.dunning.domain.facts import ForeignItemError, OpenItem

__all__ = ["LetterFacts", "Sender", "Situation"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the business unit the money is owed to and how to answer."""

    name: str
    email: str = ""
    phone: str = ""
    collector: str = ""
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What a message speaks of besides the items; empty where it does not. `promise_minor` is in minor units of
    `promise_currency`; `status` and `dispute` are labels in the reader's language, `page_url` the customer's
    own page."""

    status: str = ""
    comment: str = ""
    promise_on: date | None = None
    promise_minor: int | None = None
    promise_currency: str = ""
    dispute: str = ""
    page_url: str = ""


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """Everything a template can show. Amounts are signed minor units; `net` is by currency.

    Raises ForeignItemError when an item belongs to another customer: no letter is ever written from such
    facts.
    """

    customer_id: UUID
    customer_name: str
    customer_number: str
    contact_name: str
    sender: Sender
    items: tuple[OpenItem, ...]
    leader: OpenItem | None
    net: dict[str, int]
    today: date
    address: tuple[str, ...] = ()
    situation: Situation = Situation()

    def __post_init__(self) -> None:
        for item in (*self.items, *([self.leader] if self.leader else [])):
            if item.customer_id != self.customer_id:
                raise ForeignItemError(f"item {item.id} belongs to another customer")
