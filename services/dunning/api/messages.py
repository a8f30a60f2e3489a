"""The archive of messages, the templates they are written from, the scenarios that ask for them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from libs.kit.db import Row
from libs.kit.etag import etag
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import Problem, not_found
from libs.kit.responses import raw, reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.schemas import (
    MailState,
    Message,
    MessageContent,
    Rendered,
    RenderRequest,
    Scenario,
    Template,
)
from services.dunning.domain.letters import TemplateText, choose_language, render
from services.dunning.domain.next_action import Nothing, next_action
from services.dunning.storage import lists, planning
from services.dunning.storage.actions import decoded
from services.dunning.usecases.house import house_of
from services.dunning.usecases.send import letter_facts

messages = Router("Messages")
templates = Router("Templates")
scenarios = Router("Scenarios")


@messages.get(
    "/messages", response_model=Page[Message], summary="List messages", openapi_extra=scope("dunning:read")
)
async def list_messages(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[MailState] | None, Query(description="one or several states")] = None,
    customer_id: UUID | None = None,
    updated_since: Annotated[datetime | None, Query(description="changed at or after that instant")] = None,
) -> Response:
    """Messages to customers in the caller's perimeter, newest first, with what became of them."""
    wanted = lists.MessageFilter(ctx.caller.perimeter, state, customer_id, updated_since)
    rows = await lists.messages(ctx.tx, wanted, cursor, limit)
    return reply(page(rows, limit, _message))


@messages.get(
    "/messages/{message_id}",
    response_model=Message,
    summary="Show a message",
    openapi_extra=scope("dunning:read"),
)
async def get_message(
    ctx: Ctx, message_id: Annotated[UUID, Path(description="the message's id")]
) -> Response:
    """A message and what became of it."""
    row = await _one(ctx, message_id)
    return reply(_message(row), headers={"ETag": etag(row["version"])})


@messages.get(
    "/messages/{message_id}/content",
    response_model=MessageContent,
    summary="Show a message's words",
    openapi_extra=scope("dunning:read"),
)
async def get_message_content(
    ctx: Ctx, message_id: Annotated[UUID, Path(description="the message's id")]
) -> Response:
    """The words as they left. Before it leaves there are none: 409 `not_written_yet`."""
    row = await _one(ctx, message_id)
    if not row["text"]:
        raise Problem(409, "not_written_yet", "The words are chosen when the message leaves; it has not.")
    return reply({name: row[name] for name in ("id", "subject", "text", "html")})


@templates.get(
    "/templates", response_model=Page[Template], summary="List templates", openapi_extra=scope("dunning:read")
)
async def list_templates(ctx: Ctx) -> Response:
    """All templates, by code, in one page."""
    rows = await lists.templates(ctx.tx)
    return reply({"data": [_template(row) for row in rows], "next_cursor": None})


@templates.get(
    "/templates/{template_id}",
    response_model=Template,
    summary="Show a template",
    openapi_extra=scope("dunning:read"),
)
async def get_template(
    ctx: Ctx, template_id: Annotated[UUID, Path(description="the template's id")]
) -> Response:
    """A template with its texts."""
    row = await _template_row(ctx, template_id)
    return reply(_template(row), headers={"ETag": etag(row["version"])})


@templates.post(
    "/templates/{template_id}/render",
    response_model=Rendered,
    summary="Render a template for a customer",
    openapi_extra=scope("dunning:read"),
)
async def render_template(
    ctx: Ctx, body: RenderRequest, template_id: Annotated[UUID, Path(description="the template's id")]
) -> Response:
    """How the message would read for this customer now. Nothing is sent. 409 `nothing_to_claim` when nothing is owed."""
    row = await _template_row(ctx, template_id)
    known = (await planning.facts_of(ctx.tx, [body.customer_id])).get(body.customer_id)
    perimeter = ctx.caller.perimeter
    if known is None or (perimeter is not None and known[0]["business_unit_id"] not in perimeter):
        raise not_found("customer", body.customer_id)
    customer, facts = known
    decision = next_action(facts, await planning.default_version(ctx.tx), ctx.tx.today)
    if isinstance(decision, Nothing):
        raise Problem(
            409,
            "nothing_to_claim",
            "There is nothing to remind this customer of.",
            reason=str(decision.reason),
        )
    texts = {tag: TemplateText(**text) for tag, text in decoded(row, "texts").items()}
    contact = decision.contact.language if decision.contact else None
    language = choose_language([body.language, contact, customer["language"]], texts)
    message = render(
        texts[language], await letter_facts(ctx.tx, customer, decision, await house_of(ctx.tx)), language
    )
    return reply(
        {"language": language, "subject": message.subject, "text": message.text, "html": message.html}
    )


@scenarios.get(
    "/scenarios", response_model=Page[Scenario], summary="List scenarios", openapi_extra=scope("dunning:read")
)
async def list_scenarios(ctx: Ctx) -> Response:
    """All scenarios with their newest version, by name, in one page."""
    rows = await lists.scenarios(ctx.tx)
    return reply({"data": [_scenario(row) for row in rows], "next_cursor": None})


@scenarios.get(
    "/scenarios/{scenario_id}",
    response_model=Scenario,
    summary="Show a scenario",
    openapi_extra=scope("dunning:read"),
)
async def get_scenario(
    ctx: Ctx, scenario_id: Annotated[UUID, Path(description="the scenario's id")]
) -> Response:
    """A scenario with the steps of its newest version."""
    row = await lists.scenario(ctx.tx, scenario_id)
    if row is None:
        raise not_found("scenario", scenario_id)
    return reply(_scenario(row), headers={"ETag": etag(row["etag_version"])})


async def _one(ctx: Ctx, message_id: UUID) -> Row:
    row = await lists.message(ctx.tx, message_id, ctx.caller.perimeter)
    if row is None:
        raise not_found("message", message_id)
    return row


async def _template_row(ctx: Ctx, template_id: UUID) -> Row:
    row = await lists.template(ctx.tx, template_id)
    if row is None:
        raise not_found("template", template_id)
    return row


def _message(row: Row) -> dict[str, Any]:
    names = (
        "id",
        "customer_id",
        "state",
        "subject",
        "language",
        "not_before",
        "sent_at",
        "error",
        "created_at",
        "updated_at",
    )
    return {
        **{name: row[name] for name in names},
        "action_id": row["object_id"],
        "channel": "email",
        "to": raw(row["recipients"]),
        "sender": row["sender_email"],
        "header_message_id": row["header_id"],
    }


def _template(row: Row) -> dict[str, Any]:
    names = ("id", "code", "channel", "created_at", "updated_at")
    return {
        **{name: row[name] for name in names},
        "languages": sorted(decoded(row, "texts")),
        "texts": raw(row["texts"]),
    }


def _scenario(row: Row) -> dict[str, Any]:
    names = ("id", "name", "is_default", "version_id", "version", "cap_days", "created_at", "updated_at")
    return {**{name: row[name] for name in names}, "steps": raw(row["steps"])}
