"""Corrections of a company: its name, its identifiers, its place in a group."""

from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem, invalid, not_found
from services.ledger.domain import company_groups
from services.ledger.domain.company_identity import Identity, IdentityInvalid, normalise
from services.ledger.storage import companies
from services.ledger.usecases.audit_trail import differences
from services.ledger.usecases.merge_companies import Perimeter, changeable_company, regrouping

_IDENTIFIERS = ("country", "registration_number", "vat_number", "lei")
_AUDITED = ("name", *_IDENTIFIERS)


async def read_company(tx: Tx, company_id: UUID, perimeter: Perimeter) -> Row:
    """A company's row, ended or not. Raises 404."""
    row = await companies.read(tx, company_id, perimeter)
    if row is None:
        raise not_found("company", company_id)
    return row


async def change_company(
    tx: Tx, company_id: UUID, given: dict[str, Any], perimeter: Perimeter, expected_version: str | None
) -> Row:
    """Set a company's name or identifiers (null removes one); its row.

    Raises 404, 409 `invalid_state` for one that has ended, 409 `company_identity_conflict` when another company bears an
    identifier, 412, 422 for an identifier that cannot be right or when the last one would go.
    """
    if any(name in given for name in _IDENTIFIERS):
        await companies.lock_register(tx)
    row = await changeable_company(tx, company_id, perimeter, expected_version)
    patch: dict[str, Any] = {"id": company_id}
    if "name" in given:
        patch["name"] = given["name"]
    if any(name in given for name in _IDENTIFIERS):
        patch |= companies.columns_of(await _identity(tx, row, given))
    changed = await companies.patch(tx, [patch])
    if not changed:
        return row
    tx.emit("company.changed", map(companies.subject, changed))
    before, after = differences(row, changed[0], _AUDITED)
    tx.audit("company.changed", "company", company_id, before, after)
    return changed[0]


async def set_parent(
    tx: Tx, company_id: UUID, parent_id: UUID | None, perimeter: Perimeter, expected_version: str | None
) -> Row:
    """Put a company under another, or (null) on its own; its row. The group is everything under the topmost one.

    Raises 404, 409 `group_cycle`, 409 `invalid_state` for one that has ended, 412, 422 `company_unknown` for the parent.
    """
    await companies.lock_register(tx)
    row = await changeable_company(tx, company_id, perimeter, expected_version)
    groups = await companies.groups_of(tx, [company_id] if parent_id is None else [company_id, parent_id])
    if parent_id is not None:
        parent = await companies.read(tx, parent_id, perimeter)
        if parent is None or parent["merged_into_id"] is not None:
            raise invalid("/parent_id", "company_unknown", "expected the id of a company that has not ended")
    try:
        parents = company_groups.attach({id_: up for id_, (up, _) in groups.items()}, company_id, parent_id)
    except company_groups.GroupCycle as refused:
        raise Problem(409, refused.code, "The parent belongs to the company itself.") from None
    changed = await companies.patch(tx, list(regrouping(groups, parents).values()))
    tx.emit("company.changed", map(companies.subject, changed))
    own = next((each for each in changed if each["id"] == company_id), row)
    if own is not row:
        before, after = differences(row, own, ("parent_id", "group_id"))
        tx.audit("company.parent_set", "company", company_id, before, after)
    return own


async def _identity(tx: Tx, row: Row, given: dict[str, Any]) -> Identity:
    try:
        identity = normalise(**{name: given.get(name, row[name]) for name in _IDENTIFIERS})
    except IdentityInvalid as refused:
        raise invalid(f"/{refused.field}", refused.code, refused.detail) from None
    if identity.is_private and not row["private"]:
        detail = "expected one identifier to stay: without any, the company could not be found again"
        raise invalid("/registration_number", "identifier_required", detail)
    for holder in await companies.holders(tx, [identity]):
        bearer = holder.survivor or holder.company_id
        if bearer != row["id"]:
            detail = "Another company bears one of these identifiers: merge the two."
            raise Problem(409, "company_identity_conflict", detail, existing_id=str(bearer))
    return identity
