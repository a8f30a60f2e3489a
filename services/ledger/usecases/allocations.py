"""Allocating a payment or a credit note to what it pays, and taking an allocation back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.contracts.ids import new_id
from libs.contracts.money import from_minor
from libs.kit.db import Row, Tx
from libs.kit.etag import require_match
from libs.kit.problems import FieldError, Problem, invalid, not_found
from services.ledger.domain.allocation import (
    Allocatable,
    Allocation,
    AllocationMode,
    AmountNotPositive,
    CurrencyMismatch,
    NotAllocatable,
    OverAllocated,
    allocate_by_mode,
    allocate_listed,
    allocation_day,
    allocation_entries,
    unallocate,
)
from services.ledger.domain.errors import LedgerError
from services.ledger.domain.journal import NewEntry, open_since
from services.ledger.storage import allocations, items, journal
from services.ledger.storage.announcements import announce
from services.ledger.usecases.accounts import Reach
from services.ledger.usecases.items import entry_rows
from services.ledger.usecases.refusal import problem_of, refused_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So much (positive minor units) on an item, named by our id or by the caller's key in the credit's business unit."""

    amount: int
    item_id: UUID | None = None
    item_external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to allocate: these lines, or by a mode where there are none. `allocated_on` None: `paid_on`, else today."""

    lines: Sequence[Line] = ()
    mode: AllocationMode = AllocationMode.NONE
    allocated_on: date | None = None
    paid_on: date | None = None


async def allocate_credit(
    tx: Tx, credit_id: UUID, wish: Wish, reach: Reach, if_match: str | None = None
) -> journal.Touched:
    """Spend a credit (a payment, a credit note) on what it pays.

    Raises 404 for the credit, 412, 422 `item_unknown`, `currency_mismatch`, `business_unit_mismatch`, `not_allocatable`,
    `date_in_future`, 409 `over_allocated` when the credit or an item has less open than is asked.
    """
    credit, debits = await _lock(tx, credit_id, wish, reach)
    require_match(if_match, credit["version"])
    chosen = _choose(credit, debits, wish)
    if not chosen:
        return journal.Touched()
    return await _record(tx, credit, chosen, wish)


async def settle_debit(
    tx: Tx, debit_id: UUID, wish: Wish, reach: Reach, if_match: str | None = None
) -> journal.Touched:
    """The same from the side of an invoice: the lines name the credits that pay it. Raises as `allocate_credit` does."""
    debit = await _read(tx, debit_id, reach)
    rows = await _lock_named(tx, debit, wish.lines, reach)
    debit = rows[debit_id]
    require_match(if_match, debit["version"])
    touched = journal.Touched()
    left = debit["open_amount"]
    for index, line in enumerate(wish.lines):
        credit = _named(rows.values(), line, index)
        one = Wish(lines=[Line(amount=line.amount, item_id=debit_id)], allocated_on=wish.allocated_on)
        if line.amount > left:
            raise _over(index, left, debit)
        chosen = _choose(credit, [debit], one, index)
        touched += await _record(tx, credit, chosen, one)
        left -= line.amount
        rows = {row["id"]: row for row in await items.lock(tx, list(rows), None)}
        debit = rows[debit_id]
    return touched


async def take_back(
    tx: Tx, credit_id: UUID, allocation_id: UUID, on: date | None, reason: str | None, reach: Reach
) -> journal.Touched:
    """Undo one allocation of a credit: what it paid is open again, with its original dates.

    Raises 404, 409 `invalid_state` when it was taken back before, 422 `date_in_future`.
    """
    await _read(tx, credit_id, reach)
    known = await allocations.get(tx, credit_id, allocation_id)
    if known is None:
        raise not_found("allocation", allocation_id)
    await items.lock(tx, [credit_id, known["debit_item_id"]], None)
    live = await allocations.live(tx, credit_id, allocation_id)
    if not live:
        raise Problem(409, "invalid_state", "The allocation was already taken back.")
    pair = (await allocations.pairs_of(tx, [allocation_id]))[allocation_id]
    with refused_at("/reversed_on"):
        both = unallocate(pair, on or tx.today, tx.today)
    return await record_reversals(tx, live, [both], reason)


async def record_reversals(
    tx: Tx,
    live: Sequence[Row],
    taken_back: Sequence[tuple[NewEntry, NewEntry]],
    reason: str | None,
    *further: tuple[UUID, NewEntry, UUID | None],
) -> journal.Touched:
    """Write that allocations were taken back: for each its two entries, credit's first; and further entries with them."""
    await allocations.reverse(
        tx, [(a["id"], credit.effective_on) for a, (credit, _) in zip(live, taken_back, strict=True)], reason
    )
    entries: list[tuple[UUID, NewEntry, UUID | None]] = []
    for allocation, (credit, debit) in zip(live, taken_back, strict=True):
        entries.append((allocation["credit_item_id"], credit, allocation["id"]))
        entries.append((allocation["debit_item_id"], debit, allocation["id"]))
    return await journal.apply_entries(tx, entry_rows([*entries, *further], reason=reason))


async def announce_allocation(tx: Tx, item_id: UUID, action: str, touched: journal.Touched) -> Row:
    """Tell of it and write it down for the audit; the item as it is now."""
    (row,) = await announce(tx, touched, shown=[item_id])
    if touched.item_ids:
        others = [other for other in touched.item_ids if other != item_id]
        left = from_minor(row["open_amount"], row["currency"])
        tx.audit(action, row["kind"], item_id, None, {"open_amount": left, "items": others})
    return row


