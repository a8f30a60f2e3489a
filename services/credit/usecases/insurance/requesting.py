"""Asking an insurer for cover: checked before it is sent, sent once, looked after when nobody can tell whether it arrived."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import MoneyError, from_minor, to_minor
from libs.kit.auth import Caller
from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.credit.domain.insurance.vocabulary import OWN_LAYERS, Product, layer_of
from services.credit.insurers.port import AmountRule, Policy, Submission
from services.credit.insurers.registry import capabilities_of, is_manual
from services.credit.storage.insurance import buyers, contracts, covers, requests
from services.credit.storage.insurance.rows import insert, one, update

#: Whatever has no answer yet.
_CANCELLABLE = ("draft", "validated", "pending", "sent", "send_unknown")


async def create_request(tx: Tx, caller: Caller, values: dict[str, Any]) -> Row:
    """Write a draft down, its amount held against the insurer's rules. Raises 409 `request_open`, 422 for an amount."""
    policy = await policy_or_404(tx, values["policy_id"])
    currency = values["currency"] or policy["currency"]
    check_amounts(await _rule(tx, policy, values["product"]), policy, {**values, "currency": currency})
    row = await insert(
        tx,
        requests.TABLE,
        new_id(),
        {
            "policy_id": policy["id"],
            "company_id": values["company_id"],
            "product": values["product"],
            "request_type": values["request_type"],
            "amount": minor("/amount", values["amount"], currency),
            "temporary_amount": None
            if values["temporary_amount"] is None
            else minor("/temporary_amount", values["temporary_amount"], currency),
            "currency": currency,
            "valid_from": values["valid_from"],
            "valid_to": values["valid_to"],
            "urgent": values["urgent"],
            "comment": values["comment"],
            "state": "draft",
            "attempts": 0,
            "requested_by": caller.user_id,
            "requested_by_subject": caller.subject,
        },
        tail="ON CONFLICT DO NOTHING",
    )
    if row is None:
        known = await requests.open_one(tx, policy["id"], values["company_id"], values["product"])
        detail = "There is a request under way for this policy, buyer and product: wait for its answer, or cancel it."
        raise Problem(409, "request_open", detail, existing_id=str(known["id"]) if known else None)
    requests.emit(tx, row)
    tx.audit("guarantee_requested", "guarantee_request", row["id"], after=_told(row))
    return row


async def submit_request(tx: Tx, row: Row) -> Row:
    """Let a locked draft go: to the insurer, or, for a manual connection, to whoever types its answer in.

    Raises 409 `invalid_state`, 422 `buyer_not_identified`.
    """
    if row["state"] not in ("draft", "failed"):
        raise Problem(409, "invalid_state", f"The request is {row['state']}.", state=row["state"])
    policy = await policy_or_404(tx, row["policy_id"])
    connection = await one(tx, "insurer_connections", policy["connection_id"])
    assert connection is not None, "connections are never deleted"
    rule = await _rule(tx, policy, row["product"])
    check_amounts(rule, policy, _major(row))
    manual = is_manual(connection["insurer"])
    if not manual:
        buyer = await buyers.of_company(tx, connection["id"], row["company_id"])
        if buyer is None or buyer["state"] != "identified":
            detail = "The insurer has not identified this buyer yet: search for it and confirm one of the candidates."
            raise Problem(422, "buyer_not_identified", detail, company_id=str(row["company_id"]))
    cover_id = await _cover(tx, row)
    changed = await update(
        tx, requests.TABLE, row["id"], state="pending" if manual else "validated", submitted_at=tx.now, error=None,
        cover_id=cover_id,
    )  # fmt: skip
    requests.emit(tx, changed)
    tx.audit(
        "guarantee_request_submitted",
        "guarantee_request",
        row["id"],
        {"state": row["state"]},
        {"state": changed["state"]},
    )
    return changed


async def cancel_request(tx: Tx, row: Row) -> Row:
    """Take back a locked request that has no answer yet. Raises 409 `invalid_state`."""
    if row["state"] not in _CANCELLABLE:
        raise Problem(409, "invalid_state", f"The request is {row['state']}.", state=row["state"])
    changed = await update(tx, requests.TABLE, row["id"], state="cancelled")
    requests.emit(tx, changed)
    tx.audit(
        "guarantee_request_cancelled",
        "guarantee_request",
        row["id"],
        {"state": row["state"]},
        {"state": "cancelled"},
    )
    return changed


