"""Checking an order against its buyer's credit, and holding the exposure it takes.

The caller has read the ledger's feed to its head. Checks of one company wait for each other, so that however many come at
once, what they reserve never goes beyond the headroom.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.exchange import Rate, convert, convert_all, find_conversion
from libs.contracts.ids import new_id
from libs.contracts.money import MoneyError, from_minor, to_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, not_found
from services.credit.domain.credit_check import Rule, Standing, apply_rules, decide
from services.credit.domain.limit_state import allowed_on, state_on
from services.credit.storage import checks, exposure, limits, standings, temporaries
from services.credit.usecases.announce import limit_of
from services.credit.usecases.notices import house_settings


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be checked: `amount` in minor units of `currency`; `ttl`: seconds to hold it for, None to hold nothing."""

    company_id: UUID
    customer_id: UUID | None
    amount: int
    currency: str
    expected_date: date | None
    checkpoint: str
    external_id: str | None
    ttl: int | None


async def check_order(tx: Tx, order: Order) -> tuple[Row, Row | None]:
    """Decide, write the check down with its evidence, and reserve what is allowed; the check and its reservation."""
    await checks.lock_company(tx, order.company_id)
    standing, currency = await _standing(tx, order)
    waived = await checks.waived_codes(tx, order.company_id, order.external_id, order.currency, order.amount)
    rules = apply_rules(standing, waived)
    decision = decide(rules)
    identifier, reservation = new_id(), None
    if decision == "allow" and order.ttl is not None:
        reservation = await _reserve(tx, order, identifier)
    values = {
        "company_id": order.company_id, "customer_id": order.customer_id, "amount": order.amount,
        "currency": order.currency, "expected_date": order.expected_date, "checkpoint": order.checkpoint,
        "order_external_id": order.external_id, "decision": decision,
        "rules": [_presented(rule, currency) for rule in rules], "evidence": _evidence(standing, currency),
        "waived": sorted(rule.code for rule in rules if rule.waived), "ttl": order.ttl,
        "reservation_id": reservation["id"] if reservation else None,
    }  # fmt: skip
    row = await checks.insert_check(tx, identifier, values)
    tx.audit("credit_checked", "credit_check", identifier, None, {"decision": decision})
    return row, reservation


async def release_check(
    tx: Tx, row: Row, user_id: UUID, grace_days: int, comment: str | None
) -> tuple[Row, Row | None]:
    """Somebody lets a held order go on: the rules that held it do not hold it again for `grace_days` days, up to its amount.

    Raises 409 `invalid_state` for a check that was allowed, refused (a hold on the company is lifted there) or released.
    """
    if row["decision"] != "hold" or row["released_at"] is not None:
        state = "released" if row["released_at"] is not None else row["decision"]
        raise Problem(
            409, "invalid_state", f"Only an order on hold can be released; this one: {state}.", state=state
        )
    await checks.lock_company(tx, row["company_id"])
    reservation = None
    if row["ttl"] is not None:
        order = Order(
            row["company_id"], row["customer_id"], row["amount"], row["currency"], row["expected_date"],
            row["checkpoint"], row["order_external_id"], row["ttl"],
        )  # fmt: skip
        reservation = await _reserve(tx, order, row["id"])
    changed = await checks.update_check(
        tx, row["id"], released_by=user_id, released_at=tx.now, released_until=tx.today + timedelta(days=grace_days),
        release_comment=comment, reservation_id=reservation["id"] if reservation else None,
    )  # fmt: skip
    after = {"released_until": changed["released_until"], "comment": comment}
    tx.audit("credit_check_released", "credit_check", row["id"], None, after)
    return changed, reservation


async def end_reservation(tx: Tx, row: Row, state: str) -> Row:
    """Consume or release a locked reservation. Raises 409 `invalid_state` when it has ended, by its time too."""
    present = state_of(tx, row)
    if present != "live":
        raise Problem(409, "invalid_state", f"The reservation is {present}.", state=present)
    tx.audit(f"reservation_{state}", "credit_reservation", row["id"], {"state": "live"}, {"state": state})
    return await checks.end_reservation(tx, row["id"], state)


