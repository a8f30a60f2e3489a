"""The customer's own page, reached by a signed link: statement, promise, dispute, files; and the links themselves."""

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date as Day  # noqa: N812 - a member is called date
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, ValidationError

from libs.contracts.money import AmountText, from_minor
from libs.kit import strict_json
from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import FieldError, Problem, invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope, shown_once
from libs.kit.runtime import Runtime
from services.dunning.api.fields import Input
from services.dunning.api.letter_schemas import Language
from services.dunning.api.sight import customer_in_sight
from services.dunning.domain.pages.form import Form, form_of
from services.dunning.domain.pages.html import STYLE, closed_page, identifiers, page_of
from services.dunning.domain.replies.mail import Enclosure
from services.dunning.storage import links
from services.dunning.usecases import customer_page, page_links
from services.dunning.usecases.customer_page import LinkClosed, Visit

router = Router("Customer pages")
public = APIRouter(
    prefix="/v1", tags=["Customer pages"], generate_unique_id_function=lambda route: route.name
)
Token = Annotated[str, Path(min_length=20, max_length=100, description="the link's secret")]
MAX_BODY = 15 * 1024 * 1024
_OPEN: dict[str, Any] = {"x-scope": "", "security": []}
_HTML: dict[int | str, Any] = {200: {"content": {"text/html": {}}}, 410: {"content": {"text/html": {}}}}
_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
_GONE: dict[int | str, Any] = {
    410: {
        "description": "the link has expired or was revoked",
        "content": {"application/problem+json": _PROBLEM},
    }
}
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class CustomerLinkCreate(Input):
    """For whom, and for how long."""

    contact_name: str = Field("", max_length=200, examples=["Mme Petit"])
    contact_email: str | None = Field(None, max_length=254, description="who answers, as far as known")
    language: Language | None = Field(None, description="the customer's when left out")
    days: int = Field(30, ge=1, le=365, description="good for so many days")


class CustomerLink(BaseModel):
    """A link to a customer's page."""

    id: UUID
    customer_id: UUID
    contact_name: str = Field(description="whom it was made for")
    contact_email: str | None = Field(description="who answers, as far as known")
    language: str = Field(examples=["fr"])
    expires_at: datetime = Field(description="on the wall clock")
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="on the wall clock")
    uses: int = Field(description="how often somebody came by it")
    created_by: str = Field(description="user, key or system")
    created_at: datetime
    updated_at: datetime


class CustomerLinkCreated(CustomerLink):
    """A new link; its path holds a secret and is shown this once."""

    path: str = Field(examples=["/v1/pages/8f1c…"])


class PageItem(BaseModel):
    """An open item of the customer's."""

    id: UUID
    number: str = Field(examples=["F-1001"])
    issue_date: Day
    due_date: Day
    days_late: int
    open_amount: AmountText
    currency: str = Field(examples=["EUR"])


class PageStatement(BaseModel):
    """What the customer sees."""

    customer: str = Field(examples=["Fonderie des Alpes"])
    account: str = Field(examples=["C1"])
    sender: str = Field(examples=["Aciéries du Rhône"])
    language: str = Field(examples=["fr"])
    as_of: Day
    items: list[PageItem]
    totals: dict[str, AmountText] = Field(description="by currency", examples=[{"EUR": "1000.00"}])


class PageFile(Input):
    """A file to go with an answer."""

    filename: str = Field(min_length=1, max_length=200, examples=["proof.pdf"])
    content_type: str = Field("application/octet-stream", max_length=100, examples=["application/pdf"])
    content: str = Field(description="base64", examples=["JVBERi0="])


class PageAnswer(Input):
    """What the customer says about some items."""

    kind: Literal["promise", "already_paid", "dispute", "other"]
    item_ids: list[UUID] = Field(min_length=1, max_length=1000)
    date: Day | None = Field(None, description="of payment; a promise needs one, today or later")
    comment: str = Field("", max_length=4000, examples=["The goods arrived damaged."])
    files: list[PageFile] = Field(default_factory=list, max_length=5)


