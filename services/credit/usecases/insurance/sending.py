"""Sending requests: claimed before the call, settled after it, and never sent twice when nobody knows what came of it.

A request is `validated`, then `sending` (committed before a byte leaves), then `pending`, `decided`, `failed` or
`send_unknown`. What is unknown, or was being sent when a process died, is looked for at the insurer by our reference.
"""

from datetime import timedelta
from uuid import UUID

import structlog

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.insurers.port import InsurerError, MayHaveWorked, NotAsked, Receipt, Rejected, Submission
from services.credit.storage.insurance import requests
from services.credit.storage.insurance.rows import one, update
from services.credit.usecases.insurance.connections import connection_or_404, insurer_of
from services.credit.usecases.insurance.inbox import release_parked
from services.credit.usecases.insurance.reading import take_in_reading
from services.credit.usecases.insurance.requesting import policy_or_404, submission_of

JOB = "send_guarantee_requests"
log = structlog.get_logger(__name__)
#: After this long in `sending` whoever sent is taken for dead. Longer than any call may last.
_LOST_AFTER = timedelta(minutes=2)
_OPEN = """
    SELECT DISTINCT tenant_id FROM guarantee_requests
     WHERE state = 'validated' OR (state = 'sending' AND claimed_at < $1)
        OR (state = 'send_unknown' AND claimed_at + make_interval(secs => 2 ^ least(attempts, 9)) < $2)
"""
MAX_ATTEMPTS = 20


async def send_waiting(runtime: Runtime, tenant_id: str) -> None:
    """Job: send what waits, look for what may have been sent."""
    tenant = await runtime.tenant(UUID(tenant_id))
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        waiting = await requests.in_states(tx, ("validated", "send_unknown", "sending"))
    for row in waiting:
        if row["state"] == "validated":
            await _send(runtime, tenant, row)
        elif row["claimed_at"] + _patience(row) < clock.wall():
            await reconcile(runtime, tenant, row["id"])


async def sweep(runtime: Runtime) -> None:
    """Nudge tenants with requests that wait or whose fate is unknown."""
    async with runtime.db.system() as connection:
        rows = await connection.fetch(_OPEN, clock.wall() - _LOST_AFTER, clock.wall())
    for row in rows:
        await runtime.jobs.enqueue(JOB, str(row["tenant_id"]), job_id=f"{JOB}:{row['tenant_id']}")


def _patience(row: Row) -> timedelta:
    """How long a request is left alone before the insurer is asked about it: ever longer, eight minutes at the most."""
    return _LOST_AFTER if row["state"] == "sending" else timedelta(seconds=2 ** min(row["attempts"], 9))


async def _send(runtime: Runtime, tenant: Tenant, row: Row) -> None:
    claimed = await _claim(runtime, tenant, row["id"])
    if claimed is None:
        return
    connection, submission = claimed
    try:
        async with insurer_of(runtime, tenant.id, connection) as insurer:
            if row["request_type"] == "cancellation" and submission.cover_reference is None:
                raise Rejected("There is no cover of the insurer's to cancel.")
            receipt = await insurer.submit(submission)
    except MayHaveWorked as unknown:
        await _settle(runtime, tenant, row["id"], "send_unknown", unknown.detail)
    except Rejected as rejected:
        await _settle(runtime, tenant, row["id"], "failed", rejected.detail)
    except NotAsked as error:
        final = row["attempts"] + 1 >= MAX_ATTEMPTS or error.code == "destination_refused"
        await _settle(runtime, tenant, row["id"], "failed" if final else "validated", error.detail)
    except InsurerError as error:
        await _settle(runtime, tenant, row["id"], "send_unknown", error.detail)
    else:
        await _received(runtime, tenant, connection, row["id"], receipt)


async def reconcile(runtime: Runtime, tenant: Tenant, request_id: UUID) -> None:
    """Ask the insurer what became of a request nobody is sure of. It is never sent again by itself: what the insurer surely
    does not hold goes back to a person as `failed`."""

    async def read(tx: Tx) -> tuple[Row, Row, Submission]:
        row = await one(tx, requests.TABLE, request_id)
        assert row is not None, "requests are never deleted"
        policy = await policy_or_404(tx, row["policy_id"])
        return row, await connection_or_404(tx, policy["connection_id"]), await submission_of(tx, row)

    row, connection, submission = await runtime.db.run(tenant, read)
    try:
        async with insurer_of(runtime, tenant.id, connection) as insurer:
            receipt = await insurer.find_request(submission)
    except InsurerError as error:
        await _settle(runtime, tenant, request_id, "send_unknown", error.detail)
        return
    if receipt is None:
        detail = (
            "The insurer holds no such request: nothing was asked. Submit it again if it is still wanted."
        )
        await _settle(runtime, tenant, request_id, "failed", detail)
    else:
        await _received(runtime, tenant, connection, row["id"], receipt)


async def _claim(runtime: Runtime, tenant: Tenant, request_id: UUID) -> tuple[Row, Submission] | None:
    async def work(tx: Tx) -> tuple[Row, Submission] | None:
        row = await requests.lock(tx, request_id)
        if row is None or row["state"] != "validated":
            return None
        changed = await update(
            tx,
            requests.TABLE,
            request_id,
            state="sending",
            claimed_at=clock.wall(),
            attempts=row["attempts"] + 1,
        )
        requests.emit(tx, changed)
        policy = await policy_or_404(tx, row["policy_id"])
        connection = await connection_or_404(tx, policy["connection_id"])
        return connection, await submission_of(tx, changed)

    return await runtime.db.run(tenant, work)


async def _settle(runtime: Runtime, tenant: Tenant, request_id: UUID, state: str, error: str | None) -> None:
    async def work(tx: Tx) -> None:
        row = await requests.lock(tx, request_id)
        if row is None or row["state"] not in ("sending", "send_unknown"):
            return  # the answer came before the end of the call
        looked = {"attempts": row["attempts"] + 1} if row["state"] == "send_unknown" else {}
        changed = await update(
            tx, requests.TABLE, request_id, state=state, error=error, claimed_at=clock.wall(), **looked
        )
        if state != row["state"]:
            requests.emit(tx, changed)
        tx.after_commit(lambda: runtime.ring(tx))

    await runtime.db.run(tenant, work)


async def _received(
    runtime: Runtime, tenant: Tenant, connection: Row, request_id: UUID, receipt: Receipt
) -> None:
    async def work(tx: Tx) -> None:
        row = await requests.lock(tx, request_id)
        if row is None:
            return
        state = "pending" if row["state"] in ("sending", "send_unknown", "sent") else row["state"]
        changed = await update(
            tx, requests.TABLE, request_id, state=state, error=None, claimed_at=None,
            insurer_reference=receipt.reference or row["insurer_reference"],
            job_reference=receipt.job_reference or row["job_reference"],
        )  # fmt: skip
        requests.emit(tx, changed)
        policy = await policy_or_404(tx, row["policy_id"])
        for told in receipt.decisions:
            named = told.model_copy(update={"request_reference": told.request_reference or str(request_id)})
            await take_in_reading(tx, connection, policy, named)
        await release_parked(tx, connection["id"])
        tx.after_commit(lambda: runtime.ring(tx))

    await runtime.db.run(tenant, work)
