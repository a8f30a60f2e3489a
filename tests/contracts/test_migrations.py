"""The migrations of every service make the tables it declares, from nothing, and no process can miss one."""

import asyncio

import asyncpg
import pytest
from alembic.util import CommandError
from sqlalchemy import Column, Text

from libs.kit import migrations
from libs.kit.migrations import SchemaIsStale
from libs.kit.settings import SERVICES
from libs.testkit.databases import Databases

KEEPING = [service for service in SERVICES if migrations.has_database(service)]


def test_every_service_keeps_something() -> None:
    assert set(KEEPING) >= {"gateway", "ledger", "risk", "credit", "dunning"}


@pytest.mark.parametrize("service", KEEPING)
async def test_declared_tables_and_migrations_agree(service, databases: Databases) -> None:
    name = f"agreed_{service}"
    url = await databases.clone(service, name)
    await asyncio.to_thread(migrations.check, service, url)
    await migrations.require_current(service, url)
    await databases.drop(name)


async def test_a_table_without_its_migration_is_found(databases: Databases) -> None:
    name = "forgotten_risk"
    url = await databases.clone("risk", name)
    operations = migrations.metadata_of("risk").tables["operations"]
    extra = Column("forgotten", Text)
    operations.append_column(extra)
    try:
        with pytest.raises(CommandError, match="New upgrade operations detected"):
            await asyncio.to_thread(migrations.check, "risk", url)
    finally:
        operations._columns.remove(extra)
    await databases.drop(name)


async def test_a_database_without_a_schema_is_stale(databases: Databases) -> None:
    await databases._maintain('CREATE DATABASE "bare_risk"')
    with pytest.raises(SchemaIsStale, match="is at None"):
        await migrations.require_current("risk", databases.url("bare_risk"))
    await databases.drop("bare_risk")


async def test_migrating_twice_changes_nothing(databases: Databases) -> None:
    url = await databases.clone("risk", "twice_risk")
    await asyncio.to_thread(migrations.upgrade, "risk", url)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()
    await databases.drop("twice_risk")
