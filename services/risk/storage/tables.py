"""The tables of risk: copies of the others' facts, and one profile a company that joins them for reading.

What providers say stands in `provider_tables`.
"""

from sqlalchemy import Numeric

from libs.kit.schema import (
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
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
from services.risk.storage import provider_tables
from services.risk.storage.catalogue import METADATA

__all__ = ["METADATA", "provider_tables"]


# -- kept from the feeds ---------------------------------------------------------------------------------------------

companies = tenant_table(
    "companies", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=True),
    Column("registration_number", Text, nullable=True),
    Column("vat_number", Text, nullable=True),
    uuid("group_id"),
    uuid("merged_into_id", null=True),
    Column("version", BigInteger, nullable=False),
)  # fmt: skip

customers = tenant_table(
    "customers", METADATA,
    key(),
    uuid("company_id"),
    uuid("business_unit_id"),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("segment", Text, nullable=True),
    uuid("collector_user_id", null=True),
    Column("payer_class", Text, nullable=True),
    Column("version", BigInteger, nullable=False),
    Index("ix_customers_company_id", "tenant_id", "company_id", "business_unit_id"),
)  # fmt: skip

balances = tenant_table(
    "balances", METADATA,
    uuid("customer_id"),
    uuid("company_id"),
    Column("rows", JSONB, nullable=False),  # by currency, minor units
    Column("version", BigInteger, nullable=False),
    Index("ix_balances_company_id", "tenant_id", "company_id"),
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

limits = tenant_table(
    "limits", METADATA,
    uuid("company_id"),
    Column("state", Text, nullable=False),
    money("amount", null=True),
    currency(null=True),
    Column("valid_until", Date, nullable=True),
    uuid("pending_request_id", null=True),
    Column("next_review_on", Date, nullable=True),
    Column("version", BigInteger, nullable=False),
    pk=("company_id",),
)  # fmt: skip

covers = tenant_table(
    "covers", METADATA,
    key(),
    uuid("company_id"),
    uuid("policy_id", null=True),
    Column("layer", Text, nullable=False),  # permanent, temporary, topup, discretionary, non_named
    money("amount"),
    currency(),
    Column("effective_from", Date, nullable=True),
    Column("expires_at", Date, nullable=True),  # the last day that counts
    Column("conditions", Text, nullable=True),
    Column("version", BigInteger, nullable=False),
    Index("ix_covers_company_id", "tenant_id", "company_id"),
)  # fmt: skip

other_guarantees = tenant_table(
    "other_guarantees", METADATA,
    key(),
    uuid("company_id"),
    Column("kind", Text, nullable=False),
    money("amount"),
    currency(),
    Column("valid_from", Date, nullable=True),
    Column("valid_to", Date, nullable=True),
    Column("version", BigInteger, nullable=False),
    Index("ix_other_guarantees_company_id", "tenant_id", "company_id"),
)  # fmt: skip

clocks = tenant_table(
    "clocks", METADATA,
    key(),
    uuid("company_id"),
    Column("kind", Text, nullable=False),
    Column("ends_on", Date, nullable=True),  # null: the clock has stopped
    uuid("item_id", null=True),
    Column("version", BigInteger, nullable=False),
    Index("ix_clocks_company_id", "tenant_id", "company_id"),
)  # fmt: skip

# -- joined for reading ----------------------------------------------------------------------------------------------

company_profiles = tenant_table(
    "company_profiles", METADATA,
    uuid("company_id"),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=True),
    Column("registration_number", Text, nullable=True),
    Column("segment", Text, nullable=True),  # of its customers, where they agree
    uuid("group_id"),
    currency(),  # the reporting currency all amounts of the row are in
    money("outstanding"),
    money("overdue"),
    money("credits"),
    money("order_book"),
    money("cover_permanent", null=True),  # layers in force today; all null where no cover was ever told
    money("cover_temporary", null=True),
    money("cover_topup", null=True),
    money("cover_discretionary", null=True),
    money("cover_non_named", null=True),
    Column("cover_expires_at", Date, nullable=True),
    Column("cover_conditions", Text, nullable=True),
    money("other_guarantees", null=True),
    money("real_risk"),  # signed
    money("potential_risk"),  # signed
    Column("provider_state", Text, nullable=False),  # not_connected, not_monitored, known
    Column("score", BigInteger, nullable=True),  # normalised to 0-100, in hundredths
    Column("paydex", BigInteger, nullable=True),
    money("privileges_amount", null=True),
    Column("legal_status", Text, nullable=True),
    Column("trend", Text, nullable=True),
    money("turnover", null=True),
    Column("activity", Text, nullable=True),
    money("recommended_credit", null=True),
    money("recommended_minus_outstanding", null=True),
    money("recommended_minus_limit", null=True),
    Column("provider_values", JSONB, nullable=True),  # as sent: scale, currency, portal
    Column("by_provider", JSONB, nullable=True),
    Column("insurer_grade", Text, nullable=True),
    Column("next_clock", JSONB, nullable=True),
    Column("next_clock_on", Date, nullable=True),
    Column("next_review_on", Date, nullable=True),
    Column("stale", Boolean, nullable=False),
    Column("by_currency", JSONB, nullable=True),  # minor units by currency, where another than the reporting one is owed
    Column("unconverted", JSONB, nullable=False),  # minor units by currency, in no figure
    Column("rate_date", Date, nullable=True),
    Column("limit_state", Text, nullable=False),
    money("limit_amount", null=True),  # as approved, in the reporting currency; null without a rate, too
    money("limit_original", null=True),
    currency("limit_currency", null=True),
    Column("limit_valid_until", Date, nullable=True),
    Column("limit_used_permille", BigInteger, nullable=True),
    money("overrun", null=True),
    uuid("pending_request_id", null=True),
    Column("payer_class", Text, nullable=True),
    Column("open_alerts", BigInteger, nullable=False),
    Column("critical", Boolean, nullable=False),  # a critical alert is open
    *created(),
    Index("ix_company_profiles_outstanding", "tenant_id", "outstanding", "company_id"),
    Index("ix_company_profiles_overdue", "tenant_id", "overdue", "company_id"),
    Index("ix_company_profiles_overrun", "tenant_id", text("coalesce(overrun, -1)"), "company_id"),
    Index("ix_company_profiles_used", "tenant_id", text("coalesce(limit_used_permille, -1)"), "company_id"),
    Index("ix_company_profiles_real_risk", "tenant_id", "real_risk", "company_id"),
    Index("ix_company_profiles_critical", "tenant_id", "company_id", postgresql_where=text("critical")),
    Index("ix_company_profiles_name", "tenant_id", "name", "company_id"),
    pk=("company_id",),
)  # fmt: skip

