"""Tables of what providers say: connections, portfolios, syncs, snapshots and every change."""

from libs.kit.schema import (
    JSONB,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Text,
    created,
    instant,
    key,
    tenant_table,
    text,
    uuid,
)
from services.risk.storage.catalogue import METADATA

provider_connections = tenant_table(
    "provider_connections", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("provider", Text, nullable=False),  # the brand the adapter speaks to
    Column("product", Text, nullable=False),
    Column("contract_holder", Text, nullable=True),  # whose contract it is: S&D's connector runs on Infolegale's
    Column("adapter", Text, nullable=False),
    Column("mapping_version", Integer, nullable=False),  # the mapping all current records were made with
    Column("base_url", Text, nullable=True),  # null: the provider's own
    Column("credentials_sealed", Text, nullable=True),
    instant("credentials_set_at", null=True),
    Column("options", JSONB, nullable=False),  # field map and what else the adapter wants to be told
    Column("sync_at", Text, nullable=True),  # "06:00" in the tenant's time zone; null: only when asked
    Column("refresh", Text, nullable=False),  # all: every member daily; events: those the provider says moved
    Column("full_refresh_days", Integer, nullable=True),  # with events: read a member again after so many days
    Column("priority", Integer, nullable=False),  # 1 first, when two connections know the same field
    Column("rate_calls", Integer, nullable=True),  # null: as the adapter says
    Column("rate_seconds", Integer, nullable=True),
    Column("budget", Integer, nullable=True),  # billed calls a calendar month; null: no bound
    Column("stale_after_days", Integer, nullable=False),
    Column("state", Text, nullable=False),  # active, paused, refused (by the provider: its credentials)
    Column("error", JSONB, nullable=True),  # what stopped the last call that failed for all companies
    Column("events_cursor", Text, nullable=True),  # how far its events have been read
    uuid("last_sync_id", null=True),
    instant("last_sync_at", null=True),
    Column("failures", Integer, nullable=False),  # calls in a row that found the provider down
    instant("closed_until", null=True),  # the circuit breaker: no call before (wall clock)
    Column("breaks", Integer, nullable=False),  # how often in a row it opened: the pause doubles
    instant("leased_until", null=True),  # one worker talks to a provider at a time (wall clock)
    *created(),
    Index("uq_provider_connections_name", "tenant_id", "name", unique=True),
)  # fmt: skip

billed_calls = tenant_table(
    "billed_calls", METADATA,
    uuid("connection_id"),
    Column("month", Date, nullable=False),  # its first day, tenant's time zone
    Column("calls", Integer, nullable=False),
    pk=("connection_id", "month"),
)  # fmt: skip

field_rules = tenant_table(
    "field_rules", METADATA,
    Column("field", Text, nullable=False),
    Column("rule", Text, nullable=False),  # priority, latest, worst
    pk=("field",),
)  # fmt: skip

monitorings = tenant_table(
    "monitorings", METADATA,
    key(),
    uuid("connection_id"),
    uuid("company_id"),
    Column("state", Text, nullable=False),  # adding, member, removing, failed, unknown; absent once removed
    Column("provider_ref", Text, nullable=True),  # the company at the provider, once identified
    Column("match_kind", Text, nullable=True),  # exact_id, name, manual
    Column("error", JSONB, nullable=True),  # {"code", "detail"} of the last refusal
    Column("attempts", Integer, nullable=False),
    instant("next_attempt_at", null=True),  # wall clock
    uuid("requested_by", null=True),
    instant("member_since", null=True),
    Column("last_outcome", Text, nullable=True),  # of the last sync
    instant("last_checked_at", null=True),  # when the provider last answered for it, business clock
    *created(),
    Index("uq_monitorings_company", "tenant_id", "connection_id", "company_id", unique=True),
    Index("ix_monitorings_state", "tenant_id", "connection_id", "state", "id"),
    Index("ix_monitorings_company_id", "tenant_id", "company_id"),
)  # fmt: skip

sync_runs = tenant_table(
    "sync_runs", METADATA,
    key(),
    uuid("connection_id"),
    uuid("operation_id"),
    Column("reason", Text, nullable=False),  # daily, asked, some (named companies), first (just added)
    Column("day", Date, nullable=True),  # of a daily run: one a connection and day
    Column("state", Text, nullable=False),  # queued, fetching, acknowledging, succeeded, failed
    instant("not_before"),  # wall clock
    Column("events", JSONB, nullable=False),  # read and not yet acknowledged
    Column("events_cursor", Text, nullable=True),
    Column("error", JSONB, nullable=True),
    instant("finished_at", null=True),
    *created(),
    Index("uq_sync_runs_day", "tenant_id", "connection_id", "day", unique=True, postgresql_where=text("day IS NOT NULL")),
    Index("ix_sync_runs_connection_id", "tenant_id", "connection_id", "id"),
    Index("ix_sync_runs_open", "tenant_id", "connection_id", postgresql_where=text("finished_at IS NULL")),
)  # fmt: skip

