"""How tables are declared, and the tables every service has.

`tenant_id` leads every primary key, unique constraint and foreign key, so that each database distributes by tenant and
no row can point at another tenant's. Row-level security is forced on all of them (see migrations.protect).
"""

from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, TIMESTAMP, UUID

__all__ = [
    "ARRAY",
    "CHAR",
    "JSON",
    "JSONB",
    "REFERENCE_TABLES",
    "BigInteger",
    "Boolean",
    "Column",
    "Date",
    "ForeignKeyConstraint",
    "Index",
    "Integer",
    "LargeBinary",
    "MetaData",
    "SmallInteger",
    "Table",
    "Text",
    "UniqueConstraint",
    "created",
    "currency",
    "instant",
    "key",
    "kit_tables",
    "metadata",
    "money",
    "tenant_table",
    "text",
    "uuid",
]  # fmt: skip

#: Tables without a tenant: a committed constant, asserted by the catalogue test.
REFERENCE_TABLES = frozenset({"alembic_version", "directory"})

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def metadata() -> MetaData:
    """A MetaData with the naming convention, already holding the kit's own tables."""
    catalogue = MetaData(naming_convention=_NAMES)
    kit_tables(catalogue)
    return catalogue


def tenant_table(name: str, catalogue: MetaData, *items: Any, pk: tuple[str, ...] = ("id",)) -> Table:
    """A table of tenants' rows: `tenant_id` first, and first in the primary key."""
    return Table(
        name,
        catalogue,
        Column("tenant_id", UUID(as_uuid=True), nullable=False),
        *items,
        PrimaryKeyConstraint("tenant_id", *pk, name=f"pk_{name}"),
    )


def uuid(name: str, *, null: bool = False) -> Column[Any]:
    """A UUID column."""
    return Column(name, UUID(as_uuid=True), nullable=null)


def key(name: str = "id") -> Column[Any]:
    """An identifier, made by the application."""
    return uuid(name)


def instant(name: str, *, null: bool = False) -> Column[Any]:
    """A timestamptz column."""
    return Column(name, TIMESTAMP(timezone=True), nullable=null)


def money(name: str, *, null: bool = False) -> Column[Any]:
    """Minor units of the currency that stands beside it."""
    return Column(name, BigInteger, nullable=null)


def currency(name: str = "currency", *, null: bool = False) -> Column[Any]:
    """An ISO 4217 code."""
    return Column(name, CHAR(3), nullable=null)


def created() -> tuple[Column[Any], Column[Any], Column[Any]]:
    """created_at, updated_at (business clock) and the version that ETags and events carry."""
    return instant("created_at"), instant("updated_at"), Column("version", BigInteger, nullable=False)


def kit_tables(catalogue: MetaData) -> None:
    """Tables every service has: its tenants, its feed, its cursors in others' feeds, idempotency, operations, days."""
    tenant_table(
        "tenants", catalogue,
        Column("name", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("time_zone", Text, nullable=False),
        currency(),
        Column("sandbox", Boolean, nullable=False),
        instant("frozen_at", null=True),
        Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
        Column("version", BigInteger, nullable=False),
        pk=(),
    )  # fmt: skip
    tenant_table(
        "events", catalogue,
        key(),
        Column("type", Text, nullable=False),
        Column("subjects", JSON, nullable=False),
        Column("subject_count", Integer, nullable=False),
        instant("occurred_at"),
        instant("recorded_at"),
        Column("traceparent", Text, nullable=False, server_default=text("''")),
        Column("position", BigInteger, nullable=True),
        Index("ix_events_unnumbered", "tenant_id", "id", postgresql_where=text("position IS NULL")),
        Index("uq_events_position", "tenant_id", "position", unique=True),
        Index("ix_events_recorded_at", "tenant_id", "recorded_at"),
    )  # fmt: skip
    tenant_table("feed_heads", catalogue, uuid("epoch"), Column("head", BigInteger, nullable=False), pk=())
    tenant_table(
        "feed_cursors", catalogue,
        Column("producer", Text, nullable=False),
        uuid("epoch", null=True),
        Column("position", BigInteger, nullable=False),
        instant("moved_at"),
        pk=("producer",),
    )  # fmt: skip
    tenant_table(
        "feed_failures", catalogue,
        Column("producer", Text, nullable=False),
        Column("event_type", Text, nullable=False),
        uuid("subject_id"),
        Column("subject", JSON, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("parked", Boolean, nullable=False),
        Column("error", Text, nullable=False),
        instant("failed_at"),
        pk=("producer", "event_type", "subject_id"),
    )  # fmt: skip
    tenant_table(
        "idempotency_keys", catalogue,
        Column("key", Text, nullable=False),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSON, nullable=False),
        Column("body", LargeBinary, nullable=False),
        instant("created_at"),
        Index("ix_idempotency_keys_created_at", "tenant_id", "created_at"),
        pk=("key",),
    )  # fmt: skip
    tenant_table(
        "operations", catalogue,
        key(),
        Column("kind", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("done", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=True),
        Column("result", JSON, nullable=True),
        Column("error", JSON, nullable=True),
        Column("input", JSON, nullable=False, server_default=text("'{}'")),
        instant("leased_until", null=True),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        *created(),
        Index("ix_operations_open", "tenant_id", "kind", postgresql_where=text("status IN ('queued', 'running')")),
    )  # fmt: skip
    tenant_table(
        "day_runs", catalogue,
        Column("day", Date, nullable=False),
        Column("step", Text, nullable=False),
        Column("state", Text, nullable=False),
        instant("leased_until", null=True),
        instant("finished_at", null=True),
        pk=("day", "step"),
    )  # fmt: skip
