"""Let companies end in others: what hung on them belongs to the survivors from now on."""

from collections.abc import Mapping
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.etag import require_match
from libs.kit.feed.events import Subject
from libs.kit.problems import Problem, invalid, not_found
from services.ledger.domain import company_groups
from services.ledger.domain.company_matching import learned_from
from services.ledger.storage import companies, credit_files, customers

Perimeter = tuple[UUID, ...] | None


async def merge_company(
    tx: Tx, company_id: UUID, into_id: UUID, perimeter: Perimeter, expected_version: str | None
) -> Row:
    """Merge one company into another at a user's word; the survivor's row.

    Raises 404 for an unknown company or one without a customer in the perimeter, 422 `company_same`, 409 `invalid_state` for
    one that has already ended, 403 `outside_perimeter` when customers would move that the caller cannot see.
    """
    if company_id == into_id:
        raise invalid("/into", "company_same", "expected another company")
    await companies.lock_register(tx)
    for identifier in (company_id, into_id):
        await changeable_company(
            tx, identifier, perimeter, expected_version if identifier == company_id else None
        )
    if perimeter is not None:
        moving = await customers.of_companies(tx, [company_id])
        if any(row["business_unit_id"] not in perimeter for row in moving):
            detail = "The company has customers in business units that you cannot see."
            raise Problem(403, "outside_perimeter", detail)
    await end_companies(tx, {company_id: into_id})
    tx.audit("company.merged", "company", company_id, None, {"into": into_id})
    survivor = await companies.read(tx, into_id)
    assert survivor is not None, "it was locked above"
    return survivor


async def changeable_company(
    tx: Tx, company_id: UUID, perimeter: Perimeter, expected_version: str | None
) -> Row:
    """A live company's row, locked. Raises 404, 409 `invalid_state` for one that has ended, 412."""
    row = await companies.read(tx, company_id, perimeter, lock=True)
    if row is None:
        raise not_found("company", company_id)
    if row["merged_into_id"] is not None:
        detail = "The company was merged into another: go on with that one."
        raise Problem(409, "invalid_state", detail, merged_into_id=str(row["merged_into_id"]))
    require_match(expected_version, row["version"])
    return row


async def absorb_deserted(tx: Tx, moves: Mapping[UUID, UUID]) -> None:
    """Customers went from one company to another: a private company, which stood for one of them alone, goes after it."""
    deserted = await companies.deserted(tx, moves) if moves else set()
    if deserted:
        await companies.lock_register(tx)
        await end_companies(tx, {company_id: moves[company_id] for company_id in sorted(deserted)})


async def end_companies(tx: Tx, endings: Mapping[UUID, UUID]) -> None:
    """Company → survivor. The register must be locked; survivors must be live and not end themselves."""
    identities = await companies.identities(tx, [*endings, *endings.values()])
    groups = await companies.groups_of(tx, [*endings, *endings.values()])
    # The endings first, for an identifier has one living bearer only.
    followers = await companies.ended_in(tx, endings)
    ended = await companies.patch(
        tx,
        [
            {"id": company, "merged_into_id": survivor, "parent_id": None, "group_id": company}
            for company, survivor in endings.items()
        ]
        + [{"id": follower, "merged_into_id": endings[company]} for follower, company in followers.items()],
    )
    patches = regrouping(
        groups, _absorbed({company: parent for company, (parent, _) in groups.items()}, endings)
    )
    for company, survivor in endings.items():
        identities[survivor] = learned_from(identities[survivor], identities[company])
        patches.setdefault(survivor, {"id": survivor}).update(companies.columns_of(identities[survivor]))
    changed = await companies.patch(
        tx, [patch for company, patch in patches.items() if company not in endings]
    )
    await credit_files.move(tx, endings)
    moved = await customers.change_company(tx, endings)
    tx.emit("company.changed", map(companies.subject, [*changed, *ended]))
    tx.emit(
        "company.merged",
        [
            Subject(row["id"], row["version"], {"into_id": row["merged_into_id"]})
            for row in ended
            if row["id"] in endings
        ],
    )
    tx.emit("customer.changed", map(customers.subject, moved))


def regrouping(
    groups: Mapping[UUID, tuple[UUID | None, UUID]], parents: Mapping[UUID, UUID | None]
) -> dict[UUID, dict[str, object]]:
    """Patches of the companies whose parent or top differs from what `groups` holds."""
    tops = company_groups.tops(parents)
    return {
        company: {"id": company, "parent_id": parent, "group_id": tops[company]}
        for company, parent in parents.items()
        if groups[company] != (parent, tops[company])
    }


def _absorbed(parents: company_groups.Parents, endings: Mapping[UUID, UUID]) -> company_groups.Parents:
    for company, survivor in endings.items():
        parents = company_groups.absorb(parents, company, survivor)
    return parents
