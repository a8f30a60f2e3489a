"""The tables of credit insurance: connections and policies, buyers, requests, what insurers said, and the covers it makes."""

from sqlalchemy import MetaData, Numeric

from libs.kit.schema import (
    ARRAY,
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    created,
    currency,
    instant,
    key,
    money,
    tenant_table,
    text,
    uuid,
)
from services.credit.domain.insurance.vocabulary import OPEN_STATES
from services.credit.storage.claim_tables import claim_tables

_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)


def insurance_tables(catalogue: MetaData) -> None:
    """Declare them."""
    _feed_tables(catalogue)
    _contract_tables(catalogue)
    _decision_tables(catalogue)
    claim_tables(catalogue)


def _feed_tables(catalogue: MetaData) -> None:
    """What insurance keeps of the others' facts."""
    tenant_table(
        "items", catalogue,
        key(),
        uuid("customer_id"),
        uuid("business_unit_id"),
        Column("kind", Text, nullable=False),
        Column("direction", Integer, nullable=False),
        Column("number", Text, nullable=True),
        Column("issue_date", Date, nullable=False),
        Column("delivery_date", Date, nullable=True),
        Column("due_date", Date, nullable=False),
        Column("original_due_date", Date, nullable=False),
        currency(),
        money("amount"),
        money("tax_amount", null=True),
        money("open_amount"),
        Column("cancelled", Boolean, nullable=False),
        Column("version", BigInteger, nullable=False),
        Index("ix_items_open", "tenant_id", "customer_id", postgresql_where=text("open_amount <> 0")),
        Index("ix_items_customer_id", "tenant_id", "customer_id", "issue_date"),
    )  # fmt: skip
    tenant_table(
        "bounced_payments", catalogue,
        key(),
        uuid("customer_id"),
        Column("reason", Text, nullable=False),
        Column("known_on", Date, nullable=False),
        money("amount"),
        currency(),
        Column("version", BigInteger, nullable=False),
        Index("ix_bounced_payments_customer_id", "tenant_id", "customer_id"),
    )  # fmt: skip
    tenant_table(
        "insolvencies", catalogue,
        uuid("company_id"),
        Column("status", Text, nullable=False),
        Column("judged_on", Date, nullable=True),
        Column("published_on", Date, nullable=True),
        Column("known_on", Date, nullable=False),
        Column("version", BigInteger, nullable=False),
        pk=("company_id",),
    )  # fmt: skip
    tenant_table(
        "disputed_items", catalogue,
        uuid("item_id"),
        Column("disputed", Boolean, nullable=False),
        Column("version", BigInteger, nullable=False),
        pk=("item_id",),
    )  # fmt: skip


