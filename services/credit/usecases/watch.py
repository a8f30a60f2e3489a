"""Watching limits: nearly used up, not validated, expired. Told when it begins and when it ends, never in between."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from services.credit.domain.limit_state import allowed_on, state_on
from services.credit.domain.watch import CRITICALITY, Usage, conditions
from services.credit.storage import exposure, limits, temporaries
from services.credit.usecases.agenda import plan_action, withdraw_actions
from services.credit.usecases.announce import limit_of
from services.credit.usecases.approval import policy_of
from services.credit.usecases.conditions import Condition, settle_conditions


async def watch_limits(tx: Tx, companies: Sequence[UUID]) -> None:
    """Raise and clear what holds of these companies' limits today, and keep the agenda in step."""
    rows = [row for row in await limits.limits_of(tx, companies) if row["currency"] is not None]
    if not rows:
        return
    percent = (await policy_of(tx)).usage_alert_percent
    extra = await temporaries.totals_on(tx, [row["company_id"] for row in rows], tx.today)
    shown = await exposure.exposures_of(tx, {row["company_id"]: row["currency"] for row in rows})
    stated = []
    for row in rows:
        company = row["company_id"]
        facts = limit_of(tx, row, extra.get(company, 0))
        usage = Usage(state_on(facts, tx.today), shown[company].outstanding, allowed_on(facts, tx.today))
        holding = conditions(usage, percent)
        evidence = _evidence(row, usage)
        stated += [
            Condition(kind, company, kind in holding, criticality, evidence)
            for kind, criticality in CRITICALITY.items()
        ]
        await _keep_agenda(tx, row, usage, fallen="limit_not_validated" in holding)
    await settle_conditions(tx, stated)


async def _keep_agenda(tx: Tx, row: Row, usage: Usage, *, fallen: bool) -> None:
    """A limit that lost its guarantee waits for somebody to validate it again."""
    since = row["unvalidated_since"]
    if fallen and since is not None:
        await plan_action(
            tx, kind="revalidate_limit", company_id=row["company_id"], due_on=since,
            title="Validate the credit limit again: a guarantee fell", amount_at_stake=row["amount"],
            currency=row["currency"], source_key=f"revalidate_limit:{row['company_id']}:{since}",
        )  # fmt: skip


def _evidence(row: Row, usage: Usage) -> dict[str, Any]:
    currency = row["currency"]
    return {
        "state": usage.state,
        "currency": currency,
        "outstanding": from_minor(usage.exposure, currency),
        "limit_amount": None if usage.allowed is None else from_minor(usage.allowed, currency),
        "valid_until": row["valid_until"],
        "unvalidated_since": row["unvalidated_since"],
    }


async def overcome(tx: Tx, row: Row) -> None:
    """A limit is validated again: nobody needs to look any more."""
    since = row["unvalidated_since"]
    if since is not None:
        await withdraw_actions(tx, f"revalidate_limit:{row['company_id']}:{since}")