async def _read(tx: Tx, item_id: UUID, reach: Reach) -> Row:
    row = await items.get(tx, item_id, reach.perimeter)
    if row is None:
        raise not_found("item", item_id)
    return row


async def _lock(tx: Tx, credit_id: UUID, wish: Wish, reach: Reach) -> tuple[Row, list[Row]]:
    """The credit and the debits it may pay, in one statement, so that everybody takes their locks in the same order."""
    credit = await _read(tx, credit_id, reach)
    if wish.lines:
        rows = await _lock_named(tx, credit, wish.lines, reach)
    else:
        rows = {row["id"]: row for row in await items.lock_payable(tx, credit)}
    locked = rows.get(credit_id)
    if locked is None:
        raise Problem(409, "invalid_state", "Nothing is open of this item: there is nothing to allocate.")
    return locked, [row for row in rows.values() if row["id"] != credit_id]


async def _lock_named(tx: Tx, item: Row, lines: Sequence[Line], reach: Reach) -> dict[UUID, Row]:
    ids = [line.item_id for line in lines if line.item_id is not None]
    keys = [line.item_external_id for line in lines if line.item_external_id is not None]
    rows = await items.lock(
        tx, [item["id"], *ids], reach.perimeter, external_ids=keys, business_unit_id=item["business_unit_id"]
    )
    return {row["id"]: row for row in rows}


def _choose(credit: Row, debits: Sequence[Row], wish: Wish, at: int | None = None) -> list[Allocation]:
    """What is spent on which item, by the rules; their refusals name the line they are about (`at`, where it is given)."""
    if not wish.lines:
        with refused_at("/allocate"):
            return allocate_by_mode(_allocatable(credit), wish.mode, map(_allocatable, debits))
    found = [_named(debits, line, index) for index, line in enumerate(wish.lines)]
    for index, debit in enumerate(found):
        if debit["business_unit_id"] != credit["business_unit_id"]:
            raise invalid(
                f"/allocations/{index if at is None else at}",
                "business_unit_mismatch",
                "expected an item of the same business unit",
            )
    asked = [Allocation(row["id"], line.amount) for row, line in zip(found, wish.lines, strict=True)]
    try:
        return allocate_listed(_allocatable(credit), asked, map(_allocatable, found))
    except OverAllocated as error:
        short = (
            credit if error.item_id == credit["id"] else next(r for r in found if r["id"] == error.item_id)
        )
        index = 0 if short is credit else [row["id"] for row in found].index(error.item_id)
        raise _over(index if at is None else at, error.available, short) from error
    except (CurrencyMismatch, NotAllocatable, AmountNotPositive) as error:
        raise problem_of(error, f"/allocations/{_line_of(error, found) if at is None else at}") from error


def _line_of(error: LedgerError, found: Sequence[Row]) -> int:
    item_id = getattr(error, "item_id", None)
    return next((index for index, row in enumerate(found) if row["id"] == item_id), 0)


def _over(index: int, available: int, row: Row) -> Problem:
    left = from_minor(abs(available), row["currency"])
    detail = f"Only {left} {row['currency']} is open of {row['kind'].replace('_', ' ')} {row['number'] or row['id']}."
    error = FieldError(f"/allocations/{index}/amount", "over_allocated", f"expected at most {left}")
    return Problem(409, "over_allocated", detail, errors=[error], item_id=str(row["id"]), available=left)


def _named(rows: Iterable[Row], line: Line, index: int) -> Row:
    for row in rows:
        if row["id"] == line.item_id or (
            line.item_id is None and row["external_id"] == line.item_external_id is not None
        ):
            return row
    raise invalid(
        f"/allocations/{index}", "item_unknown", "expected an item that exists and that you can see"
    )


def _allocatable(row: Row) -> Allocatable:
    return Allocatable(
        row["id"],
        row["open_amount"],
        row["currency"],
        row["due_date"],
        row["issue_date"],
        row["number"] or "",
    )


async def _record(tx: Tx, credit: Row, chosen: Sequence[Allocation], wish: Wish) -> journal.Touched:
    journals = await items.entries_of(tx, [credit["id"], *(each.item_id for each in chosen)])
    credit_since = open_since(journals[credit["id"]], -sum(each.amount for each in chosen))
    assert credit_since is not None, "no more is spent than is open"
    recorded, entries = [], []
    for each in chosen:
        debit_since = open_since(journals[each.item_id], each.amount)
        assert debit_since is not None, "no more is paid than is open"
        with refused_at("/allocated_on"):
            day = allocation_day(wish.allocated_on, tx.today, credit_since, debit_since, wish.paid_on)
        identifier = new_id()
        recorded.append(
            {
                "id": identifier,
                "credit_item_id": credit["id"],
                "debit_item_id": each.item_id,
                "amount": each.amount,
                "currency": credit["currency"],
                "allocated_on": day,
            }
        )
        of_credit, of_debit = allocation_entries(each, day)
        entries += [(credit["id"], of_credit, identifier), (each.item_id, of_debit, identifier)]
    await allocations.insert(tx, recorded)
    return await journal.apply_entries(tx, entry_rows(entries))
