"""Scenarios: ordered ways of asking for money, in versions, and who follows which."""

from datetime import time
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from libs.contracts.ids import new_id
from libs.contracts.money import MoneyError, from_minor, to_minor
from libs.kit.db import Row
from libs.kit.etag import etag, require_match
from libs.kit.paging import Cursor, Limit, Page, page
from libs.kit.problems import invalid, not_found
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.dunning.api.fields import IfMatch
from services.dunning.api.scenario_schemas import (
    Assignment,
    AssignmentPut,
    Duplicate,
    FromLibrary,
    LibraryEntry,
    Scenario,
    ScenarioCreate,
    ScenarioPatch,
    Sending,
    What,
    WhatOut,
)
from services.dunning.api.sight import customer_in_sight
from services.dunning.domain.library import LIBRARY
from services.dunning.domain.scenario import Channel, Mode, ScenarioVersion, Step
from services.dunning.domain.sending_window import SendingRules, window_at
from services.dunning.storage import scenarios as rows_of
from services.dunning.usecases import scenarios

router = Router("Scenarios")
Id = Annotated[UUID, Path(description="the scenario's id")]


@router.get(
    "/scenarios", response_model=Page[Scenario], summary="List scenarios", openapi_extra=scope("dunning:read")
)
async def list_scenarios(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: Cursor = None,
    archived: Annotated[bool | None, Query(description="put away, or not")] = None,
) -> Response:
    """Scenarios with their newest version, by name."""
    return reply(page(await rows_of.page(ctx.tx, archived, cursor, limit), limit, _present))


@router.post(
    "/scenarios",
    status_code=201,
    response_model=Scenario,
    summary="Add a scenario",
    openapi_extra=scope("dunning:write"),
)
async def create_scenario(ctx: Ctx, body: ScenarioCreate) -> Response:
    """A scenario and its first version. Nobody follows it yet."""
    identifier = await scenarios.create(ctx.tx, body.name, body.description, await checked(ctx, body))
    return await _created(ctx, identifier)


@router.get(
    "/scenario-library",
    response_model=Page[LibraryEntry],
    summary="List ready-made scenarios",
    openapi_extra=scope("dunning:read"),
)
async def list_scenario_library(ctx: Ctx) -> Response:
    """What can be copied with POST /v1/scenarios/from-library."""
    data = [
        {"code": code, "name": model.name, "description": model.description, "steps": len(model.steps)}
        for code, model in LIBRARY.items()
    ]
    return reply({"data": data, "next_cursor": None})


@router.post(
    "/scenarios/from-library",
    status_code=201,
    response_model=Scenario,
    summary="Copy a ready-made scenario",
    openapi_extra=scope("dunning:write"),
)
async def create_scenario_from_library(ctx: Ctx, body: FromLibrary) -> Response:
    """A scenario of your own that starts as one of the library."""
    return await _created(ctx, await scenarios.from_library(ctx.tx, body.library, body.name))


@router.get(
    "/scenarios/{scenario_id}",
    response_model=Scenario,
    summary="Show a scenario",
    openapi_extra=scope("dunning:read"),
)
async def get_scenario(ctx: Ctx, scenario_id: Id) -> Response:
    """A scenario with its newest version."""
    return _answer(await one(ctx, scenario_id))


@router.patch(
    "/scenarios/{scenario_id}",
    response_model=Scenario,
    summary="Rename a scenario",
    openapi_extra=scope("dunning:write"),
)
async def update_scenario(
    ctx: Ctx, scenario_id: Id, body: ScenarioPatch, if_match: IfMatch = None
) -> Response:
    """Change its name or description."""
    row = await one(ctx, scenario_id, if_match, lock=True)
    values = body.model_dump(exclude_none=True)
    await rows_of.update(ctx.tx, row["id"], **values)
    ctx.tx.audit("scenario_changed", "scenario", row["id"], {name: row[name] for name in values}, values)
    return _answer(await one(ctx, scenario_id))


