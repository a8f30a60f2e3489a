"""Tenants cannot meet: the schema's rules in every database, and what the two roles can and cannot do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from libs.kit import migrations
from libs.kit.db import APP_ROLE, SYSTEM_ROLE
from libs.kit.schema import REFERENCE_TABLES
from libs.kit.settings import SERVICES
from libs.kit.tenants import Tenant
from libs.testkit.databases import Databases
from libs.testkit.tenancy_rules import tables, violations

KEEPING = [service for service in SERVICES if migrations.has_database(service)]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="module", params=KEEPING)
async def schema(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[tuple[str, str]]:
    """A service and a database with its schema."""
    name = f"apart_{request.param}"
    yield request.param, await databases.clone(request.param, name)
    await databases.drop(name)


async def test_every_table_of_every_service_keeps_the_rules(schema) -> None:
    service, url = schema
    async with connected(url) as connection:
        assert await violations(connection, REFERENCE_TABLES) == []
        declared = set(migrations.metadata_of(service).tables)
        assert await tables(connection) == declared | {"alembic_version"}
        assert len(declared) >= 8


async def test_every_table_has_its_two_policies_and_belongs_to_neither_role(schema) -> None:
    _, url = schema
    async with connected(url) as connection:
        rows = await connection.fetch(
            "SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,"
            " array_agg(p.polname::text || ' ' || p.polcmd::text || ' ' || p.polroles::regrole[]::text ORDER BY p.polname)"
            "   AS policies"
            " FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid GROUP BY 1, 2"
        )
        declared = await tables(connection)
    assert {row["name"] for row in rows} == declared - REFERENCE_TABLES
    for row in rows:
        assert row["owner"] not in (APP_ROLE, SYSTEM_ROLE)
        assert row["policies"] == [f"all_tenants_read r {{{SYSTEM_ROLE}}}", f"own_tenant * {{{APP_ROLE}}}"], (
            row["name"]
        )


async def test_neither_role_is_above_the_rules(schema) -> None:
    _, url = schema
    async with connected(url) as connection:
        rows = await connection.fetch(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = ANY ($1)",
            [APP_ROLE, SYSTEM_ROLE],
        )
        assert [tuple(row.values())[1:] for row in rows] == [(False, False, False, False)] * 2
        for role in (APP_ROLE, SYSTEM_ROLE):
            assert not await connection.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)


FAULTS = {
    "R1": "CREATE TABLE stray (id uuid PRIMARY KEY)",
    "R2": "CREATE TABLE stray (tenant_id text NOT NULL, id uuid, PRIMARY KEY (tenant_id, id))",
    "R3": "CREATE UNIQUE INDEX stray ON operations (id)",
    "R4": "CREATE TABLE stray (tenant_id uuid, id uuid, PRIMARY KEY (id, tenant_id))",
    "R5": "ALTER TABLE events ADD CONSTRAINT stray FOREIGN KEY (id, tenant_id) REFERENCES operations (tenant_id, id)",
    "R6": "ALTER TABLE events ADD CONSTRAINT stray FOREIGN KEY (tenant_id, id) REFERENCES operations (tenant_id, id)"
    " ON DELETE SET NULL",
    "R7": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER stray BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION f()",
    "R8": "CREATE SEQUENCE stray",
    "R9": "CREATE TABLE directory (id uuid, t uuid, CONSTRAINT stray FOREIGN KEY (t, id) REFERENCES operations (tenant_id, id))",
    "R10": "ALTER TABLE events NO FORCE ROW LEVEL SECURITY",
}


@pytest.mark.parametrize("rule", FAULTS)
async def test_a_planted_fault_is_found(rule: str, databases: Databases) -> None:
    name = f"planted_{rule.lower()}"
    url = await databases.clone("risk", name)
    async with connected(url) as connection:
        await connection.execute(FAULTS[rule])
        found = await violations(connection, REFERENCE_TABLES)
    await databases.drop(name)
    assert rule in [found_rule for found_rule, _ in found]
    assert {what for found_rule, what in found if found_rule == rule} <= {
        "stray",
        "stray_pkey",
        "events",
        "stray on events",
    }


@pytest.fixture
async def two_tenants(toy_client, toys):
    """Two tenants with two things each, and a connection to their database."""
    clients = [await toy_client(), await toy_client()]
    for client in clients:
        for name in ("bolt", "nut"):
            await client.post("/v1/things", json={"name": name})
    async with connected(toys.database_url("ledger")) as connection:
        yield (*(client.tenant_id for client in clients), connection)


async def test_without_a_where_one_sees_ones_own(two_tenants) -> None:
    mine, theirs, connection = two_tenants
    await connection.execute(f"SET ROLE {APP_ROLE}")
    async with connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id = '{mine}'")
        for table in ("things", "events", "tenants", "feed_heads", "idempotency_keys"):
            seen = await connection.fetch(f"SELECT DISTINCT tenant_id FROM {table}")
            assert {row["tenant_id"] for row in seen} <= {mine}, table
        assert await connection.fetchval("SELECT count(*) FROM things") == 2
        assert (
            await connection.execute("UPDATE things SET name = 'mine' WHERE tenant_id = $1", theirs)
            == "UPDATE 0"
        )
        assert await connection.execute("DELETE FROM things WHERE tenant_id = $1", theirs) == "DELETE 0"
        assert await connection.execute("UPDATE things SET name = 'mine'") == "UPDATE 2"


async def test_nothing_can_be_put_into_another_tenant(two_tenants) -> None:
    mine, theirs, connection = two_tenants
    await connection.execute(f"SET ROLE {APP_ROLE}")
    for statement in (
        "INSERT INTO things (tenant_id, id, name, version) VALUES ($1, gen_random_uuid(), 'gift', 1)",
        "UPDATE things SET tenant_id = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with connection.transaction():
                await connection.execute(f"SET LOCAL app.tenant_id = '{mine}'")
                await connection.execute(statement, theirs)


async def test_without_a_tenant_there_is_nothing(two_tenants) -> None:
    mine, _, connection = two_tenants
    await connection.execute(f"SET ROLE {APP_ROLE}")
    assert await connection.fetchval("SELECT count(*) FROM things") == 0
    async with connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id = '{mine}'")
    # After a SET LOCAL the setting is the empty text and not null: it must not become an error, nor a way in.
    assert await connection.fetchval("SELECT count(*) FROM things") == 0


async def test_the_systems_role_reads_everything_and_writes_nothing(two_tenants) -> None:
    mine, theirs, connection = two_tenants
    await connection.execute(f"SET ROLE {SYSTEM_ROLE}")
    seen = {row["tenant_id"] for row in await connection.fetch("SELECT DISTINCT tenant_id FROM things")}
    assert {mine, theirs} <= seen
    for statement in (
        "INSERT INTO things (tenant_id, id, name, version) VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 1)",
        "UPDATE things SET name = 'x'",
        "DELETE FROM things",
        "TRUNCATE things",
        "SELECT 1 FROM things FOR UPDATE",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await connection.execute(statement)


async def test_the_pools_work_in_their_roles(toys) -> None:
    database = toys.runtime("ledger").db
    async with database.system() as connection:
        assert await connection.fetchval("SELECT current_user::text") == SYSTEM_ROLE
    tenant = Tenant(uuid4())
    async with database.transaction(tenant) as tx:
        assert await tx.fetchval("SELECT current_user::text") == APP_ROLE
        assert await tx.fetchval("SELECT current_setting('app.tenant_id')") == str(tenant.id)
        connection = tx.connection
        assert await connection.fetchval("SELECT current_setting('is_superuser')") == "off"


async def test_anothers_object_is_not_found(toy_client) -> None:
    mine, theirs = await toy_client(), await toy_client()
    thing = (await theirs.post("/v1/things", json={"name": "bolt"})).json()
    response = await mine.patch(f"/v1/things/{thing['id']}", json={"name": "mine"})
    unknown = await mine.patch(f"/v1/things/{uuid4()}", json={"name": "mine"})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.json().keys() == unknown.json().keys()
    assert (await mine.get("/v1/things")).json()["data"] == []


async def test_only_the_gateway_speaks_for_users_and_only_services_reach_internal_paths(
    toy_client, toys
) -> None:
    client = await toy_client()
    forged = toys.keys("risk").sign_user(client.caller)
    response = await client.get("/v1/things", headers={"authorization": f"Bearer {forged}"})
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    response = await client.get("/internal/feed/heads")
    assert (response.status_code, response.json()["code"]) == (403, "internal_only")
    for audience, status, code in (("ledger", 403, "user_token_needed"), ("risk", 401, "invalid_token")):
        token = toys.keys("risk").sign_service(audience)
        response = await client.get("/v1/things", headers={"authorization": f"Bearer {token}"})
        assert (response.status_code, response.json()["code"]) == (status, code)
    reader = client.acting("ledger:read")
    response = await reader.post("/v1/things", json={"name": "bolt"})
    assert (response.status_code, response.json()["required_scope"]) == (403, "ledger:write")
    await reader.aclose()
