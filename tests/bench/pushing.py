"""Item rows of some 240 bytes of JSON, and pushing them through the gateway."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

BATCH = 10_000
CUSTOMERS = 2_000


def row(place: int, *, amount: int | None = None) -> dict[str, Any]:
    """An invoice, the same for the same place."""
    figure = amount or place * 7919 % 999_999 + 100
    return {
        "kind": "invoice",
        "external_id": f"INV-{place:08d}",
        "number": f"F{place:08d}",
        "customer_external_id": f"C{place % CUSTOMERS:05d}",
        "issue_date": f"2026-0{place % 6 + 1}-{place % 28 + 1:02d}",
        "due_date": f"2026-0{place % 6 + 2}-{place % 28 + 1:02d}",
        "currency": "EUR",
        "amount": f"{figure // 100}.{figure % 100:02d}",
        "reference": f"PO {place}",
    }


def lines(rows: Sequence[dict[str, Any]]) -> bytes:
    """NDJSON."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in rows)


def bodies(count: int, start: int = 0) -> list[bytes]:
    """Requests of 10,000 new rows."""
    return [
        lines([row(place) for place in range(first, first + BATCH)])
        for first in range(start, start + count, BATCH)
    ]


async def push(client: httpx.AsyncClient, body: bytes, **query: str) -> dict[str, Any]:
    """One request; the import."""
    response = await client.post(
        "/v1/imports",
        params={"kind": "items", "source": "bench", **query},
        content=body,
        headers={"content-type": "application/x-ndjson"},
    )
    response.raise_for_status()
    made: dict[str, Any] = response.json()
    return made


async def push_all(client: httpx.AsyncClient, requests: Sequence[bytes], **query: str) -> float:
    """All requests, two in flight; seconds."""
    waiting = list(reversed(requests))

    async def one_after_the_other() -> None:
        while waiting:
            made = await push(client, waiting.pop(), **query)
            assert made["counts"]["rejected"] == 0, made["errors"][:3]

    begun = time.perf_counter()
    await asyncio.gather(one_after_the_other(), one_after_the_other())
    return time.perf_counter() - begun


async def ended(client: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    """A large import at its end."""
    while made["status"] == "processing":
        response = await client.get(f"/v1/imports/{made['id']}", params={"wait": 30})
        response.raise_for_status()
        made = response.json()
    assert made["status"] == "completed", made
    return made


async def make_customers(client: httpx.AsyncClient) -> None:
    """The customers that rows name."""
    rows = [
        {"external_id": f"C{place:05d}", "name": f"Buyer {place}", "payment_terms": {"days": 30}}
        for place in range(CUSTOMERS)
    ]
    await push(client, lines(rows), kind="customers")
