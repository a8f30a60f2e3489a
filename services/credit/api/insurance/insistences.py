"""Insisting with the broker after a negative answer, archived with what became of the mail."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from libs.contracts.money import AmountText
from libs.kit.db import Row
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.credit.api.insurance.fields import CompanyFilter, Input, amount, picked
from services.credit.domain.insurance.letters import DEFAULTS, Letter, TemplateRefused, check
from services.credit.storage.insurance import claim_lists, templates
from services.credit.usecases import send_mails
from services.credit.usecases.insurance import insisting

router = Router("Insistences")
InsistenceId = Annotated[UUID, Path(description="the insistence's id")]
Language = Annotated[
    str, Path(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="of the wording", examples=["fr"])
]
State = Literal["draft", "queued", "sent", "failed", "unknown", "answered"]
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


class InsistenceCreate(Input):
    """About a refusal, a partial grant, a reduction or a withdrawal."""

    decision_id: UUID
    arguments: str | None = Field(
        None, max_length=8000, examples=["The buyer has paid within terms since 2019."]
    )
    documents: list[UUID] = Field([], max_length=20, description="ids of files named in it")
    to: str | None = Field(
        None,
        max_length=254,
        pattern=_EMAIL,
        description="the policy's broker when left out",
        examples=["desk@broker.example"],
    )
    language: str | None = Field(
        None, pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="the broker's when left out", examples=["fr"]
    )
    follow_up_on: date | None = Field(None, description="a week after it is sent when left out")


class InsistencePatch(Input):
    """Another wording."""

    subject: str | None = Field(None, min_length=1, max_length=500, examples=["Policy P-1: please review"])
    body: str | None = Field(None, min_length=1, max_length=20000, examples=["Dear Sir or Madam, …"])
    follow_up_on: date | None = None


class AnswerIn(Input):
    """What came of it."""

    outcome: Literal["improved", "maintained"]
    decision_id: UUID | None = Field(None, description="the new decision")


class Insistence(BaseModel):
    """An insistence; `sent` is what the mail server said, `unknown` is never sent again by itself."""

    id: UUID
    decision_id: UUID
    company_id: UUID
    company_name: str = Field(examples=["Fonderie des Alpes"])
    policy_id: UUID
    state: State
    recipients: list[dict[str, str]] = Field(
        examples=[[{"name": "AU Group", "email": "desk@broker.example"}]]
    )
    language: str = Field(examples=["fr"])
    subject: str = Field(examples=["Policy P-1: please review"])
    body: str = Field(examples=["Dear Sir or Madam, …"])
    arguments: dict[str, Any] = Field(
        description="what it was completed with: text, comments, provider data, documents"
    )
    sent_at: datetime | None
    error: str | None = Field(description="why the mail did not leave", examples=[None])
    follow_up_on: date | None
    outcome: Literal["improved", "maintained"] | None
    gain: AmountText | None = Field(description="granted above what it was about")
    currency: str = Field(examples=["EUR"])
    answer_decision_id: UUID | None
    created_at: datetime
    updated_at: datetime


class Wording(Input):
    """A template. Members stand in double braces: {{company}}, {{granted_amount}}, {{arguments}} …"""

    subject: str = Field(min_length=1, max_length=500, examples=["Police {{policy_number}} : {{company}}"])
    body: str = Field(min_length=1, max_length=20000, examples=["Madame, Monsieur, …"])


class Template(Wording):
    """A wording in use."""

    language: str = Field(examples=["fr"])
    own: bool = Field(description="yours, or the house's")


class Templates(BaseModel):
    """Every language there is a wording in."""

    data: list[Template]
    next_cursor: str | None = Field(description="always null: they are one page", examples=[None])


@router.post(
    "/insistences", status_code=201, response_model=Insistence, summary="Write an insistence",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def create_insistence(ctx: Ctx, body: InsistenceCreate) -> Response:
    """A draft from your template, completed with the credit file's comments and what providers say of the buyer."""
    token = ctx.request.headers["authorization"].removeprefix("Bearer ")
    values = body.model_dump(exclude={"decision_id"})
    row = await insisting.create_insistence(ctx.tx, ctx.runtime, ctx.caller, token, body.decision_id, values)
    return reply(await _shown(ctx, row), 201, {"Location": f"/v1/insistences/{row['id']}"})


