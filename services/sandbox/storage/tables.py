"""The tables of the sandbox: mail that was caught, and what stand-in providers were told."""

from libs.kit.schema import (
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    Text,
    instant,
    key,
    metadata,
    tenant_table,
    uuid,
)
from services.sandbox.storage.insurer_tables import insurer_tables

METADATA = metadata()

caught_mails = tenant_table(
    "caught_mails", METADATA,
    key(),
    Column("sender", Text, nullable=False),
    Column("recipients", JSONB, nullable=False),
    Column("subject", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("text", Text, nullable=True),
    Column("html", Text, nullable=True),
    Column("attachments", JSONB, nullable=False),
    Column("size", BigInteger, nullable=False),
    instant("caught_at"),
    Index("ix_caught_mails_caught_at", "tenant_id", "caught_at", "id"),
)  # fmt: skip

provider_companies = tenant_table(
    "provider_companies", METADATA,
    uuid("connection_id"),
    Column("number", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    pk=("connection_id", "number"),
)  # fmt: skip

provider_members = tenant_table(
    "provider_members", METADATA,
    uuid("connection_id"),
    Column("number", Text, nullable=False),
    pk=("connection_id", "number"),
)  # fmt: skip

provider_happenings = tenant_table(
    "provider_happenings", METADATA,
    uuid("connection_id"),
    key(),
    Column("sequence", BigInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("old", Text, nullable=True),
    Column("new", Text, nullable=True),
    Column("read", Boolean, nullable=False),
    Index("ix_provider_happenings_sequence", "tenant_id", "connection_id", "sequence"),
)  # fmt: skip

provider_behaviours = tenant_table(
    "provider_behaviours", METADATA,
    uuid("connection_id"),
    Column("behaviours", JSONB, nullable=False),
    pk=("connection_id",),
)  # fmt: skip

provider_calls = tenant_table(
    "provider_calls", METADATA,
    uuid("connection_id"),
    key(),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("number", Text, nullable=True),
    Column("status", Integer, nullable=True),
    instant("called_at"),
    Index("ix_provider_calls_connection_id", "tenant_id", "connection_id", "called_at", "id"),
)  # fmt: skip

insurer_tables(METADATA)
