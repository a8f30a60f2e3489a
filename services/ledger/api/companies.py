"""Companies: the legal entities behind customers, their groups and their merging."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.exports import FILES, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page, parse_sort
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.company_schemas import Company, CompanyMerge, CompanyParent, CompanyUpdate
from services.ledger.api.fields import CountryCode, Id, IfMatch, UpdatedSince
from services.ledger.api.list_files import COMPANIES, VARY, list_file
from services.ledger.storage import companies
from services.ledger.storage.search_words import any_begins
from services.ledger.usecases import change_company, merge_companies

router = Router("Companies")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
_MEMBERS = tuple(name for name in Company.model_fields)


@router.get(
    "/companies",
    response_model=Page[Company],
    responses=FILES,
    summary="List companies",
    openapi_extra=READ,
)
async def list_companies(
    ctx: Ctx,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="how words of the name or its customers' begin, or the SIREN; if none does, what is in them",
        ),
    ] = None,
    country: Annotated[list[CountryCode] | None, Query()] = None,
    group_id: Annotated[list[UUID] | None, Query(description="all of these groups")] = None,
    parent_id: Annotated[list[UUID] | None, Query(description="right below these companies")] = None,
    private: Annotated[bool | None, Query(description="without identifier; left out: both")] = None,
    merged: Annotated[bool, Query(description="those that ended in another, instead of the living")] = False,
    updated_since: UpdatedSince = None,
    sort: Annotated[
        str | None, Query(description="name (default), created_at, updated_at, id; - descends")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Companies with a customer in the business units in sight; for a caller who sees all units, all companies."""
    wanted = companies.CompanyFilter(
        perimeter=ctx.caller.perimeter,
        q=q,
        q_begins=q is not None and await any_begins(ctx.tx, ("company", "number", "customer"), q),
        countries=country or (),
        group_ids=group_id or (),
        parent_ids=parent_id or (),
        private=private,
        merged=merged,
        updated_since=updated_since,
    )
    keys = [*parse_sort(sort, companies.SORTS, "name"), companies.SORTS["id"]]
    form = wanted_form(ctx.request)
    if form != "json":
        return await list_file(
            ctx, form, "companies", COMPANIES, companies.listed(ctx.tx, wanted, keys), present
        )
    rows = await ctx.tx.fetch(*companies.listed(ctx.tx, wanted, keys, cursor, limit))
    return reply(page(rows, limit, present), headers=VARY)


@router.get("/companies/{company_id}", response_model=Company, summary="Show a company", openapi_extra=READ)
async def get_company(ctx: Ctx, company_id: Id) -> Response:
    """A company, also one that ended: `merged_into_id` says where it went."""
    return _answer(await change_company.read_company(ctx.tx, company_id, ctx.caller.perimeter))


@router.patch(
    "/companies/{company_id}", response_model=Company, summary="Change a company", openapi_extra=WRITE
)
async def update_company(ctx: Ctx, company_id: Id, body: CompanyUpdate, if_match: IfMatch = None) -> Response:
    """Corrects the name or the identifiers. Another company bears one of them: 409 `company_identity_conflict` with
    `existing_id`; merge the two then."""
    given = body.model_dump(exclude_unset=True)
    row = await change_company.change_company(ctx.tx, company_id, given, ctx.caller.perimeter, if_match)
    return _answer(row)


@router.post(
    "/companies/{company_id}/merge",
    response_model=Company,
    summary="Merge a company into another",
    openapi_extra=WRITE,
)
async def merge_company(ctx: Ctx, company_id: Id, body: CompanyMerge, if_match: IfMatch = None) -> Response:
    """Its customers, group members, comments and documents go over to the company that goes on, which is answered and learns
    the identifiers it lacked. Later pushes under the old identifiers find the company that goes on. There is no way back."""
    row = await merge_companies.merge_company(ctx.tx, company_id, body.into, ctx.caller.perimeter, if_match)
    return _answer(row)


@router.put(
    "/companies/{company_id}/parent",
    response_model=Company,
    summary="Put a company into a group",
    openapi_extra=WRITE,
)
async def set_company_parent(
    ctx: Ctx, company_id: Id, body: CompanyParent, if_match: IfMatch = None
) -> Response:
    """Puts the company, with all that stands below it, under another. 409 `group_cycle` when that one stands below it."""
    row = await change_company.set_parent(ctx.tx, company_id, body.parent_id, ctx.caller.perimeter, if_match)
    return _answer(row)


def _answer(row: Row) -> Response:
    return reply(present(row), headers={"ETag": etag(row["version"])})


def present(row: Row) -> dict[str, Any]:
    """The public object of a company's row."""
    return {name: row[name] for name in _MEMBERS}
