"""Import sources: how the files of a source are written and which column is which field, saved once."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, Field

from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import FieldError, Problem, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.fields import Input
from services.ledger.api.import_schemas import Kind
from services.ledger.domain.intake.dialects import DialectInvalid, read_dialect
from services.ledger.domain.intake.mappings import read_mapping
from services.ledger.storage import imports as storage

router = Router("Import sources")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
SourceName = Annotated[str, Path(min_length=1, max_length=200, description="as `source` of the imports")]
RowKind = Annotated[Kind, Path(description="which rows its files hold")]
_DIALECT: dict[str, Any] = {
    "separator": ";",
    "decimal": ",",
    "encoding": "cp1252",
    "date_formats": ["DD.MM.YYYY"],
}
_MAPPING: dict[str, Any] = {
    "columns": {
        "TYP": {"to": "kind", "values": {"FAC": "invoice", "AV": "credit_note"}},
        "DOC": "external_id",
        "CLI": "customer_external_id",
        "DATE": "issue_date",
        "TTC": "amount",
    },
    "constants": {"currency": "EUR"},
}


class ImportSourceInput(Input):
    """How the files of a source are read."""

    dialect: dict[str, Any] = Field({}, description="how its CSV files are written", examples=[_DIALECT])
    mapping: dict[str, Any] = Field({}, description="which column is which field", examples=[_MAPPING])


class ImportSource(BaseModel):
    """How the files of a kind from a source are read."""

    source: str = Field(examples=["sap"])
    kind: Kind
    dialect: dict[str, Any] = Field(examples=[_DIALECT])
    mapping: dict[str, Any] = Field(examples=[_MAPPING])
    created_at: datetime
    updated_at: datetime


@router.put(
    "/import-sources/{source}/{kind}",
    response_model=ImportSource,
    summary="Save how a source's files are read",
    openapi_extra=WRITE,
)
async def save_import_source(
    ctx: Ctx, source: SourceName, kind: RowKind, body: ImportSourceInput
) -> Response:
    """Imports that name the source are read so, unless they say otherwise themselves."""
    for name, read in (("dialect", read_dialect), ("mapping", read_mapping)):
        try:
            read(getattr(body, name))
        except DialectInvalid as error:
            fault = FieldError(f"/{name}{error.pointer}", f"{name}_invalid", error.detail)
            raise Problem(422, "invalid", "The request has an invalid value.", errors=[fault]) from None
    return reply(_present(await storage.save_source(ctx.tx, source, kind, body.dialect, body.mapping)))


@router.get(
    "/import-sources", response_model=Page[ImportSource], summary="List import sources", openapi_extra=READ
)
async def list_import_sources(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What is saved, by source and kind."""
    return reply(page(await storage.sources_page(ctx.tx, cursor, limit), limit, _present))


@router.get(
    "/import-sources/{source}/{kind}",
    response_model=ImportSource,
    summary="Show how a source's files are read",
    openapi_extra=READ,
)
async def get_import_source(ctx: Ctx, source: SourceName, kind: RowKind) -> Response:
    """What is saved for files of a kind from a source."""
    row = await storage.find_source(ctx.tx, source, kind)
    if row is None:
        raise not_found("import source", f"{source}/{kind}")
    return reply(_present(row))


@router.delete(
    "/import-sources/{source}/{kind}",
    status_code=204,
    summary="Forget how a source's files are read",
    openapi_extra=WRITE,
)
async def delete_import_source(ctx: Ctx, source: SourceName, kind: RowKind) -> Response:
    """Imports of the source must then say it themselves."""
    if not await storage.delete_source(ctx.tx, source, kind):
        raise not_found("import source", f"{source}/{kind}")
    return Response(status_code=204)


def _present(row: Row) -> dict[str, Any]:
    return {
        "source": row["name"],
        "kind": row["kind"],
        "dialect": raw(row["dialect"]),
        "mapping": raw(row["mapping"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
