"""The tables of the sandbox: mail that was caught."""

from libs.kit.schema import JSONB, BigInteger, Column, Index, Text, instant, key, metadata, tenant_table

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
