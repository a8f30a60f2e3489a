"""Find or create the company behind each of many customers."""

from collections.abc import Sequence
from uuid import UUID

from libs.kit.db import Tx
from services.ledger.domain.company_identity import CompanyIdentityConflict
from services.ledger.domain.company_matching import Claim, Register
from services.ledger.storage import companies


async def resolve_companies(tx: Tx, claims: Sequence[Claim]) -> list[UUID | CompanyIdentityConflict]:
    """The company of each claim, in order; what is missing is created, what was learned is written and emitted.

    First without the register's lock, for most customers belong to companies that are known: only when an identifier changes
    hands is the lock taken and everything read again, since another transaction may have done the same meanwhile.
    """
    register, settled = await _settle(tx, claims)
    if register.needs_lock:
        await companies.lock_register(tx)
        register, settled = await _settle(tx, claims)
    identities = register.identities
    created = await companies.insert(
        tx, ((id_, name, identities[id_]) for id_, name in register.created.items())
    )
    taught = await companies.patch(
        tx, [{"id": id_, **companies.columns_of(identities[id_])} for id_ in sorted(register.taught)]
    )
    tx.emit("company.changed", [*created, *map(companies.subject, taught)])
    return settled


async def _settle(tx: Tx, claims: Sequence[Claim]) -> tuple[Register, list[UUID | CompanyIdentityConflict]]:
    current = {claim.current for claim in claims if claim.current is not None}
    register = Register(await companies.holders(tx, (claim.identity for claim in claims), current))
    return register, [register.settle(claim) for claim in claims]