async def locked_request(tx: Tx, identifier: UUID) -> Row:
    """A request, locked. Raises 404."""
    row = await requests.lock(tx, identifier)
    if row is None:
        raise not_found("guarantee request", identifier)
    return row


async def policy_or_404(tx: Tx, identifier: UUID) -> Row:
    """A policy. Raises 404."""
    row = await one(tx, "insurance_policies", identifier)
    if row is None:
        raise not_found("insurance policy", identifier)
    return row


async def submission_of(tx: Tx, row: Row) -> Submission:
    """A request as an insurer is told it."""
    policy = await policy_or_404(tx, row["policy_id"])
    buyer = await buyers.of_company(tx, policy["connection_id"], row["company_id"])
    cover = await one(tx, covers.COVERS, row["cover_id"]) if row["cover_id"] else None
    currency = row["currency"]
    return Submission(
        reference=str(row["id"]),
        policy=Policy(policy["number"], policy["currency"], policy["extension_code"]),
        insurer_buyer_id=(buyer["insurer_buyer_id"] if buyer else None) or "",
        product=row["product"],
        request_type=row["request_type"],
        amount=Decimal(from_minor(row["amount"], currency)),
        currency=currency,
        temporary_amount=None
        if row["temporary_amount"] is None
        else Decimal(from_minor(row["temporary_amount"], currency)),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        urgent=row["urgent"],
        comment=row["comment"],
        cover_reference=cover["cover_reference"] if cover else None,
    )


def check_amounts(rule: AmountRule | None, policy: Row, values: dict[str, Any]) -> None:
    """Hold a request against what the insurer takes. Raises 422 naming the member and the rule."""
    if rule is None:
        raise invalid("/product", "product_not_offered", "expected one of the products of the connection")
    currency = rule.currency or policy["currency"]
    if values["currency"] != currency:
        raise invalid("/currency", "currency_not_taken", f"this insurer takes {currency} for this policy")
    for member in ("amount", "temporary_amount"):
        amount = values[member]
        if amount is None or (amount == 0 and values["request_type"] == "cancellation"):
            continue
        if amount < rule.least:
            raise invalid(f"/{member}", "amount_too_small", f"expected at least {rule.least}")
        if rule.most is not None and amount > rule.most:
            raise invalid(f"/{member}", "amount_too_large", f"expected at most {rule.most}")
        if amount % rule.step:
            raise invalid(f"/{member}", "amount_step", f"expected a multiple of {rule.step}")
    if rule.needs_dates and (values["valid_from"] is None or values["valid_to"] is None):
        raise invalid("/valid_to", "dates_missing", "this product needs valid_from and valid_to")
    if values["product"] == "permanent_plus_temporary" and values["temporary_amount"] is None:
        raise invalid("/temporary_amount", "amount_missing", "this product has a temporary amount too")
    if values["valid_from"] and values["valid_to"] and values["valid_to"] < values["valid_from"]:
        raise invalid("/valid_to", "dates_reversed", "expected a day on or after valid_from")


def minor(pointer: str, amount: Decimal, currency: str) -> int:
    """Minor units of a member. Raises 422."""
    try:
        return to_minor(amount, currency)
    except MoneyError as error:
        raise invalid(pointer, error.code, error.detail) from None


async def _rule(tx: Tx, policy: Row, product: Product) -> AmountRule | None:
    connection = await one(tx, "insurer_connections", policy["connection_id"])
    assert connection is not None, "connections are never deleted"
    if layer_of(product) in OWN_LAYERS and not is_manual(connection["insurer"]):
        return None  # within the policy: set by a person, not asked
    return capabilities_of(connection["insurer"], contracts.object_of(connection["profile"])).products.get(
        product
    )


async def _cover(tx: Tx, row: Row) -> UUID | None:
    layer = layer_of(row["product"])
    if layer is None:
        return None
    await covers.lock_buyer(tx, row["policy_id"], row["company_id"])
    cover = await covers.ensure_cover(
        tx, row["policy_id"], row["company_id"], layer, row["product"], row["currency"]
    )
    identifier: UUID = cover["id"]
    return identifier


def _major(row: Row) -> dict[str, Any]:
    currency = row["currency"]
    temporary = row["temporary_amount"]
    return {
        **dict(row),
        "amount": Decimal(from_minor(row["amount"], currency)),
        "temporary_amount": None if temporary is None else Decimal(from_minor(temporary, currency)),
    }


def _told(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("policy_id", "company_id", "product", "amount", "currency")}
