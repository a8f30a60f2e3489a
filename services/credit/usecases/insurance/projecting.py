"""From decisions to covers: write a decision down once, work out anew what all of them make, tell the others."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.credit.domain.insurance.timeline import Period, Timeline, layers_touched, timeline
from services.credit.domain.insurance.vocabulary import ANSWERS, LAYERS, Layer
from services.credit.storage.insurance import covers, requests
from services.credit.storage.insurance.rows import columns, update
from services.credit.usecases.insurance.watching import watch_companies
from services.credit.usecases.revalidation import guarantees_changed

_COMPARED = (
    "policy_id", "company_id", "product", "status", "is_preliminary", "sequence", "decided_at", "granted_amount", "currency",
    "effective_from", "expires_at", "withdrawal_date",
)  # fmt: skip


class DecisionIdReused(Exception):
    """An insurer's decision id that came before with another content."""


async def record(tx: Tx, values: dict[str, Any]) -> tuple[Row, bool]:
    """Write a decision down and bring its covers up to date; the decision, and whether it was new.

    Raises DecisionIdReused. The same decision told again changes nothing.
    """
    policy_id, company_id = values["policy_id"], values["company_id"]
    await covers.lock_buyer(tx, policy_id, company_id)
    row = await covers.add_decision(tx, values)
    if row is None:
        known = await covers.decision_told(tx, values["connection_id"], values["insurer_decision_id"])
        assert known is not None, "whatever stopped the insert is there"
        if any(known[name] != values[name] for name in _COMPARED):
            raise DecisionIdReused
        return known, False
    await project(tx, policy_id, company_id)
    if row["request_id"] is not None:
        await settle_request(tx, row["request_id"])
    tx.emit("guarantee.decided", [Subject(row["id"], 1, decision_state(row))])
    return row, True


async def project(tx: Tx, policy_id: UUID, company_id: UUID) -> list[Row]:
    """Work out every layer of a company's cover from all decisions; the covers that changed. The buyer is locked."""
    rows = await covers.decisions_of(tx, policy_id, company_id)
    facts = [covers.decision_facts(row) for row in rows]
    open_questions = {row["id"] for row in rows if row["needs_review"] and row["reviewed_at"] is None}
    reviewed = {row["id"] for row in rows if row["reviewed_at"] is not None}
    changed = []
    for layer in LAYERS:
        acting = [fact.id for fact in facts if layer in layers_touched(fact)]
        newest = covers.newest_of(rows, acting)
        if newest is None:
            continue
        line = timeline(layer, facts)
        tied = line.tied - reviewed
        reason = "decisions_tied" if tied else ("decision_unclear" if open_questions & set(acting) else None)
        cover = await covers.ensure_cover(
            tx, policy_id, company_id, layer, newest["product"], newest["currency"]
        )
        kept = await covers.set_projection(
            tx, cover, line, newest, needs_review=reason is not None, review_reason=reason
        )
        changed.append(kept)
        emit_cover(tx, kept)
    await guarantees_changed(tx, [company_id])
    await watch_companies(tx, [company_id])
    return changed


async def settle_request(tx: Tx, request_id: UUID) -> None:
    """Let a request follow the newest final decision about it, whatever order they came in."""
    row = await requests.lock(tx, request_id)
    if row is None:
        return
    answers = await requests.decisions_about(tx, request_id)
    final = [one for one in answers if one["status"] in ANSWERS and not one["is_preliminary"]]
    reference = next((one["cover_reference"] for one in reversed(answers) if one["cover_reference"]), None)
    changes: dict[str, Any] = {"insurer_reference": row["insurer_reference"] or reference}
    if final:
        newest = final[-1]
        if row["state"] != "cancelled":
            changes |= {
                "state": "decided",
                "decision_id": newest["id"],
                "decided_at": newest["decided_at"],
                "error": None,
            }
    elif row["state"] in ("sending", "sent", "send_unknown"):
        changes["state"] = "pending"
    if any(row[name] != value for name, value in changes.items()):
        requests.emit(tx, await update(tx, requests.TABLE, request_id, **changes))


async def tell_boundaries(tx: Tx, day: date) -> int:
    """Tell of covers whose worth changes on that day: expiry, announced withdrawal, a grant that begins."""
    rows = await tx.fetch(
        "UPDATE covers SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND boundary_dates @> ARRAY[$2::date]"
        f" RETURNING {columns(covers.COVERS)}",
        tx.tenant_id, day, tx.now,
    )  # fmt: skip
    for row in rows:
        emit_cover(tx, row, day)
    await guarantees_changed(tx, sorted({row["company_id"] for row in rows}))
    return len(rows)


def emit_cover(tx: Tx, row: Row, day: date | None = None) -> None:
    """`cover.changed`, as of the tenant's today."""
    tx.emit("cover.changed", [Subject(row["id"], row["version"], cover_state(row, day or tx.today))])


def cover_state(row: Row, day: date) -> dict[str, Any]:
    """The state of a cover as others keep it: ended is amount 0 with `expires_at`, its last covered day."""
    shown = shown_period(covers.timeline_of(row), day)
    return {
        "company_id": row["company_id"],
        "policy_id": row["policy_id"],
        "layer": row["layer"],
        "amount": shown["amount"],
        "currency": row["currency"],
        "percent": shown["percent"],
        "effective_from": shown["effective_from"] or day,
        "expires_at": shown["expires_at"],
    }


def shown_period(line: Timeline, day: date) -> dict[str, Any]:
    """What a timeline says on a day: the amount in force, since when, and the last day it counts.

    Before the first grant begins: amount 0 and the day it will begin.
    """
    current = next((period for period in line.periods if period.holds(day)), None)
    if current is None or current.worth.amount == 0:
        coming = next((p for p in line.periods if p.starts_on > day and p.worth.amount), None)
        past = [p for p in line.periods if p.starts_on <= day and p.worth.amount]
        last = past[-1].ends_on if past else None
        if coming is not None and last is None:
            return {"amount": 0, "percent": None, "effective_from": coming.starts_on, "expires_at": None}
        start = past[-1].starts_on if past else (current.starts_on if current else None)
        ended = last or (current.starts_on - timedelta(days=1) if current else None)
        return {"amount": 0, "percent": None, "effective_from": start, "expires_at": ended}
    percent = current.worth.percent
    return {
        "amount": current.worth.amount,
        "percent": None if percent is None else str(percent),
        "effective_from": current.starts_on,
        "expires_at": _last_day(line, current),
    }


def _last_day(line: Timeline, current: Period) -> date | None:
    """The last day before the layer is worth nothing; a change of amount does not end it."""
    for period in line.periods:
        if period.starts_on > current.starts_on and period.worth.amount == 0:
            return period.starts_on - timedelta(days=1)
    return None


def decision_state(row: Row) -> dict[str, Any]:
    """The state behind `guarantee.decided`."""
    names = (
        "company_id", "policy_id", "cover_id", "product", "status", "granted_amount", "currency", "effective_from",
        "expires_at", "decided_at",
    )  # fmt: skip
    return {name: row[name] for name in names}


def layers_of(row: Row) -> frozenset[Layer]:
    """The layers a decision's row acts on."""
    return layers_touched(covers.decision_facts(row))