async def the_check(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """A check. Raises 404."""
    row = await checks.check(tx, identifier, lock=lock)
    if row is None:
        raise not_found("credit check", identifier)
    return row


async def the_reservation(tx: Tx, identifier: UUID, *, lock: bool = False) -> Row:
    """A reservation. Raises 404."""
    row = await checks.reservation(tx, identifier, lock=lock)
    if row is None:
        raise not_found("credit reservation", identifier)
    return row


def state_of(tx: Tx, row: Row) -> str:
    """The state of a reservation now: its time may have run out since it was last written."""
    state: str = row["state"]
    return "expired" if state == "live" and row["expires_at"] <= tx.now else state


async def _reserve(tx: Tx, order: Order, check_id: UUID) -> Row:
    assert order.ttl is not None, "somebody asked for it"
    if order.external_id is not None:
        await checks.release_order(tx, order.company_id, order.external_id)
    values = {
        "company_id": order.company_id, "check_id": check_id, "order_external_id": order.external_id,
        "amount": order.amount, "currency": order.currency, "expires_at": tx.now + timedelta(seconds=order.ttl),
    }  # fmt: skip
    return await checks.insert_reservation(tx, new_id(), values)


async def _standing(tx: Tx, order: Order) -> tuple[Standing, str]:
    """How the company stands without this order, and the currency all of it is in: the limit's, else the tenant's."""
    company = order.company_id
    row = await limits.limit(tx, company)
    currency = row["currency"] if row is not None and row["currency"] else tx.tenant.currency
    extra = (await temporaries.totals_on(tx, [company], tx.today)).get(company, 0)
    facts = limit_of(tx, row, extra)
    state, allowed, source = state_on(facts, tx.today), allowed_on(facts, tx.today), "limit"
    if allowed is None and state in ("none", "pending"):
        allowed, source = await _default_limit(tx), "default_limit"
        currency = tx.tenant.currency
    owed = (await exposure.exposures_of(tx, {company: currency}))[company]
    rates = await exposure.rates_into(tx, currency)
    reserved = await checks.reserved(tx, company, order.external_id)
    own = await checks.in_order_book(tx, company, order.external_id) if order.external_id else {}
    held, already = _converted(tx, reserved, currency, rates), _converted(tx, own, currency, rates)
    conversion = find_conversion(rates, order.currency, currency, tx.today)
    missing = {*owed.unconverted, *held[1], *already[1]} | (set() if conversion else {order.currency})
    proceedings, stopped = await standings.reasons_to_stop(tx, company)
    evidence = {
        "limit_source": source if allowed is not None else None, "limit_state": state, "rate_date": owed.rate_date,
        "unconverted": sorted(missing),
    }  # fmt: skip
    standing = Standing(
        state=state, allowed=allowed, outstanding=owed.outstanding, order_book=owed.order_book - already[0],
        amount=None if conversion is None else convert(order.amount, order.currency, currency, conversion),
        reserved=held[0], missing_rates=missing, proceedings=proceedings, cover_stopped=stopped, evidence=evidence,
        hold_reason=row["hold_reason"] if row is not None and facts.held else None,
    )  # fmt: skip
    return standing, currency


async def _default_limit(tx: Tx) -> int | None:
    text = (await house_settings(tx)).default_limit
    try:
        return None if text is None else to_minor(text, tx.tenant.currency)
    except MoneyError:  # the gateway checks it; a currency that changed since leaves it without meaning
        return None


def _converted(tx: Tx, amounts: dict[str, int], currency: str, rates: list[Rate]) -> tuple[int, set[str]]:
    converted = convert_all(amounts, currency, rates, tx.today)
    return converted.total, {code for code, amount in converted.unconverted.items() if amount}


def _presented(rule: Rule, currency: str) -> dict[str, Any]:
    def shown(value: int | str | None) -> str | None:
        return from_minor(value, currency) if rule.is_money and isinstance(value, int) else value  # type: ignore[return-value]

    return {
        "code": rule.code, "passed": rule.passed, "effect": rule.effect, "threshold": shown(rule.threshold),
        "value": shown(rule.value), "waived": rule.waived,
    }  # fmt: skip


def _evidence(standing: Standing, currency: str) -> dict[str, Any]:
    def money(value: int | None) -> str | None:
        return None if value is None else from_minor(value, currency)

    return {
        "currency": currency, "amount": money(standing.amount), "limit": money(standing.allowed),
        "outstanding": money(standing.outstanding), "order_book": money(standing.order_book),
        "reserved": money(standing.reserved), "headroom": money(standing.headroom), **standing.evidence,
    }  # fmt: skip
