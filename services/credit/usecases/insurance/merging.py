"""Two insured companies became one: covers, requests, decisions, clocks and claims go to the one that stays."""

from datetime import timedelta
from uuid import UUID

from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from services.credit.storage.insurance import buyers, contracts, covers, mergers, requests
from services.credit.storage.insurance.rows import one
from services.credit.usecases.insurance.projecting import cover_state, emit_cover, project
from services.credit.usecases.insurance.reading import grade_id, grade_state
from services.credit.usecases.insurance.watching import emit_clock, watch_companies
from services.credit.usecases.revalidation import guarantees_changed


async def merge_insurance(tx: Tx, ended: UUID, target: UUID) -> None:
    """Move the credit insurance of `ended` to `target` and announce it anew. Running it again finds nothing to move."""
    policies = await mergers.policies_of(tx, ended)
    for policy_id in policies:
        for company_id in sorted((ended, target)):
            await covers.lock_buyer(tx, policy_id, company_id)
    await mergers.follow_customers(tx, ended, target)
    for row in await mergers.follow_requests(tx, ended, target):
        requests.emit(tx, row)
    moved, gone = await mergers.follow_covers(tx, ended, target)
    for row in gone:
        _emit_gone(tx, row, target)
    for row in await mergers.follow_losses(tx, ended, target):
        emit_clock(tx, row)
    projected: set[UUID] = set()
    for policy_id in policies:
        projected |= {row["id"] for row in await project(tx, policy_id, target)}
    for row in moved:
        if row["id"] not in projected:  # asked for and not decided yet
            emit_cover(tx, row)
    await _tell_grades(tx, target)
    await guarantees_changed(tx, [target])
    await watch_companies(tx, [ended, target])


def _emit_gone(tx: Tx, row: Row, target: UUID) -> None:
    """A cover that is one with the survivor's from today: ended for whoever keeps it by its id."""
    state = cover_state(row, tx.today)
    state |= {"company_id": target, "amount": 0, "percent": None, "expires_at": tx.today - timedelta(days=1)}
    tx.emit("cover.changed", [Subject(row["id"], row["version"] + 1, state)])


async def _tell_grades(tx: Tx, target: UUID) -> None:
    for row in await buyers.of_companies(tx, target):
        connection = await one(tx, "insurer_connections", row["connection_id"])
        if row["grade"] is None or connection is None:
            continue
        for policy in await contracts.policies_of(tx, row["connection_id"]):
            subject = Subject(grade_id(policy, row), row["version"], grade_state(row, policy, connection))
            tx.emit("insurer_grade.changed", [subject])
