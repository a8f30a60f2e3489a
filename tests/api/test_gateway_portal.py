"""The reference portal, the documents it draws and the pages of refusals: no key, no internet."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from libs.contracts.events import CATALOGUE, POSTED_ONLY
from libs.testkit.stack import Stack


@pytest.fixture
async def browser(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.url("gateway"), trust_env=False, verify=False) as client:
        yield client


async def test_the_portal_loads_from_its_own_house_only(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/docs")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert {"/docs/portal.js", "/docs/portal.css", "/openapi.json"} <= set(loaded)
    for link in loaded:
        answer = await browser.get(link)
        assert answer.status_code == 200, link
        if link.startswith("/docs/portal"):
            assert "://" not in answer.text, f"{link} loads from elsewhere"
    assert (await browser.get("/docs/problems.json")).status_code == 404
    assert (await browser.get("/docs/..%2Fapp.py")).status_code == 404


async def test_the_documents_may_be_read_by_any_page(browser: httpx.AsyncClient) -> None:
    document = await browser.get("/openapi.json")
    assert document.headers["access-control-allow-origin"] == "*"
    assert document.json()["openapi"] == "3.1.0"
    for event_type in ("item.changed", "webhook_endpoint.pinged"):
        schema = await browser.get(f"/openapi/events/{event_type}.schema.json")
        assert schema.json()["$id"] == f"/openapi/events/{event_type}.schema.json"
    assert (CATALOGUE | POSTED_ONLY).keys() == document.json()["webhooks"].keys()
    for name in ("none.schema.json", "..%2Fgateway.json"):
        assert (await browser.get(f"/openapi/events/{name}")).status_code == 404


async def test_the_type_of_a_refusal_leads_to_its_page(browser: httpx.AsyncClient) -> None:
    refused = (await browser.get("/v1/me")).json()
    page = await browser.get(refused["type"])
    assert page.status_code == 200 and "<code>unauthenticated</code>" in page.text
    assert "Authorization: Bearer" in page.text
    index = (await browser.get("/problems/")).text
    assert 'href="/problems/precondition_failed"' in index
    assert (await browser.get("/problems/rows_have_errors")).status_code == 200
    script = await browser.get("/problems/%3Cscript%3E")
    assert script.status_code == 404 and "<script>" not in script.text