@router.get(
    "/scenarios/{scenario_id}/versions",
    response_model=Page[WhatOut],
    summary="List a scenario's versions",
    openapi_extra=scope("dunning:read"),
)
async def list_scenario_versions(
    ctx: Ctx, scenario_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """What a scenario said, newest first. Versions never change."""
    await one(ctx, scenario_id)
    return reply(page(await rows_of.versions(ctx.tx, scenario_id, cursor, limit), limit, _what))


@router.post(
    "/scenarios/{scenario_id}/versions",
    status_code=201,
    response_model=Scenario,
    summary="Publish a version of a scenario",
    openapi_extra=scope("dunning:write"),
)
async def create_scenario_version(
    ctx: Ctx, scenario_id: Id, body: What, if_match: IfMatch = None
) -> Response:
    """What it says from now on. What was proposed under the version before is replaced at once; nothing that was sent is sent
    again."""
    row = await one(ctx, scenario_id, if_match, lock=True)
    await scenarios.publish(ctx.tx, row, await checked(ctx, body))
    return await _created(ctx, scenario_id)


@router.post(
    "/scenarios/{scenario_id}/duplicate",
    status_code=201,
    response_model=Scenario,
    summary="Duplicate a scenario",
    openapi_extra=scope("dunning:write"),
)
async def duplicate_scenario(ctx: Ctx, scenario_id: Id, body: Duplicate) -> Response:
    """A copy of its newest version under another name."""
    return await _created(ctx, await scenarios.duplicate(ctx.tx, await one(ctx, scenario_id), body.name))


@router.post(
    "/scenarios/{scenario_id}/make-default",
    response_model=Scenario,
    summary="Make a scenario the default",
    openapi_extra=scope("dunning:write"),
)
async def make_scenario_default(ctx: Ctx, scenario_id: Id, if_match: IfMatch = None) -> Response:
    """Customers without a scenario of their own follow it from now on."""
    await scenarios.make_default(ctx.tx, await one(ctx, scenario_id, if_match, lock=True))
    return _answer(await one(ctx, scenario_id))


@router.post(
    "/scenarios/{scenario_id}/archive",
    response_model=Scenario,
    summary="Archive a scenario",
    openapi_extra=scope("dunning:write"),
)
async def archive_scenario(ctx: Ctx, scenario_id: Id, if_match: IfMatch = None) -> Response:
    """Put it away; its versions and history stay. While anybody follows it: 409 `in_use`."""
    await scenarios.archive(ctx.tx, await one(ctx, scenario_id, if_match, lock=True))
    return _answer(await one(ctx, scenario_id))


@router.get(
    "/customers/{customer_id}/assignments/scenario",
    response_model=Assignment,
    summary="Show which scenario a customer follows",
    openapi_extra=scope("dunning:read"),
)
async def get_scenario_assignment(ctx: Ctx, customer_id: UUID) -> Response:
    """Its own scenario or the default; who decided, when, and whether by hand."""
    await customer_in_sight(ctx, customer_id)
    return reply(await _assignment(ctx, customer_id))


@router.put(
    "/customers/{customer_id}/assignments/scenario",
    response_model=Assignment,
    summary="Assign a scenario to a customer",
    openapi_extra=scope("dunning:write"),
)
async def assign_scenario(ctx: Ctx, customer_id: UUID, body: AssignmentPut) -> Response:
    """Let a customer follow a scenario, by hand: it stays until somebody releases it (`scenario_id` null). What was proposed is
    replaced at once."""
    await customer_in_sight(ctx, customer_id)
    await scenarios.assign(ctx.tx, customer_id, body.scenario_id, manual=True, reason=body.reason)
    return reply(await _assignment(ctx, customer_id))


async def one(ctx: Ctx, scenario_id: UUID, if_match: str | None = None, *, lock: bool = False) -> Row:
    """A scenario with its newest version. Raises 404 and 412."""
    row = await rows_of.get(ctx.tx, scenario_id, lock=lock)
    if row is None:
        raise not_found("scenario", scenario_id)
    require_match(if_match, row["version"])
    return row


async def checked(ctx: Ctx, body: What) -> ScenarioVersion:
    """A version as it was asked for. Raises 422 naming what cannot be followed."""
    steps = tuple(
        Step(
            Channel(step.channel),
            Mode(step.mode),
            step.template_id,
            step.offset_days,
            step.after_days,
            step.assignee,
        )
        for step in body.steps
    )
    await scenarios.check_steps(ctx.tx, steps)
    return ScenarioVersion(
        id=new_id(),
        scenario_id=new_id(),
        steps=steps,
        minimums=_minors("/minimum_amount", body.minimum_amount),
        ignore_under=_minors("/ignore_items_under", body.ignore_items_under),
        cap_days=body.cap_days,
        cap_across_accounts=body.cap_across_accounts,
        net_credits=body.net_credits,
        sending=_sending(body.sending),
    )


def _sending(body: Sending) -> SendingRules:
    rules = SendingRules(
        weekdays=frozenset(day - 1 for day in body.weekdays),
        opens=time.fromisoformat(body.opens),
        closes=time.fromisoformat(body.closes),
        calendar=body.calendar,
    )
    try:
        window = window_at(rules, zone=None, country=None, house_zone="UTC", house_country="FR")
    except ValueError:
        raise invalid("/sending/closes", "hours_invalid", "expected it after opens") from None
    if len(body.calendar) == 2 and window.country != body.calendar:
        raise invalid(
            "/sending/calendar", "calendar_unknown", "expected a country whose public holidays are known"
        )
    return rules


def _minors(pointer: str, amounts: dict[str, Any]) -> dict[str, int]:
    found = {}
    for currency, amount in amounts.items():
        try:
            found[currency] = to_minor(amount, currency)
        except MoneyError as error:
            raise invalid(f"{pointer}/{currency}", error.code, error.detail) from None
        if found[currency] < 0:
            raise invalid(f"{pointer}/{currency}", "negative", "expected nothing or more")
    return found


async def _assignment(ctx: Ctx, customer_id: UUID) -> dict[str, Any]:
    written = await scenarios.assignment(ctx.tx, customer_id)
    in_force = await rows_of.in_force(ctx.tx)
    scenario_id = written["scenario_id"] if written else in_force.default.scenario_id
    name = await ctx.tx.fetchval(
        "SELECT name FROM scenarios WHERE tenant_id = $1 AND id = $2", ctx.tx.tenant_id, scenario_id
    )
    return {
        "customer_id": customer_id,
        "kind": "scenario",
        "scenario_id": scenario_id,
        "scenario_name": name,
        "why": "assigned" if written else "tenant_default",
        **{
            member: written[member] if written else None
            for member in ("reason", "assigned_by", "assigned_at")
        },
        "manual": bool(written and written["manual"]),
    }


async def _created(ctx: Ctx, scenario_id: UUID) -> Response:
    row = await one(ctx, scenario_id)
    return reply(
        _present(row), 201, {"Location": f"/v1/scenarios/{scenario_id}", "ETag": etag(row["version"])}
    )


def _answer(row: Row) -> Response:
    return reply(_present(row), headers={"ETag": etag(row["version"])})


def _present(row: Row) -> dict[str, Any]:
    names = ("id", "name", "description", "is_default", "archived", "created_at", "updated_at")
    return {**{name: row[name] for name in names}, **_what(row)}


def _what(row: Row) -> dict[str, Any]:
    what = rows_of.version_of(row)
    sending = what.sending
    return {
        "version_id": what.id,
        "version": row["number"],
        "steps": [
            {
                "offset_days": step.offset_days,
                "after_days": step.after_days,
                "channel": step.channel.value,
                "template_id": step.template_id,
                "mode": step.mode.value,
                "assignee": step.assignee_user_id,
            }
            for step in what.steps
        ],
        "minimum_amount": {code: from_minor(amount, code) for code, amount in what.minimums.items()},
        "ignore_items_under": {code: from_minor(amount, code) for code, amount in what.ignore_under.items()},
        "cap_days": what.cap_days,
        "cap_across_accounts": what.cap_across_accounts,
        "net_credits": what.net_credits,
        "sending": {
            "weekdays": [day + 1 for day in sorted(sending.weekdays)],
            "opens": sending.opens.isoformat("minutes"),
            "closes": sending.closes.isoformat("minutes"),
            "calendar": sending.calendar,
        },
        "published_at": row["published_at"],
        "published_by": row["published_by"],
    }
