"""Taking in what insurers sent: match it, write the decision down, or say why a person must look."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from pydantic import ValidationError

from libs.contracts.money import MoneyError, to_minor
from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.runtime import Runtime
from services.credit.domain.insurance.vocabulary import GRANTS, Product, layer_of, status_of
from services.credit.insurers.told import Envelope, ToldDecision
from services.credit.storage.insurance import buyers, contracts, covers, inbox, requests
from services.credit.storage.insurance.rows import json_text, one
from services.credit.usecases.insurance.projecting import DecisionIdReused, record

JOB = "take_in_insurer_message"
UNSETTLED = ("received",)
#: States a person may let be tried again.
REPLAYABLE = ("received", "parked", "needs_review", "quarantined")
_WAITING = "SELECT DISTINCT tenant_id FROM insurer_messages WHERE state = 'received'"


class Parked(Exception):
    """A decision about something we do not know yet; the text is the stable reason."""


class Unclear(Exception):
    """A message that says something no rule covers; the text is the stable reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a decision is about."""

    policy: Row
    company_id: UUID
    request: Row | None
    cover: Row | None


async def take_in(runtime: Runtime, tenant_id: str) -> None:
    """Job: take in every message of a tenant that waits."""
    tenant = await runtime.tenant(UUID(tenant_id))
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        waiting = await inbox.waiting(tx, UNSETTLED)
    for identifier in waiting:

        async def work(tx: Tx, identifier: UUID = identifier) -> None:
            await take_in_one(tx, identifier)
            tx.after_commit(lambda: runtime.ring(tx))

        await runtime.db.run(tenant, work)


async def sweep(runtime: Runtime) -> None:
    """Nudge tenants whose messages lost their nudge."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_WAITING)
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), job_id=f"{JOB}:{row['tenant_id']}")


async def take_in_one(tx: Tx, identifier: UUID) -> str | None:
    """Take in one message; its state afterwards, None when somebody else has it."""
    message = await inbox.lock(tx, identifier, REPLAYABLE)
    if message is None:
        return None
    if message["reason"] == "message_id_reused":
        return str(message["state"])  # its id belongs to another content: nobody can say which is meant
    connection = await one(tx, "insurer_connections", message["connection_id"])
    assert connection is not None, "connections are never deleted"
    state, reason, decision_id = "applied", None, None
    try:
        async with tx.savepoint():
            decision_id, reason = await apply_told(
                tx, connection, _read(message), message["id"], message["source"]
            )
    except Parked as parked:
        state, reason = "parked", str(parked)
    except (Unclear, DecisionIdReused) as unclear:
        state, reason = "needs_review", str(unclear) or "decision_id_reused"
    if reason == "status_unknown":
        state = "needs_review"
    await inbox.settle(tx, identifier, state, reason, decision_id)
    return state


async def release_parked(tx: Tx, connection_id: UUID) -> int:
    """Try parked messages again, now that a buyer, a request or a policy became known; how many found their place."""
    found = 0
    for identifier in await inbox.waiting(tx, ("parked",), connection_id):
        found += await take_in_one(tx, identifier) == "applied"
    return found


async def apply_told(
    tx: Tx, connection: Row, told: ToldDecision, message_id: UUID | None, source: str
) -> tuple[UUID, str | None]:
    """Write a decision down where it belongs; its id, and a remark. Raises Parked or Unclear."""
    place = await _place(tx, connection, told)
    # Before anything about the buyer is read or made: two messages at once would both make its first cover.
    await covers.lock_buyer(tx, place.policy["id"], place.company_id)
    values = await _values(tx, connection, place, told, source)
    values["message_id"] = message_id
    row, _ = await record(tx, values)
    return row["id"], ("status_unknown" if values["status"] == "needs_review" else None)


def _read(message: Row) -> ToldDecision:
    try:
        body = msgspec.json.decode(message["body"])
        if message["source"] == "webhook":
            envelope = Envelope.model_validate(body)
            if envelope.type != "guarantee.decided":
                raise Unclear("type_unknown")
            body = envelope.data
        return ToldDecision.model_validate(body)
    except (msgspec.DecodeError, ValidationError, UnicodeDecodeError):
        raise Unclear("body_unreadable") from None


