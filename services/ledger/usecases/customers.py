"""What can be done to one customer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit import strict_json
from libs.kit.db import Row, Tx
from libs.kit.etag import require_match
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import json_bytes, raw
from services.ledger.domain import custom_fields
from services.ledger.domain.company_identity import (
    CompanyIdentityConflict,
    Identity,
    IdentityInvalid,
    normalise,
)
from services.ledger.domain.company_matching import Claim
from services.ledger.storage import companies, customers
from services.ledger.usecases.audit_trail import differences
from services.ledger.usecases.merge_companies import Perimeter, absorb_deserted
from services.ledger.usecases.resolve_companies import resolve_companies
from services.ledger.usecases.upsert_customers import follow

_AUDITED = tuple(
    name for name in customers.STORED if name not in ("id", "created_at", "updated_at", "version")
)
_IDENTIFIERS = ("country", "registration_number", "vat_number", "lei")


async def create_customer(tx: Tx, content: Mapping[str, Any], company: Mapping[str, Any]) -> tuple[Row, bool]:
    """Create a customer from columns (`business_unit_id`, `external_id`, `name` …) and what is said of its company.

    The row with its company, and whether it is new: the same content under a known external id changes nothing. Raises 409
    `external_id_exists` for other content, 409 `company_identity_conflict`, 422 for an identifier that cannot be right.
    """
    identity = _identity(company)
    content = _with_fields_encoded(content)
    key = (content["business_unit_id"], content["external_id"])
    existing = await _existing(tx, key)
    if existing is None:
        claim = Claim(identity, company.get("name") or content["name"])
        patch = {**content, "id": new_id(), "company_id": await _company(tx, claim)}
        created = await customers.insert(tx, [patch])
        if created:
            tx.emit("customer.changed", map(customers.subject, created))
            tx.audit("customer.created", "customer", patch["id"], None, dict(content))
            return await _reread(tx, patch["id"]), True
        existing = await _existing(tx, key)  # another request was quicker
        assert existing is not None, "its insert is committed, or ours would have waited"
        await absorb_deserted(tx, {patch["company_id"]: existing["company_id"]})
    if not _says_the_same(existing, content, identity):
        detail = "The business unit has a customer with this external id and other content."
        raise Problem(409, "external_id_exists", detail, existing_id=str(existing["id"]))
    return existing, False


async def change_customer(
    tx: Tx,
    customer_id: UUID,
    content: Mapping[str, Any],
    company: Mapping[str, Any] | None,
    perimeter: Perimeter,
    expected_version: str | None,
) -> Row:
    """Set columns of a customer (absent ones stay) and, where something is said of its company, find that one; its row.

    Raises 404, 409 `external_id_exists`, 409 `company_identity_conflict`, 412, 422 for an identifier that cannot be right.
    """
    row = await read_customer(tx, customer_id, perimeter)
    patch = {**_with_fields_encoded(content), "id": customer_id}
    if company is not None:
        name = company.get("name") or content.get("name") or row["name"]
        patch["company_id"] = await _company(tx, Claim(_identity(company), name, row["company_id"]))
    before = await _locked(tx, customer_id, perimeter, expected_version)
    await _refuse_taken_external_id(tx, before, content)
    return await _apply(tx, before, patch, "customer.updated", company_name=(company or {}).get("name"))


async def archive_customer(
    tx: Tx, customer_id: UUID, perimeter: Perimeter, expected_version: str | None, *, archived: bool
) -> Row:
    """Archive a customer, or take it back; its row. Raises 404, 409 `invalid_state` when it is so already, 412."""
    before = await _locked(tx, customer_id, perimeter, expected_version)
    if (before["archived_at"] is not None) == archived:
        raise Problem(
            409, "invalid_state", f"The customer is {'archived' if archived else 'not archived'} already."
        )
    patch = {
        "id": customer_id,
        "archived_at": tx.now if archived else None,
        "archived_by_source": None,  # a person's word stays until a person takes it back
    }
    return await _apply(tx, before, patch, "customer.archived" if archived else "customer.unarchived")


async def delete_customer(
    tx: Tx, customer_id: UUID, perimeter: Perimeter, expected_version: str | None
) -> None:
    """Delete a customer that no item or order was ever made out to. Raises 404, 409 `in_use`, 412.

    The other services see it archived: an event is the state of an object, and this is the last one it has.
    """
    before = await _locked(tx, customer_id, perimeter, expected_version, against_use=True)
    if await customers.is_used(tx, customer_id):
        raise Problem(409, "in_use", "The customer has items or orders: archive it instead.")
    last = (
        await customers.patch(tx, [{"id": customer_id, "archived_at": before["archived_at"] or tx.now}])
    ) or [before]
    tx.emit("customer.changed", map(customers.subject, last))
    tx.audit(
        "customer.deleted", "customer", customer_id, {name: before[name] for name in ("external_id", "name")}
    )
    await customers.delete(tx, customer_id)


async def read_customer(tx: Tx, customer_id: UUID, perimeter: Perimeter) -> Row:
    """A customer's row with its company. Raises 404."""
    row = await customers.read(tx, customer_id, perimeter)
    if row is None:
        raise not_found("customer", customer_id)
    return row


