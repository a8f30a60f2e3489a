"""Shorthands of the tests of imports: rows, pushes, and what the ledger holds afterwards."""

import json
from collections.abc import Iterable
from typing import Any

import httpx

from libs.testkit.clients import CheckedClient

NDJSON = "application/x-ndjson"
TODAY = "2026-03-31"


def invoice(place: int = 1, /, **other: Any) -> dict[str, Any]:
    """A good invoice of customer C-1; a value of None takes a member away."""
    row = {
        "kind": "invoice",
        "external_id": f"INV-{place}",
        "customer_external_id": "C-1",
        "issue_date": "2026-03-01",
        "due_date": "2026-03-31",
        "currency": "EUR",
        "amount": "100.00",
        **other,
    }
    return {name: value for name, value in row.items() if value is not None}


def ndjson(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


async def send(
    client: CheckedClient,
    body: bytes,
    *,
    media_type: str = NDJSON,
    headers: dict[str, str] | None = None,
    **query: Any,
) -> httpx.Response:
    """A body to /v1/imports; kind=items unless told otherwise, customers made on the fly."""
    asked = {"kind": "items", "create_customers": "true", **query}
    params = {name: str(value).lower() if value is True else value for name, value in asked.items()}
    return await client.post(
        "/v1/imports", params=params, content=body, headers={"content-type": media_type, **(headers or {})}
    )


async def push(client: CheckedClient, *rows: dict[str, Any], **query: Any) -> dict[str, Any]:
    """Rows as NDJSON, answered 200; the import."""
    response = await send(client, ndjson(rows), **query)
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


def counts(made: dict[str, Any]) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in made["counts"].items() if count}


async def listed(client: CheckedClient, **query: Any) -> dict[str, dict[str, Any]]:
    """Items by external id."""
    found: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        response = await client.get("/v1/items", params={"limit": 200, **query, **cursor})
        assert response.status_code == 200, response.text
        page = response.json()
        found |= {item["external_id"]: item for item in page["data"]}
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
