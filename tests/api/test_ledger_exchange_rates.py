"""Exchange rates over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from libs.contracts.events.ledger import RateChanged
from libs.testkit.clients import ServiceClient
from tests.api.ledger_steps import told

MakeClient = Callable[..., Awaitable[ServiceClient]]


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", "ledger:read", "ledger:write", now="2026-03-31")


def rate(base: str, quote: str, valid_on: str, value: Any) -> dict[str, Any]:
    return {"base": base, "quote": quote, "valid_on": valid_on, "rate": value}


async def test_a_push_creates_corrects_and_repeats(ledger: ServiceClient) -> None:
    rates = [rate("CHF", "EUR", "2026-03-30", "1.0400"), rate("USD", "EUR", "2026-03-30", 0.92)]
    first = await ledger.put("/v1/exchange-rates", json={"data": rates})
    assert first.json() == {"received": 2, "created": 2, "updated": 0, "unchanged": 0}
    corrected = [
        rate("CHF", "EUR", "2026-03-30", "1.05"),
        rates[1],
        rate("JPY", "EUR", "2026-03-30", "0.006123456789"),
    ]
    second = await ledger.post("/v1/exchange-rates", json={"data": corrected})
    assert second.json() == {"received": 3, "created": 1, "updated": 1, "unchanged": 1}
    page = (await ledger.get("/v1/exchange-rates")).json()
    shown = [(each["base"], each["rate"]) for each in page["data"]]
    assert shown == [("CHF", "1.05"), ("JPY", "0.006123456789"), ("USD", "0.92")]
    subjects = await told(ledger, "rate.changed")
    states = [(RateChanged.model_validate(s["data"]).base, s["data"]["rate"], s["version"]) for s in subjects]
    assert states == [
        ("CHF", "1.04", 1),
        ("USD", "0.92", 1),
        ("CHF", "1.05", 2),
        ("JPY", "0.006123456789", 1),
    ]
    path = f"/internal/state/rate.changed?tenant_id={ledger.tenant_id}&limit=2"
    one = (await ledger.stack.call("ledger", "GET", path)).json()
    two = (await ledger.stack.call("ledger", "GET", f"{path}&after={one['next']}")).json()
    latest = {subject["id"]: subject for subject in subjects}
    assert {s["id"]: s for s in one["data"] + two["data"]} == latest


async def test_the_list_narrows_and_pages_newest_first(ledger: ServiceClient) -> None:
    rates = [rate(base, "EUR", f"2026-03-{day:02}", "1.5") for base in ("CHF", "USD") for day in range(1, 6)]
    await ledger.put("/v1/exchange-rates", json={"data": rates})
    query = {"base": "CHF", "valid_on_from": "2026-03-02", "valid_on_to": "2026-03-04"}
    page = (await ledger.get("/v1/exchange-rates", params=query)).json()
    assert [each["valid_on"] for each in page["data"]] == ["2026-03-04", "2026-03-03", "2026-03-02"]
    assert (await ledger.get("/v1/exchange-rates?quote=USD")).json()["data"] == []
    seen, cursor = [], ""
    while cursor is not None:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await ledger.get("/v1/exchange-rates", params=query)).json()
        seen += [(each["valid_on"], each["base"]) for each in page["data"]]
        cursor = page["next_cursor"]
    assert seen == [(f"2026-03-{day:02}", base) for day in range(5, 0, -1) for base in ("CHF", "USD")]


@pytest.mark.parametrize(
    ("rates", "code"),
    [
        ([], "too_short"),
        ([rate("CHF", "EUR", "2026-03-30", "0")], "rate_invalid"),
        ([rate("CHF", "EUR", "2026-03-30", "-1")], "rate_invalid"),
        ([rate("CHF", "EUR", "2026-03-30", "1000000000000")], "rate_invalid"),
        ([rate("CHF", "EUR", "2026-03-30", "0.0000000000001")], "rate_invalid"),
        ([rate("CHF", "EUR", "2026-03-30", True)], "rate_invalid"),
        ([rate("CHF", "CHF", "2026-03-30", "1")], "rate_invalid"),
        ([rate("CHF", "EUX", "2026-03-30", "1")], "currency_unknown"),
        ([rate("CHF", "EUR", "2026-02-30", "1")], "date_from_datetime_parsing"),
        ([rate("CHF", "EUR", "2026-03-30", "1"), rate("CHF", "EUR", "2026-03-30", "2")], "duplicate_rate"),
    ],
)
async def test_what_is_no_rate_is_refused(
    ledger: ServiceClient, rates: list[dict[str, Any]], code: str
) -> None:
    response = await ledger.put("/v1/exchange-rates", json={"data": rates})
    assert response.status_code == 422
    assert [error["code"] for error in response.json()["errors"]] == [code]
    assert (await ledger.get("/v1/exchange-rates")).json()["data"] == []
