"""Imports: what an ERP pushes, thousands of rows at once."""

import asyncio
import time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Header, Query, Response
from pydantic import AwareDatetime

from libs.contracts.ids import new_id
from libs.kit import idempotency, operations
from libs.kit.db import Actor, Row, Tx
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, invalid
from libs.kit.responses import raw, reply
from libs.kit.route import Context, Ctx, Router, scope, streamed
from services.ledger.api.amounts import Ids, Texts
from services.ledger.api.fields import Id
from services.ledger.api.import_documents import DOCUMENTS, check_document, take_document
from services.ledger.api.import_errors import fault
from services.ledger.api.import_schemas import Import, ImportConfirm, Kind, Mode, Status
from services.ledger.domain.einvoice.reading import PDF, XML
from services.ledger.domain.intake.dialects import DialectInvalid, read_dialect
from services.ledger.domain.intake.errors import ImportFailed
from services.ledger.domain.intake.mappings import read_mapping
from services.ledger.domain.intake.pipeline import CSV, JSON, NDJSON
from services.ledger.domain.intake.row_kinds import ROW_KINDS
from services.ledger.storage import imports as storage
from services.ledger.usecases.business_units import choose_business_unit
from services.ledger.usecases.imports.deciding import cancel, confirm, find
from services.ledger.usecases.imports.large import RUN_IMPORT, accept, job_id
from services.ledger.usecases.imports.push import Push
from services.ledger.usecases.imports.receiving import MAX_BODY, Arrival, receive
from services.ledger.usecases.imports.records import COUNTS, write_failure
from services.ledger.usecases.imports.small import bring_in, rehearse

router = Router("Imports")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
SHOWN_ERRORS = 100
MAX_WAIT = 60
_POLL_SECONDS = 0.2
_TEXT = {"schema": {"type": "string"}}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "Rows as a JSON document, one JSON object a line, or CSV in the dialect that is declared; or one"
        " electronic invoice of EN 16931, as UBL 2.1, CII or Factur-X; gzip or not.",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "data": {"type": "array", "items": {"type": "object"}},
                        "control": {
                            "type": "object",
                            "properties": {"count": {"type": "integer"}, "sum": {}},
                        },
                    },
                    "required": ["data"],
                }
            },
            NDJSON: _TEXT,
            CSV: _TEXT,
            XML: _TEXT,
            PDF: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "x-body-limit": MAX_BODY,
}


@router.post(
    "/imports",
    response_model=Import,
    responses={202: {"model": Import, "description": "Large: applied by a worker, see Operation-Location"}},
    summary="Push rows",
    openapi_extra=streamed("ledger:write", **_BODY),
)
async def create_import(
    ctx: Ctx,
    kind: Annotated[
        str, Query(description="items, customers, orders, payments or credit_limits", examples=["items"])
    ],
    mode: Annotated[Mode, Query(description="snapshot: what is not named is closed or archived")] = "delta",
    source: Annotated[str | None, Query(min_length=1, max_length=200, examples=["sap"])] = None,
    business_unit_id: Annotated[
        UUID | None, Query(description="of rows that name none; default: main")
    ] = None,
    taken_at: Annotated[AwareDatetime | None, Query(description="when the source said so")] = None,
    control_count: Annotated[int | None, Query(ge=0, description="how many rows the file holds")] = None,
    control_sum: Annotated[
        str | None, Query(max_length=2000, description="their signed sum: 1234.50, or EUR:1234.50,USD:-7.00")
    ] = None,
    dry_run: Annotated[bool, Query(description="show what would change, change nothing")] = False,
    create_customers: Annotated[bool, Query(description="make customers that nobody knows yet")] = False,
    dialect: Annotated[
        str | None, Query(max_length=4000, description="how a CSV file is written, as a JSON object")
    ] = None,
    mapping: Annotated[
        str | None, Query(max_length=16000, description="which column is which field, as a JSON object")
    ] = None,
    idempotency_key: Annotated[
        str | None, Header(description="repeats the first answer to an equal request")
    ] = None,
) -> Response:
    """Up to 10,000 rows are answered at once; more are taken in and applied by a worker. Bad rows are named and left out, good
    rows land; a file that cannot be read, or whose control totals are not met, changes nothing. The same file again changes
    nothing. A snapshot needs source, business_unit_id and taken_at: what of that scope it does not name is closed (items, orders)
    or archived (customers).

    An electronic invoice is one row of items: a negative invoice is a credit note, what was paid before counts when it is first
    seen. Its customer is found by your number of the buyer, else by its registered identifiers, else made with
    `create_customers`; its business unit is the one named, else the one called like the seller, else the main one."""
    if kind not in ROW_KINDS:
        raise invalid("?kind", "kind_unknown", "expected one of " + ", ".join(ROW_KINDS))
    media_type = _media_type(ctx)
    if media_type in DOCUMENTS:
        check_document(kind, mode)
    caller, runtime = ctx.caller, ctx.runtime
    if kind == "credit_limits":
        caller.require("credit:admin")  # they are in force without the approval of anybody here
    if mode == "snapshot":
        _check_snapshot(kind, source, business_unit_id, taken_at)
    if taken_at is not None and taken_at > caller.tenant.now():
        raise invalid("?taken_at", "taken_at_in_future", "expected an instant up to now")
    async with runtime.db.transaction(caller.tenant, readonly=True) as tx:
        unit = await _unit(ctx, tx, business_unit_id)
        saved = None if source is None else await storage.find_source(tx, source, kind)
    push = Push(
        id=new_id(),
        kind=kind,
        mode=mode,
        media_type=media_type,
        business_unit_id=unit,
        source=source,
        taken_at=taken_at,
        dry_run=dry_run,
        create_customers=create_customers,
        control_count=control_count,
        control_sum=control_sum,
        dialect=_setting("?dialect", dialect, saved and saved["dialect"]),
        mapping=_setting("?mapping", mapping, saved and saved["mapping"]),
        perimeter=caller.perimeter,
        actor=Actor(caller.subject, caller.key_id, caller.user_id),
    )
    arrival: Arrival | None = None
    try:
        if media_type in DOCUMENTS:
            push, arrival = await take_document(ctx, push, unit_given=business_unit_id is not None)
        else:
            arrival = await receive(runtime.db, caller.tenant, push, ctx.request.stream())
        if not arrival.stored:
            arrival.intake.check_totals(push.control())
    except ImportFailed as failure:
        async with runtime.db.transaction(caller.tenant) as tx:
            await write_failure(tx, push, failure, arrival.size if arrival else 0)
            tx.after_commit(lambda: runtime.ring(tx))
        raise Problem(
            422, failure.code, f"{failure.detail[:1].upper()}{failure.detail[1:]}.", import_id=str(push.id)
        ) from failure
    attempt = None
    if idempotency_key is not None:
        query = ctx.request.scope.get("query_string", b"")
        attempt = idempotency.attempt(idempotency_key, "POST", ctx.request.url.path, query, arrival.digest)
    try:
        return await _take_over(ctx, push, arrival, attempt)
    except BaseException:
        await _discard(ctx, push, arrival)
        raise


