"""The tables of the stand-in insurer: whom it plays, what it was asked, what it decided."""

from sqlalchemy import MetaData

from libs.kit.schema import (
    JSONB,
    Boolean,
    Column,
    Index,
    Text,
    UniqueConstraint,
    instant,
    key,
    tenant_table,
    uuid,
)


def insurer_tables(catalogue: MetaData) -> None:
    """Declare them."""
    tenant_table(
        "stand_in_insurers", catalogue,
        key(),  # the connection's id
        Column("insurer", Text, nullable=False),
        Column("mode", Text, nullable=False),
        Column("options", JSONB, nullable=False),
        Column("secret", Text, nullable=True),  # of a stand-in: nothing real is signed with it
        Column("token", Text, nullable=True),
        Column("behaviour", Text, nullable=False),
    )  # fmt: skip
    tenant_table(
        "stand_in_requests", catalogue,
        key(),
        uuid("connection_id"),
        Column("reference", Text, nullable=False),
        Column("body", JSONB, nullable=False),
        Column("cancelled", Boolean, nullable=False),
        instant("received_at"),
        UniqueConstraint("tenant_id", "connection_id", "reference"),
    )  # fmt: skip
    tenant_table(
        "stand_in_decisions", catalogue,
        key(),
        uuid("connection_id"),
        Column("decision_id", Text, nullable=False),
        Column("body", JSONB, nullable=False),
        instant("decided_at"),
        UniqueConstraint("tenant_id", "connection_id", "decision_id"),
        Index("ix_stand_in_decisions_connection_id", "tenant_id", "connection_id", "decided_at"),
    )  # fmt: skip
    tenant_table(
        "stand_in_grades", catalogue,
        uuid("connection_id"),
        Column("buyer_reference", Text, nullable=False),
        Column("grade", Text, nullable=False),
        pk=("connection_id", "buyer_reference"),
    )  # fmt: skip
