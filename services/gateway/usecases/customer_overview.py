"""One customer card from four services, read at the same time in the caller's own name.

Each service decides itself what the caller may see. A part that does not come in time is named, never waited for: a card
without the agenda is worth more than no card.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.kit.http import Peers
from libs.kit.problems import Problem, not_found
from libs.kit.settings import ServiceName

PART_SECONDS = 3.0
_RECENT = 10


@dataclass(frozen=True, slots=True)
class _Part:
    """What is asked of whom, and what of the answer stands on the card. Paths know `customer` and `company`."""

    name: str
    service: ServiceName
    path: str
    query: dict[str, Any]
    pick: Callable[[dict[str, Any]], Any]
    empty: Any


def _itself(answer: dict[str, Any]) -> Any:
    return answer


def _rows(answer: dict[str, Any]) -> Any:
    return answer["data"]


def _only_row(answer: dict[str, Any]) -> Any:
    return answer["data"][0] if answer["data"] else None


_PARTS = (
    _Part("balances", "ledger", "/v1/balances", {"customer_id": "{customer}"}, _rows, []),
    _Part(
        "payment_behaviour", "ledger", "/v1/reports/payment-behaviour", {"customer_id": "{customer}"}, _only_row, None
    ),
    _Part("comments", "ledger", "/v1/companies/{company}/credit-comments", {"limit": _RECENT}, _rows, []),
    _Part("alerts", "risk", "/v1/alerts", {"company_id": "{company}", "limit": _RECENT}, _rows, []),
    _Part("limit", "credit", "/v1/companies/{company}/credit-limit", {}, _itself, None),
    _Part(
        "requests", "credit", "/v1/credit-limit-requests", {"company_id": "{company}", "limit": _RECENT}, _rows, []
    ),
    _Part("agenda", "dunning", "/v1/customers/{customer}/dunning", {}, _itself, None),
    _Part("messages", "dunning", "/v1/messages", {"customer_id": "{customer}", "limit": _RECENT}, _rows, []),
)  # fmt: skip
#: Parts of the card that come from a provider or an insurer: empty while the tenant has none connected.
_UNCONNECTED: dict[str, Any] = {
    "provider_fields": [],
    "monitoring": None,
    "portal_url": None,
    "guarantees": [],
    "insistences": [],
}


async def overview(peers: Peers, token: str, customer_id: UUID) -> dict[str, Any]:
    """The card. Raises 404 for a customer the caller cannot see, 503 `peer_unavailable` when the ledger is down."""
    customer = await peers.get("ledger", f"/v1/customers/{customer_id}", token=token)
    if customer is None:
        raise not_found("customer", customer_id)
    names = {"customer": str(customer_id), "company": customer["company"]["id"]}
    results = await asyncio.gather(*[_read(peers, token, part, names) for part in _PARTS])
    card: dict[str, Any] = {"customer": customer, **_UNCONNECTED}
    missing = []
    for part, (value, reason) in zip(_PARTS, results, strict=True):
        card[part.name] = value
        if reason is not None:
            missing.append({"part": part.name, "service": part.service, "reason": reason})
    return {**card, "missing": missing}


async def _read(peers: Peers, token: str, part: _Part, names: dict[str, str]) -> tuple[Any, str | None]:
    """A part of the card, or its empty value and the reason."""
    query = {
        name: value.format(**names) if isinstance(value, str) else value for name, value in part.query.items()
    }
    try:
        async with asyncio.timeout(PART_SECONDS):
            answer = await peers.get(part.service, part.path.format(**names), query, token=token)
    except TimeoutError:
        return part.empty, "timed_out"
    except Problem as problem:
        return part.empty, problem.code
    return (part.empty, "not_found") if answer is None else (part.pick(answer), None)
