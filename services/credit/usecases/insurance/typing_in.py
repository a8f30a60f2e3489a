"""Decisions a person types in: a manual insurer's, and the covers the insured sets itself (discretionary, non-named)."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.contracts.ids import new_id
from libs.kit.auth import Caller
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from services.credit.domain.insurance.policy_terms import Terms, version_for
from services.credit.domain.insurance.vocabulary import GRANTS, OWN_LAYERS, Layer, Product, layer_of
from services.credit.insurers.registry import is_manual
from services.credit.storage.insurance import contracts, covers, requests
from services.credit.storage.insurance.rows import json_text
from services.credit.usecases.insurance.connections import connection_or_404
from services.credit.usecases.insurance.projecting import record
from services.credit.usecases.insurance.requesting import minor


async def type_in(
    tx: Tx,
    caller: Caller,
    policy: Row,
    company_id: UUID,
    product: Product,
    values: dict[str, Any],
    source: str = "manual",
) -> Row:
    """Write down what a person knows of a decision. Raises 409 `insurer_connected` where the insurer tells us itself,
    409 `decision_forbids_dcl`, 422 for amounts and evidence."""
    layer = layer_of(product)
    connection = await connection_or_404(tx, policy["connection_id"])
    if layer not in OWN_LAYERS and not is_manual(connection["insurer"]):
        detail = "This policy's insurer tells its decisions itself: they are not typed in."
        raise Problem(409, "insurer_connected", detail)
    if layer in OWN_LAYERS:
        await _check_own(tx, policy, company_id, layer, values)
    request = await requests.open_one(tx, policy["id"], company_id, product)
    if request is not None and request["state"] not in ("pending", "sent", "send_unknown"):
        request = None
    currency = values.get("currency") or policy["currency"]
    granted = values.get("granted_amount")
    status = values["status"]
    if status in GRANTS and granted is None and not values.get("tranches"):
        raise invalid("/granted_amount", "amount_missing", f"expected the amount granted with {status}")
    if status == "withdrawal_announced" and values.get("withdrawal_date") is None:
        raise invalid("/withdrawal_date", "date_missing", "expected the first day without cover")
    await covers.lock_buyer(tx, policy["id"], company_id)
    cover = (
        await covers.ensure_cover(tx, policy["id"], company_id, layer, product, currency) if layer else None
    )
    decided_at = values.get("decided_at") or tx.now
    effective = values.get("effective_from") or decided_at.astimezone(ZoneInfo(policy["time_zone"])).date()
    tranches = [
        {"kind": one["kind"], "amount": minor("/tranches", one["amount"], currency), "from": one["starts_on"],
         "to": one["ends_on"]}
        for one in values.get("tranches") or []
    ]  # fmt: skip
    row, _ = await record(
        tx,
        {
            "connection_id": connection["id"],
            "policy_id": policy["id"],
            "company_id": company_id,
            "cover_id": cover["id"] if cover else None,
            "request_id": request["id"] if request else None,
            "message_id": None,
            "insurer_decision_id": values.get("insurer_reference") or f"{source}:{new_id()}",
            "cover_reference": values.get("cover_reference"),
            "product": product,
            "status": status,
            "raw_status": None,
            "is_preliminary": False,
            "sequence": values.get("sequence") or 0,
            "decided_at": decided_at,
            "requested_amount": request["amount"] if request else None,
            "granted_amount": 0
            if status == "refused"
            else (
                minor("/granted_amount", granted, currency)
                if granted is not None
                else (sum(one["amount"] for one in tranches) if tranches else None)
            ),
            "currency": currency,
            "insured_percent": values.get("insured_percent"),
            "effective_from": effective,
            "expires_at": values.get("expires_at"),
            "withdrawal_date": values.get("withdrawal_date"),
            "tranches": json_text(tranches),
            "conditions": json_text(values.get("conditions") or []),
            "reasons": json_text(values.get("reasons") or []),
            "source": source,
            "needs_review": False,
            "author": caller.subject,
            "comment": values.get("comment"),
            "documents": [str(one) for one in values.get("documents") or []],
            "evidence": json_text(values["evidence"]) if values.get("evidence") else None,
        },
    )
    tx.audit(
        "guarantee_decision.recorded",
        "guarantee_decision",
        row["id"],
        after={"status": status, "amount": row["granted_amount"]},
    )
    return row


async def terms_on(tx: Tx, policy_id: UUID, day: date) -> Terms:
    """The terms for a delivery of a day; the first version before any began."""
    rows = (await contracts.versions_of(tx, [policy_id]))[policy_id]
    versions = [(row["effective_from"], contracts.terms_of(row)) for row in rows]
    return version_for(versions, day) or versions[0][1]


async def _check_own(
    tx: Tx, policy: Row, company_id: UUID, layer: Layer | None, values: dict[str, Any]
) -> None:
    terms = await terms_on(tx, policy["id"], tx.today)
    ceiling = terms.discretionary_limit if layer == "dcl" else terms.non_named_ceiling
    if values["status"] not in GRANTS:
        return
    if ceiling is None:
        raise invalid("/product", "not_in_policy", f"the policy has no {layer} cover")
    if values.get("granted_amount") is not None and values["granted_amount"] > ceiling:
        raise invalid("/granted_amount", "above_ceiling", f"the policy allows {ceiling} at the most")
    named = [
        row
        for row in await covers.decisions_of(tx, policy["id"], company_id)
        if layer_of(row["product"]) == "permanent" and row["status"] not in ("pending", "needs_review")
    ]
    if named:
        detail = "The insurer has decided on this buyer: its decision takes the place of a cover of your own."
        raise Problem(409, "insurer_decided", detail, decision_id=str(named[-1]["id"]))
    if layer == "dcl" and not values.get("evidence"):
        raise invalid(
            "/evidence",
            "evidence_missing",
            "a discretionary limit must be justified: a report, or trading history",
        )
