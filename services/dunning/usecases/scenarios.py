"""Scenarios: written, published as versions, copied; who follows which, by whose decision."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.feed.events import Subject
from libs.kit.problems import FieldError, Problem, invalid
from services.dunning.domain.library import LIBRARY
from services.dunning.domain.scenario import ScenarioVersion, Step, findings
from services.dunning.storage import planning, scenarios
from services.dunning.usecases.house import house_of
from services.dunning.usecases.plan import plan_customers

_RELOOK = """
    UPDATE customers SET look_again_on = $3
     WHERE tenant_id = $1 AND (scenario_id = $2 OR ($4 AND scenario_id IS NULL))
       AND (look_again_on IS NULL OR look_again_on > $3)
"""
#: Customers with something proposed under a scenario: replaced at once, however many follow it.
_PROPOSED = """
    SELECT DISTINCT a.customer_id FROM actions a WHERE a.tenant_id = $1 AND a.scenario_id = $2 AND a.kind = 'scenario'
       AND a.state IN ('proposed', 'to_confirm', 'due', 'blocked') ORDER BY a.customer_id
"""
_BATCH = 500


async def check_steps(tx: Tx, steps: Sequence[Step]) -> None:
    """Raise 422 naming everything that is wrong with a list of steps."""
    errors = [FieldError(one.pointer, one.code, one.detail) for one in findings(steps)]
    wanted = {step.template_id for step in steps if step.template_id is not None}
    known = {
        row["id"]: row["channel"]
        for row in await tx.fetch(
            "SELECT id, channel FROM templates WHERE tenant_id = $1 AND id = ANY($2)",
            tx.tenant_id,
            list(wanted),
        )
    }
    errors += [
        FieldError(f"/steps/{place}/template_id", "template_unknown", "expected the id of a template")
        for place, step in enumerate(steps)
        if step.template_id is not None and step.template_id not in known
    ]
    if errors:
        raise Problem(422, "invalid", "The steps cannot be followed.", errors=errors)


async def create(tx: Tx, name: str, description: str, what: ScenarioVersion) -> UUID:
    """A scenario with its first version."""
    identifier = await scenarios.insert(tx, name, description)
    await scenarios.publish(tx, identifier, replace(what, scenario_id=identifier), tx.actor.user_id)
    tx.audit("scenario_created", "scenario", identifier, after={"name": name})
    return identifier


async def from_library(tx: Tx, code: str, name: str | None) -> UUID:
    """A copy of a ready-made scenario."""
    model = LIBRARY[code]
    templates = {
        row["code"]: row["id"]
        for row in await tx.fetch("SELECT id, code FROM templates WHERE tenant_id = $1", tx.tenant_id)
    }
    steps = tuple(
        Step(step.channel, step.mode, templates[step.template] if step.template else None, step.offset_days)
        for step in model.steps
    )
    version = ScenarioVersion(new_id(), new_id(), steps, dict(model.minimums), cap_days=model.cap_days)
    return await create(tx, name or model.name, model.description, version)


async def duplicate(tx: Tx, row: Row, name: str | None) -> UUID:
    """A copy of a scenario as it stands."""
    copy = replace(scenarios.version_of(row), id=new_id())
    return await create(tx, name or f"{row['name']} (copy)", row["description"], copy)


async def publish(tx: Tx, row: Row, what: ScenarioVersion) -> None:
    """A new version: what was proposed under the old one is replaced at once; steps already done are not done again."""
    await scenarios.publish(tx, row["id"], replace(what, scenario_id=row["id"]), tx.actor.user_id)
    await scenarios.update(tx, row["id"])
    tx.audit(
        "scenario_published",
        "scenario",
        row["id"],
        {"version": row["number"]},
        {"version": row["number"] + 1},
    )
    await _replace_proposals(tx, row["id"], default=row["is_default"])


async def make_default(tx: Tx, row: Row) -> None:
    """What customers without a scenario of their own follow from now on."""
    if row["is_default"]:
        return
    if row["archived"]:
        raise Problem(409, "archived", "An archived scenario cannot be followed.")
    old = await tx.fetchval(
        "SELECT id FROM scenarios WHERE tenant_id = $1 AND is_default FOR UPDATE", tx.tenant_id
    )
    await scenarios.update(tx, old, is_default=False)
    await scenarios.update(tx, row["id"], is_default=True)
    tx.audit("default_scenario_changed", "scenario", row["id"], {"default": old}, {"default": row["id"]})
    await _replace_proposals(tx, old, default=True)


async def archive(tx: Tx, row: Row) -> None:
    """Put a scenario away. Raises 409 `in_use` while anybody follows it."""
    followed = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM scenario_assignments WHERE tenant_id = $1 AND scenario_id = $2)",
        tx.tenant_id, row["id"],
    )  # fmt: skip
    if row["is_default"] or followed:
        raise Problem(409, "in_use", "Customers follow this scenario: give them another one first.")
    await scenarios.update(tx, row["id"], archived=True)
    tx.audit("scenario_archived", "scenario", row["id"], {"archived": False}, {"archived": True})


async def assign(
    tx: Tx, customer_id: UUID, scenario_id: UUID | None, *, manual: bool, reason: str | None
) -> Row | None:
    """Let a customer follow a scenario (None: the default again). What was proposed is replaced at once."""
    if scenario_id is not None:
        row = await scenarios.get(tx, scenario_id)
        if row is None or row["archived"]:
            raise invalid(
                "/scenario_id", "scenario_unknown", "expected the id of a scenario that is not archived"
            )
    before = await assignment(tx, customer_id)
    written = None
    if scenario_id is None:
        await tx.execute(
            "DELETE FROM scenario_assignments WHERE tenant_id = $1 AND customer_id = $2",
            tx.tenant_id,
            customer_id,
        )
    else:
        written = await tx.fetchrow(
            "INSERT INTO scenario_assignments (tenant_id, customer_id, scenario_id, manual, reason, assigned_by, assigned_at,"
            " version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT (tenant_id, customer_id) DO UPDATE SET"
            " scenario_id = excluded.scenario_id, manual = excluded.manual, reason = excluded.reason,"
            " assigned_by = excluded.assigned_by, assigned_at = excluded.assigned_at,"
            " version = scenario_assignments.version + 1"
            " RETURNING customer_id, scenario_id, manual, reason, assigned_by, assigned_at, version",
            tx.tenant_id, customer_id, scenario_id, manual, reason, tx.actor.subject, tx.now,
        )  # fmt: skip
    await tx.execute(
        "UPDATE customers SET scenario_id = $3 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        customer_id,
        scenario_id,
    )
    old = before["scenario_id"] if before else None
    tx.audit("scenario_assigned", "customer", customer_id, {"scenario_id": old}, {"scenario_id": scenario_id})
    number = (written or before or {"version": 0})["version"]
    told = {"scenario_id": scenario_id, "manual": manual, "assigned_by": tx.actor.subject}
    tx.emit("scenario_assignment.changed", [Subject(customer_id, number + (0 if written else 1), told)])
    await _replan(tx, [customer_id])
    return written


async def assignment(tx: Tx, customer_id: UUID) -> Row | None:
    """Which scenario a customer was given, by whom and when; None when it follows the default."""
    return await tx.fetchrow(
        "SELECT customer_id, scenario_id, manual, reason, assigned_by, assigned_at, version FROM scenario_assignments"
        " WHERE tenant_id = $1 AND customer_id = $2",
        tx.tenant_id, customer_id,
    )  # fmt: skip


async def states(tx: Tx, after: UUID | None, limit: int) -> list[Subject]:
    """The present state behind `scenario_assignment.changed`."""
    rows = await tx.fetch(
        "SELECT customer_id, scenario_id, manual, assigned_by, version FROM scenario_assignments WHERE tenant_id = $1"
        " AND ($2::uuid IS NULL OR customer_id > $2) ORDER BY customer_id LIMIT $3",
        tx.tenant_id, after, limit,
    )  # fmt: skip
    names = ("scenario_id", "manual", "assigned_by")
    return [Subject(row["customer_id"], row["version"], {name: row[name] for name in names}) for row in rows]


async def _replace_proposals(tx: Tx, scenario_id: UUID, *, default: bool) -> None:
    """Decide anew for everybody with something proposed under a scenario; the others are looked at by the day's run."""
    await tx.execute(_RELOOK, tx.tenant_id, scenario_id, tx.today, default)
    customers = [row["customer_id"] for row in await tx.fetch(_PROPOSED, tx.tenant_id, scenario_id)]
    for start in range(0, len(customers), _BATCH):
        await _replan(tx, customers[start : start + _BATCH])


async def _replan(tx: Tx, customers: Sequence[UUID]) -> None:
    live = await planning.live_actions(tx, customers)
    proposed = [customer for customer in customers if live[customer]]
    if proposed:
        await plan_customers(tx, proposed, await scenarios.in_force(tx), tx.today, await house_of(tx))
    await planning.look_again(tx, dict.fromkeys(customers, tx.today))
