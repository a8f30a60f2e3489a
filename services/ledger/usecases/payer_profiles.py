"""Payer profiles: computed from what was paid and what is late, kept on the customer where the class changed."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.ledger.domain.payer_profile import PayerThresholds
from services.ledger.domain.payer_sums import SummedBehaviour, SummedProfile, profile_of
from services.ledger.storage import behaviour_rows, customers
from services.ledger.storage.currency_factors import factors_into
from services.ledger.usecases.tenant_settings import settings_of

_BATCH = 5_000
_DIGITS = Decimal("0.01")
_CHANGED = f"""
    UPDATE customers cu SET payer_profile = p.profile, updated_at = $3, version = cu.version + 1
      FROM jsonb_to_recordset($2::jsonb) AS p(id uuid, profile jsonb)
     WHERE cu.tenant_id = $1 AND cu.id = p.id AND cu.payer_profile->>'class' IS DISTINCT FROM p.profile->>'class'
 RETURNING {customers.COLUMNS}
"""


async def keep_profiles(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """The day's step: profiles of everybody who paid or is late; `customer.changed` where a class changed. Twice is harmless."""
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        rules = await rules_of(tx)
        factors = await factors_into(tx, tx.tenant.currency, day)
        rows = await behaviour_rows.sums(tx, "customer", day, factors, None)
    found = [{"id": row["key"], "profile": present(profile_of(row, *rules), day)} for row in rows]
    for start in range(0, len(found), _BATCH):
        part = found[start : start + _BATCH]

        async def work(tx: Tx, part: list[dict[str, Any]] = part) -> None:
            await customers.lock(tx, [one["id"] for one in part])
            changed = await tx.fetch(_CHANGED, tx.tenant_id, json_bytes(part).decode(), tx.now)
            tx.emit("customer.changed", [customers.subject(row) for row in changed])

        await runtime.db.run(tenant, work)


async def rules_of(tx: Tx) -> tuple[PayerThresholds, int]:
    """The tenant's classes and the least number of invoices to conclude from."""
    wanted = (await settings_of(tx)).payer_thresholds
    steps = tuple((name, getattr(wanted, name)) for name in ("very_good", "good", "average", "bad"))
    return PayerThresholds(steps), wanted.minimum_invoices


def present(profile: SummedProfile, day: date) -> dict[str, Any]:
    """The public object of a profile: days with two decimals."""
    return {
        "class": profile.payer_class,
        "as_of": day,
        "trend": _days(profile.trend),
        "paid_only": _behaviour(profile.paid_only),
        "with_open_overdue": _behaviour(profile.with_open_overdue),
    }


def _behaviour(one: SummedBehaviour) -> dict[str, Any]:
    return {
        "average_delay": _days(one.average_delay),
        "average_duration": _days(one.average_duration),
        "invoices": one.invoices,
        "class": one.payer_class,
    }


def _days(value: Decimal | None) -> str | None:
    return None if value is None else str(value.quantize(_DIGITS, rounding=ROUND_HALF_EVEN))
