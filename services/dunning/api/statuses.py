"""Statuses: a tenant's own labels inside five fixed categories, and what each sets off."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import Field, model_validator

from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Page
from libs.kit.problems import Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import (
    CategoryName,
    ChannelName,
    Code,
    IfMatch,
    Input,
    Kind,
    ModeName,
    Stamped,
)
from services.dunning.domain.statuses import LANGUAGES
from services.dunning.storage import statuses

router = Router("Statuses")
Language = Literal[
    "pt-BR", "zh-CN", "hr", "de", "nl", "en", "es", "fr", "it", "ja", "pl", "pt", "ro", "sv", "tr"
]
Labels = Annotated[
    dict[Language, Annotated[str, Field(min_length=1, max_length=100)]],
    Field(
        min_length=1,
        description="by language",
        examples=[{"en": "Promise to pay", "fr": "Promesse de règlement"}],
    ),
]
Days = Annotated[int, Field(ge=0, le=365, description="when to come back to an item without another date")]
Id = Annotated[UUID, Path(description="the status's id")]
assert set(LANGUAGES) == set(Language.__args__), "the schema names the languages of the product"  # type: ignore[attr-defined]


class StatusCreate(Input):
    """A status to add."""

    code: Code = Field(examples=["promise_cheque"])
    category: CategoryName
    labels: Labels
    default_days: Days = 7
    action_template_id: UUID | None = Field(
        None, description="template of the action it sets off on the follow-up date"
    )
    action_channel: ChannelName | None = Field(
        None, description="its channel; the template's own when left out"
    )
    mode: ModeName = Field(
        "manual", description="the action does itself, waits for a person, or is only proposed"
    )
    dispute_kind: Kind | None = Field(None, description="of the disputes it opens", examples=["price"])
    active: bool = True

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if self.action_channel in ("email", "letter", "sms") and self.action_template_id is None:
            raise ValueError("a message needs action_template_id")
        return self


class StatusPatch(Input):
    """Members to change; the category of a status never does."""

    labels: Labels | None = None
    default_days: Days | None = None
    action_template_id: UUID | None = Field(None, description="null takes the template away")
    action_channel: ChannelName | None = Field(None, description="null takes the channel away")
    mode: ModeName | None = Field(None, description="how its action is done")
    dispute_kind: Kind | None = Field(None, description="of the disputes it opens", examples=["price"])
    active: bool | None = None


class Status(Stamped):
    """A status."""

    code: str = Field(examples=["promise_cheque"])
    category: CategoryName
    labels: dict[str, str] = Field(examples=[{"en": "Promise to pay", "fr": "Promesse de règlement"}])
    default_days: int
    action_template_id: UUID | None
    action_channel: ChannelName | None
    mode: ModeName
    dispute_kind: str | None = Field(examples=["price"])
    active: bool


@router.get(
    "/statuses", response_model=Page[Status], summary="List statuses", openapi_extra=scope("dunning:read")
)
async def list_statuses(
    ctx: Ctx, active: Annotated[bool | None, Query(description="only those in use, or not")] = None
) -> Response:
    """All statuses, by category and code, in one page."""
    rows = await statuses.everyone(ctx.tx, active=active)
    return reply({"data": [_present(row) for row in rows], "next_cursor": None})


@router.post(
    "/statuses",
    status_code=201,
    response_model=Status,
    summary="Add a status",
    openapi_extra=scope("dunning:write"),
)
async def create_status(ctx: Ctx, body: StatusCreate) -> Response:
    """A label of your own inside one of the five categories. A code that exists: 409 `code_exists`."""
    await _require_template(ctx, body.action_template_id)
    row = await statuses.insert(ctx.tx, body.model_dump())
    if row is None:
        existing = await statuses.by_code(ctx.tx, body.code)
        assert existing is not None, "its code is taken"
        raise Problem(
            409, "code_exists", "There is a status with that code.", existing_id=str(existing["id"])
        )
    ctx.tx.audit("status_created", "status", row["id"], after=body.model_dump(mode="json"))
    return reply(_present(row), 201, {"Location": f"/v1/statuses/{row['id']}", "ETag": etag(row["version"])})


@router.get(
    "/statuses/{status_id}",
    response_model=Status,
    summary="Show a status",
    openapi_extra=scope("dunning:read"),
)
async def get_status(ctx: Ctx, status_id: Id) -> Response:
    """One status."""
    return _answer(await _one(ctx, status_id))


@router.patch(
    "/statuses/{status_id}",
    response_model=Status,
    summary="Change a status",
    openapi_extra=scope("dunning:write"),
)
async def update_status(ctx: Ctx, status_id: Id, body: StatusPatch, if_match: IfMatch = None) -> Response:
    """Change its labels, its delay or what it sets off. Items that have it keep it; a status that is not active is given
    to none."""
    row = await _one(ctx, status_id, lock=True)
    require_match(if_match, row["version"])
    values = body.model_dump(exclude_unset=True)
    for name in ("labels", "default_days", "mode", "active"):
        if name in values and values[name] is None:
            raise invalid(f"/{name}", "null", "expected a value")
    await _require_template(ctx, values.get("action_template_id"))
    ctx.tx.audit(
        "status_changed", "status", row["id"], after=body.model_dump(mode="json", exclude_unset=True)
    )
    return _answer(await statuses.update(ctx.tx, row["id"], values))


@router.delete(
    "/statuses/{status_id}", status_code=204, summary="Delete a status", openapi_extra=scope("dunning:write")
)
async def delete_status(ctx: Ctx, status_id: Id) -> Response:
    """Delete a status no item ever had; one that was used: 409 `in_use` (deactivate it instead)."""
    row = await _one(ctx, status_id, lock=True)
    if not await statuses.delete(ctx.tx, row["id"], row["code"]):
        raise Problem(409, "in_use", "Items were qualified with it: set active to false instead.")
    ctx.tx.audit("status_deleted", "status", row["id"], before={"code": row["code"]})
    return Response(status_code=204)


async def _require_template(ctx: Ctx, template_id: UUID | None) -> None:
    if template_id is None:
        return
    known = await ctx.tx.fetchval(
        "SELECT true FROM templates WHERE tenant_id = $1 AND id = $2", ctx.tx.tenant_id, template_id
    )
    if not known:
        raise invalid("/action_template_id", "template_unknown", "expected the id of a template")


async def _one(ctx: Ctx, status_id: UUID, *, lock: bool = False) -> Row:
    row = await statuses.get(ctx.tx, status_id, lock=lock)
    if row is None:
        raise not_found("status", status_id)
    return row


def _answer(row: Row) -> Response:
    return reply(_present(row), headers={"ETag": etag(row["version"])})


def _present(row: Row) -> dict[str, Any]:
    names = (
        "id", "code", "category", "default_days", "action_template_id", "action_channel", "mode", "dispute_kind", "active",
        "created_at", "updated_at",
    )  # fmt: skip
    return {**{name: row[name] for name in names}, "labels": msgspec.json.decode(row["labels"])}
