"""Databases for tests: one template a service, migrated once a session, cloned in a tenth of a second."""

import asyncio

import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from libs.kit import migrations
from libs.kit.settings import ServiceName


class Databases:
    """The databases of one server."""

    def __init__(self, server_url: str) -> None:
        self._server = make_url(server_url)
        self._templates: set[ServiceName] = set()
        self._migrating = asyncio.Lock()

    def url(self, name: str) -> str:
        """The URL of a database."""
        return self._server.set(database=name).render_as_string(hide_password=False)

    async def clone(self, service: ServiceName, name: str) -> str:
        """A fresh database with a service's newest schema; its URL."""
        async with self._migrating:  # Alembic keeps its environment in a global
            if service not in self._templates:
                await asyncio.to_thread(migrations.upgrade, service, self.url(f"template_{service}"))
                self._templates.add(service)
        await self._maintain(f'CREATE DATABASE "{name}" TEMPLATE "template_{service}"')
        return self.url(name)

    async def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        await self._maintain(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def add_tables(self, name: str, tables: MetaData) -> None:
        """Create tables of a test's own beside a service's, protected as a migration would."""
        url = self._server.set(database=name, drivername="postgresql+asyncpg")
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(_create_protected, tables)
        await engine.dispose()

    async def _maintain(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _create_protected(connection: Connection, tables: MetaData) -> None:
    tables.create_all(connection)
    migrations.protect(Operations(MigrationContext.configure(connection)))
