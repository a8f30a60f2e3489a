"""The gateway's tables: who may enter, what they did, what they may read of it afterwards."""

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import UUID

from libs.kit.schema import (
    ARRAY,
    JSON,
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
    metadata,
    tenant_table,
    text,
    uuid,
)

METADATA = metadata()

users = tenant_table(
    "users", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("perimeter", ARRAY(UUID(as_uuid=True)), nullable=True),  # null: every business unit
    Column("external_subject", Text, nullable=True),  # `sub` at the tenant's own identity provider
    Column("active", Boolean, nullable=False),
    *created(),
    UniqueConstraint("tenant_id", "email"),
    UniqueConstraint("tenant_id", "external_subject"),
)  # fmt: skip

business_units = tenant_table(
    "business_units", METADATA,
    key(),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("main", Boolean, nullable=False),
    *created(),
    UniqueConstraint("tenant_id", "code"),
    Index("uq_business_units_main", "tenant_id", "main", unique=True, postgresql_where=text("main")),
)  # fmt: skip

api_keys = tenant_table(
    "api_keys", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the whole key
    Column("scopes", ARRAY(Text), nullable=False),
    uuid("user_id", null=True),
    instant("expires_at", null=True),
    instant("revoked_at", null=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"]),
    Index("ix_api_keys_created_at", "tenant_id", "created_at", "id"),
)  # fmt: skip

audit_log = tenant_table(
    "audit_log", METADATA,
    key(),
    instant("recorded_at"),
    Column("service", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    uuid("object_id"),
    Column("actor", Text, nullable=False),
    uuid("key_id", null=True),
    uuid("user_id", null=True),
    Column("before", JSON, nullable=True),
    Column("after", JSON, nullable=True),
    Column("request_id", Text, nullable=False),
    Index("ix_audit_log_object", "tenant_id", "object_type", "object_id", "id"),
)  # fmt: skip

public_events = tenant_table(
    "public_events", METADATA,
    Column("position", BigInteger, nullable=False),
    key(),
    Column("type", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    uuid("subject_id"),
    Column("subject_version", BigInteger, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    Column("data", JSON, nullable=False),
    Index("ix_public_events_id", "tenant_id", "id", unique=True),
    pk=("position",),
)  # fmt: skip

public_heads = tenant_table("public_heads", METADATA, Column("head", BigInteger, nullable=False), pk=())

webhook_endpoints = tenant_table(
    "webhook_endpoints", METADATA,
    key(),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),  # empty: all
    Column("header_names", ARRAY(Text), nullable=False),
    Column("headers_sealed", Text, nullable=True),
    Column("secrets_sealed", ARRAY(Text), nullable=False),  # newest first; two while one is rotated
    instant("old_secret_until", null=True),  # the second signs until then
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=True),  # by_user, gone, failing
    # How it goes, on the wall clock.
    instant("failing_since", null=True),
    Column("failures", Integer, nullable=False),  # in a row
    instant("paused_until", null=True),
    instant("leased_until", null=True),  # one worker at a time
    *created(),
    Index("ix_webhook_endpoints_created_at", "tenant_id", "created_at", "id"),
)  # fmt: skip

webhook_deliveries = tenant_table(
    "webhook_deliveries", METADATA,
    key(),
    uuid("endpoint_id"),
    uuid("event_id"),
    Column("type", Text, nullable=False),
    uuid("subject_id"),
    Column("position", BigInteger, nullable=False),  # in the public stream; 0 for a ping
    Column("body", Text, nullable=True),  # a ping's; every other is made from the stream
    Column("state", Text, nullable=False),  # waiting, delivered, failed
    Column("attempts", Integer, nullable=False),
    instant("next_at", null=True),
    instant("attempted_at", null=True),
    Column("response_status", Integer, nullable=True),
    Column("error", Text, nullable=True),
    Column("log", JSONB, nullable=False),
    # Wall clock, like every instant here.
    instant("created_at"),
    instant("updated_at"),
    ForeignKeyConstraint(["tenant_id", "endpoint_id"], ["webhook_endpoints.tenant_id", "webhook_endpoints.id"]),
    UniqueConstraint("tenant_id", "endpoint_id", "event_id"),
    Index(
        "ix_webhook_deliveries_waiting", "tenant_id", "endpoint_id", "position", "id",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_webhook_deliveries_endpoint_id", "tenant_id", "endpoint_id", "id"),
    Index("ix_webhook_deliveries_created_at", "tenant_id", "created_at"),
)  # fmt: skip

# Without a tenant: who comes with nothing but a foreign token is led to its tenant by a digest.
Table(
    "directory", METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    uuid("owner_tenant_id"),
    Column("kind", Text, nullable=False),  # oidc: of an issuer and an audience
    uuid("object_id"),
)  # fmt: skip

files = tenant_table(
    "files", METADATA,
    key(),
    Column("sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    *created(),
    Index("ix_files_sha256", "tenant_id", "sha256"),
)  # fmt: skip

file_chunks = tenant_table(
    "file_chunks", METADATA,
    Column("sha256", LargeBinary, nullable=False),
    Column("number", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    pk=("sha256", "number"),
)  # fmt: skip