async def _place(tx: Tx, connection: Row, told: ToldDecision) -> Place:
    request = await _request(tx, connection, told.request_reference)
    cover = (
        await covers.cover_by_reference(tx, connection["id"], told.cover_reference)
        if told.cover_reference
        else None
    )
    buyer = (
        await buyers.by_insurer_id(tx, connection["id"], told.buyer_reference)
        if told.buyer_reference
        else None
    )
    companies = {row["company_id"] for row in (request, cover, buyer) if row is not None}
    if not companies:
        raise Parked("buyer_unknown")
    if len(companies) > 1:
        raise Unclear("references_disagree")
    policy = await _policy(tx, connection, told, request, cover)
    return Place(policy, companies.pop(), request, cover)


async def _request(tx: Tx, connection: Row, reference: str | None) -> Row | None:
    if reference is None:
        return None
    try:
        identifier = UUID(reference)
    except ValueError:
        return None
    row = await one(tx, requests.TABLE, identifier)
    if row is None:
        return None
    policy = await one(tx, "insurance_policies", row["policy_id"])
    return row if policy is not None and policy["connection_id"] == connection["id"] else None


async def _policy(tx: Tx, connection: Row, told: ToldDecision, request: Row | None, cover: Row | None) -> Row:
    known = await contracts.policies_of(tx, connection["id"])
    if told.policy_reference is not None:
        named = [row for row in known if row["number"] == told.policy_reference]
        if not named:
            raise Parked("policy_unknown")
        return named[0]
    for row in (request, cover):
        if row is not None:
            return next(policy for policy in known if policy["id"] == row["policy_id"])
    if len(known) != 1:
        raise Parked("policy_ambiguous" if known else "policy_unknown")
    return known[0]


async def _values(tx: Tx, connection: Row, place: Place, told: ToldDecision, source: str) -> dict[str, Any]:
    policy, request = place.policy, place.request
    product: Product = told.product or (request or place.cover or {"product": "permanent"})["product"]
    currency = told.currency or (request["currency"] if request else policy["currency"])
    status = status_of(told.status)
    try:
        granted = None if told.granted_amount is None else to_minor(told.granted_amount, currency)
        requested = None if told.requested_amount is None else to_minor(told.requested_amount, currency)
        tranches: list[dict[str, Any]] = [
            {
                "kind": part.kind,
                "amount": to_minor(part.amount, currency),
                "from": part.starts_on,
                "to": part.ends_on,
            }
            for part in told.tranches
        ]
    except MoneyError as error:
        raise Unclear(error.code) from None
    if requested is None and request is not None and request["currency"] == currency:
        requested = request["amount"]
    if granted is None and tranches:
        granted = sum(part["amount"] for part in tranches)
    if granted is None and status == "approved":
        granted = requested
    if granted is None and status in GRANTS:
        status = "needs_review"  # a grant of nobody knows how much
    if status == "refused":
        granted = 0
    layer = layer_of(product)
    cover = (
        await covers.ensure_cover(tx, policy["id"], place.company_id, layer, product, currency)
        if layer is not None
        else None
    )
    return {
        "connection_id": connection["id"],
        "policy_id": policy["id"],
        "company_id": place.company_id,
        "cover_id": cover["id"] if cover else None,
        "request_id": request["id"] if request else None,
        "insurer_decision_id": told.decision_id,
        "cover_reference": told.cover_reference,
        "product": product,
        "status": status,
        "raw_status": told.status,
        "is_preliminary": told.is_preliminary,
        "sequence": told.sequence,
        "decided_at": told.decided_at,
        "requested_amount": requested,
        "granted_amount": granted,
        "currency": currency,
        "insured_percent": told.insured_percent,
        "effective_from": told.effective_from or _local_day(told, policy),
        "expires_at": told.expires_at,
        "withdrawal_date": told.withdrawal_date,
        "tranches": json_text(tranches),
        "conditions": json_text([one.model_dump() for one in told.conditions]),
        "reasons": json_text([one.model_dump() for one in told.reasons]),
        "source": source,
        "needs_review": status == "needs_review"
        or (status == "withdrawal_announced" and told.withdrawal_date is None),
        "author": f"insurer:{connection['insurer']}",
        "comment": None,
        "documents": [],
        "evidence": None,
    }


def _local_day(told: ToldDecision, policy: Row) -> date:
    """Without a date of effect a decision counts from the day it was taken, on the policy's own calendar."""
    return clock.local_date(told.decided_at, policy["time_zone"])