class PageAnswered(BaseModel):
    """The answer waits for a person."""

    status: Literal["received", "duplicate"]


@router.post(
    "/customers/{customer_id}/links",
    response_model=CustomerLinkCreated,
    status_code=201,
    summary="Make a link to a customer's page",
    openapi_extra=shown_once("dunning:write", "path"),
)
async def create_customer_link(ctx: Ctx, customer_id: UUID, body: CustomerLinkCreate) -> Response:
    """Whoever has the link sees this customer's open items, no other's, and may answer. Give its path to nobody else."""
    customer = await customer_in_sight(ctx, customer_id)
    row, token = await page_links.make_link(
        ctx.tx, customer, contact_name=body.contact_name, contact_email=body.contact_email, language=body.language,
        days=body.days,
    )  # fmt: skip
    ctx.tx.audit("link_made", page_links.KIND, row["id"], None, {"customer_id": customer_id})
    headers = {"Location": f"/v1/customer-links/{row['id']}"}
    return reply({**_link(row), "path": f"/v1/pages/{token}"}, 201, headers)


@router.get(
    "/customers/{customer_id}/links",
    response_model=Page[CustomerLink],
    summary="List the links to a customer's page",
    openapi_extra=scope("dunning:read"),
)
async def list_customer_links(
    ctx: Ctx, customer_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Newest first, without their secrets."""
    await customer_in_sight(ctx, customer_id)
    return reply(page(await links.of_customer(ctx.tx, customer_id, cursor, limit), limit, _link))


@router.get(
    "/customer-links/{link_id}",
    response_model=CustomerLink,
    summary="Show a link",
    openapi_extra=scope("dunning:read"),
)
async def get_customer_link(
    ctx: Ctx, link_id: Annotated[UUID, Path(description="the link's id")]
) -> Response:
    """One link, and when it was last used."""
    return reply(_link(await _one(ctx, link_id)))


@router.post(
    "/customer-links/{link_id}/revoke",
    response_model=CustomerLink,
    summary="Revoke a link",
    openapi_extra=scope("dunning:write"),
)
async def revoke_customer_link(
    ctx: Ctx, link_id: Annotated[UUID, Path(description="the link's id")]
) -> Response:
    """It leads nowhere from now on."""
    return reply(_link(await customer_page.revoke(ctx.tx, await _one(ctx, link_id, lock=True))))


@public.get(
    "/pages/{token}",
    response_class=Response,
    responses=_HTML,
    summary="Show the customer's page",
    openapi_extra=_OPEN,
)
async def show_customer_page(request: Request, token: Token) -> Response:
    """A page for people: their open items and a form to answer, in their language, without scripts."""
    try:
        async with customer_page.visit(_runtime(request), token) as found:
            shown = await customer_page.show(found)
    except LinkClosed as closed:
        return _page(closed_page(closed.language), 410)
    return _page(page_of(shown))


@public.post(
    "/pages/{token}",
    response_class=Response,
    responses=_HTML,
    summary="Answer on the customer's page",
    openapi_extra={
        **_OPEN,
        "x-body-limit": MAX_BODY,
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "item": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                            "kind": {
                                "type": "string",
                                "description": "promise, already_paid, dispute or other",
                            },
                            "date": {"type": "string", "description": "YYYY-MM-DD or empty"},
                            "comment": {"type": "string", "description": "what else there is to say"},
                            "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        },
                    }
                }
            },
        },
    },
)
async def answer_customer_page(request: Request, token: Token) -> Response:
    """What the page's form sends; the page is shown again and says whether the answer was received."""
    body = await _body(request)
    try:
        form: Form | None = form_of(request.headers.get("content-type", ""), body)
    except ValueError:
        form = None
    try:
        async with customer_page.visit(_runtime(request), token) as found:
            notice = await _said(found, form)
            shown = await customer_page.show(found, notice)
    except LinkClosed as closed:
        return _page(closed_page(closed.language), 410)
    return _page(page_of(shown))


@public.get(
    "/pages/{token}/statement",
    response_model=PageStatement,
    responses=_GONE,
    summary="Show the customer its statement",
    openapi_extra=_OPEN,
)
async def get_page_statement(request: Request, token: Token) -> Response:
    """The same as the page, for front ends of your own. 410 `link_expired`."""
    async with _visit(request, token) as found:
        shown = await customer_page.show(found)
    totals: dict[str, int] = {}
    for item in shown.items:
        totals[item.currency] = totals.get(item.currency, 0) + item.open_minor
    body = {
        "customer": shown.customer, "account": shown.account, "sender": shown.sender, "language": shown.language,
        "as_of": shown.today,
        "items": [
            {
                "id": item.id, "number": item.number or item.reference, "issue_date": item.issue_date,
                "due_date": item.due_date, "days_late": max(0, item.days_late(shown.today)),
                "open_amount": from_minor(item.open_minor, item.currency), "currency": item.currency,
            }
            for item in shown.items
        ],
        "totals": {code: from_minor(minor, code) for code, minor in totals.items()},
    }  # fmt: skip
    return reply(body, headers=_HEADERS)


@public.post(
    "/pages/{token}/answers",
    response_model=PageAnswered,
    responses=_GONE,
    summary="Answer for the customer",
    openapi_extra={
        **_OPEN,
        "x-body-limit": MAX_BODY,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": PageAnswer.model_json_schema(), "example": {
                "kind": "promise", "item_ids": ["01890000-0000-7000-8000-000000000000"], "date": "2026-03-12"}}},
        },
    },
)  # fmt: skip
async def answer_page(request: Request, token: Token) -> Response:
    """Promise, dispute, say it is paid, attach files. A person of the house reads it as a reply. 410 `link_expired`."""
    try:
        said = PageAnswer.model_validate(strict_json.loads(await _body(request)))
        files = [
            Enclosure(one.filename, one.content_type, base64.b64decode(one.content, validate=True))
            for one in said.files
        ]
    except ValidationError as refused:
        errors = [
            FieldError("/" + "/".join(map(str, one["loc"])), one["type"], one["msg"])
            for one in refused.errors(include_input=False, include_url=False)
        ]
        raise Problem(422, "invalid", "The answer has invalid values.", errors=errors[:20]) from None
    except (strict_json.JsonRefused, binascii.Error):
        raise invalid("", "json_malformed", "expected JSON, files in base64") from None
    async with _visit(request, token) as found:
        row = await customer_page.say(found, said.kind, said.item_ids, said.date, said.comment, files)
    return reply({"status": "received" if row else "duplicate"}, headers=_HEADERS)


