"""The ledger's tables.

Three references are kept without a foreign key, for its check costs more a row than the row itself, in bulk: items and balances
name a customer that whoever writes them holds FOR KEY SHARE (`accounts`), and entries are written with their item or under its
lock, which is never deleted.

Amounts are bigint minor units of the currency beside them. `items.open_amount` is signed and equals the sum of the item's
entries; a balance row is the sum of its items. Both are kept in the statement that changes the items.
"""

from sqlalchemy import CHAR, Numeric

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
    LargeBinary,
    SmallInteger,
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
from services.ledger.storage.stated_limits import stated_limits_table

METADATA = metadata()

# -- who ------------------------------------------------------------------------------------------------------------

business_units = tenant_table(
    "business_units", METADATA,
    key(),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("main", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("tenant_id", "code"),
)  # fmt: skip

companies = tenant_table(
    "companies", METADATA,
    key(),
    Column("name", Text, nullable=False),
    Column("country", CHAR(2), nullable=True),
    Column("registration_number", Text, nullable=True),
    Column("vat_number", Text, nullable=True),
    Column("lei", Text, nullable=True),
    Column("private", Boolean, nullable=False),  # stands for one customer without an identifier; never merged by name
    uuid("parent_id", null=True),
    uuid("group_id"),  # the topmost parent; the company itself where there is none
    uuid("merged_into_id", null=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "parent_id"], ["companies.tenant_id", "companies.id"]),
    Index("uq_companies_registration", "tenant_id", "country", "registration_number", unique=True,
          postgresql_where=text("registration_number IS NOT NULL AND merged_into_id IS NULL")),
    Index("uq_companies_vat_number", "tenant_id", "vat_number", unique=True,
          postgresql_where=text("vat_number IS NOT NULL AND merged_into_id IS NULL")),
    Index("uq_companies_lei", "tenant_id", "lei", unique=True,
          postgresql_where=text("lei IS NOT NULL AND merged_into_id IS NULL")),
    Index("ix_companies_merged_into_id", "tenant_id", "merged_into_id",
          postgresql_where=text("merged_into_id IS NOT NULL")),
    Index("ix_companies_parent_id", "tenant_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index("ix_companies_group_id", "tenant_id", "group_id"),
    Index("ix_companies_name", "tenant_id", "name", "id"),
)  # fmt: skip

company_comments = tenant_table(
    "company_comments", METADATA,
    key(),
    uuid("company_id"),
    Column("text", Text, nullable=False),
    uuid("author_user_id", null=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("ix_company_comments_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

company_documents = tenant_table(
    "company_documents", METADATA,
    key(),
    uuid("company_id"),
    uuid("file_id"),
    Column("title", Text, nullable=False),
    *created(),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("ix_company_documents_company_id", "tenant_id", "company_id", "id"),
)  # fmt: skip

customers = tenant_table(
    "customers", METADATA,
    key(),
    uuid("business_unit_id"),
    uuid("company_id"),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    currency(null=True),
    Column("terms_days", Integer, nullable=True),
    Column("terms_end_of_month", Boolean, nullable=False),
    Column("terms_day_of_month", SmallInteger, nullable=True),
    Column("segment", Text, nullable=True),
    Column("buyer_kind", Text, nullable=False),  # private, public, individual, related
    Column("prepaid", Boolean, nullable=False),
    uuid("collector_user_id", null=True),
    Column("address", JSONB, nullable=False),
    Column("custom_fields", JSONB, nullable=False),
    Column("contacts", JSONB, nullable=False),  # a handful a customer, read and written with it
    Column("actors", JSONB, nullable=False),
    Column("payer_profile", JSONB, nullable=True),  # the last one computed, see usecases.payer_profiles
    instant("archived_at", null=True),
    Column("archived_by_source", Text, nullable=True),  # whose snapshot did it, and whose word takes it back; null: a person
    Column("source", Text, nullable=True),
    Column("source_version", BigInteger, nullable=True),
    instant("source_taken_at", null=True),  # when that source said so; null for one made on the fly, which no snapshot archives
    *created(),
    UniqueConstraint("tenant_id", "business_unit_id", "external_id"),
    ForeignKeyConstraint(["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"]),
    Index("ix_customers_company_id", "tenant_id", "company_id"),
    Index("ix_customers_name", "tenant_id", "name", "id"),
    Index("ix_customers_external_id", "tenant_id", "external_id", "id"),
    Index("ix_customers_updated_at", "tenant_id", "updated_at", "id"),
)  # fmt: skip

search_words = tenant_table(
    "search_words", METADATA,
    Column("kind", Text, nullable=False),  # customer, company, number: see storage.search_words
    Column("word", Text(collation="C"), nullable=False),
    uuid("object_id"),
    Index("ix_search_words_object_id", "tenant_id", "kind", "object_id"),
    pk=("kind", "word", "object_id"),
)  # fmt: skip

# -- what is owed ---------------------------------------------------------------------------------------------------

items = tenant_table(
    "items", METADATA,
    key(),
    uuid("business_unit_id"),
    uuid("customer_id"),
    Column("kind", Text, nullable=False),  # invoice, credit_note, payment, other
    Column("direction", SmallInteger, nullable=False),  # 1 they owe us, -1 we owe them
    Column("external_id", Text, nullable=True),
    Column("number", Text, nullable=True),
    Column("source", Text, nullable=True),  # the source that last changed it
    Column("source_version", BigInteger, nullable=True),
    instant("source_taken_at", null=True),  # when that source said so; null for a receipt, which no snapshot closes
    Column("issue_date", Date, nullable=False),
    Column("delivery_date", Date, nullable=True),
    Column("due_date", Date, nullable=False),
    Column("original_due_date", Date, nullable=False),  # frozen at first sight
    currency(),
    money("amount"),  # positive
    money("tax_amount", null=True),
    money("net_amount", null=True),
    money("open_amount"),  # signed: the sum of the entries
    Column("reference", Text, nullable=True),
    Column("order_reference", Text, nullable=True),
    Column("custom_fields", JSONB, nullable=False),
    Column("closed_on", Date, nullable=True),
    Column("cancelled", Boolean, nullable=False),
    Column("as_of_approximate", Boolean, nullable=False),
    *created(),
    UniqueConstraint("tenant_id", "business_unit_id", "external_id"),
    Index("ix_items_open", "tenant_id", "customer_id", "currency", "due_date", postgresql_where=text("open_amount <> 0")),
    Index("ix_items_customer_id", "tenant_id", "customer_id", "issue_date"),
    Index("ix_items_due_date", "tenant_id", "due_date", "id"),
    Index("ix_items_payments", "tenant_id", "issue_date", "id", postgresql_where=text("kind = 'payment'")),
)  # fmt: skip

entries = tenant_table(
    "entries", METADATA,
    uuid("item_id"),
    key(),
    Column("kind", SmallInteger, nullable=False),  # see domain.journal
    money("amount"),  # signed
    Column("effective_on", Date, nullable=False),
    instant("recorded_at"),
    uuid("reverses", null=True),
    uuid("allocation_id", null=True),
    uuid("import_id", null=True),
    Column("reason", Text, nullable=True),
    pk=("item_id", "id"),
)  # fmt: skip

item_versions = tenant_table(
    "item_versions", METADATA,
    uuid("item_id"),
    Column("version", BigInteger, nullable=False),
    instant("superseded_at"),
    Column("due_date", Date, nullable=False),
    uuid("customer_id"),
    Column("attributes", JSONB, nullable=False),  # as they stood until superseded_at
    ForeignKeyConstraint(["tenant_id", "item_id"], ["items.tenant_id", "items.id"]),
    pk=("item_id", "version"),
)  # fmt: skip

allocations = tenant_table(
    "allocations", METADATA,
    key(),
    uuid("credit_item_id"),  # the payment or credit note
    uuid("debit_item_id"),
    money("amount"),  # positive
    currency(),
    Column("allocated_on", Date, nullable=False),
    Column("reversed_on", Date, nullable=True),
    Column("reversal_reason", Text, nullable=True),
    *created(),
    ForeignKeyConstraint(["tenant_id", "credit_item_id"], ["items.tenant_id", "items.id"]),
    ForeignKeyConstraint(["tenant_id", "debit_item_id"], ["items.tenant_id", "items.id"]),
    Index("ix_allocations_credit_item_id", "tenant_id", "credit_item_id"),
    Index("ix_allocations_debit_item_id", "tenant_id", "debit_item_id"),
)  # fmt: skip

balances = tenant_table(
    "balances", METADATA,
    uuid("customer_id"),
    currency(),
    money("outstanding"),  # the sum of open amounts
    money("credits"),  # the negative part of it
    money("overdue"),  # debits late on `day`
    Column("day", Date, nullable=False),  # moved on by the step of each new day; in between every change counts as of it
    money("order_book"),
    Column("items_count", Integer, nullable=False),  # open items
    Column("version", BigInteger, nullable=False),
    instant("updated_at"),
    Index("ix_balances_outstanding", "tenant_id", "currency", "outstanding", "customer_id"),
    pk=("customer_id", "currency"),
)  # fmt: skip

orders = tenant_table(
    "orders", METADATA,
    key(),
    uuid("business_unit_id"),
    uuid("customer_id"),
    Column("external_id", Text, nullable=False),
    currency(),
    money("amount"),
    Column("tax_included", Boolean, nullable=False),
    money("invoiced_amount"),
    Column("expected_on", Date, nullable=True),
    Column("status", Text, nullable=False),  # open, closed, cancelled
    Column("reference", Text, nullable=True),
    Column("custom_fields", JSONB, nullable=False),
    Column("source", Text, nullable=True),
    Column("source_version", BigInteger, nullable=True),
    instant("source_taken_at", null=True),
    *created(),
    UniqueConstraint("tenant_id", "business_unit_id", "external_id"),
    ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
    Index("ix_orders_customer_id", "tenant_id", "customer_id"),
    Index("ix_orders_expected_on", "tenant_id", text("coalesce(expected_on, 'infinity'::date)"), "id"),
)  # fmt: skip

# What dunning says of items, kept from its feed. Apart from `items`, whose rows imports write by the million; without a foreign
# key to them, so that a fact may arrive at any time.
item_facts = tenant_table(
    "item_facts", METADATA,
    uuid("item_id"),
    Column("status_code", Text, nullable=True),
    Column("follow_up_on", Date, nullable=True),
    uuid("resolution_owner_id", null=True),
    Column("excluded_by", Text, nullable=True),
    Column("version", BigInteger, nullable=False),  # of its qualification, 0 before the first
    Column("promise", JSONB, nullable=True),  # these three as the API shows them, chosen among `dunning_objects`
    Column("promised_on", Date, nullable=True),
    Column("dispute", JSONB, nullable=True),
    Column("disputed", Boolean, nullable=False),
    Column("next_action", JSONB, nullable=True),
    Index("ix_item_facts_status_code", "tenant_id", "status_code", postgresql_where=text("status_code IS NOT NULL")),
    Index("ix_item_facts_promised_on", "tenant_id", "promised_on", postgresql_where=text("promised_on IS NOT NULL")),
    Index("ix_item_facts_follow_up_on", "tenant_id", "follow_up_on", postgresql_where=text("follow_up_on IS NOT NULL")),
    pk=("item_id",),
)  # fmt: skip

dunning_objects = tenant_table(
    "dunning_objects", METADATA,
    key(),
    Column("kind", Text, nullable=False),  # promise, dispute, action
    Column("live", Boolean, nullable=False),  # still to be kept, settled or done
    Column("day", Date, nullable=True),  # promised on, or due on
    Column("facts", JSONB, nullable=False),  # as the API shows it
    Column("version", BigInteger, nullable=False),
)  # fmt: skip

dunning_object_items = tenant_table(
    "dunning_object_items", METADATA,
    uuid("object_id"),
    uuid("item_id"),
    Index("ix_dunning_object_items_item_id", "tenant_id", "item_id"),
    pk=("object_id", "item_id"),
)  # fmt: skip

exchange_rates = tenant_table(
    "exchange_rates", METADATA,
    currency("base"),
    currency("quote"),
    Column("valid_on", Date, nullable=False),
    Column("rate", Numeric(24, 12), nullable=False),  # units of quote for one of base
    *created(),
    pk=("base", "quote", "valid_on"),
)  # fmt: skip

# -- imports --------------------------------------------------------------------------------------------------------

import_sources = tenant_table(
    "import_sources", METADATA,
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("dialect", JSONB, nullable=False),
    Column("mapping", JSONB, nullable=False),
    *created(),
    pk=("name", "kind"),
)  # fmt: skip

imports = tenant_table(
    "imports", METADATA,
    key(),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("source", Text, nullable=True),
    uuid("business_unit_id"),
    instant("taken_at", null=True),
    Column("status", Text, nullable=False),  # receiving, processing, held, completed, failed, cancelled
    Column("dry_run", Boolean, nullable=False),
    Column("options", JSONB, nullable=False),  # content type, encoding, dialect, mapping, control totals, create_customers
    Column("counts", JSONB, nullable=False),
    Column("totals", JSONB, nullable=False),
    Column("held", JSONB, nullable=True),
    Column("diff", JSONB, nullable=True),
    Column("error", JSONB, nullable=True),
    Column("fingerprint", LargeBinary, nullable=True),
    Column("received_bytes", BigInteger, nullable=False),
    Column("rows_received", BigInteger, nullable=True),  # null until the body was read once to its end
    Column("rows_applied", BigInteger, nullable=False),
    uuid("operation_id", null=True),
    Column("requested_by", Text, nullable=False),
    instant("leased_until", null=True),
    Column("attempts", SmallInteger, nullable=False),  # turns of workers since it last got on
    *created(),
    Index("ix_imports_created_at", "tenant_id", "created_at", "id"),
    Index("ix_imports_open", "tenant_id", "id", postgresql_where=text("status IN ('receiving', 'processing')")),
)  # fmt: skip

import_chunks = tenant_table(
    "import_chunks", METADATA,
    uuid("import_id"),
    Column("number", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # raw, as received, 4 MB at the most
    ForeignKeyConstraint(["tenant_id", "import_id"], ["imports.tenant_id", "imports.id"]),
    pk=("import_id", "number"),
)  # fmt: skip

import_batches = tenant_table(
    "import_batches", METADATA,
    uuid("import_id"),
    Column("first_row", BigInteger, nullable=False),
    Column("last_row", BigInteger, nullable=False),
    Column("named", ARRAY(Text), nullable=False),  # external ids of its rows, for a snapshot's closing
    Column("unidentified", BigInteger, nullable=False),  # rows whose external id cannot be read
    ForeignKeyConstraint(["tenant_id", "import_id"], ["imports.tenant_id", "imports.id"]),
    pk=("import_id", "first_row"),
)  # fmt: skip

import_errors = tenant_table(
    "import_errors", METADATA,
    uuid("import_id"),
    Column("row", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("pointer", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    ForeignKeyConstraint(["tenant_id", "import_id"], ["imports.tenant_id", "imports.id"]),
    pk=("import_id", "row", "number"),
)  # fmt: skip

snapshot_scopes = tenant_table(
    "snapshot_scopes", METADATA,
    uuid("business_unit_id"),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    instant("taken_at", null=True),  # of the last snapshot applied
    uuid("running_import_id", null=True),
    pk=("business_unit_id", "source", "kind"),
)  # fmt: skip

stated_limits_table(METADATA)
