"""The tables of credit: what it knows of companies and their exposure from the ledger, and the limits it decides."""

from sqlalchemy import Numeric

from libs.kit.mail import mail_table
from libs.kit.schema import (
    ARRAY,
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
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
from services.credit.storage.insurance_tables import insurance_tables

METADATA = metadata()
mail_table(METADATA)

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
    Column("payer_profile", JSONB, nullable=True),
    Column("buyer_kind", Text, nullable=False),  # private, public, individual, related
    Column("prepaid", Boolean, nullable=False),
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

people = tenant_table(
    "people", METADATA,  # users of the tenant, as the gateway last described them
    key(),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("language", Text, nullable=True),
    Column("roles", ARRAY(Text), nullable=False),
    Column("perimeter", JSONB, nullable=True),  # business unit ids; null is all
    Column("active", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)  # fmt: skip

open_orders = tenant_table(
    "open_orders", METADATA,  # of the order book: what a check of the same order must not count twice
    key(),
    uuid("company_id"),
    Column("external_id", Text, nullable=False),
    money("remaining"),  # not invoiced yet; 0 once the order is closed or cancelled
    currency(),
    Column("version", BigInteger, nullable=False),
    Index("ix_open_orders_external_id", "tenant_id", "company_id", "external_id"),
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
    Column("valid_from", Date, nullable=True),  # of a temporary one
    Column("valid_until", Date, nullable=True),
    Column("temporary", Boolean, nullable=False),  # the amount comes on top of the limit between its dates
    Column("reason", Text, nullable=True),
    Column("documents", JSONB, nullable=False),
    Column("state", Text, nullable=False),  # pending, approved, rejected, cancelled, expired
    uuid("requested_by"),
    money("previous_amount", null=True),
    currency("previous_currency", null=True),
    money("unsecured_amount"),
    Column("guarantees_considered", JSONB, nullable=False),
    Column("proposals", JSONB, nullable=False),
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
    Column("state", Text, nullable=False),  # none, approved, not_validated; expiry is computed from valid_until
    money("amount", null=True),
    currency(null=True),
    Column("valid_from", Date, nullable=True),
    Column("valid_until", Date, nullable=True),
    uuid("request_id", null=True),
    uuid("pending_request_id", null=True),
    Column("needs_review", Boolean, nullable=False),
    Column("reason", Text, nullable=True),
    money("authorised_unsecured", null=True),  # the part without a guarantee that was approved; null: all of it
    Column("unvalidated_since", Date, nullable=True),  # a guarantee fell below what was approved
    Column("stated_version", BigInteger, nullable=False, server_default=text("0")),  # of the ledger's last limit.stated
    Column("hold_reason", Text, nullable=True),  # deliveries are on hold, whatever the limit
    Column("hold_until", Date, nullable=True),  # last day of the hold
    uuid("held_by", null=True),
    instant("held_at", null=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("ix_limits_valid_until", "tenant_id", "valid_until"),
    pk=("company_id",),
)  # fmt: skip

temporary_limits = tenant_table(
    "temporary_limits", METADATA,
    key(),
    uuid("company_id"),
    money("amount"),  # on top of the limit, in the limit's currency
    currency(),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    uuid("request_id"),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("ix_temporary_limits_company_id", "tenant_id", "company_id", "valid_until"),
)  # fmt: skip

limit_history = tenant_table(
    "limit_history", METADATA,
    uuid("company_id"),
    key(),
    Column("event", Text, nullable=False),  # approved, rejected, expired, merged, guarantee_fell, blocked, unblocked …
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

other_guarantees = tenant_table(
    "other_guarantees", METADATA,
    key(),
    uuid("company_id"),
    Column("kind", Text, nullable=False),  # bank_guarantee, deposit …
    money("amount"),
    currency(),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=True),  # last day that counts
    Column("issuer", Text, nullable=True),
    Column("reference", Text, nullable=True),
    uuid("document_id", null=True),
    Column("released_on", Date, nullable=True),  # first day it no longer counts
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("ix_other_guarantees_company_id", "tenant_id", "company_id", "id"),
    Index("ix_other_guarantees_valid_to", "tenant_id", "valid_to", "id"),
)  # fmt: skip

agenda_actions = tenant_table(
    "agenda_actions", METADATA,
    key(),
    Column("kind", Text, nullable=False),
    uuid("company_id"),
    Column("due_on", Date, nullable=False),
    money("amount_at_stake", null=True),
    currency(null=True),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False),  # automatic, manual
    Column("source_key", Text, nullable=True),  # what an automatic action stands for: planned once
    Column("rescheduled", Boolean, nullable=False),  # a person chose the date: planning leaves it alone
    uuid("object_id", null=True),  # the request, review, guarantee or clock it is about
    uuid("assignee", null=True),
    Column("state", Text, nullable=False),  # open, done, cancelled
    Column("outcome", Text, nullable=True),
    Column("comment", Text, nullable=True),
    uuid("completed_by", null=True),
    instant("completed_at", null=True),
    *created(),
    Index("uq_agenda_actions_source_key", "tenant_id", "source_key", unique=True,
          postgresql_where=text("source_key IS NOT NULL")),
    Index("ix_agenda_actions_due_on", "tenant_id", "state", "due_on", "id"),
    Index("ix_agenda_actions_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

limit_reviews = tenant_table(
    "limit_reviews", METADATA,
    key(),
    uuid("company_id"),
    uuid("campaign_id", null=True),
    Column("kind", Text, nullable=False),  # campaign, manual, payer_class, limit_end, guarantee_fell
    Column("due_on", Date, nullable=False),
    Column("reason", Text, nullable=True),
    uuid("assignee", null=True),
    Column("state", Text, nullable=False),  # open, done, cancelled
    Column("outcome", Text, nullable=True),  # confirmed, request_made, blocked
    uuid("request_id", null=True),
    Column("comment", Text, nullable=True),
    uuid("completed_by", null=True),
    instant("completed_at", null=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("uq_limit_reviews_open", "tenant_id", "company_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
    Index("ix_limit_reviews_due_on", "tenant_id", "state", "due_on", "id"),
    Index("ix_limit_reviews_campaign_id", "tenant_id", "campaign_id", "id"),
)  # fmt: skip

review_campaigns = tenant_table(
    "review_campaigns", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("criteria", JSONB, nullable=False),
    uuid("assignee", null=True),
    *created(),
)  # fmt: skip

credit_checks = tenant_table(
    "credit_checks", METADATA,
    key(),
    uuid("company_id"),
    uuid("customer_id", null=True),
    money("amount"),
    currency(),
    Column("expected_date", Date, nullable=True),
    Column("checkpoint", Text, nullable=False),
    Column("order_external_id", Text, nullable=True),
    Column("decision", Text, nullable=False),  # allow, hold, refuse
    Column("rules", JSONB, nullable=False),
    Column("evidence", JSONB, nullable=False),  # limit, outstanding, order book, reservations, headroom
    Column("waived", ARRAY(Text), nullable=False),  # rules a release let pass
    Column("ttl", Integer, nullable=True),  # seconds a reservation was asked for; null: none was
    uuid("reservation_id", null=True),
    uuid("released_by", null=True),
    instant("released_at", null=True),
    Column("released_until", Date, nullable=True),  # last day the release counts
    Column("release_comment", Text, nullable=True),
    *created(),
    Index("ix_credit_checks_company_id", "tenant_id", "company_id", "created_at", "id"),
    Index("ix_credit_checks_created_at", "tenant_id", "created_at", "id"),
    Index("ix_credit_checks_released", "tenant_id", "company_id", "released_until",
          postgresql_where=text("released_until IS NOT NULL")),
)  # fmt: skip

credit_reservations = tenant_table(
    "credit_reservations", METADATA,
    key(),
    uuid("company_id"),
    uuid("check_id"),
    Column("order_external_id", Text, nullable=True),
    money("amount"),
    currency(),
    Column("state", Text, nullable=False),  # live, consumed, released, expired
    instant("expires_at"),
    instant("ended_at", null=True),
    *created(),
    Index("ix_credit_reservations_live", "tenant_id", "company_id", postgresql_where=text("state = 'live'")),
    Index("ix_credit_reservations_created_at", "tenant_id", "created_at", "id"),
)  # fmt: skip

credit_files = tenant_table(
    "credit_files", METADATA,
    uuid("company_id"),
    Column("manual_grade", Text, nullable=True),
    Column("grade_reason", Text, nullable=True),
    uuid("graded_by", null=True),
    instant("graded_at", null=True),
    Column("causes", JSONB, nullable=False),  # of lateness, as a person names them
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    pk=("company_id",),
)  # fmt: skip

alert_conditions = tenant_table(
    "alert_conditions", METADATA,  # what risk's alerts are opened and closed by
    key(),  # made of kind and company
    Column("kind", Text, nullable=False),
    uuid("company_id"),
    Column("criticality", Text, nullable=False),
    Column("raised", Boolean, nullable=False),
    Column("since", Date, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_alert_conditions_company_id", "tenant_id", "company_id"),
)  # fmt: skip

provider_facts = tenant_table(
    "provider_facts", METADATA,  # what risk says providers say
    uuid("company_id"),
    Column("fields", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    pk=("company_id",),
)  # fmt: skip

internal_grades = tenant_table(
    "internal_grades", METADATA,
    uuid("company_id"),
    Column("grade", Text, nullable=True),
    Column("points", Text, nullable=True),
    Column("version", BigInteger, nullable=False),
    pk=("company_id",),
)  # fmt: skip

payment_troubles = tenant_table(
    "payment_troubles", METADATA,  # disputes and promises, as dunning tells of them: why somebody pays late
    key(),
    uuid("customer_id"),
    Column("cause", Text, nullable=True),  # dispute:price …, broken_promise; null: no trouble (yet)
    Column("open", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_payment_troubles_customer_id", "tenant_id", "customer_id"),
)  # fmt: skip

exposure_peaks = tenant_table(
    "exposure_peaks", METADATA,  # month by month, the most that was owed while nothing was overdue
    uuid("company_id"),
    Column("month", Date, nullable=False),
    currency(),
    money("clean_peak"),
    pk=("company_id", "month", "currency"),
)  # fmt: skip

proposal_policies = tenant_table(
    "proposal_policies", METADATA,
    Column("policy", JSONB, nullable=False),
    *created(),
    pk=(),
)  # fmt: skip

insurance_tables(METADATA)