async def _apply(
    tx: Tx, before: Row, patch: Mapping[str, Any], action: str, company_name: str | None = None
) -> Row:
    changed = await customers.patch(tx, [patch])
    await follow(tx, changed)
    if company_name is not None:
        company_id = patch["company_id"]
        renamed = await companies.rename_private(tx, company_id, company_name)
        tx.emit("company.changed", map(companies.subject, renamed))
    if changed:
        tx.emit("customer.changed", map(customers.subject, changed))
        tx.audit(
            action,
            "customer",
            before["id"],
            *differences(before, changed[0], _AUDITED, customers.JSON_COLUMNS),
        )
    return await _reread(tx, before["id"])


async def _locked(
    tx: Tx,
    customer_id: UUID,
    perimeter: Perimeter,
    expected_version: str | None,
    *,
    against_use: bool = False,
) -> Row:
    await customers.lock(tx, [customer_id], against_use=against_use)
    row = await read_customer(tx, customer_id, perimeter)
    require_match(expected_version, row["version"])
    return row


async def _existing(tx: Tx, key: tuple[UUID, str]) -> Row | None:
    found = (await customers.by_key(tx, [key])).get(key)
    return None if found is None else await customers.read(tx, found["id"])


async def _reread(tx: Tx, customer_id: UUID) -> Row:
    row = await customers.read(tx, customer_id)
    assert row is not None, "this transaction wrote it"
    return row


async def _company(tx: Tx, claim: Claim) -> UUID:
    (company,) = await resolve_companies(tx, [claim])
    if isinstance(company, CompanyIdentityConflict):
        raise Problem(409, company.code, f"Of the company given, {company.detail}.")
    return company


def _identity(company: Mapping[str, Any]) -> Identity:
    try:
        return normalise(**{name: company.get(name) for name in _IDENTIFIERS})
    except IdentityInvalid as refused:
        raise invalid(f"/company/{refused.field}", refused.code, refused.detail) from None


async def _refuse_taken_external_id(tx: Tx, before: Row, content: Mapping[str, Any]) -> None:
    external_id = content.get("external_id")
    if external_id is None or external_id == before["external_id"]:
        return
    taken = await customers.by_key(tx, [(before["business_unit_id"], external_id)])
    for other in taken.values():
        detail = "The business unit has another customer with this external id."
        raise Problem(409, "external_id_exists", detail, existing_id=str(other["id"]))


def _with_fields_encoded(content: Mapping[str, Any]) -> Mapping[str, Any]:
    if "custom_fields" not in content:
        return content
    return {**content, "custom_fields": raw(custom_fields.encode(content["custom_fields"]))}


def _says_the_same(existing: Row, content: Mapping[str, Any], identity: Identity) -> bool:
    """Whether everything that was said is so already; what was left out is not compared."""
    of_company = all(getattr(identity, name) in (None, existing[f"company_{name}"]) for name in _IDENTIFIERS)
    return of_company and all(
        strict_json.loads(existing[name].encode()) == strict_json.loads(json_bytes(value))
        if name in customers.JSON_COLUMNS
        else existing[name] == value
        for name, value in content.items()
    )
