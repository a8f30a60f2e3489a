"""The tables of writing to customers and hearing from them: templates, addresses nobody writes to, replies, pages by link."""

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN

from libs.kit.schema import (
    ARRAY,
    JSONB,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    created,
    instant,
    key,
    tenant_table,
    text,
    uuid,
)


def letters_tables(catalogue: MetaData) -> None:
    """Declare them."""
    _writing(catalogue)
    _hearing(catalogue)
    _pages(catalogue)


def _writing(catalogue: MetaData) -> None:
    tenant_table(
        "templates", catalogue,
        key(),
        Column("code", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("channel", Text, nullable=False),
        Column("texts", JSONB, nullable=False),  # language -> subject, text, html, as of the newest version
        Column("attach_statement", Boolean, nullable=False),
        Column("number", Integer, nullable=False),  # of the newest version
        Column("built_in", Boolean, nullable=False),
        Column("archived", Boolean, nullable=False),
        *created(),
        UniqueConstraint("tenant_id", "code"),
    )  # fmt: skip
    tenant_table(
        "template_versions", catalogue,
        uuid("template_id"),
        Column("number", Integer, nullable=False),
        Column("texts", JSONB, nullable=False),
        Column("attach_statement", Boolean, nullable=False),
        Column("created_by", Text, nullable=False),
        instant("created_at"),
        ForeignKeyConstraint(["tenant_id", "template_id"], ["templates.tenant_id", "templates.id"]),
        pk=("template_id", "number"),
    )  # fmt: skip
    tenant_table(
        "blocked_addresses", catalogue,
        key(),
        Column("kind", Text, nullable=False),  # email, phone
        Column("address", Text, nullable=False),  # in lower case, without blanks
        Column("reason", Text, nullable=False),  # bounced, complaint, no_contact, wrong_person, manual
        Column("comment", Text, nullable=True),
        uuid("message_id", null=True),
        *created(),
        UniqueConstraint("tenant_id", "kind", "address"),
    )  # fmt: skip
    tenant_table(
        "message_channels", catalogue,
        Column("channel", Text, nullable=False),
        Column("config", JSONB, nullable=False),
        Column("secret_sealed", Text, nullable=True),
        *created(),
        pk=("channel",),
    )  # fmt: skip


def _hearing(catalogue: MetaData) -> None:
    tenant_table(
        "inbound_mailboxes", catalogue,
        key(),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),  # webhook, imap
        Column("address", Text, nullable=True),
        Column("plus_address", Boolean, nullable=False),
        Column("imap", JSONB, nullable=True),  # host, port, encryption, user, folder
        Column("password_sealed", Text, nullable=True),
        Column("token_hash", LargeBinary, nullable=True),
        Column("active", Boolean, nullable=False),
        Column("uid_validity", BigInteger, nullable=True),
        Column("last_uid", BigInteger, nullable=False),
        instant("polled_at", null=True),  # wall clock
        Column("error", Text, nullable=True),
        *created(),
    )  # fmt: skip
    tenant_table(
        "replies", catalogue,
        key(),
        Column("source", Text, nullable=False),  # webhook, imap, page
        Column("fingerprint", LargeBinary, nullable=False),  # of what was received: heard twice, kept once
        Column("kind", Text, nullable=False),  # reply, automatic, bounce
        uuid("customer_id", null=True),
        uuid("mail_id", null=True),
        Column("threaded_by", Text, nullable=True),  # message_id, plus_address, sender_address, page
        Column("sender_email", Text, nullable=False),
        Column("sender_name", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("header_id", Text, nullable=True),
        instant("received_at"),
        Column("proposals", JSONB, nullable=False),
        Column("item_ids", ARRAY(UUID_COLUMN(as_uuid=True)), nullable=False),
        Column("state", Text, nullable=False),  # open, accepted, dismissed, settled
        Column("decision", JSONB, nullable=True),
        uuid("decided_by", null=True),
        instant("decided_at", null=True),
        uuid("qualification_id", null=True),
        *created(),
        UniqueConstraint("tenant_id", "fingerprint"),
        Index("ix_replies_received_at", "tenant_id", "received_at", "id"),
        Index("ix_replies_customer_id", "tenant_id", "customer_id", "id"),
    )  # fmt: skip
    tenant_table(
        "reply_attachments", catalogue,
        uuid("reply_id"),
        Column("position", Integer, nullable=False),
        Column("filename", Text, nullable=False),
        Column("content_type", Text, nullable=False),
        Column("size", Integer, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
        ForeignKeyConstraint(["tenant_id", "reply_id"], ["replies.tenant_id", "replies.id"]),
        pk=("reply_id", "position"),
    )  # fmt: skip


def _pages(catalogue: MetaData) -> None:
    tenant_table(
        "customer_links", catalogue,
        key(),
        uuid("customer_id"),
        Column("token_hash", LargeBinary, nullable=False),
        Column("contact_name", Text, nullable=False),
        Column("contact_email", Text, nullable=True),
        Column("language", Text, nullable=False),
        instant("expires_at"),  # wall clock
        instant("revoked_at", null=True),
        instant("last_used_at", null=True),  # wall clock
        Column("uses", Integer, nullable=False),
        Column("created_by", Text, nullable=False),
        *created(),
        Index("ix_customer_links_customer_id", "tenant_id", "customer_id", "id"),
        Index("ix_customer_links_live", "tenant_id", "expires_at", postgresql_where=text("revoked_at IS NULL")),
    )  # fmt: skip
    # Without a tenant: who comes with a token and nothing else is led to its tenant by the token's digest.
    Table(
        "directory", catalogue,
        Column("token_hash", LargeBinary, primary_key=True),
        Column("owner_tenant_id", UUID_COLUMN(as_uuid=True), nullable=False),
        Column("kind", Text, nullable=False),  # customer_link, inbound_mailbox
        uuid("object_id"),
    )  # fmt: skip