async def _said(found: Visit, form: Form | None) -> str:
    if form is None:
        return "missing"
    try:
        day = Day.fromisoformat(form.first("date")) if form.first("date") else None
        items = identifiers(form.values.get("item", []))
        await customer_page.say(found, form.first("kind"), items, day, form.first("comment"), form.files)
    except (Problem, ValueError):
        return "missing"
    return "thanks"


@asynccontextmanager
async def _visit(request: Request, token: str) -> AsyncIterator[Visit]:
    try:
        async with customer_page.visit(_runtime(request), token) as found:
            yield found
    except LinkClosed:
        raise Problem(410, "link_expired", "The link has expired or was revoked.") from None


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise Problem(
                413, "body_too_large", f"The body may hold {MAX_BODY} bytes at the most.", limit=MAX_BODY
            )
        chunks.append(chunk)
    return b"".join(chunks)


async def _one(ctx: Ctx, link_id: UUID, *, lock: bool = False) -> Row:
    row = await links.get(ctx.tx, link_id, ctx.caller.perimeter, lock=lock)
    if row is None:
        raise not_found("link", link_id)
    return row


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def _page(document: str, status: int = 200) -> Response:
    return Response(document, status, headers=_HEADERS, media_type="text/html; charset=utf-8")


def _link(row: Row) -> dict[str, Any]:
    names = (
        "id", "customer_id", "contact_name", "contact_email", "language", "expires_at", "revoked_at", "last_used_at", "uses",
        "created_by", "created_at", "updated_at",
    )  # fmt: skip
    return {name: row[name] for name in names}
