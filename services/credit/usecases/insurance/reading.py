"""Reading all covers of a connection's policies. Whoever calls an insurer holds no transaction meanwhile."""

import hashlib
from datetime import date
from uuid import UUID, uuid5

import msgspec
import structlog

from libs.kit import clock
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.runtime import Runtime
from libs.kit.tenants import Tenant
from services.credit.insurers.port import Grade, InsurerError, Policy, Reading
from services.credit.insurers.registry import is_manual
from services.credit.insurers.told import ToldDecision
from services.credit.storage.insurance import buyers, contracts, inbox
from services.credit.storage.insurance.rows import update
from services.credit.usecases.insurance.connections import TABLE, connection_or_404, insurer_of
from services.credit.usecases.insurance.inbox import release_parked, take_in_one

JOB = "read_insurer_covers"
log = structlog.get_logger(__name__)
#: Allianz Trade grades from 1, the best, to 10. A scale nobody published is told as it is written, without direction.
_SCALES = {"1-10": {"min": 1, "max": 10, "better": "low"}}


async def read_connection(runtime: Runtime, tenant_id: str, connection_id: str) -> None:
    """Job: read every policy of one connection."""
    await read_covers(runtime, await runtime.tenant(UUID(tenant_id)), UUID(connection_id))


async def read_daily(runtime: Runtime, tenant: Tenant, day: date) -> None:
    """Step of a day: read every connection; one that fails says so on itself and stops nobody else."""
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        connections = await contracts.active_connections(tx)
    for row in connections:
        if not is_manual(row["insurer"]):
            await read_covers(runtime, tenant, row["id"])


async def read_covers(runtime: Runtime, tenant: Tenant, connection_id: UUID) -> None:
    """Read all covers of a connection's policies and take in what differs from what we know."""
    async with runtime.db.transaction(tenant, readonly=True) as tx:
        connection = await connection_or_404(tx, connection_id)
        policies = await contracts.policies_of(tx, connection_id)
    if is_manual(connection["insurer"]):
        return
    error = None
    try:
        async with insurer_of(runtime, tenant.id, connection) as insurer:
            for policy in policies:
                contract = Policy(policy["number"], policy["currency"], policy["extension_code"])
                reading = await insurer.read_covers(contract)
                await runtime.db.run(tenant, _take_in(runtime, connection, policy, reading))
    except InsurerError as failed:
        error = f"{failed.code}: {failed.detail}"
        log.info("reading_failed", connection=str(connection_id), code=failed.code)

    async def note(tx: Tx) -> None:
        read = {} if error else {"last_read_at": clock.wall()}
        await update(tx, TABLE, connection_id, last_error=error, **read)

    await runtime.db.run(tenant, note)


def _take_in(runtime: Runtime, connection: Row, policy: Row, reading: Reading):  # type: ignore[no-untyped-def]
    async def work(tx: Tx) -> None:
        for told in reading.decisions:
            await take_in_reading(tx, connection, policy, told)
        for grade in reading.grades:
            await keep_grade(tx, connection, policy, grade)
        await release_parked(tx, connection["id"])
        tx.after_commit(lambda: runtime.ring(tx))

    return work


async def take_in_reading(tx: Tx, connection: Row, policy: Row, told: ToldDecision) -> None:
    """Keep what was read as a message of its own: one that says what came before is no news."""
    told = told.model_copy(update={"policy_reference": told.policy_reference or policy["number"]})
    body = msgspec.json.encode(told.model_dump(mode="json", by_alias=True))
    message_id = f"reading:{told.decision_id}:{hashlib.sha256(body).hexdigest()[:16]}"
    kept = await inbox.keep(tx, connection["id"], message_id, body, "reading")
    if kept.outcome == "stored":
        await take_in_one(tx, kept.id)


async def keep_grade(tx: Tx, connection: Row, policy: Row, grade: Grade) -> None:
    """Write an insurer's grade down and tell risk when it changed; grades of unknown buyers wait for their buyer."""
    row = await buyers.by_insurer_id(tx, connection["id"], grade.insurer_buyer_id)
    if row is None or (row["grade"] == grade.grade and row["grade_scale"] == grade.scale):
        return
    changed = await update(
        tx,
        buyers.TABLE,
        row["id"],
        grade=grade.grade,
        grade_scale=grade.scale,
        graded_on=grade.graded_on or tx.today,
    )
    subject = Subject(
        uuid5(policy["id"], str(row["company_id"])),
        changed["version"],
        grade_state(changed, policy, connection),
    )
    tx.emit("insurer_grade.changed", [subject])


def grade_id(policy: Row, buyer: Row) -> UUID:
    """The subject of a grade: one a policy and company."""
    return uuid5(policy["id"], str(buyer["company_id"]))


def grade_state(row: Row, policy: Row, connection: Row) -> dict[str, object]:
    """The state behind `insurer_grade.changed`."""
    return {
        "company_id": row["company_id"],
        "insurer": connection["insurer"],
        "policy_id": policy["id"],
        "grade": row["grade"],
        "scale": _SCALES.get(row["grade_scale"]),
        "graded_on": row["graded_on"],
    }
