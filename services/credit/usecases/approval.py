"""The tenant's approval policy at work: who has to decide an amount, and who stands in for whom."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.exchange import convert, find_conversion
from libs.contracts.money import to_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from services.credit.domain.approval import (
    Delegation,
    Level,
    NobodyDecides,
    Step,
    next_level_up,
    plan_route,
    stand_ins,
)
from services.credit.domain.policy import ApprovalPolicy
from services.credit.storage import exposure, limits


async def policy_of(tx: Tx) -> ApprovalPolicy:
    """The tenant's policy, or the default one."""
    row = await limits.policy(tx)
    return (
        ApprovalPolicy() if row is None else ApprovalPolicy.model_validate(msgspec.json.decode(row["policy"]))
    )


async def route_for(
    tx: Tx, policy: ApprovalPolicy, amount: int, currency: str, requester: UUID
) -> list[dict[str, Any]]:
    """The route of a request over an amount to compare, none of it decided. Raises 422 `above_top_level`, `no_approver`."""
    levels = await _levels(tx, policy, currency)
    try:
        steps = plan_route(levels, amount, requester, policy.routing, require_all=policy.require_all)
    except NobodyDecides as nobody:
        raise Problem(422, nobody.code, nobody.detail) from None
    return [_undecided(step) for step in steps]


async def escalated_route(tx: Tx, policy: ApprovalPolicy, request: Row) -> list[dict[str, Any]] | None:
    """The route of a request that was left alone, with the next level up in the place of the one that slept; None at the top."""
    route = limits.route_of(request)
    waiting = [step for step in route if step["decision"] is None]
    levels = await _levels(tx, policy, request["currency"])
    further = next_level_up(
        levels, waiting[-1]["level"], request["requested_by"], require_all=policy.require_all
    )
    if not further:
        return None
    slept = [{**step, "decision": "expired", "at": tx.now} for step in waiting]
    return [step for step in route if step["decision"] is not None] + slept + [_undecided(s) for s in further]


def expiry_of(tx: Tx, policy: ApprovalPolicy) -> Any:
    """The instant a request made now runs out, or None."""
    return tx.now + timedelta(days=policy.expiry_days) if policy.expiry_days else None


def standing_in(policy: ApprovalPolicy, tx: Tx) -> dict[UUID, set[UUID]]:
    """Whom each delegate stands in for on the tenant's today."""
    return stand_ins([Delegation(d.user, d.delegate, d.start, d.end) for d in policy.delegations], tx.today)


def steps_of(route: list[dict[str, Any]]) -> list[Step]:
    """A stored route as the rules read it; a step that slept is nobody's any more."""
    return [
        Step(
            stored["level"],
            tuple(UUID(str(user)) for user in stored["user_ids"]),
            None if stored["decision"] is None else UUID(str(stored["by"] or UUID(int=0))),
        )
        for stored in route
    ]


async def _levels(tx: Tx, policy: ApprovalPolicy, currency: str) -> list[Level]:
    rates = await exposure.rates_into(tx, currency)
    levels = []
    for level in policy.levels:
        ceiling = None if level.max_amount is None else to_minor(level.max_amount, level.currency)
        if ceiling is not None:
            conversion = find_conversion(rates, level.currency, currency, tx.today)
            if conversion is None:
                detail = f"There is no exchange rate between {level.currency} and {currency} to compare the levels by."
                raise Problem(422, "rate_missing", detail)
            ceiling = convert(ceiling, level.currency, currency, conversion)
        levels.append(Level(level.name, ceiling, tuple(level.user_ids)))
    return levels


def _undecided(step: Step) -> dict[str, Any]:
    return {
        "level": step.level, "user_ids": list(step.user_ids), "decision": None, "by": None, "on_behalf_of": None,
        "at": None, "comment": None,
    }  # fmt: skip
