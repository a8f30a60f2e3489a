"""What of a company's debt is insured under each policy: the facts gathered once, the rules applied."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.contracts.exchange import Rate, convert, find_conversion
from libs.kit.db import Tx
from services.credit.domain.insurance.cover import Line, lines_on
from services.credit.domain.insurance.insured import Item, Share, Stop, oldest_first, shares
from services.credit.domain.insurance.policy_terms import Terms, version_for
from services.credit.storage import exposure
from services.credit.storage.insurance import clocks, layers, receivables
from services.credit.storage.insurance.layers import Insured


@dataclass(frozen=True, slots=True)
class Position:
    """One company under one policy, item by item; amounts in minor units of the policy's currency."""

    company_id: UUID
    insured: Insured
    shares: list[Share]
    items: list[Item]
    stops: list[Stop]
    convert: Callable[[int, str], int | None]

    @property
    def currency(self) -> str:
        """The policy's currency."""
        found: str = self.insured.policy["currency"]
        return found

    def lines(self, day: date) -> list[Line]:
        """The layers of cover on a day."""
        terms = self.terms(day)
        if terms is None:
            return []
        return lines_on(self.insured.layers, terms, self.insured.buyer, self.currency, day)

    def terms(self, day: date) -> Terms | None:
        """The terms for a delivery of a day."""
        return version_for(self.insured.versions, day)

    def numbered_terms(self, day: date) -> tuple[Terms, int] | None:
        """The terms with their version's number."""
        terms = self.terms(day)
        begun = [pair for pair in self.insured.numbers if pair[0] <= day]
        return None if terms is None else (terms, max(begun)[1])


async def positions(
    tx: Tx, companies: Sequence[UUID], without: Collection[UUID] = (), day: date | None = None
) -> list[Position]:
    """Where companies stand under each of their policies. With `without`, as if those covers ended on `day`."""
    by_company = await layers.insured_companies(tx, companies)
    everyone = [one for found in by_company.values() for one in found]
    if not everyone:
        return []
    imputed = any(terms.allocation == "oldest_first" for one in everyone for _, terms in one.versions)
    items = await receivables.items_of(tx, companies, with_paid=imputed)
    currencies = sorted({one.policy["currency"] for one in everyone})
    rates = await exposure.rates_among(tx, currencies)
    lost = await clocks.foreclosed_items(tx, companies)
    found = []
    for company, policies in by_company.items():
        for one in policies:
            if without and day is not None:
                one = layers.ending(one, without, day)
            terms = version_for(one.versions, tx.today)
            seen = items[company]
            owed = (
                oldest_first(seen)
                if terms and terms.allocation == "oldest_first"
                else [i for i in seen if i.open_amount]
            )
            stops = await receivables.stops_of(tx, one.policy["id"], company)
            position = Position(
                company, one, [], owed, stops, _converter(rates, one.policy["currency"], tx.today)
            )
            units = (
                frozenset(terms.business_unit_ids) if terms and terms.business_unit_ids is not None else None
            )
            position.shares.extend(
                shares(owed, position.lines, position.terms, units, stops, position.convert,
                       lost.get((one.policy["id"], company), frozenset()))
            )  # fmt: skip
            found.append(position)
    return found


def _converter(rates: list[Rate], target: str, day: date) -> Callable[[int, str], int | None]:
    def into(amount: int, currency: str) -> int | None:
        conversion = find_conversion(rates, currency, target, day)
        return None if conversion is None else convert(amount, currency, target, conversion)

    return into
