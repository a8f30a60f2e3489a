"""Which companies are watched: added one by one or by criteria, identified, removed. What must happen at the provider is a
row; the connection's desk does it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.problems import Problem
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.risk.providers.errors import ProviderError
from services.risk.providers.port import Candidate
from services.risk.storage import connections, monitorings
from services.risk.usecases import portfolio
from services.risk.usecases.connecting import adapter_of, problem_of, speaking
from services.risk.usecases.desk import connection_options, nudge
from services.risk.usecases.profiles import join_anew


async def add(
    runtime: Runtime, tx: Tx, connection: Row, companies: Sequence[UUID], user_id: UUID | None
) -> list[Row]:
    """Ask for companies to be watched; those for whom something has to be done. One that is watched already is a success.

    Raises 409 for a connection that is paused.
    """
    if connection["state"] == "paused":
        raise Problem(409, "invalid_state", "The connection is paused.", state="paused")
    rows = await monitorings.add(tx, connection["id"], companies, user_id)
    portfolio.tell(tx, connection["provider"], rows)
    await join_anew(tx, [row["company_id"] for row in rows])
    tx.after_commit(lambda: nudge(runtime, tx.tenant_id, connection["id"]))
    return rows


async def remove(runtime: Runtime, tx: Tx, row: Row) -> None:
    """Take a company from the watch. Removing what is being removed, or is gone, does nothing."""
    if row["state"] in ("removing", "absent"):
        return
    # What never reached the provider has nothing to be taken back there.
    state = "absent" if row["state"] == "failed" and row["member_since"] is None else "removing"
    await monitorings.set_state(tx, row["id"], {"state": state, "attempts": 0, "next_attempt_at": None})
    changed = await monitorings.of_company(tx, row["connection_id"], row["company_id"])
    assert changed is not None, "it was changed a moment ago"
    portfolio.tell(tx, row["provider"], [changed])
    tx.audit("monitoring_removed", "monitoring", row["id"], {"state": row["state"]}, {"state": state})
    await join_anew(tx, [row["company_id"]])
    connection_id = row["connection_id"]
    tx.after_commit(lambda: nudge(runtime, tx.tenant_id, connection_id))


async def search(
    runtime: Runtime, tenant: Tenant, connection: Row, company: dict[str, Any]
) -> tuple[list[Candidate], str | None]:
    """Ask the provider which companies may be meant, and which one would be taken. Raises 422, 503 with the provider's reason.

    Counted against the budget where searching is billed.
    """
    capabilities = adapter_of(connection["adapter"]).capabilities(connection_options(connection))
    if not capabilities.search_by:
        raise Problem(
            422, "provider_not_supported", "This provider cannot be searched: it knows companies by number."
        )
    reference = portfolio.reference(company)
    try:
        async with speaking(runtime, tenant, connection) as (provider, _):
            candidates = list(await provider.search(reference))
    except ProviderError as error:
        raise problem_of(error) from None
    if capabilities.search_billed:
        await runtime.db.run(tenant, lambda tx: connections.count_billed(tx, connection["id"], tx.today, 1))
    try:
        return candidates, portfolio.identified(candidates).provider_reference
    except ProviderError:
        return candidates, None


async def confirm(
    runtime: Runtime, tx: Tx, connection: Row, company_id: UUID, provider_ref: str, user_id: UUID | None
) -> Row:
    """Say which company at the provider is meant, and watch it. One that was ambiguous is tried again."""
    await add(runtime, tx, connection, [company_id], user_id)
    row = await monitorings.of_company(tx, connection["id"], company_id)
    assert row is not None, "it was added a moment ago"
    if row["provider_ref"] != provider_ref:
        members: dict[str, Any] = {"provider_ref": provider_ref, "match_kind": "manual"}
        if row["state"] == "member":
            members["state"] = "adding"  # another company at the provider: it has to be added there
        await monitorings.set_state(tx, row["id"], members)
        before = {"provider_reference": row["provider_ref"]}
        tx.audit(
            "provider_match_chosen", "monitoring", row["id"], before, {"provider_reference": provider_ref}
        )
    found = await monitorings.of_company(tx, connection["id"], company_id)
    assert found is not None, "it was added a moment ago"
    return found
