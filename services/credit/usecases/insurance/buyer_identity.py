"""Who a company is at an insurer: candidates looked for, one of them confirmed by a person."""

from typing import Any
from uuid import UUID

import msgspec

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.insurers.port import BuyerQuery, Candidate, InsurerError, Policy
from services.credit.insurers.registry import is_manual
from services.credit.storage.insurance import buyers
from services.credit.storage.insurance.rows import json_text
from services.credit.usecases.insurance.connections import connection_or_404, insurer_of
from services.credit.usecases.insurance.inbox import release_parked


async def search(
    runtime: Runtime, tenant: Tenant, connection: Row, policy: Row, query: BuyerQuery
) -> list[Candidate]:
    """Ask the insurer; no transaction is open meanwhile. Raises 422 for a manual connection, 503 when it does not answer."""
    if is_manual(connection["insurer"]):
        detail = "This connection is manual: look the buyer up at the insurer's and confirm its id."
        raise Problem(422, "search_not_supported", detail)
    try:
        async with insurer_of(runtime, tenant.id, connection) as insurer:
            return await insurer.search(
                Policy(policy["number"], policy["currency"], policy["extension_code"]), query
            )
    except InsurerError as error:
        raise Problem(503, error.code, error.detail, headers={"Retry-After": "30"}) from None


async def keep_candidates(tx: Tx, connection_id: UUID, company_id: UUID, found: list[Candidate]) -> Row:
    """Write down who it may be. Somebody's earlier choice stays; nobody is chosen for a person."""
    known = await buyers.of_company(tx, connection_id, company_id, lock=True)
    kept = json_text([present_candidate(one) for one in found])
    if known is not None and known["state"] == "identified":
        return await buyers.keep(tx, connection_id, company_id, candidates=kept)
    state = "candidates" if found else "not_found"
    return await buyers.keep(tx, connection_id, company_id, candidates=kept, state=state)


async def confirm(
    tx: Tx, connection: Row, company_id: UUID, insurer_buyer_id: str, user_id: UUID | None
) -> Row:
    """A person says which buyer it is. Raises 422 for one that was not among the candidates, 409 `buyer_taken`."""
    known = await buyers.of_company(tx, connection["id"], company_id, lock=True)
    candidates: list[dict[str, Any]] = msgspec.json.decode(known["candidates"]) if known else []
    chosen = next((one for one in candidates if one["insurer_buyer_id"] == insurer_buyer_id), None)
    if chosen is None and not is_manual(connection["insurer"]):
        raise invalid(
            "/insurer_buyer_id", "candidate_unknown", "expected one of the candidates of the last search"
        )
    other = await buyers.by_insurer_id(tx, connection["id"], insurer_buyer_id)
    if other is not None and other["company_id"] != company_id:
        detail = "Another company is this buyer at the insurer: merge the two, or choose another candidate."
        raise Problem(409, "buyer_taken", detail, company_id=str(other["company_id"]))
    row = await buyers.keep(
        tx, connection["id"], company_id, state="identified", insurer_buyer_id=insurer_buyer_id,
        match_kind=chosen["match_kind"] if chosen else "manual", chosen_by=user_id, chosen_at=tx.now,
    )  # fmt: skip
    tx.audit(
        "insurer_buyer_confirmed", "insurer_buyer", row["id"],
        {"insurer_buyer_id": known["insurer_buyer_id"] if known else None}, {"insurer_buyer_id": insurer_buyer_id},
    )  # fmt: skip
    await release_parked(tx, connection["id"])
    return row


def present_candidate(one: Candidate) -> dict[str, Any]:
    """A candidate as it is stored and shown."""
    return {
        "insurer_buyer_id": one.insurer_buyer_id,
        "name": one.name,
        "address": one.address,
        "registration_number": one.registration_number,
        "score": None if one.score is None else str(one.score),
        "match_kind": one.match_kind,
    }


async def only_connection(tx: Tx, company_id: UUID, insurer_buyer_id: str) -> Row:
    """The connection whose search brought a candidate. Raises 422 when there is none, or more than one."""
    fitting = [
        row
        for row in await buyers.of_companies(tx, company_id)
        if any(one["insurer_buyer_id"] == insurer_buyer_id for one in msgspec.json.decode(row["candidates"]))
    ]
    if len(fitting) != 1:
        raise invalid(
            "/policy_id",
            "policy_missing",
            "expected the policy, or the connection, the buyer is looked for under",
        )
    return await connection_or_404(tx, fitting[0]["connection_id"])
