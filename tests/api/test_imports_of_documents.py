"""Electronic invoices pushed as they are: one row of items, for the customer its buyer is, in its seller's business unit."""

import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, counts, listed
from tests.api.ledger_books import customer, payment, require_sound
from tests.unit.ledger_einvoice.documents import buyer, cii, ubl
from tests.unit.ledger_einvoice.test_einvoices import LAUGHS, pdf_with

XML, PDF = "application/xml", "application/pdf"


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


async def send(
    ledger: Any, body: bytes, media_type: str = XML, headers: dict[str, str] | None = None, **query: Any
) -> httpx.Response:
    response: httpx.Response = await ledger.post(
        "/v1/imports",
        params={"kind": "items", **query},
        content=body,
        headers={"content-type": media_type, **(headers or {})},
    )
    return response


async def taken(ledger: Any, body: bytes, media_type: str = XML, **query: Any) -> dict[str, Any]:
    response = await send(ledger, body, media_type, **query)
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


@pytest.mark.feature("F3", "L2")
async def test_an_invoice_becomes_an_item_of_the_customer_that_its_buyer_is(ledger: ServiceClient) -> None:
    company = {"country": "FR", "registration_number": "732829320"}
    account = await customer(ledger, external_id="K-1", company=company)
    made = await taken(ledger, ubl(prepaid="20.00", payable="100.00"), source="chorus")
    assert (counts(made), made["errors"]) == ({"received": 1, "created": 1}, [])
    assert made["totals"] == [
        {"currency": "EUR", "received": "120.00", "accepted": "120.00", "rejected": "0.00"}
    ]
    (item,) = (await listed(ledger)).values()
    shown = {
        name: item[name]
        for name in ("external_id", "kind", "customer_id", "amount", "open_amount", "due_date", "source", "reference")
    }  # fmt: skip
    assert shown == {
        "external_id": "F-1", "kind": "invoice", "customer_id": account["id"], "amount": "120.00", "open_amount": "100.00",
        "due_date": "2026-03-31", "source": "chorus", "reference": "PO 45",
    }  # fmt: skip

    # Paid meanwhile; the same document again knows nothing of it, and changes nothing.
    await payment(ledger, account["id"], "100.00", allocate="oldest")
    again = await taken(ledger, ubl(prepaid="20.00", payable="100.00"), source="chorus")
    assert counts(again) == {"received": 1, "unchanged": 1}
    assert (await listed(ledger))["F-1"]["status"] == "closed"

    # A credit note in a PDF, deflated on the wire, under an idempotency key.
    body = gzip.compress(pdf_with(("factur-x.xml", cii(number="AV-1", type_code="381"))))
    for replayed in (None, "true"):
        answer = await send(ledger, body, PDF, {"idempotency-key": "one"})
        assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (200, replayed)
    credit = (await listed(ledger))["AV-1"]
    assert (credit["kind"], credit["open_amount"], credit["customer_id"]) == (
        "credit_note",
        "-120.00",
        account["id"],
    )
    await require_sound(ledger)


async def test_which_customer_and_which_unit(ledger: ServiceClient) -> None:
    unknown = await taken(ledger, ubl())
    assert [(error["pointer"], error["code"]) for error in unknown["errors"]] == [
        ("/customer_external_id", "customer_unknown")
    ]
    made = await taken(ledger, ubl(), create_customers="true")
    assert counts(made) == {"received": 1, "created": 1}
    (found,) = (await ledger.get("/v1/customers")).json()["data"]
    assert (found["external_id"], found["name"], found["address"]) == (
        "732829320", "Aciéries du Rhône", {"city": "Lyon", "country": "FR"},
    )  # fmt: skip
    assert (found["company"]["registration_number"], found["company"]["vat_number"]) == (
        "732829320",
        "FR44732829320",
    )
    await taken(ledger, ubl(number="F-2"))  # known by now
    nameless = buyer(legal="", vat="", name="Boulangerie Martin")
    for number in ("F-3", "F-4"):
        await taken(ledger, ubl(number=number, buyer=nameless), create_customers="true")
    assert len((await ledger.get("/v1/customers")).json()["data"]) == 2

    # Two customers of one company: only our own number says which.
    await customer(ledger, external_id="K-2", company={"country": "FR", "registration_number": "732829320"})
    await ledger.patch(f"/v1/customers/{found['id']}", json={"external_id": "K-1"})
    refused = await send(ledger, ubl(number="F-5"))
    assert (refused.status_code, refused.json()["code"]) == (422, "customer_ambiguous")
    await taken(ledger, ubl(number="F-5", buyer=buyer("K-2")))
    assert (await listed(ledger))["F-5"]["customer_external_id"] == "K-2"

    lyon = ledger.add_business_unit("lyon")
    await ledger.settle()
    await taken(ledger, ubl(number="F-6", seller="Lyon"), create_customers="true")
    assert (await listed(ledger))["F-6"]["business_unit_id"] == str(lyon)
    elsewhere = ledger.acting("ledger:write", "ledger:read", perimeter=[ledger.main_business_unit_id])
    made = await taken(elsewhere, ubl(number="F-7", seller="Lyon", buyer=buyer("K-2")))
    assert (await listed(ledger))["F-7"]["business_unit_id"] == str(ledger.main_business_unit_id)


async def test_what_cannot_be_taken_is_named_and_changes_nothing(ledger: ServiceClient) -> None:
    await customer(ledger, external_id="K-1")
    for body, media_type, code in (
        (b"<a", XML, "xml_invalid"),
        (LAUGHS + b"<a>&c;</a>", "text/xml", "doctype_refused"),
        (b"<a/>", XML, "document_not_invoice"),
        (ubl(), PDF, "pdf_invalid"),
        (gzip.compress(ubl())[:-9], XML, "gzip_truncated"),
    ):
        refused = await send(ledger, body, media_type, create_customers="true")
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        failed = (await ledger.get(f"/v1/imports/{refused.json()['import_id']}")).json()
        assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    undated = await taken(ledger, ubl(due=None, buyer=buyer("K-1")), create_customers="true")
    assert counts(undated) == {"received": 1, "created": 1}  # by the customer's terms
    too_fine = {"payable": "1.005", "total": "1.005"}
    for given, pointer in (
        ({"number": ""}, "/external_id"),
        ({"issued": "2026-02-30"}, "/issue_date"),
        (too_fine, "/amount"),
    ):
        made = await taken(ledger, ubl(**{"buyer": buyer("K-1"), **given}))
        assert [error["pointer"] for error in made["errors"]] == [pointer], made
    for query, member in (({"kind": "customers"}, "?kind"), ({"mode": "snapshot"}, "?mode")):
        refused = await send(ledger, ubl(), **query)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, member)
    ledger.allow(413)
    large = await send(ledger, gzip.compress(b"<a>" + b"x" * (21 * 1024**2) + b"</a>", 1))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    assert len(await listed(ledger)) == 1


@pytest.mark.data
async def test_real_documents_land(ledger: ServiceClient, data_dir: Path) -> None:
    done: list[tuple[int, int]] = []
    for path in sorted((data_dir / "einvoice" / "pdf").rglob("*.pdf")):
        made = await taken(ledger, path.read_bytes(), PDF, create_customers="true")
        done.append((made["counts"]["received"], made["counts"]["rejected"]))
        assert all(error["code"] == "due_date_unknown" for error in made["errors"]), made
    assert len(done) == 16
    assert sum(received - rejected for received, rejected in done) >= 12
    await require_sound(ledger)
