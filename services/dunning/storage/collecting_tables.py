"""The tables of collecting: what was agreed with customers, item by item, and what holds items out of a scenario."""

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import UUID

from libs.kit.schema import (
    ARRAY,
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
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

_ITEMS = ARRAY(UUID(as_uuid=True))


def collecting_tables(catalogue: MetaData) -> None:
    """Statuses, situations, qualifications, promises, disputes, pauses, plans, hand-overs, assignments, daily counts."""
    _qualification(catalogue)
    _agreements(catalogue)
    tenant_table(  # what risk says of a buyer, as far as it decides what is asked of it
        "company_risks", catalogue,
        uuid("company_id"),
        Column("legal_status", Text, nullable=True),
        Column("judged_on", Date, nullable=True),
        Column("status_version", BigInteger, nullable=False),
        Column("grade", Text, nullable=True),
        Column("grade_version", BigInteger, nullable=False),
        pk=("company_id",),
    )  # fmt: skip
    tenant_table(
        "scenario_assignments", catalogue,
        uuid("customer_id"),
        uuid("scenario_id"),
        Column("manual", Boolean, nullable=False),
        Column("reason", Text, nullable=True),
        Column("assigned_by", Text, nullable=False),
        instant("assigned_at"),
        Column("version", BigInteger, nullable=False),
        pk=("customer_id",),
    )  # fmt: skip


def _qualification(catalogue: MetaData) -> None:
    tenant_table(
        "statuses", catalogue,
        key(),
        Column("code", Text, nullable=False),
        Column("category", Text, nullable=False),  # ongoing, promise, dispute, dispute_resolved, litigation
        Column("labels", JSONB, nullable=False),  # language -> label
        Column("default_days", Integer, nullable=False),
        uuid("action_template_id", null=True),
        Column("action_channel", Text, nullable=True),
        Column("mode", Text, nullable=False),  # automatic, to_confirm, manual
        Column("dispute_kind", Text, nullable=True),
        Column("active", Boolean, nullable=False),
        *created(),
        UniqueConstraint("tenant_id", "code"),
    )  # fmt: skip
    tenant_table(  # where each item that somebody spoke about stands now
        "situations", catalogue,
        uuid("item_id"),
        uuid("customer_id"),
        Column("status_code", Text, nullable=True),
        Column("category", Text, nullable=True),
        Column("status_on", Date, nullable=True),  # the day it was given
        Column("date", Date, nullable=True),  # the date that goes with it: of a promise, the day promised
        Column("follow_up_on", Date, nullable=True),
        money("amount", null=True),
        Column("comment", Text, nullable=True),
        uuid("resolution_owner_id", null=True),
        Column("excluded_by", Text, nullable=True),
        Column("excluded_until", Date, nullable=True),
        instant("updated_at"),
        Column("version", BigInteger, nullable=False),
        Index("ix_situations_customer_id", "tenant_id", "customer_id", "item_id"),
        pk=("item_id",),
    )  # fmt: skip
    tenant_table(
        "qualifications", catalogue,
        key(),
        uuid("customer_id"),
        Column("status_code", Text, nullable=False),
        Column("category", Text, nullable=False),
        Column("date", Date, nullable=False),
        Column("follow_up_on", Date, nullable=False),
        Column("comment", Text, nullable=True),
        uuid("resolution_owner_id", null=True),
        Column("next_kind", Text, nullable=False),  # scenario, specific_action
        uuid("message_id", null=True),
        uuid("action_id", null=True),
        uuid("promise_id", null=True),
        uuid("dispute_id", null=True),
        Column("qualified_on", Date, nullable=False),
        Column("qualified_by", Text, nullable=False),
        *created(),
        Index("ix_qualifications_customer_id", "tenant_id", "customer_id", "id"),
    )  # fmt: skip
    tenant_table(
        "qualification_items", catalogue,
        uuid("qualification_id"),
        uuid("item_id"),
        money("open_amount"),  # as it was then
        money("amount", null=True),
        currency(),
        Index("ix_qualification_items_item_id", "tenant_id", "item_id", "qualification_id"),
        pk=("qualification_id", "item_id"),
    )  # fmt: skip
    tenant_table(  # how much of what was late had a status, at the end of a day: what a trend is drawn from
        "status_days", catalogue,
        Column("day", Date, nullable=False),
        uuid("business_unit_id"),
        uuid("collector_user_id"),  # all zeros: nobody
        Column("status_code", Text, nullable=False),  # empty: none
        currency(),
        Column("category", Text, nullable=True),
        Column("count", Integer, nullable=False),
        money("amount"),
        Column("alive_count", Integer, nullable=False),
        money("alive_amount"),
        pk=("day", "business_unit_id", "collector_user_id", "status_code", "currency"),
    )  # fmt: skip


def _agreements(catalogue: MetaData) -> None:
    tenant_table(
        "promises", catalogue,
        key(),
        uuid("customer_id"),
        Column("item_ids", _ITEMS, nullable=False),
        money("amount"),
        currency(),
        Column("made_on", Date, nullable=False),
        Column("promised_on", Date, nullable=False),
        Column("channel", Text, nullable=True),  # how it was made: call, email, page
        Column("comment", Text, nullable=True),
        Column("state", Text, nullable=False),  # open, kept, partly, broken, cancelled
        money("paid_amount"),
        money("credited_amount"),
        Column("baseline", JSONB, nullable=False),  # open, paid and credited when it was made
        Column("judged_on", Date, nullable=True),
        uuid("plan_id", null=True),
        Column("position", Integer, nullable=True),
        Column("made_by", Text, nullable=False),
        *created(),
        Index("ix_promises_customer_id", "tenant_id", "customer_id", "id"),
        Index("ix_promises_open", "tenant_id", "promised_on", "id", postgresql_where=text("state = 'open'")),
        Index("ix_promises_created_at", "tenant_id", "created_at", "id"),
    )  # fmt: skip
    tenant_table(
        "disputes", catalogue,
        key(),
        uuid("customer_id"),
        Column("item_ids", _ITEMS, nullable=False),
        Column("kind", Text, nullable=False),
        money("amount", null=True),
        currency(null=True),
        Column("comment", Text, nullable=True),
        uuid("owner_user_id", null=True),
        Column("opened_on", Date, nullable=False),
        Column("expected_on", Date, nullable=True),
        Column("state", Text, nullable=False),  # open, resolved
        Column("outcome", Text, nullable=True),  # accepted, partly_accepted, rejected
        Column("resolution", Text, nullable=True),
        Column("resolved_on", Date, nullable=True),
        *created(),
        Index("ix_disputes_customer_id", "tenant_id", "customer_id", "id"),
        Index("ix_disputes_created_at", "tenant_id", "created_at", "id"),
    )  # fmt: skip
    tenant_table(
        "pauses", catalogue,
        key(),
        uuid("customer_id"),
        Column("reason", Text, nullable=False),
        Column("comment", Text, nullable=True),
        Column("starts_on", Date, nullable=False),
        Column("until", Date, nullable=True),  # the last day of it; null: until somebody ends it
        Column("state", Text, nullable=False),  # active, ended
        Column("ended_on", Date, nullable=True),
        Column("paused_by", Text, nullable=False),
        *created(),
        Index("uq_pauses_active", "tenant_id", "customer_id", unique=True, postgresql_where=text("state = 'active'")),
        Index("ix_pauses_created_at", "tenant_id", "created_at", "id"),
    )  # fmt: skip
    tenant_table(
        "payment_plans", catalogue,
        key(),
        uuid("customer_id"),
        Column("item_ids", _ITEMS, nullable=False),
        money("amount"),
        currency(),
        Column("comment", Text, nullable=True),
        Column("state", Text, nullable=False),  # open, kept, broken, cancelled
        *created(),
        Index("ix_payment_plans_customer_id", "tenant_id", "customer_id", "id"),
        Index("ix_payment_plans_created_at", "tenant_id", "created_at", "id"),
    )  # fmt: skip
    tenant_table(
        "hand_overs", catalogue,
        key(),
        uuid("customer_id"),
        Column("item_ids", _ITEMS, nullable=False),
        Column("recipient", Text, nullable=False),  # insurer, agency, lawyer, court
        Column("name", Text, nullable=True),
        Column("reference", Text, nullable=True),
        Column("comment", Text, nullable=True),
        Column("handed_on", Date, nullable=False),
        Column("state", Text, nullable=False),  # open, ended
        Column("outcome", Text, nullable=True),
        Column("ended_on", Date, nullable=True),
        *created(),
        Index("ix_hand_overs_customer_id", "tenant_id", "customer_id", "id"),
        Index("ix_hand_overs_created_at", "tenant_id", "created_at", "id"),
    )  # fmt: skip
