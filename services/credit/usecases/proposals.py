"""Proposing a limit: the facts gathered from what the others told, the methods computed, the tenant's policy applied.

A fact somebody gives takes the place of the one that is known. Amounts are in the tenant's reporting currency; what cannot be
converted is missing rather than guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

import msgspec

from libs.contracts.exchange import Rate, convert, convert_all, find_conversion
from libs.contracts.money import MoneyError, from_minor, to_minor
from libs.kit.db import Tx
from services.credit.domain.payer_class import worst
from services.credit.domain.proposal_policy import ProposalPolicy
from services.credit.domain.proposals import Combined, Facts, Proposal, Rules, Share, combine, propose
from services.credit.storage import credit_files, exposure, proposal_facts, standings

MONEY: Final = frozenset(
    "yearly_sales order_book uninvoiced_deliveries unpaid_invoices turnover equity purchases recommended_credit"
    " clean_peak".split()
)
_YEAR = timedelta(days=365)
_DAYS = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Proposed:
    """Every method and what the policy makes of them; `sources` says where each fact came from. Amounts in `currency`."""

    currency: str
    proposals: list[Proposal]
    combined: Combined
    sources: dict[str, str]


async def proposal_policy(tx: Tx) -> ProposalPolicy:
    """The tenant's policy, or the default one."""
    row = await proposal_facts.policy(tx)
    return (
        ProposalPolicy() if row is None else ProposalPolicy.model_validate(msgspec.json.decode(row["policy"]))
    )


async def propose_limit(tx: Tx, company_id: UUID, given: Mapping[str, Any]) -> Proposed:
    """Proposals for a company. `given`: facts by name that somebody knows better, money in minor units."""
    policy = await proposal_policy(tx)
    currency = tx.tenant.currency
    rates = await exposure.rates_into(tx, currency)
    known, sources = await _facts(tx, company_id, currency, rates, policy)
    told = {name: value for name, value in given.items() if value is not None}
    facts = replace(known, **told)
    rules = _rules(policy, currency, rates, tx)
    proposals = propose(facts, rules)
    sources |= dict.fromkeys(told, "given")
    return Proposed(currency, proposals, combine(proposals, facts, rules), sources)


def present_proposals(proposed: Proposed) -> list[dict[str, Any]]:
    """What a request keeps of the proposals it was made on: every method's value, and the policy's."""

    def money(value: int | None) -> str | None:
        return None if value is None else from_minor(value, proposed.currency)

    kept: list[dict[str, Any]] = [
        {
            "method": one.method,
            "value": money(one.value),
            "currency": proposed.currency,
            "missing": one.missing,
        }
        for one in proposed.proposals
    ]
    value = money(proposed.combined.value)
    return [*kept, {"method": "policy", "value": value, "currency": proposed.currency, "missing": []}]


async def _facts(
    tx: Tx, company_id: UUID, currency: str, rates: list[Rate], policy: ProposalPolicy
) -> tuple[Facts, dict[str, str]]:
    owed = (await exposure.exposures_of(tx, {company_id: currency}))[company_id]
    profiles = await credit_files.profiles(tx, company_id, None)
    classes = [msgspec.json.decode(one["payer_profile"])["class"] for one in profiles]
    proceedings, _ = await standings.reasons_to_stop(tx, company_id)
    sales, term_days = await _sales(tx, company_id, currency, rates)
    ledger = {
        "yearly_sales": sales, "term_days": term_days, "order_book": owed.order_book,
        "unpaid_invoices": max(0, owed.outstanding), "payer_class": worst(classes),
        "clean_peak": await _clean_peak(tx, company_id, currency, rates),
    }  # fmt: skip
    if owed.unconverted:
        ledger |= {"order_book": None, "unpaid_invoices": None}
    provider = await _provider(tx, company_id, currency, rates)
    of_policy = {
        "late_days": Decimal(policy.accepted_late_days),
        "lead_days": Decimal(policy.order_lead_days),
    }
    found: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, part in (("ledger", ledger), ("provider", provider), ("policy", of_policy)):
        known = {name: value for name, value in part.items() if value is not None}
        found |= known
        sources |= dict.fromkeys(known, source)
    return Facts(proceedings=proceedings, **found), sources