async def _take_over(
    ctx: Context, push: Push, arrival: Arrival, attempt: idempotency.Attempt | None
) -> Response:
    """Apply a small one, accept a large one; the answer is stored with it."""
    runtime, tenant = ctx.runtime, ctx.caller.tenant
    rehearsed = None
    if push.dry_run and not arrival.stored:
        rehearsed = await rehearse(runtime.db, tenant, push, arrival)

    async def work(tx: Tx) -> Response:
        tx.actor = push.actor
        if attempt is not None:
            replay = await idempotency.claim(tx, attempt)
            if replay is not None:
                if arrival.stored:
                    await storage.discard(tx, push.id)
                return replay
        if arrival.stored:
            await accept(tx, push, arrival.size)
            tx.after_commit(lambda: _nudge(ctx, push.id))
        else:
            await bring_in(tx, push, arrival, rehearsed)
        response = await _answer(tx, push.id, 202 if arrival.stored else 200)
        if attempt is not None:
            await idempotency.store(tx, attempt, response)
        tx.after_commit(lambda: runtime.ring(tx))
        return response

    return await runtime.db.run(tenant, work)


async def _nudge(ctx: Context, import_id: UUID) -> None:
    ids = str(ctx.caller.tenant.id), str(import_id)
    await ctx.runtime.jobs.enqueue(RUN_IMPORT, *ids, job_id=job_id(import_id))


async def _discard(ctx: Context, push: Push, arrival: Arrival) -> None:
    """A stored body whose import was refused."""
    if arrival.stored:
        async with ctx.runtime.db.transaction(ctx.caller.tenant) as tx:
            await storage.discard(tx, push.id)


