"""The customer's own page: seen by link, answered in a real browser, closed in time, and nobody else's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from libs.testkit.plugin import chromium
from libs.testkit.tenant import TestTenant

MONDAY = "2026-03-02T09:00:00+01:00"


@pytest.fixture
async def house(make_tenant) -> TestTenant:
    return await make_tenant(now=MONDAY, name="Aciéries du Rhône")


async def buyer(house: TestTenant, number: str, amount: str, name: str) -> tuple[str, str]:
    """(customer, item)."""
    body = {
        "external_id": number, "name": name, "language": "fr", "currency": "EUR", "company": {"country": "FR", "name": name},
        "contacts": [{"name": "Mme Petit", "email": f"{number}@example.com", "role": "accounting", "language": "fr"}],
        "address": {"line1": "1 rue de la Paix", "city": "Lyon", "country": "FR"},
    }  # fmt: skip
    customer = (await house.client.post("/v1/customers", json=body)).json()["id"]
    item = {
        "kind": "invoice", "external_id": f"F-{number}", "number": f"F-{number}", "customer_id": customer,
        "issue_date": "2026-01-15", "due_date": "2026-02-20", "currency": "EUR", "amount": amount,
    }  # fmt: skip
    item_id = (await house.client.post("/v1/items", json=item)).json()["id"]
    await house.settle()
    return str(customer), str(item_id)


async def link(house: TestTenant, customer: str, **more: Any) -> dict[str, Any]:
    made = await house.client.post(
        f"/v1/customers/{customer}/links", json={"contact_name": "Mme Petit", **more}
    )
    assert made.status_code == 201, made.text
    body: dict[str, Any] = made.json()
    return body


@pytest.mark.feature("F104", "G15")
async def test_a_link_shows_one_customers_items_takes_its_answers_and_ends(house: TestTenant) -> None:
    customer, item = await buyer(house, "C1", "1000.00", "<b>Fonderie</b> & Fils")
    _, foreign = await buyer(house, "C2", "777.00", "Autre client")
    made, public = await link(house, customer), house.client_of(None)
    path = made["path"]

    shown = await public.get(path)
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert (shown.headers["referrer-policy"], shown.headers["cache-control"]) == ("no-referrer", "no-store")
    assert "F-C1" in shown.text and "&lt;b&gt;Fonderie&lt;/b&gt; &amp; Fils" in shown.text
    assert "F-C2" not in shown.text and "777" not in shown.text
    statement = (await public.get(f"{path}/statement")).json()
    assert ([one["id"] for one in statement["items"]], statement["totals"]) == ([item], {"EUR": "1000.00"})

    answers = f"{path}/answers"
    for bad in (
        {"kind": "promise", "item_ids": [foreign], "date": "2026-03-12"},
        {"kind": "promise", "item_ids": [item]},
        {"kind": "promise", "item_ids": [item], "date": "2026-03-01"},
        {"kind": "write_off", "item_ids": [item]},
    ):
        assert (await public.post(answers, json=bad)).status_code == 422, bad
    assert (await house.client.get("/v1/replies")).json()["data"] == []
    good = {
        "kind": "dispute", "item_ids": [item], "comment": "Livraison abîmée",
        "files": [{"filename": "photo.txt", "content_type": "text/plain", "content": "YWJjZA=="}],
    }  # fmt: skip
    assert (await public.post(answers, json=good)).json() == {"status": "received"}
    assert (await public.post(answers, json=good)).json() == {"status": "duplicate"}
    (reply,) = (await house.client.get("/v1/replies", params={"state": "open"})).json()["data"]
    assert (reply["source"], reply["customer_id"], reply["items"]) == ("page", customer, [item])
    file = await house.client.get(f"/v1/replies/{reply['id']}/attachments/0")
    assert (file.content, file.headers["content-disposition"][:10]) == (b"abcd", "attachment")
    accepted = await house.client.post(f"/v1/replies/{reply['id']}/accept", json={})
    assert accepted.status_code == 200, accepted.text
    (dispute,) = (await house.client.get("/v1/disputes", params={"customer_id": customer})).json()["data"]
    assert dispute["state"] == "open"

    (listed,) = (await house.client.get(f"/v1/customers/{customer}/links")).json()["data"]
    assert "path" not in listed and listed["uses"] >= 2
    revoked = await house.client.post(f"/v1/customer-links/{made['id']}/revoke")
    assert revoked.json()["revoked_at"] is not None
    closed = await public.get(path)
    assert closed.status_code == 410 and "Ce lien a expiré" in closed.text and "F-C1" not in closed.text
    gone = await public.get(f"{path}/statement")
    assert (gone.status_code, gone.json()["code"]) == (410, "link_expired")
    assert (await public.post(answers, json=good)).status_code == 410
    assert (await public.get("/v1/pages/" + "x" * 43)).status_code == 404

    again = await link(house, customer, days=1)
    await house.stack.sql(
        "dunning",
        "UPDATE customer_links SET expires_at = now() - interval '1 second' WHERE id = $1",
        again["id"],
    )
    assert (await public.get(again["path"])).status_code == 410


@pytest.fixture
async def page() -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        context = await browser.new_context(locale="fr-FR", java_script_enabled=False)
        yield await context.new_page()
        await browser.close()


@pytest.mark.browser
@pytest.mark.feature("F104", "G15")
async def test_a_customer_promises_in_a_browser_without_scripts(
    house: TestTenant, page: Any, tmp_path: Path
) -> None:
    settings = await house.client.patch("/v1/settings", json={"pages_url": house.stack.url("gateway")})
    assert settings.status_code == 200, settings.text
    customer, item = await buyer(house, "C1", "1000.00", "Fonderie des Alpes")
    await house.settle()
    assert (await house.client.post("/v1/dunning-runs", json={})).status_code == 202
    await house.settle()
    (mail,) = (await house.client.get("/v1/sandbox/mails")).json()["data"]
    (url,) = {word for word in mail["text"].split() if "/v1/pages/" in word}
    assert f'href="{url}"' in mail["html"]

    answer = await page.goto(url)
    assert answer.status == 200
    assert await page.locator("html").get_attribute("lang") == "fr"
    assert await page.title() == await page.locator("h1").inner_text()
    await page.get_by_label("F-C1").check()  # found by its label: so does a screen reader
    await page.get_by_label("Je paierai le").check()
    await page.get_by_role("button", name="Envoyer").click()
    assert "une promesse demande une date" in await page.get_by_role("alert").inner_text()

    proof = tmp_path / "ordre de virement.pdf"
    proof.write_bytes(b"%PDF-1.4 proof")
    await page.get_by_label("F-C1").check()
    await page.get_by_label("Je paierai le").check()
    await page.get_by_label("Date de paiement").fill("2026-03-12")
    await page.get_by_label("Commentaire").fill("Virement ordonné <script>")
    await page.get_by_label("Joindre un fichier").set_input_files(str(proof))
    await page.get_by_label("Joindre un fichier").focus()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.type") == "submit"
    await page.keyboard.press("Enter")
    assert "Votre réponse est bien reçue" in await page.get_by_role("status").inner_text()

    (reply,) = (await house.client.get("/v1/replies", params={"state": "open"})).json()["data"]
    assert (reply["items"], reply["proposals"][0]["kind"], reply["proposals"][0]["on"]) == (
        [item],
        "promise",
        "2026-03-12",
    )
    assert (reply["sender_email"], reply["text"]) == ("C1@example.com", "Virement ordonné <script>")
    file = await house.client.get(f"/v1/replies/{reply['id']}/attachments/0")
    assert file.content == b"%PDF-1.4 proof"
    assert (await house.client.post(f"/v1/replies/{reply['id']}/accept", json={})).status_code == 200
    (promise,) = (await house.client.get("/v1/promises", params={"customer_id": customer})).json()["data"]
    assert (promise["promised_on"], promise["item_ids"]) == ("2026-03-12", [item])
