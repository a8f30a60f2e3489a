"""Payment rows into the ledger, with what they pay: one after the other in the order of the file, written all at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from libs.contracts.ids import new_id
from libs.kit.db import Row, Tx
from services.ledger.domain import custom_fields
from services.ledger.domain.allocation import (
    Allocatable,
    Allocation,
    AllocationMode,
    allocate_by_mode,
    allocate_listed,
    allocation_day,
    allocation_entries,
)
from services.ledger.domain.errors import LedgerError
from services.ledger.domain.intake.errors import Fault
from services.ledger.domain.intake.payments import PAYMENT_COLUMNS
from services.ledger.domain.journal import NewEntry, open_since
from services.ledger.storage import allocations, items, journal, told_payments
from services.ledger.usecases.imports.accounts import Accounts, find_accounts
from services.ledger.usecases.imports.push import Outcome, Push, Records
from services.ledger.usecases.imports.retold import entry_record, given

_BY_MODE = ("oldest", "exact")
_NO_SOURCE = {"source": None, "source_version": None, "source_taken_at": None}


class _Refused(Exception):
    """This payment cannot be booked as it is told."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(code)
        self.fault = Fault(pointer, code, detail)


@dataclass(slots=True)
class _Open:
    """An item that payments are spent on, as it stands after the rows before."""

    row: Row
    left: int
    journal: list[NewEntry]

    @property
    def allocatable(self) -> Allocatable:
        row = self.row
        return Allocatable(
            row["id"], self.left, row["currency"], row["due_date"], row["issue_date"], row["number"] or ""
        )


@dataclass(slots=True)
class _Ledger:
    """What the payments of a batch can be spent on, and what they write."""

    today: date
    by_key: dict[tuple[UUID, str], _Open] = field(default_factory=dict)
    by_id: dict[UUID, _Open] = field(default_factory=dict)
    by_customer: dict[UUID, list[_Open]] = field(default_factory=lambda: defaultdict(list))
    payments: list[dict[str, Any]] = field(default_factory=list)
    allocated: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)


async def apply_payments(tx: Tx, push: Push, records: Records) -> Outcome:
    """Bring a batch of PAYMENT_COLUMNS in. Locks: items by external_id, then balances.

    A payment that is known is left as it is; told otherwise, its row is rejected (`payment_changed`), unless its source told it
    in a newer version meanwhile. Never more is allocated than is open (`over_allocated`): such a row is rejected as a whole.
    """
    outcome = Outcome()
    rows = [_named(record) for record in records]
    known = await told_payments.known(tx, {(row["business_unit_id"], row["external_id"]) for row in rows})
    accounts = await find_accounts(tx, push, PAYMENT_COLUMNS, records)
    new = [row for row in rows if (row["business_unit_id"], row["external_id"]) not in known]
    ledger = await _ledger(tx, new, accounts)
    for row in new:
        try:
            _book(ledger, row, push, accounts, tx)
        except _Refused as refused:
            fault = refused.fault
            outcome.reject(
                row["row"], fault.pointer, fault.code, fault.detail, row["currency"], row["amount"]
            )
    await _compare(tx, rows, known, accounts, outcome)
    if ledger.payments:
        await _write(tx, push, ledger, outcome)
    if push.dry_run:
        for payment in ledger.payments:
            outcome.show("created", payment["external_id"])
    outcome.unchanged = len(records) - outcome.refused - outcome.created
    return outcome


def _named(record: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(PAYMENT_COLUMNS, record, strict=True))
    row["lines"] = msgspec.json.decode(row["allocations"]) if row["allocations"] else []
    return row


async def _ledger(tx: Tx, rows: Iterable[Mapping[str, Any]], accounts: Accounts) -> _Ledger:
    keys, ids, customers = set(), set(), set()
    for row in rows:
        for line in row["lines"]:
            if line["item_id"]:
                ids.add(UUID(line["item_id"]))
            else:
                keys.add((row["business_unit_id"], line["item_external_id"]))
        if row["allocate"] in _BY_MODE:
            account = _account(row, accounts)
            if account is not None and not isinstance(account, Fault):
                customers.add(account["id"])
    ledger = _Ledger(tx.today)
    if not keys and not ids and not customers:
        return ledger
    locked = await told_payments.lock_payable(tx, keys, ids, customers)
    journals = await items.entries_of(tx, [item["id"] for item in locked])
    for item in locked:
        one = _Open(item, item["open_amount"], list(journals[item["id"]]))
        ledger.by_id[item["id"]] = one
        ledger.by_customer[item["customer_id"]].append(one)
        if item["external_id"] is not None:
            ledger.by_key[item["business_unit_id"], item["external_id"]] = one
    return ledger


