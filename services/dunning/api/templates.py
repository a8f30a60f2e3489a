"""Templates: what messages are written from, in every language, tried on real customers before they are used."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.letter_schemas import (
    Rendered,
    RenderRequest,
    Template,
    TemplateCreate,
    TemplateUpdate,
    TemplateVersion,
    Variable,
)
from services.dunning.api.schemas import Channel
from services.dunning.domain.letters.template_text import ITEM_FIELDS, VARIABLES
from services.dunning.storage import letter_lists, letters
from services.dunning.storage.actions import decoded
from services.dunning.usecases import templates
from services.dunning.usecases.preview import preview

router = Router("Templates")
Id = Annotated[UUID, Path(description="the template's id")]
IfMatch = Annotated[str | None, Header(description="the ETag you read")]


@router.get(
    "/templates", response_model=Page[Template], summary="List templates", openapi_extra=scope("dunning:read")
)
async def list_templates(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    channel: Annotated[list[Channel] | None, Query(description="one or several channels")] = None,
    archived: Annotated[bool, Query(description="the archived ones instead")] = False,
) -> Response:
    """Templates by code."""
    rows = await letter_lists.templates(ctx.tx, channel, archived, cursor, limit)
    return reply(page(rows, limit, _template))


@router.get(
    "/template-variables",
    response_model=Page[Variable],
    summary="List what templates may name",
    openapi_extra=scope("dunning:read"),
)
async def list_template_variables(ctx: Ctx) -> Response:
    """The typed variables of every template, in one page."""
    data = [
        {
            "name": name,
            "type": kind,
            "description": text,
            "members": list(ITEM_FIELDS) if kind == "list" else [],
        }
        for name, (kind, text) in VARIABLES.items()
    ]
    return reply({"data": data, "next_cursor": None})


@router.post(
    "/templates",
    response_model=Template,
    status_code=201,
    summary="Create a template",
    openapi_extra=scope("dunning:write"),
)
async def create_template(ctx: Ctx, body: TemplateCreate) -> Response:
    """A template of your own. Words that name something unknown, or do what templates may not, are refused: 422 says in which
    language, part and line."""
    row = await templates.create(ctx.tx, body.model_dump())
    headers = {"Location": f"/v1/templates/{row['id']}", "ETag": etag(row["version"])}
    return reply(_template(row), 201, headers)


@router.get(
    "/templates/{template_id}",
    response_model=Template,
    summary="Show a template",
    openapi_extra=scope("dunning:read"),
)
async def get_template(ctx: Ctx, template_id: Id) -> Response:
    """A template with the texts of its newest version."""
    return _answer(await _one(ctx, template_id))


@router.patch(
    "/templates/{template_id}",
    response_model=Template,
    summary="Change a template",
    openapi_extra=scope("dunning:write"),
)
async def update_template(
    ctx: Ctx, template_id: Id, body: TemplateUpdate, if_match: IfMatch = None
) -> Response:
    """Change some members. Other words make the next version; messages that have left keep theirs."""
    row = await _one(ctx, template_id, lock=True)
    require_match(if_match, row["version"])
    return _answer(await templates.change(ctx.tx, row, body.model_dump(exclude_unset=True)))


@router.delete(
    "/templates/{template_id}",
    status_code=204,
    summary="Delete a template",
    openapi_extra=scope("dunning:write"),
)
async def delete_template(ctx: Ctx, template_id: Id, if_match: IfMatch = None) -> Response:
    """Take it away with its versions. 409 `in_use` while a scenario or an action names it."""
    row = await _one(ctx, template_id, lock=True)
    require_match(if_match, row["version"])
    await templates.delete(ctx.tx, row)
    return Response(status_code=204)


@router.get(
    "/templates/{template_id}/versions",
    response_model=Page[TemplateVersion],
    summary="List a template's versions",
    openapi_extra=scope("dunning:read"),
)
async def list_template_versions(
    ctx: Ctx, template_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Its words from the newest to the first."""
    await _one(ctx, template_id)
    rows = await letter_lists.versions(ctx.tx, template_id, cursor, limit)
    return reply(page(rows, limit, _version))


@router.post(
    "/templates/{template_id}/render",
    response_model=Rendered,
    summary="Render a template for a customer",
    openapi_extra=scope("dunning:read"),
)
async def render_template(ctx: Ctx, body: RenderRequest, template_id: Id) -> Response:
    """How the message would read for this customer now. Nothing is sent. 409 `nothing_to_claim` when nothing is open."""
    row = await _one(ctx, template_id)
    return reply(
        await preview(
            ctx.tx, row, body.customer_id, ctx.caller.perimeter, language=body.language, item_ids=body.item_ids,
            comment=body.comment,
        )
    )  # fmt: skip


async def _one(ctx: Ctx, template_id: UUID, *, lock: bool = False) -> Row:
    row = await letters.template(ctx.tx, template_id, lock=lock)
    if row is None:
        raise not_found("template", template_id)
    return row


def _answer(row: Row) -> Response:
    return reply(_template(row), headers={"ETag": etag(row["version"])})


def _template(row: Row) -> dict[str, Any]:
    names = (
        "id", "code", "name", "channel", "attach_statement", "number", "built_in", "archived", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "languages": sorted(decoded(row, "texts")),
        "texts": raw(row["texts"]),
    }


def _version(row: Row) -> dict[str, Any]:
    names = ("number", "attach_statement", "created_by", "created_at")
    return {**{name: row[name] for name in names}, "texts": raw(row["texts"])}
