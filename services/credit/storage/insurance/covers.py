"""Decisions, which never change, and covers, which are what they make."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from services.credit.domain.insurance.timeline import Decision, Period, Timeline, Tranche, Worth
from services.credit.domain.insurance.vocabulary import Layer, Product
from services.credit.storage.insurance.rows import columns, insert, json_text, update

DECISIONS, COVERS = "guarantee_decisions", "covers"


async def lock_buyer(tx: Tx, policy_id: UUID, company_id: UUID) -> None:
    """One writer at a time for the covers of a company under a policy, whoever comes first or again."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1::text || $2::text || $3::text, 0))",
        str(tx.tenant_id), str(policy_id), str(company_id),
    )  # fmt: skip


async def add_decision(tx: Tx, values: dict[str, Any]) -> Row | None:
    """Write a decision down; None when this connection told one with this id before."""
    conflict = "ON CONFLICT (tenant_id, connection_id, insurer_decision_id) DO NOTHING"
    return await insert(tx, DECISIONS, new_id(), {**values, "recorded_at": tx.now}, tail=conflict)


async def decision_told(tx: Tx, connection_id: UUID, insurer_decision_id: str) -> Row | None:
    """A decision by the id its insurer gave it."""
    return await tx.fetchrow(
        f"SELECT {columns(DECISIONS)} FROM {DECISIONS}"
        " WHERE tenant_id = $1 AND connection_id = $2 AND insurer_decision_id = $3",
        tx.tenant_id, connection_id, insurer_decision_id,
    )  # fmt: skip


async def decisions_of(tx: Tx, policy_id: UUID, company_id: UUID) -> list[Row]:
    """Every decision about a company under a policy, in the insurer's own order."""
    return await tx.fetch(
        f"SELECT {columns(DECISIONS)} FROM {DECISIONS} WHERE tenant_id = $1 AND policy_id = $2 AND company_id = $3"
        " ORDER BY decided_at, sequence, insurer_decision_id",
        tx.tenant_id, policy_id, company_id,
    )  # fmt: skip


async def covers_of(
    tx: Tx, company_ids: Sequence[UUID], policy_id: UUID | None = None
) -> dict[UUID, list[Row]]:
    """The covers of companies."""
    rows = await tx.fetch(
        f"SELECT {columns(COVERS)} FROM {COVERS} WHERE tenant_id = $1 AND company_id = ANY($2)"
        " AND ($3::uuid IS NULL OR policy_id = $3) ORDER BY company_id, policy_id, layer",
        tx.tenant_id, list(company_ids), policy_id,
    )  # fmt: skip
    found: dict[UUID, list[Row]] = {identifier: [] for identifier in company_ids}
    for row in rows:
        found[row["company_id"]].append(row)
    return found


async def cover_by_reference(tx: Tx, connection_id: UUID, reference: str) -> Row | None:
    """A cover by the insurer's own reference."""
    return await tx.fetchrow(
        f"SELECT {columns(COVERS, 'c')} FROM {COVERS} c"
        " JOIN insurance_policies p ON p.tenant_id = c.tenant_id AND p.id = c.policy_id"
        " WHERE c.tenant_id = $1 AND p.connection_id = $2 AND c.cover_reference = $3 ORDER BY c.id LIMIT 1",
        tx.tenant_id, connection_id, reference,
    )  # fmt: skip


async def ensure_cover(
    tx: Tx, policy_id: UUID, company_id: UUID, layer: Layer, product: Product, currency: str
) -> Row:
    """The cover of a layer, made (worth nothing yet) where there is none. The caller holds the buyer's lock."""
    known = await tx.fetchrow(
        f"SELECT {columns(COVERS)} FROM {COVERS}"
        " WHERE tenant_id = $1 AND policy_id = $2 AND company_id = $3 AND layer = $4",
        tx.tenant_id, policy_id, company_id, layer,
    )  # fmt: skip
    if known is not None:
        return known
    values: dict[str, Any] = {
        "policy_id": policy_id, "company_id": company_id, "layer": layer, "product": product, "currency": currency,
        "status": "pending", "periods": "[]", "conditions": "[]", "needs_review": False, "boundary_dates": [],
    }  # fmt: skip
    made = await insert(tx, COVERS, new_id(), values)
    assert made is not None, "an insert returns its row"
    return made


async def set_projection(
    tx: Tx, cover: Row, line: Timeline, newest: Row, *, needs_review: bool, review_reason: str | None
) -> Row:
    """Write what the decisions make of a cover."""
    boundaries = {period.starts_on for period in line.periods}
    values = {
        "status": newest["status"], "product": newest["product"], "decision_id": newest["id"],
        "decided_at": newest["decided_at"], "conditions": newest["conditions"], "currency": newest["currency"],
        "cover_reference": newest["cover_reference"] or cover["cover_reference"],
        "evidence": newest["evidence"] or cover["evidence"],
        "periods": json_text([_period(period) for period in line.periods]),
        "needs_review": needs_review, "review_reason": review_reason, "boundary_dates": sorted(boundaries),
    }  # fmt: skip
    return await update(tx, COVERS, cover["id"], **values)


def decision_facts(row: Row) -> Decision:
    """What a decision's row says of cover."""
    return Decision(
        id=row["id"],
        product=row["product"],
        status=row["status"],
        decided_at=row["decided_at"],
        sequence=row["sequence"],
        effective_from=row["effective_from"],
        currency=row["currency"],
        amount=row["granted_amount"],
        percent=row["insured_percent"],
        expires_at=row["expires_at"],
        withdrawal_date=row["withdrawal_date"],
        tranches=tuple(
            Tranche(part["kind"], part["amount"], _day(part["from"]), _day(part["to"]))
            for part in msgspec.json.decode(row["tranches"])
        ),
        merged_from=row["merged_from"],
        merged_at=row["merged_at"],
    )


def timeline_of(row: Row) -> Timeline:
    """The stored timeline of a cover."""
    periods = (
        Period(
            date.fromisoformat(one["starts_on"]),
            _day(one["ends_on"]),
            Worth(
                one["amount"],
                one["currency"],
                None if one["percent"] is None else Decimal(one["percent"]),
                one["status"],
                UUID(one["decision_id"]),
            ),
        )
        for one in msgspec.json.decode(row["periods"])
    )
    return Timeline(tuple(periods), frozenset())


def newest_of(rows: Iterable[Row], layer_rows: Iterable[UUID]) -> Row | None:
    """The last decision, by the insurer's order, among those that act on a layer."""
    acting = set(layer_rows)
    return max(
        (row for row in rows if row["id"] in acting),
        key=lambda row: (row["decided_at"], row["sequence"], row["insurer_decision_id"]),
        default=None,
    )


def _period(period: Period) -> dict[str, Any]:
    return {
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
        "amount": period.worth.amount,
        "currency": period.worth.currency,
        "percent": None if period.worth.percent is None else str(period.worth.percent),
        "status": period.worth.status,
        "decision_id": period.worth.decision_id,
    }


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)