def _account(row: Mapping[str, Any], accounts: Accounts) -> Row | Fault | None:
    """The customer the row names; None where it names none."""
    if (
        row["business_unit_id"] in accounts.units
        and not row["customer_id"]
        and not row["customer_external_id"]
    ):
        return None
    return accounts.find(row["business_unit_id"], row["customer_id"], row["customer_external_id"])


def _book(ledger: _Ledger, row: Mapping[str, Any], push: Push, accounts: Accounts, tx: Tx) -> None:
    """Put a payment and its allocations among what is to be written. Raises _Refused and then leaves all as it was."""
    account = _account(row, accounts)
    if isinstance(account, Fault):
        raise _Refused(account.pointer, account.code, account.detail)
    if row["paid_on"] > tx.today:
        raise _Refused("/paid_on", "date_in_future", f"expected a date up to today, {tx.today.isoformat()}")
    paid = [_item(ledger, row, line, place) for place, line in enumerate(row["lines"])]
    customer_id = paid[0].row["customer_id"] if account is None else account["id"]
    payment_id = new_id()
    credit = Allocatable(payment_id, -row["amount"], row["currency"], row["paid_on"], row["paid_on"])
    chosen = _choose(ledger, row, credit, paid, customer_id)
    days = [_day(ledger, row, each) for each in chosen]
    for each, day in zip(chosen, days, strict=True):
        _allocate(ledger, row, payment_id, each, day)
    ledger.payments.append(
        {
            "id": payment_id,
            "business_unit_id": row["business_unit_id"],
            "customer_id": customer_id,
            "kind": "payment",
            "direction": -1,
            "external_id": row["external_id"],
            "currency": row["currency"],
            "issue_date": row["paid_on"],
            "due_date": row["paid_on"],
            "stated_on": tx.today,
            "amount": row["amount"],
            "reference": row["reference"],
            "custom_fields": row["custom_fields"],
            "source": row["source"],
            "source_version": row["source_version"],
            "source_taken_at": None,  # a receipt: no snapshot closes it
        }
    )


def _item(ledger: _Ledger, row: Mapping[str, Any], line: Mapping[str, Any], place: int) -> _Open:
    unit = row["business_unit_id"]
    named = line["item_id"]
    found = ledger.by_id.get(UUID(named)) if named else ledger.by_key.get((unit, line["item_external_id"]))
    if found is None or found.row["business_unit_id"] != unit:
        raise _Refused(
            f"/allocations/{place}", "item_unknown", "expected an item of the payment's business unit"
        )
    return found


def _choose(
    ledger: _Ledger, row: Mapping[str, Any], credit: Allocatable, paid: Sequence[_Open], customer_id: UUID
) -> list[Allocation]:
    try:
        if paid:
            asked = [
                Allocation(item.row["id"], line["amount"])
                for item, line in zip(paid, row["lines"], strict=True)
            ]
            return allocate_listed(credit, asked, (item.allocatable for item in paid))
        if row["allocate"] not in _BY_MODE:
            return []
        unit = row["business_unit_id"]
        debits = (one for one in ledger.by_customer[customer_id] if one.row["business_unit_id"] == unit)
        return allocate_by_mode(credit, AllocationMode(row["allocate"]), (one.allocatable for one in debits))
    except LedgerError as error:
        item_id = getattr(error, "item_id", None)
        places = [place for place, item in enumerate(paid) if item.row["id"] == item_id]
        raise _Refused(
            f"/allocations/{places[0]}" if places else "/allocations", error.code, error.detail
        ) from error


