"""Profiles: one row a company, joined anew whenever one of its facts changes.

Set-based: some thousand companies in five statements, whatever their number. Conversion is done here and not in SQL,
because PostgreSQL rounds halves away from zero and the ledger rounds them to even: a report has to agree to the cent.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Conversion, convert
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from services.risk.domain.profile import Amounts, LimitUse, limit_use, total
from services.risk.storage import profiles as rows_of
from services.risk.storage.alerts import count_anew
from services.risk.usecases.alerts import Raised, watch

LIMIT_EXCEEDED = "limit_exceeded"
_EVERY = 5_000


async def join_anew(tx: Tx, companies: Iterable[UUID]) -> None:
    """Write the profiles of these companies from the facts of this transaction, and open or close their alerts."""
    wanted = sorted(set(companies))
    for start in range(0, len(wanted), _EVERY):
        await _join_some(tx, wanted[start : start + _EVERY])


async def join_all_anew(tx: Tx) -> None:
    """Write every profile of the tenant: rates or the reporting currency changed, or a day passed."""
    await join_anew(tx, await rows_of.all_companies(tx))


async def _join_some(tx: Tx, companies: list[UUID]) -> None:
    await rows_of.lock(tx, companies)
    facts = await rows_of.facts(tx, companies)
    amounts: dict[UUID, list[Amounts]] = defaultdict(list)
    for row in await rows_of.amounts(tx, companies):
        figures = (row["outstanding"], row["overdue"], row["credits"], row["order_book"])
        amounts[row["company_id"]].append(Amounts(row["currency"], *figures))
    people = {row["company_id"]: row for row in await rows_of.customers(tx, companies)}
    currency = tx.tenant.currency
    used = {part.currency for parts in amounts.values() for part in parts}
    used |= {row["limit_currency"] for row in facts if row["limit_currency"]}
    conversions = await rows_of.conversions(tx, currency, used)
    profiles = [
        _profile(row, amounts[row["id"]], people.get(row["id"]), currency, conversions) for row in facts
    ]
    fresh = await rows_of.write(tx, profiles)
    await rows_of.remove_others(tx, companies, [row["id"] for row in facts])
    await watch(tx, [LIMIT_EXCEEDED], companies, [_exceeded(one) for one in profiles if one["overrun"]])
    if fresh:
        await count_anew(tx, fresh)


def _profile(
    facts: Row, amounts: list[Amounts], people: Row | None, currency: str, conversions: dict[str, Conversion]
) -> dict[str, Any]:
    owed = total(amounts, currency, conversions)
    state = facts["state"] or "none"
    allowed = _limit_in(facts, currency, conversions)
    use: LimitUse = limit_use(state, allowed, owed.outstanding)
    return {
        "company_id": facts["id"],
        "name": facts["name"],
        "country": facts["country"],
        "registration_number": facts["registration_number"],
        "segment": people["segment"] if people else None,
        "group_id": facts["group_id"],
        "currency": currency,
        "outstanding": owed.outstanding,
        "overdue": owed.overdue,
        "credits": owed.credits,
        "order_book": owed.order_book,
        "unconverted": owed.unconverted,
        "rate_date": owed.rate_date,
        "limit_state": state,
        "limit_amount": allowed,
        "limit_original": facts["amount"],
        "limit_currency": facts["limit_currency"],
        "limit_valid_until": facts["valid_until"],
        "limit_used_permille": use.used_permille,
        "overrun": use.overrun,
        "pending_request_id": facts["pending_request_id"],
        "payer_class": people["payer_class"] if people else None,
    }


def _limit_in(facts: Row, currency: str, conversions: dict[str, Conversion]) -> int | None:
    if facts["amount"] is None:
        return None
    conversion = conversions.get(facts["limit_currency"])
    return (
        None
        if conversion is None
        else convert(facts["amount"], facts["limit_currency"], currency, conversion)
    )


def _exceeded(profile: dict[str, Any]) -> Raised:
    currency = profile["currency"]
    names = ("outstanding", "limit_amount", "overrun")
    amounts = {name: None if profile[name] is None else from_minor(profile[name], currency) for name in names}
    return Raised(LIMIT_EXCEEDED, profile["company_id"], "warning", {"currency": currency, **amounts})