@router.get("/imports", response_model=Page[Import], summary="List imports", openapi_extra=READ)
async def list_imports(
    ctx: Ctx,
    kind: Annotated[list[Kind] | None, Query()] = None,
    status: Annotated[list[Status] | None, Query()] = None,
    source: Texts = None,
    business_unit_id: Ids = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Imports of the business units in sight, newest first; the faults of each at its /errors."""
    wanted = storage.narrowed(
        ctx.tx,
        ctx.caller.perimeter,
        kinds=kind or (),
        statuses=status or (),
        sources=source or (),
        business_unit_ids=business_unit_id or (),
    )
    rows = await storage.read_page(ctx.tx, wanted, cursor, limit)
    return reply(page(rows, limit, lambda row: present(row, [])))


@router.get(
    "/imports/{import_id}",
    response_model=Import,
    summary="Show an import",
    openapi_extra=streamed("ledger:read"),
)
async def get_import(
    ctx: Ctx,
    import_id: Id,
    wait: Annotated[int, Query(ge=0, le=MAX_WAIT, description="seconds to wait for its end")] = 0,
) -> Response:
    """How far it is. With `wait`, the answer comes when the work ends or the time is over."""
    deadline = time.monotonic() + wait
    while True:
        async with ctx.runtime.db.transaction(ctx.caller.tenant, readonly=True) as tx:
            row = await find(tx, import_id, ctx.caller.perimeter)
            if row["status"] != "processing" or time.monotonic() >= deadline:
                return reply(present(row, await storage.first_errors(tx, import_id, SHOWN_ERRORS)))
        await asyncio.sleep(_POLL_SECONDS)


@router.post(
    "/imports/{import_id}/confirm",
    response_model=Import,
    responses={202: {"model": Import, "description": "Large: applied by a worker, see Operation-Location"}},
    summary="Apply a snapshot that is held",
    openapi_extra=WRITE,
)
async def confirm_import(ctx: Ctx, import_id: Id, body: ImportConfirm) -> Response:
    """Closes what the held snapshot shows. If that would be another list by now: 409 `snapshot_changed` with the new `held`."""
    row = await find(ctx.tx, import_id, ctx.caller.perimeter, lock=True)
    if await confirm(ctx.tx, row, body.diff_hash):
        return await _answer(ctx.tx, import_id)
    ctx.tx.after_commit(lambda: _nudge(ctx, import_id))
    return await _answer(ctx.tx, import_id, 202)


@router.post(
    "/imports/{import_id}/cancel",
    response_model=Import,
    summary="Give an import up",
    openapi_extra=WRITE,
)
async def cancel_import(ctx: Ctx, import_id: Id) -> Response:
    """Ends an import that is held (nothing of it was applied) or at work (what was applied stays)."""
    await cancel(ctx.tx, await find(ctx.tx, import_id, ctx.caller.perimeter, lock=True))
    return await _answer(ctx.tx, import_id)


def _check_snapshot(kind: str, source: str | None, unit: UUID | None, taken_at: Any) -> None:
    if kind in ("payments", "credit_limits"):
        raise invalid("?mode", "mode_unsupported", f"expected delta: {kind} are not sent as snapshots")
    for name, value in (("source", source), ("business_unit_id", unit), ("taken_at", taken_at)):
        if value is None:
            raise invalid(f"?{name}", "required", "a snapshot needs source, business_unit_id and taken_at")


async def _unit(ctx: Context, tx: Tx, given: UUID | None) -> UUID:
    caller = ctx.caller
    return await choose_business_unit(
        tx,
        given,
        caller.main_business_unit_id,
        caller.perimeter,
        lambda: ctx.runtime.feed.drain("gateway", caller.tenant.id),
    )


def _media_type(ctx: Context) -> str:
    given = ctx.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in (JSON, NDJSON, CSV, *DOCUMENTS):
        detail = f"expected {JSON}, {NDJSON}, {CSV}, {XML} or {PDF}"
        raise invalid("header:Content-Type", "media_type_unknown", detail)
    return given


def _setting(name: str, given: str | None, saved: str | None) -> dict[str, Any] | None:
    if given is None:
        return None if saved is None else msgspec.json.decode(saved, type=dict[str, Any])
    try:
        value: dict[str, Any] = msgspec.json.decode(given)
        (read_dialect if name == "?dialect" else read_mapping)(value)
    except msgspec.DecodeError:
        raise invalid(name, "json_invalid", "expected a JSON object") from None
    except DialectInvalid as error:
        raise invalid(name, f"{name[1:]}_invalid", f"{error.pointer}: {error.detail}".lstrip(": ")) from None
    return value


async def _answer(tx: Tx, import_id: UUID, status: int = 200) -> Response:
    row = await storage.read(tx, import_id)
    assert row is not None, "it was written a moment ago"
    headers = {"Location": f"/v1/imports/{import_id}"}
    if row["operation_id"] is not None:
        headers |= operations.location("ledger", row["operation_id"])
    return reply(present(row, await storage.first_errors(tx, import_id, SHOWN_ERRORS)), status, headers)


def present(row: Row, errors: list[Row]) -> dict[str, Any]:
    """The public object of an import's row."""
    counts = msgspec.json.decode(row["counts"])
    totals = msgspec.json.decode(row["totals"])
    return {
        **{
            name: row[name]
            for name in (
                "id", "kind", "mode", "source", "business_unit_id", "taken_at", "dry_run", "status", "created_at", "updated_at",
            )
        },
        "counts": {name: counts.get(name, 0) for name in COUNTS},
        "totals": [{"currency": code, **sums} for code, sums in totals.items() if "accepted" in sums],
        "errors": [fault(error) for error in errors],
        "held": raw(row["held"]),
        "diff": raw(row["diff"]),
        "error": raw(row["error"]),
        "operation_id": None if row["operation_id"] is None else f"ledger.{row['operation_id']}",
    }  # fmt: skip
