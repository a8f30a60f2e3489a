"""One customer card from four services, read at the same time in the caller's own name.

Each service decides itself what the caller may see. A part that does not come in time is named, never waited for: a card
without the agenda is worth more than no card.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from libs.kit.http import Peers
from libs.kit.problems import Problem, not_found
from libs.kit.settings import ServiceName
from services.gateway.domain import card

PART_SECONDS = 3.0
_RECENT = 10


@dataclass(frozen=True, slots=True)
class _Source:
    """One call: whom, and what. Paths and queries know `customer` and `company`."""

    service: ServiceName
    path: str
    query: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of the card: made of what some sources answered, or empty when one of them did not."""

    sources: tuple[str, ...]
    make: Callable[..., Any]
    empty: Any


def _itself(answer: dict[str, Any]) -> Any:
    return answer


def _rows(answer: dict[str, Any]) -> Any:
    return answer["data"]


def _only_row(answer: dict[str, Any]) -> Any:
    return answer["data"][0] if answer["data"] else None


_OF_CUSTOMER = {"customer_id": "{customer}"}
_OF_COMPANY = {"company_id": "{company}", "limit": _RECENT}
_SOURCES = {
    "balances": _Source("ledger", "/v1/balances", _OF_CUSTOMER),
    "payment_behaviour": _Source("ledger", "/v1/reports/payment-behaviour", _OF_CUSTOMER),
    "comments": _Source("ledger", "/v1/companies/{company}/credit-comments", {"limit": _RECENT}),
    "risk": _Source("risk", "/v1/companies/{company}/risk", {}),
    "changes": _Source("risk", "/v1/companies/{company}/risk/history", {"limit": 200}),
    "connections": _Source("risk", "/v1/provider-connections", {"limit": 200}),
    "alerts": _Source("risk", "/v1/alerts", _OF_COMPANY),
    "limit": _Source("credit", "/v1/companies/{company}/credit-limit", {}),
    "requests": _Source("credit", "/v1/credit-limit-requests", _OF_COMPANY),
    "guarantees": _Source("credit", "/v1/companies/{company}/guarantees", {"limit": 50}),
    "guarantee_requests": _Source("credit", "/v1/guarantee-requests", _OF_COMPANY),
    "insistences": _Source("credit", "/v1/insistences", _OF_COMPANY),
    "agenda": _Source("dunning", "/v1/customers/{customer}/dunning", {}),
    "messages": _Source("dunning", "/v1/messages", {**_OF_CUSTOMER, "limit": _RECENT}),
}


def _members(may_add: bool) -> dict[str, _Member]:
    return {
        "balances": _Member(("balances",), _rows, []),
        "payment_behaviour": _Member(("payment_behaviour",), _only_row, None),
        "comments": _Member(("comments",), _rows, []),
        "alerts": _Member(("alerts",), _rows, []),
        "provider_fields": _Member(("risk", "changes"), card.provider_fields, []),
        "monitoring": _Member(("risk", "connections"), partial(card.monitoring, may_add=may_add), None),
        "series": _Member(("risk",), lambda risk: risk["series"], {}),
        "portal_url": _Member(("risk",), lambda risk: risk["portal_url"], None),
        "sparkline_url": _Member(("risk",), card.sparkline_url, None),
        "limit": _Member(("limit",), _itself, None),
        "requests": _Member(("requests",), _rows, []),
        "guarantees": _Member(("guarantees",), _rows, []),
        "guarantee_requests": _Member(("guarantee_requests",), _rows, []),
        "insistences": _Member(("insistences",), _rows, []),
        "agenda": _Member(("agenda",), _itself, None),
        "messages": _Member(("messages",), _rows, []),
    }


async def overview(
    peers: Peers, token: str, customer_id: UUID, *, may_add: bool, series: Sequence[str] = ()
) -> dict[str, Any]:
    """The card. may_add: whether the caller may have companies monitored. series: provider fields whose values over time
    are wanted, too.

    Raises 404 for a customer the caller cannot see, 503 `peer_unavailable` when the ledger is down.
    """
    customer = await peers.get("ledger", f"/v1/customers/{customer_id}", token=token)
    if customer is None:
        raise not_found("customer", customer_id)
    names = {"customer": str(customer_id), "company": customer["company"]["id"]}
    sources = {
        **_SOURCES,
        "risk": replace(_SOURCES["risk"], query={"series": list(series)} if series else {}),
    }
    read = await asyncio.gather(*[_read(peers, token, source, names) for source in sources.values()])
    answers = dict(zip(_SOURCES, read, strict=True))
    shown: dict[str, Any] = {"customer": customer}
    missing = []
    for name, member in _members(may_add).items():
        failed = next((source for source in member.sources if answers[source][1] is not None), None)
        if failed is None:
            shown[name] = member.make(*[answers[source][0] for source in member.sources])
        else:
            shown[name] = member.empty
            missing.append({"part": name, "service": _SOURCES[failed].service, "reason": answers[failed][1]})
    return {**shown, "missing": missing}


async def _read(
    peers: Peers, token: str, source: _Source, names: dict[str, str]
) -> tuple[dict[str, Any], str | None]:
    """What a source answered, or the reason why it did not."""
    query = {
        name: value.format(**names) if isinstance(value, str) else value
        for name, value in source.query.items()
    }
    try:
        async with asyncio.timeout(PART_SECONDS):
            answer = await peers.get(source.service, source.path.format(**names), query, token=token)
    except TimeoutError:
        return {}, "timed_out"
    except Problem as problem:
        return {}, problem.code
    return ({}, "not_found") if answer is None else (answer, None)
