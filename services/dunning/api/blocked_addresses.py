"""Addresses nobody writes to: they bounced, complained, or asked not to be contacted."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from libs.kit.db import Row
from libs.kit.mail_message import is_address
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.letter_schemas import BlockedAddress, BlockedAddressCreate
from services.dunning.storage import letter_lists, letters

router = Router("Messages")


@router.get(
    "/blocked-addresses",
    response_model=Page[BlockedAddress],
    summary="List blocked addresses",
    openapi_extra=scope("dunning:read"),
)
async def list_blocked_addresses(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Annotated[Literal["email", "phone"] | None, Query(description="one kind")] = None,
    address: Annotated[str | None, Query(max_length=254, description="a whole address")] = None,
) -> Response:
    """Newest first. A message to one of them is given up, and its action waits for a person with the reason `no_contact`."""
    rows = await letter_lists.blocked_addresses(ctx.tx, kind, address, cursor, limit)
    return reply(page(rows, limit, _shown))


@router.post(
    "/blocked-addresses",
    response_model=BlockedAddress,
    status_code=201,
    summary="Block an address",
    openapi_extra=scope("dunning:write"),
)
async def create_blocked_address(ctx: Ctx, body: BlockedAddressCreate) -> Response:
    """Write to it no more, whatever a scenario says. Blocking it again changes nothing."""
    if body.kind == "email" and not is_address(body.address):
        raise invalid("/address", "address_invalid", "expected one e-mail address")
    row = await letters.block(ctx.tx, body.kind, body.address, body.reason, body.comment, None)
    ctx.tx.audit("address_blocked", "blocked_address", row["id"], None, {"reason": row["reason"]})
    return reply(_shown(row), 201, {"Location": f"/v1/blocked-addresses/{row['id']}"})


@router.get(
    "/blocked-addresses/{blocked_address_id}",
    response_model=BlockedAddress,
    summary="Show a blocked address",
    openapi_extra=scope("dunning:read"),
)
async def get_blocked_address(
    ctx: Ctx, blocked_address_id: Annotated[UUID, Path(description="its id")]
) -> Response:
    """One address."""
    row = await letter_lists.blocked_address(ctx.tx, blocked_address_id)
    if row is None:
        raise not_found("blocked address", blocked_address_id)
    return reply(_shown(row))


@router.delete(
    "/blocked-addresses/{blocked_address_id}",
    status_code=204,
    summary="Unblock an address",
    openapi_extra=scope("dunning:write"),
)
async def delete_blocked_address(
    ctx: Ctx, blocked_address_id: Annotated[UUID, Path(description="its id")]
) -> Response:
    """It may be written to again."""
    if not await letter_lists.unblock(ctx.tx, blocked_address_id):
        raise not_found("blocked address", blocked_address_id)
    ctx.tx.audit("address_unblocked", "blocked_address", blocked_address_id)
    return Response(status_code=204)


def _shown(row: Row) -> dict[str, Any]:
    return {name.strip(): row[name.strip()] for name in letter_lists.BLOCKED.split(",")}