def _contract_tables(catalogue: MetaData) -> None:
    tenant_table(
        "insurer_connections", catalogue,
        key(),
        Column("insurer", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("sandbox", Boolean, nullable=False),
        Column("webhook_mode", Text, nullable=False),  # none, standard_webhooks, hmac_header, poke
        Column("webhook_options", JSONB, nullable=False),
        Column("webhook_secrets_sealed", JSONB, nullable=False),  # newest first; two while one is being replaced
        Column("poke_digest", Text, nullable=True),
        Column("base_url", Text, nullable=True),
        Column("credentials_sealed", Text, nullable=True),
        Column("profile", JSONB, nullable=False),  # field maps and codes the adapter is told
        Column("broker_email", Text, nullable=True),
        Column("active", Boolean, nullable=False),
        instant("last_read_at", null=True),
        Column("last_error", Text, nullable=True),
        instant("poked_at", null=True),
        *created(),
        Index("ix_insurer_connections_id", "id"),  # a webhook names a connection and no tenant
    )  # fmt: skip
    tenant_table(
        "brokers", catalogue,
        key(),
        Column("name", Text, nullable=False),
        Column("email", Text, nullable=False),
        Column("language", Text, nullable=False),
        *created(),
    )  # fmt: skip
    tenant_table(
        "insurance_policies", catalogue,
        key(),
        uuid("connection_id"),
        uuid("broker_id", null=True),
        Column("number", Text, nullable=False),
        Column("name", Text, nullable=False),
        currency(),
        Column("time_zone", Text, nullable=False),
        Column("starts_on", Date, nullable=False),
        Column("ends_on", Date, nullable=True),
        Column("extension_code", Text, nullable=True),
        *created(),
        UniqueConstraint("tenant_id", "connection_id", "number"),
    )  # fmt: skip
    tenant_table(
        "policy_versions", catalogue,
        uuid("policy_id"),
        Column("number", Integer, nullable=False),
        Column("effective_from", Date, nullable=False),
        Column("terms", JSONB, nullable=False),
        Column("comment", Text, nullable=True),
        uuid("author_id", null=True),
        instant("recorded_at"),
        pk=("policy_id", "number"),
    )  # fmt: skip
    tenant_table(
        "insurer_buyers", catalogue,
        key(),
        uuid("connection_id"),
        uuid("company_id"),
        Column("insurer_buyer_id", Text, nullable=True),
        Column("state", Text, nullable=False),  # candidates, identified, not_found
        Column("match_kind", Text, nullable=True),
        Column("candidates", JSONB, nullable=False),
        uuid("chosen_by", null=True),
        instant("chosen_at", null=True),
        Column("grade", Text, nullable=True),
        Column("grade_scale", Text, nullable=True),
        Column("graded_on", Date, nullable=True),
        *created(),
        UniqueConstraint("tenant_id", "connection_id", "company_id"),
        Index("ix_insurer_buyers_insurer_buyer_id", "tenant_id", "connection_id", "insurer_buyer_id"),
    )  # fmt: skip
    tenant_table(
        "guarantee_requests", catalogue,
        key(),
        uuid("policy_id"),
        uuid("company_id"),
        uuid("cover_id", null=True),
        Column("product", Text, nullable=False),
        Column("request_type", Text, nullable=False),
        money("amount"),
        money("temporary_amount", null=True),
        currency(),
        Column("valid_from", Date, nullable=True),
        Column("valid_to", Date, nullable=True),
        Column("urgent", Boolean, nullable=False),
        Column("comment", Text, nullable=True),
        Column("state", Text, nullable=False),
        Column("insurer_reference", Text, nullable=True),
        Column("job_reference", Text, nullable=True),
        Column("attempts", Integer, nullable=False),
        Column("error", Text, nullable=True),
        uuid("requested_by", null=True),
        Column("requested_by_subject", Text, nullable=False),
        instant("submitted_at", null=True),
        instant("claimed_at", null=True),  # wall clock: when a worker took it for sending
        instant("decided_at", null=True),
        uuid("decision_id", null=True),
        *created(),
        Index("uq_guarantee_requests_open", "tenant_id", "policy_id", "company_id", "product", unique=True,
              postgresql_where=text(f"state IN ({_OPEN})")),
        Index("ix_guarantee_requests_company_id", "tenant_id", "company_id", "id"),
        Index("ix_guarantee_requests_state", "tenant_id", "state", "id"),
    )  # fmt: skip


def _decision_tables(catalogue: MetaData) -> None:
    tenant_table(
        "insurer_messages", catalogue,
        key(),
        uuid("connection_id"),
        Column("message_id", Text, nullable=False),
        Column("source", Text, nullable=False),  # webhook, reading, manual, import
        Column("digest", Text, nullable=False),  # SHA-256 of the raw bytes
        Column("body", LargeBinary, nullable=False),
        Column("state", Text, nullable=False),  # received, applied, parked, needs_review, quarantined, dismissed
        Column("reason", Text, nullable=True),
        Column("attempts", Integer, nullable=False),
        uuid("decision_id", null=True),
        instant("received_at"),  # wall clock
        *created(),
        UniqueConstraint("tenant_id", "connection_id", "message_id"),
        Index("ix_insurer_messages_state", "tenant_id", "state", "id"),
    )  # fmt: skip
    tenant_table(
        "guarantee_decisions", catalogue,
        key(),
        uuid("connection_id"),
        uuid("policy_id"),
        uuid("company_id"),
        uuid("cover_id", null=True),
        uuid("request_id", null=True),
        uuid("message_id", null=True),
        Column("insurer_decision_id", Text, nullable=False),
        Column("cover_reference", Text, nullable=True),
        Column("product", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("raw_status", Text, nullable=True),
        Column("is_preliminary", Boolean, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        instant("decided_at"),
        money("requested_amount", null=True),
        money("granted_amount", null=True),
        currency(),
        Column("insured_percent", Numeric(5, 2), nullable=True),
        Column("effective_from", Date, nullable=False),
        Column("expires_at", Date, nullable=True),
        Column("withdrawal_date", Date, nullable=True),
        Column("tranches", JSONB, nullable=False),
        Column("conditions", JSONB, nullable=False),
        Column("reasons", JSONB, nullable=False),
        Column("source", Text, nullable=False),
        Column("needs_review", Boolean, nullable=False),
        Column("author", Text, nullable=False),
        Column("comment", Text, nullable=True),
        Column("documents", ARRAY(Text), nullable=False),
        Column("evidence", JSONB, nullable=True),  # of a discretionary limit: kind, dated_on, document_id, text
        instant("recorded_at"),
        uuid("reviewed_by", null=True),
        instant("reviewed_at", null=True),
        uuid("merged_from", null=True),  # the company it was told of, which has since been merged into company_id
        instant("merged_at", null=True),
        *created(),
        UniqueConstraint("tenant_id", "connection_id", "insurer_decision_id"),
        Index("ix_guarantee_decisions_cover", "tenant_id", "policy_id", "company_id"),
        Index("ix_guarantee_decisions_company_id", "tenant_id", "company_id", "decided_at", "id"),
    )  # fmt: skip
    tenant_table(
        "covers", catalogue,
        key(),
        uuid("policy_id"),
        uuid("company_id"),
        Column("layer", Text, nullable=False),
        Column("product", Text, nullable=False),
        Column("cover_reference", Text, nullable=True),
        currency(),
        Column("status", Text, nullable=False),  # of the newest decision; pending before the first
        Column("periods", JSONB, nullable=False),  # the timeline, see domain.insurance.timeline.Period
        uuid("decision_id", null=True),
        instant("decided_at", null=True),
        Column("conditions", JSONB, nullable=False),
        Column("evidence", JSONB, nullable=True),
        Column("needs_review", Boolean, nullable=False),
        Column("review_reason", Text, nullable=True),
        Column("boundary_dates", ARRAY(Date), nullable=False),  # days on which its worth changes
        *created(),
        UniqueConstraint("tenant_id", "policy_id", "company_id", "layer"),
        Index("ix_covers_company_id", "tenant_id", "company_id"),
        Index("ix_covers_cover_reference", "tenant_id", "cover_reference"),
    )  # fmt: skip