sync_companies = tenant_table(
    "sync_companies", METADATA,
    uuid("run_id"),
    uuid("company_id"),
    Column("state", Text, nullable=False),  # pending, asking, done
    Column("outcome", Text, nullable=True),  # changed, unchanged, not_found, failed, unknown, over_budget
    Column("error", JSONB, nullable=True),
    Column("billed", Boolean, nullable=False),
    instant("done_at", null=True),
    Index("ix_sync_companies_pending", "tenant_id", "run_id", "company_id", postgresql_where=text("state = 'pending'")),
    pk=("run_id", "company_id"),
)  # fmt: skip

provider_records = tenant_table(
    "provider_records", METADATA,
    uuid("connection_id"),
    uuid("company_id"),
    uuid("snapshot_id"),
    uuid("raw_id", null=True),  # the newest answer, also where nothing in it changed
    Column("values", JSONB, nullable=False),  # field -> value, as in the snapshot
    Column("notices", JSONB, nullable=True),  # null: none are published there, or they were never read
    Column("fingerprint", Text, nullable=False),  # of values and notices
    Column("mapping_version", Integer, nullable=False),
    Column("as_of", Date, nullable=True),
    instant("fetched_at"),
    instant("checked_at"),  # last asked and answered, changed or not
    *created(),
    Index("ix_provider_records_company_id", "tenant_id", "company_id"),
    pk=("connection_id", "company_id"),
)  # fmt: skip

snapshots = tenant_table(
    "snapshots", METADATA,
    key(),
    uuid("connection_id"),
    uuid("company_id"),
    Column("provider", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("origin", Text, nullable=False),  # fetched, remapped
    Column("mapping_version", Integer, nullable=False),
    Column("as_of", Date, nullable=True),
    instant("fetched_at"),
    Column("values", JSONB, nullable=False),
    Column("notices", JSONB, nullable=True),  # null: none are published there, or they were never read
    uuid("raw_id", null=True),
    Index("ix_snapshots_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

raw_answers = tenant_table(
    "raw_answers", METADATA,
    key(),
    uuid("connection_id"),
    uuid("company_id"),
    instant("fetched_at"),
    Column("sha256", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),  # the answers of one fetch without secrets, JSON, deflated
    Index("ix_raw_answers_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

field_changes = tenant_table(
    "field_changes", METADATA,
    key(),
    uuid("connection_id", null=True),  # null: an insurer's grade
    uuid("company_id"),
    Column("provider", Text, nullable=False),
    Column("product", Text, nullable=True),
    Column("field", Text, nullable=False),
    Column("old", JSONB, nullable=True),
    Column("new", JSONB, nullable=True),
    Column("as_of", Date, nullable=True),  # the provider's own date
    Column("on_day", Date, nullable=False),  # as_of, else the day it was seen: the order of the history
    instant("fetched_at"),
    Column("origin", Text, nullable=False),  # fetched, back_filled, remapped, told
    uuid("snapshot_id", null=True),
    Index("ix_field_changes_history", "tenant_id", "company_id", "on_day", "id"),
    Index("uq_field_changes_back_filled", "tenant_id", "company_id", "connection_id", "field", "on_day", unique=True,
          postgresql_where=text("origin = 'back_filled'")),
)  # fmt: skip

insurer_grades = tenant_table(
    "insurer_grades", METADATA,
    uuid("company_id"),
    Column("insurer", Text, nullable=False),
    uuid("policy_id", null=True),
    Column("grade", Text, nullable=True),
    Column("scale", JSONB, nullable=True),
    Column("graded_on", Date, nullable=True),
    instant("told_at"),
    Column("version", BigInteger, nullable=False),
    pk=("company_id", "insurer"),
)  # fmt: skip

company_risk = tenant_table(
    "company_risk", METADATA,
    uuid("company_id"),
    Column("values", JSONB, nullable=False),  # field -> the value that counts, and where it is from
    Column("by_provider", JSONB, nullable=False),  # a short form of each record, for lists
    Column("legal_status", Text, nullable=True),
    Column("legal_kind", Text, nullable=True),
    Column("judged_on", Date, nullable=True),
    Column("published_on", Date, nullable=True),
    Column("privileges_rose_on", Date, nullable=True),  # when a privilege was last added
    Column("score_fall", JSONB, nullable=True),  # {"from", "to", "on"}, normalised, while it counts as one
    *created(),
    pk=("company_id",),
)  # fmt: skip