async def _sales(
    tx: Tx, company_id: UUID, currency: str, rates: list[Rate]
) -> tuple[int | None, Decimal | None]:
    """Sales of the last 365 days and the days its invoices had, weighed by amount; None without an invoice, or a rate."""
    rows = await proposal_facts.sales(tx, company_id, tx.today - _YEAR, tx.today)
    rows = [row for row in rows if row["invoiced"]]
    if not rows:
        return None, None
    total, invoiced, weighed = 0, 0, Decimal(0)
    for row in rows:
        conversion = find_conversion(rates, row["currency"], currency, tx.today)
        if conversion is None:
            return None, None
        total += convert(row["sales"], row["currency"], currency, conversion)
        amount = convert(row["invoiced"], row["currency"], currency, conversion)
        invoiced += amount
        weighed += amount * (row["amount_days"] / row["invoiced"])
    return max(0, total), (weighed / invoiced).quantize(_DAYS)


async def _clean_peak(tx: Tx, company_id: UUID, currency: str, rates: list[Rate]) -> int | None:
    """The most that was owed in a month of the last twelve while nothing was overdue; currencies of a month are added up."""
    months: dict[Any, dict[str, int]] = {}
    for row in await proposal_facts.clean_peaks(tx, company_id, tx.today - _YEAR):
        months.setdefault(row["month"], {})[row["currency"]] = row["clean_peak"]
    totals = [convert_all(amounts, currency, rates, tx.today) for amounts in months.values()]
    return max((one.total for one in totals if not one.unconverted), default=None)


async def _provider(tx: Tx, company_id: UUID, currency: str, rates: list[Rate]) -> dict[str, Any]:
    text = await credit_files.provider_facts(tx, company_id)
    told: dict[str, Any] = msgspec.json.decode(text) if text else {}
    score = _known(told.get("score"))
    normalised = None if score is None else score.get("normalised")
    return {
        "recommended_credit": _money(_known(told.get("recommended_credit")), currency, rates, tx),
        "turnover": _money(_known(told.get("turnover")), currency, rates, tx),
        "score": None if normalised is None else Decimal(str(normalised)),
    }


def _known(field: Any) -> dict[str, Any] | None:
    """A field that a provider supplied; `no_data` and `not_supplied` are not zero."""
    return field if isinstance(field, dict) and field.get("state") == "known" else None


def _money(field: dict[str, Any] | None, currency: str, rates: list[Rate], tx: Tx) -> int | None:
    if field is None or field.get("value") is None:
        return None
    source = field.get("currency") or currency
    try:
        # A provider's figures may have more decimals than the currency: they are estimates, not debts.
        minor = to_minor(Decimal(str(field["value"])).quantize(Decimal(1)), source)
    except (MoneyError, InvalidOperation):
        return None
    conversion = find_conversion(rates, source, currency, tx.today)
    return None if conversion is None else convert(minor, source, currency, conversion)


def _rules(policy: ProposalPolicy, currency: str, rates: list[Rate], tx: Tx) -> Rules:
    maximum = None
    if policy.maximum is not None and policy.currency is not None:
        conversion = find_conversion(rates, policy.currency, currency, tx.today)
        if conversion is not None:
            maximum = convert(
                to_minor(policy.maximum, policy.currency), policy.currency, currency, conversion
            )
    return Rules(
        need_methods=policy.need_methods,
        acceptable_methods=policy.acceptable_methods,
        combine=policy.combine,
        terms_coefficient=policy.terms_coefficient,
        behaviour=policy.behaviour.model_dump(),
        history_factor=policy.history_factor.model_dump(),
        shares=[Share(s.min_score, s.turnover, s.equity, s.purchases) for s in policy.shares],
        maximum=maximum,
    )
