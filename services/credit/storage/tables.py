"""The tables of credit: what it knows of companies and their exposure from the ledger, and the limits it decides."""

from sqlalchemy import Numeric

from libs.kit.schema import (
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Text,
    created,
    currency,
    instant,
    key,
    metadata,
    money,
    tenant_table,
    text,
    uuid,
)

METADATA = metadata()

# -- kept from the ledger's feed -------------------------------------------------------------------------------------

companies = tenant_table(
    "companies", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=True),
    Column("registration_number", Text, nullable=True),
    uuid("merged_into_id", null=True),
    Column("version", BigInteger, nullable=False),
    Index("ix_companies_name", "tenant_id", "name", "id"),
)  # fmt: skip

customers = tenant_table(
    "customers", METADATA,
    key(),
    uuid("company_id"),
    uuid("business_unit_id"),
    Column("version", BigInteger, nullable=False),
    Index("ix_customers_company_id", "tenant_id", "company_id"),
)  # fmt: skip

exposures = tenant_table(
    "exposures", METADATA,
    uuid("customer_id"),
    Column("rows", JSONB, nullable=False),  # by currency, minor units: outstanding, order_book
    Column("version", BigInteger, nullable=False),
    pk=("customer_id",),
)  # fmt: skip

exchange_rates = tenant_table(
    "exchange_rates", METADATA,
    currency("base"),
    currency("quote"),
    Column("valid_on", Date, nullable=False),
    Column("rate", Numeric(24, 12), nullable=False),
    Column("version", BigInteger, nullable=False),
    pk=("base", "quote", "valid_on"),
)  # fmt: skip

# -- decided here ----------------------------------------------------------------------------------------------------

approval_policies = tenant_table(
    "approval_policies", METADATA,
    Column("policy", JSONB, nullable=False),
    *created(),
    pk=(),
)  # fmt: skip

limit_requests = tenant_table(
    "limit_requests", METADATA,
    key(),
    uuid("company_id"),
    money("amount"),
    currency(),
    Column("valid_until", Date, nullable=True),
    Column("temporary", Boolean, nullable=False),
    Column("reason", Text, nullable=True),
    Column("documents", JSONB, nullable=False),
    Column("state", Text, nullable=False),  # pending, approved, rejected, cancelled, expired
    uuid("requested_by"),
    money("previous_amount", null=True),
    currency("previous_currency", null=True),
    money("unsecured_amount"),
    Column("exposure_at_request", JSONB, nullable=False),
    Column("route", JSONB, nullable=False),
    instant("expires_at", null=True),
    instant("decided_at", null=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("uq_limit_requests_pending", "tenant_id", "company_id", unique=True, postgresql_where=text("state = 'pending'")),
    Index("ix_limit_requests_state", "tenant_id", "state", "created_at", "id"),
    Index("ix_limit_requests_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

limits = tenant_table(
    "limits", METADATA,
    uuid("company_id"),
    Column("state", Text, nullable=False),  # approved, not_validated, blocked; expiry is computed from valid_until
    money("amount", null=True),
    currency(null=True),
    Column("valid_from", Date, nullable=True),
    Column("valid_until", Date, nullable=True),
    uuid("request_id", null=True),
    uuid("pending_request_id", null=True),
    Column("needs_review", Boolean, nullable=False),
    Column("reason", Text, nullable=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    pk=("company_id",),
)  # fmt: skip

limit_history = tenant_table(
    "limit_history", METADATA,
    uuid("company_id"),
    key(),
    Column("event", Text, nullable=False),  # approved, rejected, expired, merged, guarantee_fell, blocked, released
    Column("state", Text, nullable=False),
    money("amount", null=True),
    currency(null=True),
    Column("valid_from", Date, nullable=True),
    Column("valid_until", Date, nullable=True),
    uuid("request_id", null=True),
    uuid("user_id", null=True),
    Column("comment", Text, nullable=True),
    instant("recorded_at"),
    pk=("company_id", "id"),
)  # fmt: skip
