"""Providers of company data: what can be connected, what each supplies, whom to believe."""

from typing import Any

from fastapi import Response

from libs.kit.paging import Page
from libs.kit.problems import FieldError, Problem
from libs.kit.responses import reply
from libs.kit.route import Ctx, Router, scope
from services.risk.api.provider_schemas import Policy, PolicyInput, ProviderShown
from services.risk.domain.values import DEFAULT_RULES
from services.risk.providers.port import Adapter
from services.risk.providers.registry import ADAPTERS
from services.risk.storage import connections as rows_of
from services.risk.usecases import connections
from services.risk.usecases.canonical import BETTER

router = Router("Providers")


@router.get(
    "/providers",
    response_model=Page[ProviderShown],
    summary="List providers",
    openapi_extra=scope("risk:read"),
)
async def list_providers(ctx: Ctx) -> Response:
    """Every provider that can be connected, with its capability matrix: what it never supplies is not "no data"."""
    return reply({"data": [_shown(ADAPTERS[key]) for key in sorted(ADAPTERS)], "next_cursor": None})


@router.get(
    "/provider-policy",
    response_model=Policy,
    summary="Show the conflict policy",
    openapi_extra=scope("risk:read"),
)
async def get_provider_policy(ctx: Ctx) -> Response:
    """Which connection is believed where two know the same field of a company."""
    return reply({"rules": await rows_of.rules(ctx.tx), "defaults": _defaults()})


@router.put(
    "/provider-policy", response_model=Policy, summary="Set the conflict policy", openapi_extra=scope("admin")
)
async def set_provider_policy(ctx: Ctx, body: PolicyInput) -> Response:
    """Replace the rules; every company's values are chosen anew."""
    unknown = sorted(set(body.rules) - set(BETTER))
    if unknown:
        expected = f"expected some of {', '.join(sorted(BETTER))}"
        errors = [FieldError(f"/rules/{name}", "field_unknown", expected) for name in unknown]
        raise Problem(422, "invalid", "The policy names fields that do not exist.", errors=errors)
    return reply({"rules": await connections.set_policy(ctx.tx, body.rules), "defaults": _defaults()})


def _defaults() -> dict[str, str]:
    return {name: DEFAULT_RULES.get(name, "priority") for name in BETTER}


def _shown(adapter: Adapter) -> dict[str, Any]:
    return {
        "key": adapter.key,
        "title": adapter.title,
        "products": [{"key": product.key, "title": product.title} for product in adapter.products],
        "credentials": [
            {"name": one.name, "title": one.title, "secret": one.secret, "required": one.required}
            for one in adapter.credentials
        ],
        "options_schema": adapter.options_schema(),
        "default_base_url": adapter.default_base_url,
        "mapping_version": adapter.mapping_version,
        "capabilities": adapter.capabilities({}).as_json(),
        "unknown": list(adapter.unknown),
    }
