"""Customers: the accounts of buyers with the tenant's business units."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from libs.kit import strict_json
from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.exports import FILES, wanted_form
from libs.kit.paging import Cursor, Limit, Page, page, parse_sort
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.ledger.api.customer_schemas import BuyerKind, Customer, CustomerCreate, CustomerUpdate, columns
from services.ledger.api.fields import CustomFieldFilter, Id, IfMatch, UpdatedSince, custom_field_pairs
from services.ledger.api.list_files import CUSTOMERS, VARY, list_file
from services.ledger.storage import customers
from services.ledger.storage.search_words import any_begins
from services.ledger.usecases import customers as usecases
from services.ledger.usecases.business_units import choose_business_unit

router = Router("Customers")
READ, WRITE = scope("ledger:read"), scope("ledger:write")
_OF_COMPANY = ("country", "registration_number", "vat_number", "lei", "group_id")


@router.post(
    "/customers",
    status_code=201,
    response_model=Customer,
    responses={200: {"model": Customer, "description": "Known already, with this content"}},
    summary="Create a customer",
    openapi_extra=WRITE,
)
async def create_customer(ctx: Ctx, body: CustomerCreate) -> Response:
    """Creates the customer and finds or creates the company behind it.

    A known external id with the same content answers 200 and changes nothing (members left out are not compared); with other
    content, 409 `external_id_exists` with `existing_id`. Identifiers that belong to different companies: 409
    `company_identity_conflict`.
    """
    caller = ctx.caller
    unit = await choose_business_unit(
        ctx.tx,
        body.business_unit_id,
        caller.main_business_unit_id,
        caller.perimeter,
        lambda: ctx.runtime.feed.drain("gateway", caller.tenant.id),
    )
    row, is_new = await usecases.create_customer(
        ctx.tx, {**columns(body), "business_unit_id": unit}, body.company.model_dump()
    )
    headers = {"ETag": etag(row["version"]), "Location": f"/v1/customers/{row['id']}"}
    return reply(present(row), 201 if is_new else 200, headers)


@router.get(
    "/customers",
    response_model=Page[Customer],
    responses=FILES,
    summary="List customers",
    openapi_extra=READ,
)
async def list_customers(
    ctx: Ctx,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="how words of the name or external id begin, or the SIREN; if none does, what is in them",
        ),
    ] = None,
    external_id: Annotated[list[str] | None, Query()] = None,
    business_unit_id: Annotated[list[UUID] | None, Query()] = None,
    company_id: Annotated[list[UUID] | None, Query()] = None,
    group_id: Annotated[list[UUID] | None, Query(description="of the company's group")] = None,
    segment: Annotated[list[str] | None, Query()] = None,
    collector_user_id: Annotated[list[UUID] | None, Query()] = None,
    buyer_kind: Annotated[list[BuyerKind] | None, Query()] = None,
    archived: Annotated[bool | None, Query(description="left out: both")] = None,
    custom_field: CustomFieldFilter = None,
    updated_since: UpdatedSince = None,
    sort: Annotated[
        str | None, Query(description="name (default), external_id, created_at, updated_at, id; - descends")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Customers of the business units in sight. A filter that is repeated takes any of its values."""
    wanted = customers.CustomerFilter(
        perimeter=ctx.caller.perimeter,
        q=q,
        q_begins=q is not None and await any_begins(ctx.tx, ("customer", "number"), q),
        external_ids=external_id or (),
        business_unit_ids=business_unit_id or (),
        company_ids=company_id or (),
        group_ids=group_id or (),
        segments=segment or (),
        collector_user_ids=collector_user_id or (),
        buyer_kinds=buyer_kind or (),
        archived=archived,
        custom_fields=custom_field_pairs(custom_field),
        updated_since=updated_since,
    )
    keys = [*parse_sort(sort, customers.SORTS, "name"), customers.SORTS["id"]]
    form = wanted_form(ctx.request)
    if form != "json":
        return await list_file(
            ctx, form, "customers", CUSTOMERS, customers.listed(ctx.tx, wanted, keys), _cells
        )
    rows = await ctx.tx.fetch(*customers.listed(ctx.tx, wanted, keys, cursor, limit))
    return reply(page(rows, limit, present), headers=VARY)


