"""Objects that hang on a customer (promises, disputes, pauses, plans, hand-overs): written, read and listed alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from libs.kit.paging import SortKey, Statement, cursor_columns, keyset

__all__ = ["Records", "customer_in_sight"]


@dataclass(frozen=True, slots=True)
class Records:
    """A table of them. `columns` are those beside id, customer_id, created_at, updated_at and version."""

    table: str
    columns: tuple[str, ...]
    casts: Mapping[str, str]

    def listed(self, alias: str = "") -> str:
        """The select list."""
        names = ("id", "customer_id", *self.columns, "created_at", "updated_at", "version")
        return ", ".join(f"{alias}{name}" for name in names)

    async def insert(self, tx: Tx, values: Mapping[str, Any]) -> Row:
        """Write one; its id is made here unless `values` has it."""
        row = {"id": new_id()} | dict(values)
        names = [*row]
        places = ", ".join(f"${number}{self._cast(name)}" for number, name in enumerate(names, start=3))
        written = await tx.fetchrow(
            f"INSERT INTO {self.table} (tenant_id, created_at, updated_at, version, {', '.join(names)})"
            f" VALUES ($1, $2, $2, 1, {places}) RETURNING {self.listed()}",
            tx.tenant_id, tx.now, *row.values(),
        )  # fmt: skip
        assert written is not None, "an insert without a conflict clause returns its row"
        return written

    async def update(self, tx: Tx, identifier: UUID, **values: Any) -> Row:
        """Set members of one."""
        sets = ", ".join(
            f"{name} = ${number}{self._cast(name)}" for number, name in enumerate(values, start=4)
        )
        row = await tx.fetchrow(
            f"UPDATE {self.table} SET {sets}, updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2"
            f" RETURNING {self.listed()}",
            tx.tenant_id, identifier, tx.now, *values.values(),
        )  # fmt: skip
        assert row is not None, "it was read before"
        return row

    async def get(
        self, tx: Tx, identifier: UUID, perimeter: Sequence[UUID] | None, *, lock: bool = False
    ) -> Row | None:
        """One in sight."""
        statement = self._narrowed(tx, perimeter, {})
        statement.where("r.id = {}", identifier)
        tail = " FOR UPDATE OF r" if lock else ""
        return await tx.fetchrow(
            f"SELECT {self.listed('r.')} FROM {self.table} r {statement.clause()}{tail}", *statement.params
        )

    async def page(
        self,
        tx: Tx,
        perimeter: Sequence[UUID] | None,
        wanted: Mapping[str, Any],
        cursor: str | None,
        limit: int,
    ) -> list[Row]:
        """A page, newest first; `wanted` maps columns to one value or a list of them."""
        keys = [
            SortKey("r.created_at", "timestamptz", descending=True),
            SortKey("r.id", "uuid", descending=True),
        ]
        statement = self._narrowed(tx, perimeter, wanted)
        order = keyset(statement, keys, cursor)
        return await tx.fetch(
            f"SELECT {self.listed('r.')}, {cursor_columns(keys)} FROM {self.table} r {statement.clause()} {order}"
            f" LIMIT {statement.bind(limit + 1)}",
            *statement.params,
        )

    async def covering(self, tx: Tx, customer_id: UUID, item_ids: Sequence[UUID], state: str) -> list[Row]:
        """Those in a state that hold any of these items, locked."""
        return await tx.fetch(
            f"SELECT {self.listed()} FROM {self.table} WHERE tenant_id = $1 AND customer_id = $2 AND item_ids && $3"
            " AND state = $4 ORDER BY id FOR UPDATE",
            tx.tenant_id, customer_id, list(item_ids), state,
        )  # fmt: skip

    async def after(self, tx: Tx, after: UUID | None, limit: int) -> list[Row]:
        """All of a tenant's in order of id, for a consumer that rebuilds."""
        return await tx.fetch(
            f"SELECT {self.listed()} FROM {self.table} WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2)"
            " ORDER BY id LIMIT $3",
            tx.tenant_id, after, limit,
        )  # fmt: skip

    def _cast(self, name: str) -> str:
        cast = self.casts.get(name)
        return f"::{cast}" if cast else ""

    def _narrowed(self, tx: Tx, perimeter: Sequence[UUID] | None, wanted: Mapping[str, Any]) -> Statement:
        statement = Statement()
        statement.where("r.tenant_id = {}", tx.tenant_id)
        if perimeter is not None:
            statement.where(customer_in_sight("r"), list(perimeter))
        for name, value in wanted.items():
            if value is None:
                continue
            if name == "item_id":
                statement.where("{} = ANY(r.item_ids)", value)
            elif name == "updated_since":
                statement.where("r.updated_at >= {}", value)
            elif isinstance(value, list):
                statement.where(f"r.{name} = ANY({{}})", value)
            else:
                statement.where(f"r.{name} = {{}}", value)
        return statement


def customer_in_sight(alias: str) -> str:
    """The condition that a row's customer stands in a perimeter."""
    return (
        f"EXISTS (SELECT 1 FROM customers u WHERE u.tenant_id = {alias}.tenant_id AND u.id = {alias}.customer_id"
        " AND u.business_unit_id = ANY({}))"
    )


_MONEY = dict.fromkeys(("amount", "paid_amount", "credited_amount"), "bigint")
PROMISES = Records(
    "promises",
    (
        "item_ids", "amount", "currency", "made_on", "promised_on", "channel", "comment", "state", "paid_amount",
        "credited_amount", "baseline", "judged_on", "plan_id", "position", "made_by",
    ),
    _MONEY | {"item_ids": "uuid[]", "baseline": "jsonb"},
)  # fmt: skip
DISPUTES = Records(
    "disputes",
    (
        "item_ids", "kind", "amount", "currency", "comment", "owner_user_id", "opened_on", "expected_on", "state",
        "outcome", "resolution", "resolved_on",
    ),
    _MONEY | {"item_ids": "uuid[]"},
)  # fmt: skip
PAUSES = Records("pauses", ("reason", "comment", "starts_on", "until", "state", "ended_on", "paused_by"), {})
PLANS = Records(
    "payment_plans", ("item_ids", "amount", "currency", "comment", "state"), _MONEY | {"item_ids": "uuid[]"}
)
HAND_OVERS = Records(
    "hand_overs",
    ("item_ids", "recipient", "name", "reference", "comment", "handed_on", "state", "outcome", "ended_on"),
    {"item_ids": "uuid[]"},
)