@router.get(
    "/insistences",
    response_model=Page[Insistence],
    summary="List insistences",
    openapi_extra=scope("guarantees:read"),
)
async def list_insistences(
    ctx: Ctx,
    company_id: CompanyFilter = None,
    state: Annotated[
        list[Literal["draft", "queued", "answered"]] | None, Query(description="one or several stages")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first: every one ever written."""
    rows = await claim_lists.page_of(
        ctx.tx, insisting.TABLE, company_id, state, ctx.caller.perimeter, cursor, limit
    )
    mails = await templates.mails(ctx.tx, [row["mail_id"] for row in rows if row["mail_id"]])
    return reply(
        page(rows, limit, lambda row: _insistence(row, row["company_name"], mails.get(row["mail_id"])))
    )


@router.get(
    "/insistences/{insistence_id}", response_model=Insistence, summary="Show an insistence",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def get_insistence(ctx: Ctx, insistence_id: InsistenceId) -> Response:
    """With the state of its mail."""
    return reply(await _shown(ctx, await insisting.the_insistence(ctx.tx, ctx.caller, insistence_id)))


@router.patch(
    "/insistences/{insistence_id}", response_model=Insistence, summary="Change an insistence",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def update_insistence(ctx: Ctx, insistence_id: InsistenceId, body: InsistencePatch) -> Response:
    """Another wording, while it is a draft."""
    row = await insisting.the_insistence(ctx.tx, ctx.caller, insistence_id, lock=True)
    changes = {
        name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None
    }
    return reply(await _shown(ctx, await insisting.change_insistence(ctx.tx, row, changes)))


@router.post(
    "/insistences/{insistence_id}/send", response_model=Insistence, summary="Send an insistence",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def send_insistence(ctx: Ctx, insistence_id: InsistenceId) -> Response:
    """It leaves once, and stays archived as it left."""
    row = await insisting.the_insistence(ctx.tx, ctx.caller, insistence_id, lock=True)
    changed = await insisting.send_insistence(ctx.tx, row)
    tenant_id = ctx.tx.tenant_id
    ctx.tx.after_commit(lambda: send_mails.nudge(ctx.runtime, tenant_id))
    return reply(await _shown(ctx, changed))


@router.post(
    "/insistences/{insistence_id}/answer", response_model=Insistence, summary="Write the answer down",
    openapi_extra=scope("guarantees:request"),
)  # fmt: skip
async def answer_insistence(ctx: Ctx, insistence_id: InsistenceId, body: AnswerIn) -> Response:
    """Improved or maintained; with the new decision the gain is worked out."""
    row = await insisting.the_insistence(ctx.tx, ctx.caller, insistence_id, lock=True)
    return reply(
        await _shown(ctx, await insisting.answer_insistence(ctx.tx, row, body.outcome, body.decision_id))
    )


@router.get(
    "/insistence-templates", response_model=Templates, summary="List the wording of insistences",
    openapi_extra=scope("guarantees:read"),
)  # fmt: skip
async def list_insistence_templates(ctx: Ctx) -> Response:
    """Yours where you set one, else the house's."""
    own = {
        row["language"]: Letter(row["subject"], row["body"])
        for row in await templates.every(ctx.tx, "insistence")
    }
    data = [
        _template(code, {**DEFAULTS, **own}[code], own=code in own) for code in sorted({**DEFAULTS, **own})
    ]
    return reply({"data": data, "next_cursor": None})


@router.put(
    "/insistence-templates/{language}", response_model=Template, summary="Set the wording of insistences",
    openapi_extra=scope("guarantees:admin"),
)  # fmt: skip
async def replace_insistence_template(ctx: Ctx, language: Language, body: Wording) -> Response:
    """Your wording in a language. A member that is not there is refused."""
    letter = Letter(body.subject, body.body)
    try:
        check(letter)
    except TemplateRefused as refused:
        raise invalid("/body", "member_unknown", str(refused)) from None
    await templates.keep(ctx.tx, "insistence", language, letter)
    ctx.tx.audit(
        "insistence_template_changed", "insistence_template", ctx.tx.tenant_id, after={"language": language}
    )
    return reply(_template(language, letter, own=True))


def _template(language: str, letter: Letter, *, own: bool) -> dict[str, Any]:
    return {"language": language, "subject": letter.subject, "body": letter.body, "own": own}


async def _shown(ctx: Ctx, row: Row) -> dict[str, Any]:
    mails = await templates.mails(ctx.tx, [row["mail_id"]] if row["mail_id"] else [])
    name = await claim_lists.company_name(ctx.tx, row["company_id"])
    return _insistence(row, name, mails.get(row["mail_id"]))


def _insistence(row: Row, company_name: str, mail: Row | None) -> dict[str, Any]:
    names = (
        "id", "decision_id", "company_id", "policy_id", "language", "subject", "body", "follow_up_on", "outcome", "currency",
        "answer_decision_id", "created_at", "updated_at",
    )  # fmt: skip
    state = row["state"]
    if state == "queued" and mail is not None:
        state = {"sending": "queued", "cancelled": "failed"}.get(mail["state"], mail["state"])
    return {
        **picked(row, names),
        "company_name": company_name,
        "state": state,
        "recipients": msgspec.json.decode(row["recipients"]),
        "arguments": msgspec.json.decode(row["arguments"]),
        "sent_at": mail["sent_at"] if mail else None,
        "error": mail["error"] if mail else None,
        "gain": amount(row["gain"], row["currency"]),
    }