alerts = tenant_table(
    "alerts", METADATA,
    key(),
    Column("kind", Text, nullable=False),
    uuid("company_id", null=True),
    uuid("customer_id", null=True),
    uuid("subject_id"),  # the customer of an alert of collection, else the company: one alert lives a kind and subject
    Column("criticality", Text, nullable=False),  # information, warning, critical
    Column("state", Text, nullable=False),  # open, acknowledged, closed
    Column("evidence", JSONB, nullable=False),
    instant("opened_at"),
    instant("acknowledged_at", null=True),
    uuid("acknowledged_by", null=True),
    instant("closed_at", null=True),
    Column("by_hand", Boolean, nullable=False),  # closed by a person: opens again only after the condition has gone
    Column("holds", Boolean, nullable=False),  # the condition still holds
    Column("mark", Text, nullable=False),  # which occurrence: another mark is a new alert
    *created(),
    Index("uq_alerts_live", "tenant_id", "kind", "subject_id", unique=True, postgresql_where=text("holds")),
    Index("ix_alerts_opened_at", "tenant_id", "opened_at", "id"),
    Index("ix_alerts_company_id", "tenant_id", "company_id"),
)  # fmt: skip

alert_conditions = tenant_table(
    "alert_conditions", METADATA,
    key(),
    Column("producer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    uuid("company_id"),
    uuid("customer_id", null=True),
    Column("raised", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
)  # fmt: skip
