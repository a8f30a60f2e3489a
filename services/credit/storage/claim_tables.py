"""The tables of what happens when a buyer does not pay: stops, clocks, declarations, claims, correspondence."""

from sqlalchemy import MetaData

from libs.kit.schema import (
    ARRAY,
    JSONB,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    Text,
    created,
    currency,
    instant,
    key,
    money,
    tenant_table,
    text,
    uuid,
)


def claim_tables(catalogue: MetaData) -> None:
    """Declare them."""
    tenant_table(
        "cover_stops", catalogue,
        key(),
        uuid("policy_id"),
        uuid("company_id"),
        Column("stopped_on", Date, nullable=False),
        Column("cause", Text, nullable=False),  # overdue, bounced_payment, insolvency
        uuid("item_id", null=True),
        Column("regularised_on", Date, nullable=True),
        *created(),
        Index("uq_cover_stops_open", "tenant_id", "policy_id", "company_id", unique=True,
              postgresql_where=text("regularised_on IS NULL")),
    )  # fmt: skip
    tenant_table(
        "cover_clocks", catalogue,
        key(),
        uuid("policy_id", null=True),
        uuid("company_id", null=True),
        Column("kind", Text, nullable=False),
        uuid("item_id", null=True),
        Column("due_on", Date, nullable=False),
        Column("state", Text, nullable=False),  # running, stopped, missed, foreclosed, met, ended
        Column("clause", JSONB, nullable=True),
        Column("policy_version", Integer, nullable=True),
        money("amount_at_stake", null=True),
        currency(null=True),
        Column("detail", JSONB, nullable=False),
        Column("told", ARRAY(Integer), nullable=False),  # days before the date that were announced
        *created(),
        Index("ix_cover_clocks_due_on", "tenant_id", "state", "due_on", "id"),
        Index("ix_cover_clocks_company_id", "tenant_id", "company_id"),
    )  # fmt: skip
    tenant_table(
        "overdue_declarations", catalogue,
        key(),
        uuid("policy_id"),
        uuid("company_id"),
        Column("kind", Text, nullable=False),  # OVD, EXP, RES
        Column("state", Text, nullable=False),  # draft, sent, accepted, refused, cancelled
        Column("items", JSONB, nullable=False),
        money("amount"),
        currency(),
        Column("extended_to", Date, nullable=True),
        Column("instalments", JSONB, nullable=False),
        Column("comment", Text, nullable=True),
        Column("insurer_reference", Text, nullable=True),
        Column("late", Boolean, nullable=False),
        Column("channel", Text, nullable=True),
        Column("declared_on", Date, nullable=True),
        Column("error", Text, nullable=True),
        *created(),
        Index("ix_overdue_declarations_company_id", "tenant_id", "company_id", "id"),
    )  # fmt: skip
    tenant_table(
        "claims", catalogue,
        key(),
        uuid("policy_id"),
        uuid("company_id"),
        Column("kind", Text, nullable=False),  # claim, collection_only
        Column("state", Text, nullable=False),  # draft, waiting_dispute, filed, accepted, refused, indemnified, closed, cancelled
        Column("items", JSONB, nullable=False),
        Column("estimate", JSONB, nullable=False),
        currency(),
        Column("comment", Text, nullable=True),
        Column("insurer_reference", Text, nullable=True),
        Column("filed_on", Date, nullable=True),
        Column("indemnity_due_on", Date, nullable=True),
        money("indemnity", null=True),
        Column("indemnified_on", Date, nullable=True),
        Column("refusal_reason", Text, nullable=True),
        *created(),
        Index("ix_claims_company_id", "tenant_id", "company_id", "id"),
    )  # fmt: skip
    tenant_table(
        "claim_recoveries", catalogue,
        key(),
        uuid("claim_id"),
        money("amount"),
        money("insurer_share"),
        Column("received_on", Date, nullable=False),
        Column("comment", Text, nullable=True),
        instant("recorded_at"),
        Index("ix_claim_recoveries_claim_id", "tenant_id", "claim_id", "id"),
    )  # fmt: skip
    tenant_table(
        "insistences", catalogue,
        key(),
        uuid("decision_id"),
        uuid("company_id"),
        uuid("policy_id"),
        Column("state", Text, nullable=False),  # draft, queued, sent, failed, answered
        Column("recipients", JSONB, nullable=False),
        Column("language", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("arguments", JSONB, nullable=False),
        uuid("mail_id", null=True),
        Column("error", Text, nullable=True),
        instant("sent_at", null=True),
        Column("follow_up_on", Date, nullable=True),
        Column("outcome", Text, nullable=True),  # improved, maintained
        money("gain", null=True),
        currency(),
        money("amount_before"),
        uuid("answer_decision_id", null=True),
        uuid("author_id", null=True),
        *created(),
        Index("uq_insistences_open", "tenant_id", "decision_id", unique=True,
              postgresql_where=text("state IN ('draft', 'queued', 'sent')")),
        Index("ix_insistences_company_id", "tenant_id", "company_id", "id"),
    )  # fmt: skip
    tenant_table(
        "insurance_templates", catalogue,
        Column("kind", Text, nullable=False),  # insistence, request, overdue, claim
        Column("language", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("body", Text, nullable=False),
        *created(),
        pk=("kind", "language"),
    )  # fmt: skip
