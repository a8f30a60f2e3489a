"""Schema migrations: `python -m libs.kit.migrations upgrade all`, one Alembic environment a service.

Every migration ends with `protect`, which forces row-level security on each table that has a tenant and grants the two
roles what they need; a table cannot be forgotten, and the catalogue test proves it.
"""

import argparse
import asyncio
import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command, context
from alembic.config import Config
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from libs.kit.db import APP_ROLE, SYSTEM_ROLE
from libs.kit.settings import SERVICES, ServiceName, SettingsRefused, database_url, load_settings

_ROOT = Path(__file__).resolve().parents[2]
_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
_CREATE_ROLE = (
    "DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOBYPASSRLS; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
)
_UNPROTECTED = """
    SELECT c.relname FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
     ORDER BY 1
"""


class SchemaIsStale(Exception):
    """The database is not at the revision this code was written for."""


def metadata_of(service: ServiceName) -> MetaData:
    """The tables a service declares."""
    catalogue: MetaData = importlib.import_module(f"services.{service}.storage.tables").METADATA
    return catalogue


def has_database(service: ServiceName) -> bool:
    """Whether a service keeps anything."""
    return (_ROOT / "services" / service / "migrations").is_dir()


def upgrade(service: ServiceName, url: str, revision: str = "head") -> None:
    """Create the database where it is missing and bring it to the newest revision."""
    asyncio.run(_create_database(url))
    command.upgrade(_config(service, url), revision)


def rewrite_initial(service: ServiceName, url: str) -> None:
    """Write migration 0001 anew from the declared tables: for a service whose schema no installation holds yet."""
    asyncio.run(_create_database(url))
    config = _config(service, url)
    versions = _ROOT / "services" / service / "migrations" / "versions"
    shutil.rmtree(versions, ignore_errors=True)
    versions.mkdir(parents=True)
    command.revision(config, message="initial schema", rev_id="0001", autogenerate=True)


def revise(service: ServiceName, url: str, message: str) -> None:
    """Write the next migration from the difference between the declared tables and the newest revision."""
    upgrade(service, url)
    config = _config(service, url)
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    command.revision(config, message=message, rev_id=f"{number:04d}", autogenerate=True)


def check(service: ServiceName, url: str) -> None:
    """Raise when the declared tables and the migrations differ."""
    upgrade(service, url)
    command.check(_config(service, url))


async def require_current(service: ServiceName, url: str) -> None:
    """Raise SchemaIsStale unless the database is at the newest revision: no process starts on a stale schema."""
    newest = ScriptDirectory.from_config(_config(service, url)).get_current_head()
    connection = await asyncpg.connect(_plain(url))
    try:
        current = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        current = None
    finally:
        await connection.close()
    if current != newest:
        raise SchemaIsStale(
            f"the database of {service} is at {current}, the code needs {newest}: run `encours migrate`"
        )


def run_environment() -> None:
    """The whole of a service's `migrations/env.py`."""
    asyncio.run(_run_online(context.config))


def protect(op: Operations) -> None:
    """Force row-level security on every table with a tenant, and grant the roles their rights. Called at a migration's end.

    No statistics are kept of `tenant_id`: with them the planner believes that a tenant it has not seen holds one row, takes any
    index that begins with the tenant for a look-up by id, and a new tenant's first import reads ten thousand rows ten thousand
    times (100 seconds instead of one).
    """
    bind = op.get_bind()
    for (table,) in bind.execute(text(_UNPROTECTED)).all():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN tenant_id SET STATISTICS 0")
        op.execute(
            f"CREATE POLICY own_tenant ON {table} TO {APP_ROLE} USING ({_TENANT}) WITH CHECK ({_TENANT})"
        )
        op.execute(f"CREATE POLICY all_tenants_read ON {table} FOR SELECT TO {SYSTEM_ROLE} USING (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}")
    op.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {SYSTEM_ROLE}")


async def _run_online(config: Config) -> None:
    url = make_url(config.get_main_option("sqlalchemy.url") or "").set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, config.attributes["metadata"])
        await connection.commit()
    await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    connection.execute(text("SET lock_timeout = '5s'"))
    for role in (APP_ROLE, SYSTEM_ROLE):
        connection.execute(text(_CREATE_ROLE.format(role=role)))
        connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()
        protect(Operations(context.get_context()))


def _config(service: ServiceName, url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "services" / service / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["metadata"] = metadata_of(service)
    return config


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def _create_database(url: str) -> None:
    parsed = make_url(url)
    try:
        connection = await asyncpg.connect(_plain(url))
    except asyncpg.InvalidCatalogNameError:
        maintenance: Any = await asyncpg.connect(
            _plain(parsed.set(database="postgres").render_as_string(False))
        )
        try:
            await maintenance.execute(f'CREATE DATABASE "{parsed.database}"')
        except asyncpg.DuplicateDatabaseError:
            pass
        finally:
            await maintenance.close()
    else:
        await connection.close()


def main(arguments: list[str] | None = None) -> int:
    """The command line: upgrade, check, revise, rewrite-initial."""
    parser = argparse.ArgumentParser(prog="migrations", description=__doc__)
    parser.add_argument("verb", choices=["upgrade", "check", "revise", "rewrite-initial"])
    parser.add_argument("service", help="a service's name, or all")
    parser.add_argument("message", nargs="?", default="change")
    given = parser.parse_args(arguments)
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    for service in SERVICES if given.service == "all" else [given.service]:
        if not has_database(service):
            continue
        url = database_url(settings, service)
        if given.verb == "upgrade":
            upgrade(service, url)
        elif given.verb == "check":
            check(service, url)
        elif given.verb == "revise":
            revise(service, url, given.message)
        else:
            rewrite_initial(service, url)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