@router.get(
    "/customers/{customer_id}", response_model=Customer, summary="Show a customer", openapi_extra=READ
)
async def get_customer(ctx: Ctx, customer_id: Id) -> Response:
    """The customer with its company. The ETag is for If-Match."""
    return _answer(await usecases.read_customer(ctx.tx, customer_id, ctx.caller.perimeter))


@router.patch(
    "/customers/{customer_id}", response_model=Customer, summary="Change a customer", openapi_extra=WRITE
)
async def update_customer(
    ctx: Ctx, customer_id: Id, body: CustomerUpdate, if_match: IfMatch = None
) -> Response:
    """Members left out stay; null empties those that may be empty.

    With `company`, the customer goes to the company that these identifiers find; where they find none, its own company learns
    them. The business unit of a customer does not change.
    """
    company = body.company.model_dump() if "company" in body.model_fields_set else None
    row = await usecases.change_customer(
        ctx.tx, customer_id, columns(body), company, ctx.caller.perimeter, if_match
    )
    return _answer(row)


@router.delete("/customers/{customer_id}", status_code=204, summary="Delete a customer", openapi_extra=WRITE)
async def delete_customer(ctx: Ctx, customer_id: Id, if_match: IfMatch = None) -> Response:
    """For a customer made by mistake: 409 `in_use` once an item or order was made out to it; archive it then."""
    await usecases.delete_customer(ctx.tx, customer_id, ctx.caller.perimeter, if_match)
    return Response(status_code=204)


@router.post(
    "/customers/{customer_id}/archive",
    response_model=Customer,
    summary="Archive a customer",
    openapi_extra=WRITE,
)
async def archive_customer(ctx: Ctx, customer_id: Id, if_match: IfMatch = None) -> Response:
    """Puts the customer away; what it owes stays owed and shown. 409 `invalid_state` when it is archived already."""
    return _answer(
        await usecases.archive_customer(ctx.tx, customer_id, ctx.caller.perimeter, if_match, archived=True)
    )


@router.post(
    "/customers/{customer_id}/unarchive",
    response_model=Customer,
    summary="Take a customer back from the archive",
    openapi_extra=WRITE,
)
async def unarchive_customer(ctx: Ctx, customer_id: Id, if_match: IfMatch = None) -> Response:
    """409 `invalid_state` when it is not archived."""
    return _answer(
        await usecases.archive_customer(ctx.tx, customer_id, ctx.caller.perimeter, if_match, archived=False)
    )


def _answer(row: Row) -> Response:
    return reply(present(row), headers={"ETag": etag(row["version"])})


def _cells(row: Row) -> dict[str, Any]:
    """With the contact that is written to first: the first for dunning, else the first."""
    contacts = strict_json.loads(row["contacts"].encode())
    contact = next((each for each in contacts if each["role"] == "dunning"), (contacts or [{}])[0])
    company = {name: row[f"company_{name}"] for name in _OF_COMPANY}
    at_contact = {f"contact_{name}": contact.get(name) for name in ("name", "email", "phone")}
    archived = row["archived_at"] is not None
    return {**row, **company, **at_contact, "archived": archived}


def present(row: Row) -> dict[str, Any]:
    """The public object of a customer's row with its company."""
    terms = None
    if row["terms_days"] is not None:
        terms = {
            "days": row["terms_days"],
            "end_of_month": row["terms_end_of_month"],
            "day_of_month": row["terms_day_of_month"],
        }
    return {
        "id": row["id"],
        "external_id": row["external_id"],
        "business_unit_id": row["business_unit_id"],
        "name": row["name"],
        "company": {
            "id": row["company_id"],
            "name": row["company_name"],
            "country": row["company_country"],
            "registration_number": row["company_registration_number"],
            "vat_number": row["company_vat_number"],
            "lei": row["company_lei"],
            "private": row["company_private"],
            "group_id": row["company_group_id"],
        },
        "language": row["language"],
        "currency": row["currency"],
        "payment_terms": terms,
        "segment": row["segment"],
        "buyer_kind": row["buyer_kind"],
        "prepaid": row["prepaid"],
        "collector_user_id": row["collector_user_id"],
        "contacts": raw(row["contacts"]),
        "actors": raw(row["actors"]),
        "address": raw(row["address"]),
        "custom_fields": raw(row["custom_fields"]),
        "archived": row["archived_at"] is not None,
        "archived_at": row["archived_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
