"""Declaring what is overdue, claiming it, and what comes of it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor, to_minor
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.credit.domain.insurance.claims import Estimate, estimate, insurers_share, months_later
from services.credit.domain.insurance.clocks import Facts, dates_of
from services.credit.domain.insurance.insured import Share
from services.credit.storage.insurance import contracts, receivables
from services.credit.storage.insurance.rows import insert, json_text, one, update
from services.credit.usecases.insurance.insuring import Position, positions
from services.credit.usecases.insurance.requesting import policy_or_404
from services.credit.usecases.insurance.watching import watch_companies

DECLARATIONS, CLAIMS, RECOVERIES = "overdue_declarations", "claims", "claim_recoveries"


async def position_of(tx: Tx, policy_id: UUID, company_id: UUID) -> Position:
    """A company under a policy. Raises 422 `no_cover` where it never had any."""
    await policy_or_404(tx, policy_id)
    for position in await positions(tx, [company_id]):
        if position.insured.policy["id"] == policy_id:
            return position
    raise Problem(422, "no_cover", "This company has no cover under this policy.")


async def create_declaration(tx: Tx, values: dict[str, Any]) -> Row:
    """A draft about unpaid items: overdue (OVD), extension (EXP) or repayment plan (RES). Raises 422."""
    position = await position_of(tx, values["policy_id"], values["company_id"])
    chosen = choose(position, values["item_ids"], overdue_on=tx.today if values["kind"] == "OVD" else None)
    if values["kind"] == "EXP" and values["extended_to"] is None:
        raise invalid("/extended_to", "date_missing", "expected the day the payment is extended to")
    if values["kind"] == "RES" and not values["instalments"]:
        raise invalid("/instalments", "instalments_missing", "expected the repayments agreed on")
    late = values["kind"] == "OVD" and _late(tx, position, chosen)
    row = await insert(
        tx, DECLARATIONS, new_id(),
        {
            "policy_id": values["policy_id"], "company_id": values["company_id"], "kind": values["kind"], "state": "draft",
            "items": json_text([_item(share) for share in chosen]), "amount": sum(share.gross for share in chosen),
            "currency": position.currency, "extended_to": values["extended_to"], "late": late,
            "instalments": json_text(values["instalments"]), "comment": values["comment"],
        },
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    tx.audit(
        "overdue_declared",
        "overdue_declaration",
        row["id"],
        after={"kind": row["kind"], "amount": row["amount"]},
    )
    return row


async def submit_declaration(tx: Tx, row: Row, declared_on: date | None, reference: str | None) -> Row:
    """It has been told the insurer: from its day on the items count as notified. Raises 409, 422 for a day to come."""
    _require(row, ("draft",))
    day = declared_on or tx.today
    if day > tx.today:
        raise invalid("/declared_on", "date_in_future", "expected today or a day before")
    changed = await update(
        tx,
        DECLARATIONS,
        row["id"],
        state="sent",
        declared_on=day,
        channel="manual",
        insurer_reference=reference,
    )
    await watch_companies(tx, [row["company_id"]])
    tx.audit(
        "overdue_declaration_sent", "overdue_declaration", row["id"], {"state": "draft"}, {"state": "sent"}
    )
    return changed


async def answer_declaration(tx: Tx, row: Row, state: str, reference: str | None) -> Row:
    """The insurer accepted or refused. An accepted extension moves the stop of its items. Raises 409."""
    _require(row, ("sent",))
    changed = await update(
        tx, DECLARATIONS, row["id"], state=state, insurer_reference=reference or row["insurer_reference"]
    )
    await watch_companies(tx, [row["company_id"]])
    tx.audit(
        "overdue_declaration_answered", "overdue_declaration", row["id"], {"state": "sent"}, {"state": state}
    )
    return changed


async def create_claim(tx: Tx, values: dict[str, Any]) -> Row:
    """A claim with its dossier and estimate, or a debt handed over for collection only (no cover: no indemnity)."""
    position = await position_of(tx, values["policy_id"], values["company_id"])
    chosen = choose(position, values["item_ids"], overdue_on=tx.today)
    if values["kind"] == "claim" and any("foreclosed" in share.findings for share in chosen):
        detail = "The claim date of an item was missed: it can only be handed over for collection."
        raise Problem(409, "foreclosed", detail)
    found = await _estimate(tx, position, chosen) if values["kind"] == "claim" else None
    waiting = found is not None and found.standing == "waiting_dispute"
    row = await insert(
        tx, CLAIMS, new_id(),
        {
            "policy_id": values["policy_id"], "company_id": values["company_id"], "kind": values["kind"],
            "state": "waiting_dispute" if waiting else "draft", "items": json_text([_item(share) for share in chosen]),
            "estimate": json_text(_told(found, chosen, position.currency)), "currency": position.currency,
            "comment": values["comment"],
        },
    )  # fmt: skip
    assert row is not None, "an insert returns its row"
    tx.audit("claim_prepared", "claim", row["id"], after={"kind": row["kind"]})
    return row


async def file_claim(tx: Tx, row: Row, filed_on: date | None, reference: str | None) -> Row:
    """It is filed: its items are claimed in time or never. Raises 409 `invalid_state`, `waiting_dispute`."""
    if row["state"] == "waiting_dispute":
        position = await position_of(tx, row["policy_id"], row["company_id"])
        ids = [UUID(one["item_id"]) for one in msgspec.json.decode(row["items"])]
        if not frozenset(ids) - await receivables.disputed(tx, ids):
            detail = "Every item is in dispute: the insurer pays nothing until the dispute is settled."
            raise Problem(409, "waiting_dispute", detail)
        chosen = [share for share in position.shares if share.item.id in ids]
        found = await _estimate(tx, position, chosen)
        row = await update(
            tx, CLAIMS, row["id"], state="draft", estimate=json_text(_told(found, chosen, position.currency))
        )
    _require(row, ("draft",))
    day = filed_on or tx.today
    if day > tx.today:
        raise invalid("/filed_on", "date_in_future", "expected today or a day before")
    terms = (await _terms(tx, row["policy_id"]))[-1]
    due = months_later(day, terms.waiting_months) if row["kind"] == "claim" else None
    changed = await update(
        tx, CLAIMS, row["id"], state="filed", filed_on=day, insurer_reference=reference, indemnity_due_on=due
    )
    await watch_companies(tx, [row["company_id"]])
    tx.audit("claim_filed", "claim", row["id"], {"state": "draft"}, {"state": "filed", "filed_on": day})
    return changed


async def settle_claim(tx: Tx, row: Row, values: dict[str, Any]) -> Row:
    """The insurer accepts, refuses or pays. Raises 409 `invalid_state`, 422 for a collection that would be indemnified."""
    _require(row, ("filed", "accepted"))
    changes: dict[str, Any] = {"state": values["outcome"]}
    if values["outcome"] == "indemnified":
        if row["kind"] == "collection_only":
            raise invalid(
                "/outcome", "not_insured", "what was handed over for collection only brings no indemnity"
            )
        if values["amount"] is None:
            raise invalid("/amount", "amount_missing", "expected the indemnity paid")
        changes |= {
            "indemnity": to_minor(values["amount"], row["currency"]),
            "indemnified_on": values["paid_on"] or tx.today,
        }
    if values["outcome"] == "refused":
        changes["refusal_reason"] = values["reason"]
    changed = await update(tx, CLAIMS, row["id"], **changes)
    await watch_companies(tx, [row["company_id"]])
    tx.audit("claim_settled", "claim", row["id"], {"state": row["state"]}, {"state": changed["state"]})
    return changed


async def add_recovery(tx: Tx, row: Row, amount: Decimal, received_on: date, comment: str | None) -> Row:
    """Money that came in after the indemnity: the insurer has the share it paid of the debt. Raises 409."""
    _require(row, ("indemnified",))
    minor = to_minor(amount, row["currency"])
    told = msgspec.json.decode(row["estimate"])
    gross = to_minor(told["gross"], row["currency"])
    found = await tx.fetchrow(
        f"INSERT INTO {RECOVERIES} (tenant_id, id, claim_id, amount, insurer_share, received_on, comment, recorded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id, amount, insurer_share, received_on, comment, recorded_at",
        tx.tenant_id, new_id(), row["id"], minor, insurers_share(minor, row["indemnity"], gross), received_on, comment, tx.now,
    )  # fmt: skip
    assert found is not None, "an insert returns its row"
    tx.audit("recovery_recorded", "claim", row["id"], after={"amount": minor})
    return found


async def the_object(tx: Tx, table: str, what: str, identifier: UUID, *, lock: bool = False) -> Row:
    """A declaration or claim. Raises 404."""
    row = await one(tx, table, identifier, lock=lock)
    if row is None:
        raise not_found(what, identifier)
    return row


def choose(position: Position, item_ids: list[UUID] | None, overdue_on: date | None) -> list[Share]:
    """The unpaid items asked for, or all that are overdue. Raises 422 for an unknown or paid one, and where nothing is left."""
    if item_ids is not None:
        known = {share.item.id: share for share in position.shares}
        missing = [identifier for identifier in item_ids if identifier not in known]
        if missing:
            raise invalid("/item_ids", "item_unknown", "expected unpaid items of this company")
        chosen = [known[identifier] for identifier in dict.fromkeys(item_ids)]
    else:
        day = overdue_on or date.max
        chosen = [share for share in position.shares if share.item.original_due_date < day]
    if not chosen:
        raise Problem(422, "nothing_overdue", "There is no unpaid item to declare.")
    return chosen


def _late(tx: Tx, position: Position, chosen: list[Share]) -> bool:
    """Whether the notification of an item comes after its date."""
    insolvency = position.insured.insolvency
    owed = [(share.item.original_due_date, share.gross) for share in position.shares]
    facts = Facts(
        tx.today, position.currency, position.numbered_terms,
        lambda day: sum(gross for due, gross in owed if due <= day),
        judged_on=insolvency.judged_on if insolvency else None,
        published_on=insolvency.published_on if insolvency else None,
        known_on=insolvency.known_on if insolvency else None,
    )  # fmt: skip
    for share in chosen:
        dates = dates_of(share.item, facts)
        if dates is not None and dates.notification is not None and dates.notification[0] < tx.today:
            return True
    return False


async def _estimate(tx: Tx, position: Position, chosen: list[Share]) -> Estimate:
    disputed = await receivables.disputed(tx, [share.item.id for share in chosen])
    paid: int = await tx.fetchval(
        f"SELECT coalesce(sum(indemnity), 0)::bigint FROM {CLAIMS} WHERE tenant_id = $1 AND policy_id = $2"
        " AND state IN ('indemnified', 'closed') AND indemnified_on >= $3",
        tx.tenant_id, position.insured.policy["id"], date(tx.today.year, 1, 1),
    )  # fmt: skip
    oldest = min(share.item.delivered_on for share in chosen)
    terms = position.terms(oldest) or position.insured.versions[0][1]
    return estimate(chosen, terms, position.currency, disputed, paid)


async def _terms(tx: Tx, policy_id: UUID) -> list[Any]:
    return [contracts.terms_of(row) for row in (await contracts.versions_of(tx, [policy_id]))[policy_id]]


def _told(found: Estimate | None, chosen: list[Share], currency: str) -> dict[str, Any]:
    def text(minor: int) -> str:
        return from_minor(minor, currency)

    if found is None:
        gross = sum(share.gross for share in chosen)
        zero = dict.fromkeys(
            ("tax", "insured", "retention", "above_cover", "deductible", "capped_by", "indemnity"), text(0)
        )
        return {"standing": "nothing_insured", "gross": text(gross), **zero, "disputed_items": []}
    names = ("gross", "tax", "insured", "retention", "above_cover", "deductible", "capped_by", "indemnity")
    return {
        "standing": found.standing,
        **{name: text(getattr(found, name)) for name in names},
        "disputed_items": list(found.disputed_items),
    }


def _item(share: Share) -> dict[str, Any]:
    item = share.item
    return {
        "item_id": item.id, "number": item.number, "issue_date": item.issue_date, "delivery_date": item.delivered_on,
        "original_due_date": item.original_due_date, "gross": share.gross, "tax": share.tax, "insured": share.insured,
        "indemnity": share.indemnity, "findings": list(share.findings),
    }  # fmt: skip


def _require(row: Row, states: tuple[str, ...]) -> None:
    if row["state"] not in states:
        raise Problem(409, "invalid_state", f"It is {row['state']}.", state=row["state"])
