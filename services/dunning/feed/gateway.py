"""What dunning keeps of the gateway: the tenant (which starts with a default scenario) and its business units."""

from libs.contracts.ids import new_id
from libs.kit.db import Tx
from libs.kit.responses import json_bytes
from libs.kit.service import Incoming
from libs.kit.tenant_registry import keep_tenants
from services.dunning.domain.scenario import ScenarioVersion, default_steps
from services.dunning.storage import scenarios, statuses
from services.dunning.usecases.templates import start_with_templates

_UNITS = """
    INSERT INTO business_units (tenant_id, id, name, version)
    SELECT $1, s.id, s.name, s.version FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, name text)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, version = excluded.version
      WHERE business_units.version < excluded.version
"""


_USERS = """
    INSERT INTO users (tenant_id, id, name, email, version)
    SELECT $1, s.id, s.name, s.email, s.version
      FROM jsonb_to_recordset($2::jsonb) AS s(id uuid, version bigint, name text, email text)
     ORDER BY s.id
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, email = excluded.email, version = excluded.version
      WHERE users.version < excluded.version
"""


async def keep_users(tx: Tx, subjects: list[Incoming]) -> None:
    """`user.changed`: who may be written to inside the house."""
    rows = [
        {"id": s.id, "version": s.version, "name": s.data["name"], "email": s.data["email"]} for s in subjects
    ]
    await tx.execute(_USERS, tx.tenant_id, json_bytes(rows).decode())


async def keep_tenant(tx: Tx, subjects: list[Incoming]) -> None:
    """`tenant.changed`: a tenant seen for the first time gets templates and a scenario to start with."""
    await keep_tenants(tx, subjects)
    await start_with_defaults(tx)


async def keep_business_units(tx: Tx, subjects: list[Incoming]) -> None:
    """`business_unit.changed`."""
    rows = [{"id": s.id, "version": s.version, "name": s.data["name"]} for s in subjects]
    await tx.execute(_UNITS, tx.tenant_id, json_bytes(rows).decode())


async def start_with_defaults(tx: Tx) -> None:
    """The library's templates and the default scenario, once."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 3))", str(tx.tenant_id))
    if await tx.fetchval("SELECT EXISTS (SELECT 1 FROM scenarios WHERE tenant_id = $1)", tx.tenant_id):
        return
    ids = await start_with_templates(tx)
    scenario_id = await scenarios.insert(tx, "Standard", "Two e-mails, then a call.", default=True)
    steps = default_steps(ids["first_reminder"], ids["second_reminder"])
    await scenarios.publish(tx, scenario_id, ScenarioVersion(new_id(), scenario_id, steps), None)
    await statuses.start_with_natives(tx)
