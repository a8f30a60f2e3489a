"""The tables of dunning: its own copy of open items, what it plans to do about them, and what it did."""

from sqlalchemy.dialects.postgresql import UUID

from libs.kit.mail import mail_table
from libs.kit.schema import (
    ARRAY,
    CHAR,
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
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
from services.dunning.storage.collecting_tables import collecting_tables
from services.dunning.storage.letters_tables import letters_tables

METADATA = metadata()
mail_table(METADATA)
letters_tables(METADATA)

# -- kept from the feeds ---------------------------------------------------------------------------------------------

business_units = tenant_table(
    "business_units",
    METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
)

customers = tenant_table(
    "customers", METADATA,
    key(),
    uuid("company_id"),
    uuid("business_unit_id"),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("contacts", JSONB, nullable=False),
    Column("address", JSONB, nullable=False),
    Column("country", CHAR(2), nullable=True),
    Column("time_zone", Text, nullable=True),  # where it works; null: where the house does
    uuid("collector_user_id", null=True),
    uuid("scenario_id", null=True),  # as assigned; null: the default
    Column("archived", Boolean, nullable=False),
    Column("look_again_on", Date, nullable=True),  # first day on which a decision may differ; null: only an event can tell
    Column("version", BigInteger, nullable=False),
    Index("ix_customers_look_again_on", "tenant_id", "look_again_on", "id"),
    Index("ix_customers_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

items = tenant_table(
    "items", METADATA,
    key(),
    uuid("customer_id"),
    uuid("business_unit_id"),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    currency(),
    money("amount"),  # as invoiced, positive
    money("open_amount"),  # signed
    Column("reference", Text, nullable=True),
    Column("closed_on", Date, nullable=True),
    Column("cancelled", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_items_open", "tenant_id", "customer_id", postgresql_where=text("open_amount <> 0")),
)  # fmt: skip

users = tenant_table(
    "users", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
)  # fmt: skip

payments = tenant_table(
    "payments", METADATA,
    key(),
    uuid("customer_id"),
    currency(),
    Column("paid_on", Date, nullable=False),
    Column("allocations", JSONB, nullable=False),  # item_id -> minor units; empty once reversed
    Column("version", BigInteger, nullable=False),
    Index("ix_payments_customer_id", "tenant_id", "customer_id", "id"),
)  # fmt: skip

# -- how it is done --------------------------------------------------------------------------------------------------

scenarios = tenant_table(
    "scenarios", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    *created(),
    Index("uq_scenarios_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
)  # fmt: skip

scenario_versions = tenant_table(
    "scenario_versions", METADATA,
    key(),
    uuid("scenario_id"),
    Column("number", Integer, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("minimums", JSONB, nullable=False),
    Column("ignore_under", JSONB, nullable=False),
    Column("cap_days", Integer, nullable=False),
    Column("rules", JSONB, nullable=False),  # cap_across, net_credits, catch_up, sending days, hours and calendar
    uuid("published_by", null=True),
    instant("published_at"),
    ForeignKeyConstraint(["tenant_id", "scenario_id"], ["scenarios.tenant_id", "scenarios.id"]),
    UniqueConstraint("tenant_id", "scenario_id", "number"),
)  # fmt: skip

# -- what is planned and done ----------------------------------------------------------------------------------------

actions = tenant_table(
    "actions", METADATA,
    key(),
    uuid("customer_id"),
    Column("kind", Text, nullable=False),  # scenario, specific_action, out_of_scenario, broken_promise, reply
    Column("channel", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),  # proposed, to_confirm, due, done, skipped, cancelled, blocked
    Column("due_on", Date, nullable=False),
    uuid("leader_item_id", null=True),
    Column("item_ids", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("net", JSONB, nullable=False),  # minor units by currency
    uuid("scenario_id", null=True),  # this and the next three: of a scenario's step only
    uuid("scenario_version_id", null=True),
    Column("position", Integer, nullable=True),
    Column("nominal_days", Integer, nullable=True),
    uuid("template_id", null=True),
    Column("contact", JSONB, nullable=True),
    Column("reason", Text, nullable=True),
    Column("outcome", Text, nullable=True),
    Column("comment", Text, nullable=True),
    uuid("qualification_id", null=True),
    uuid("promise_id", null=True),
    uuid("assignee_user_id", null=True),
    uuid("run_id", null=True),
    uuid("mail_id", null=True),
    Column("done_on", Date, nullable=True),
    uuid("done_by", null=True),
    *created(),
    # Nobody gets a letter twice, whoever plans it: one live action a customer, leader item, scenario and step.
    Index("uq_actions_step", "tenant_id", "customer_id", "leader_item_id", "scenario_id", "position", unique=True,
          postgresql_where=text("state <> 'cancelled'")),
    Index("ix_actions_agenda", "tenant_id", "state", "due_on", "id"),
    Index("ix_actions_customer_id", "tenant_id", "customer_id", "id"),
)  # fmt: skip

dunning_runs = tenant_table(
    "dunning_runs", METADATA,
    key(),
    Column("as_of", Date, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("send_now", Boolean, nullable=False),
    Column("customer_ids", ARRAY(UUID(as_uuid=True)), nullable=True),
    Column("status", Text, nullable=False),  # queued, planning, sending, succeeded, failed
    Column("error", JSONB, nullable=True),
    Column("requested_by", Text, nullable=False),
    *created(),
    Index("ix_dunning_runs_open", "tenant_id", "id", postgresql_where=text("status NOT IN ('succeeded', 'failed')")),
    Index("ix_dunning_runs_created_at", "tenant_id", "created_at", "id"),
)  # fmt: skip

dunning_run_parts = tenant_table(  # what several workers share out: each plans the customers between two ids
    "dunning_run_parts", METADATA,
    uuid("run_id"),
    Column("number", Integer, nullable=False),
    uuid("after_customer_id", null=True),  # planned up to here
    uuid("until_customer_id"),
    Column("counts", JSONB, nullable=False),
    Column("done", Boolean, nullable=False),
    instant("leased_until", null=True),
    ForeignKeyConstraint(["tenant_id", "run_id"], ["dunning_runs.tenant_id", "dunning_runs.id"]),
    pk=("run_id", "number"),
)  # fmt: skip

dunning_run_lines = tenant_table(
    "dunning_run_lines", METADATA,
    uuid("run_id"),
    uuid("customer_id"),
    Column("outcome", Text, nullable=False),  # planned, to_confirm, skipped
    Column("code", Text, nullable=True),
    uuid("action_id", null=True),
    Column("plan", JSONB, nullable=True),
    ForeignKeyConstraint(["tenant_id", "run_id"], ["dunning_runs.tenant_id", "dunning_runs.id"]),
    pk=("run_id", "customer_id"),
)  # fmt: skip

collecting_tables(METADATA)
