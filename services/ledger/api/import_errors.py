"""What is wrong with the rows of an import."""

from typing import Any

from fastapi import Response

from libs.kit.db import Row
from libs.kit.exports import FILES, Column, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.fields import Id
from services.ledger.api.import_schemas import RowFault
from services.ledger.api.list_files import VARY, list_file
from services.ledger.storage import imports as storage
from services.ledger.usecases.imports.deciding import find

router = Router("Imports")
_COLUMNS = tuple(Column(name, name, "number" if name == "row" else "text") for name in RowFault.model_fields)


@router.get(
    "/imports/{import_id}/errors",
    response_model=Page[RowFault],
    responses=FILES,
    summary="List the faults of an import's rows",
    openapi_extra=scope("ledger:read"),
)
async def list_import_errors(
    ctx: Ctx,
    import_id: Id,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Every fault, in order of rows. As CSV or XLSX: all of them at once, to be mended in a spreadsheet."""
    await find(ctx.tx, import_id, ctx.caller.perimeter)
    form = wanted_form(ctx.request)
    if form != "json":
        query = storage.errors_listed(ctx.tx, import_id)
        return await list_file(ctx, form, "import-errors", _COLUMNS, query, fault)
    rows = await ctx.tx.fetch(*storage.errors_listed(ctx.tx, import_id, cursor, limit))
    return reply(page(rows, limit, fault), headers=VARY)


def fault(row: Row) -> dict[str, Any]:
    """The public object of a row's fault."""
    return {name: row[name] for name in ("row", "pointer", "code", "detail")}