def _day(ledger: _Ledger, row: Mapping[str, Any], chosen: Allocation) -> date:
    since = open_since(ledger.by_id[chosen.item_id].journal, chosen.amount)
    assert since is not None, "no more is paid than is open"
    try:
        return allocation_day(row["allocated_on"], ledger.today, row["paid_on"], since, row["paid_on"])
    except LedgerError as error:
        raise _Refused("/allocated_on", error.code, error.detail) from error


def _allocate(
    ledger: _Ledger, row: Mapping[str, Any], payment_id: UUID, chosen: Allocation, day: date
) -> None:
    identifier, item = new_id(), ledger.by_id[chosen.item_id]
    of_credit, of_debit = allocation_entries(chosen, day)
    item.left -= chosen.amount
    item.journal.append(of_debit)
    ledger.allocated.append(
        {
            "id": identifier,
            "credit_item_id": payment_id,
            "debit_item_id": chosen.item_id,
            "amount": chosen.amount,
            "currency": row["currency"],
            "allocated_on": day,
        }
    )
    for item_id, entry in ((payment_id, of_credit), (chosen.item_id, of_debit)):
        ledger.entries.append({**entry_record(item_id, entry, _NO_SOURCE), "allocation_id": identifier})


async def _compare(
    tx: Tx,
    rows: Iterable[Mapping[str, Any]],
    known: Mapping[tuple[UUID, str], Row],
    accounts: Accounts,
    outcome: Outcome,
) -> None:
    """Reject rows that tell a known payment otherwise."""
    if not known:
        return
    paid: dict[UUID, list[Row]] = defaultdict(list)
    for allocation in await told_payments.paid_by(tx, [payment["id"] for payment in known.values()]):
        paid[allocation["credit_item_id"]].append(allocation)
    for row in rows:
        there = known.get((row["business_unit_id"], row["external_id"]))
        if there is None or _stale(row, there) or _same(row, there, paid[there["id"]], accounts):
            continue
        detail = "expected what was first recorded: reverse the payment and send another"
        if row["business_unit_id"] not in accounts.units:
            pointer, code, detail = (
                "/business_unit_id",
                "business_unit_unknown",
                "expected a unit you can see",
            )
        elif there["kind"] != "payment":
            pointer, code, detail = "/external_id", "external_id_exists", "expected a key no other item has"
        else:
            pointer, code = "/external_id", "payment_changed"
        outcome.reject(row["row"], pointer, code, detail, row["currency"], row["amount"])


def _stale(row: Mapping[str, Any], there: Row) -> bool:
    both = row["source_version"] is not None and there["source_version"] is not None
    return bool(both and row["source"] == there["source"] and there["source_version"] > row["source_version"])


def _same(row: Mapping[str, Any], there: Row, paid: Sequence[Row], accounts: Accounts) -> bool:
    account = _account(row, accounts)
    if isinstance(account, Fault) or (account is not None and account["id"] != there["customer_id"]):
        return False
    fields = row["custom_fields"]
    return (
        there["kind"] == "payment"
        and there["amount"] == row["amount"]
        and there["currency"] == row["currency"]
        and there["issue_date"] == row["paid_on"]
        and there["reference"] == row["reference"]
        and (fields is None or custom_fields.same(there["custom_fields"], custom_fields.decode(fields)))
        and all(_pays(paid, line) for line in row["lines"])
    )


def _pays(paid: Iterable[Row], line: Mapping[str, Any]) -> bool:
    return any(
        one["amount"] == line["amount"]
        and (
            str(one["debit_item_id"]) == line["item_id"]
            if line["item_id"]
            else one["debit_external_id"] == line["item_external_id"]
        )
        for one in paid
    )


async def _write(tx: Tx, push: Push, ledger: _Ledger, outcome: Outcome) -> None:
    payments = await given(tx, "told_payments", journal.FIRST_SEEN, ledger.payments)
    written = await journal.insert_items(tx, payments, push.id)
    if len(written.item_ids) < len(ledger.payments):
        raise asyncpg.SerializationError("payments were made at the same moment: they must be met")
    outcome.created = len(ledger.payments)
    outcome.touched += written
    if ledger.allocated:
        await allocations.insert(tx, ledger.allocated)
        entries = await given(tx, "told_entries", journal.ENTRIES, ledger.entries)
        outcome.touched += await journal.apply_entries(tx, entries, push.id)
