"""The customers that a file's rows are booked on: found together, and made on the fly when that was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from libs.kit.db import Row, Tx
from services.ledger.domain.intake.customers import CUSTOMER_COLUMNS
from services.ledger.domain.intake.errors import Fault
from services.ledger.storage import accounts, business_units
from services.ledger.usecases.imports.push import Push, Records
from services.ledger.usecases.upsert_customers import upsert_customers

_UNIT_UNKNOWN = Fault(
    "/business_unit_id", "business_unit_unknown", "expected the id of a business unit you can see"
)
_UNIT_OTHER = Fault(
    "/business_unit_id", "business_unit_mismatch", "expected the business unit that the snapshot is of"
)
_UNIT_OF_CUSTOMER = Fault(
    "/business_unit_id", "business_unit_mismatch", "expected the customer's own business unit"
)
_SOURCE_OTHER = Fault("/source", "source_mismatch", "expected the source that the snapshot is of")
_UNKNOWN_KEY = Fault("/customer_external_id", "customer_unknown", "expected a customer that exists")
_UNKNOWN_ID = Fault(
    "/customer_id", "customer_unknown", "expected a customer that exists and that you can see"
)


@dataclass(slots=True)
class Accounts:
    """The business units the rows may name, and the customers they do name."""

    units: frozenset[UUID]
    by_key: dict[tuple[UUID, str], Row] = field(default_factory=dict)
    by_id: dict[UUID, Row] = field(default_factory=dict)

    def find(self, unit: UUID, customer_id: UUID | None, key: str | None) -> Row | Fault:
        """The customer of a row, or what is wrong with how the row names it."""
        if unit not in self.units:
            return _UNIT_UNKNOWN
        if customer_id is None:
            assert key is not None, "the intake requires the one or the other"
            return self.by_key.get((unit, key), _UNKNOWN_KEY)
        account = self.by_id.get(customer_id, _UNKNOWN_ID)
        if isinstance(account, Fault) or account["business_unit_id"] in self.units:
            return (
                account
                if isinstance(account, Fault) or account["business_unit_id"] == unit
                else _UNIT_OF_CUSTOMER
            )
        return _UNKNOWN_ID


async def known_units(tx: Tx, push: Push, records: Records) -> frozenset[UUID]:
    """Of the business units that rows name, those they may name."""
    named = {record[1] for record in records}
    foreign = named - {push.business_unit_id}
    if foreign:
        named -= await business_units.unknown(tx, foreign)
    return frozenset(named if push.perimeter is None else named & set(push.perimeter))


async def find_accounts(
    tx: Tx, push: Push, columns: Sequence[str], records: Records, *, name_column: str | None = None
) -> Accounts:
    """The customers of a batch. With `create_customers`, keys nobody knows become customers, called as `name_column` says."""
    of = {name: columns.index(name) for name in ("customer_id", "customer_external_id")}
    id_at, key_at = of["customer_id"], of["customer_external_id"]
    found = Accounts(await known_units(tx, push, records))
    keys = {(record[1], record[key_at]) for record in records if record[key_at] is not None}
    found.by_key = await _by_key(tx, keys)
    ids = {record[id_at] for record in records if record[id_at] is not None}
    if ids:
        found.by_id = {row["id"]: row for row in await accounts.by_ids(tx, ids)}
    if push.create_customers:
        missing = {key for key in keys - found.by_key.keys() if key[0] in found.units}
        if missing:
            await _create(tx, push, missing, _names(records, key_at, name_column, columns))
            found.by_key |= await _by_key(tx, missing)
    return found


def snapshot_fault(push: Push, unit: UUID, source: str | None) -> Fault | None:
    """Why a row cannot stand in this snapshot."""
    if unit != push.business_unit_id:
        return _UNIT_OTHER
    return None if source == push.source else _SOURCE_OTHER


async def _by_key(tx: Tx, keys: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], Row]:
    if not keys:
        return {}
    return {(row["business_unit_id"], row["external_id"]): row for row in await accounts.by_keys(tx, keys)}


def _names(
    records: Records, key_at: int, name_column: str | None, columns: Sequence[str]
) -> Mapping[tuple[UUID, str], str]:
    if name_column is None:
        return {}
    name_at = columns.index(name_column)
    return {(record[1], record[key_at]): record[name_at] for record in records if record[name_at]}


async def _create(
    tx: Tx, push: Push, keys: set[tuple[UUID, str]], names: Mapping[tuple[UUID, str], str]
) -> None:
    """Customers with a key and a name (the key where there is none) and all else by default; each its own company, unless a
    document says which one it is."""
    blank: dict[str, Any] = dict.fromkeys(CUSTOMER_COLUMNS)
    records = [
        tuple(
            {
                **blank,
                "row": number,
                "business_unit_id": key[0],
                "external_id": key[1],
                "name": names.get(key, key[1]),
                "source": push.source,
                **push.newcomers.get(key[1], {}),
            }.values()
        )
        for number, key in enumerate(sorted(keys, key=lambda key: (key[1], key[0])), 1)
    ]
    await upsert_customers(tx, records, only_new=True)
