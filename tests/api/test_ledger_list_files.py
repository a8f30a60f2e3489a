"""Lists as CSV and XLSX: every page, the same filters and perimeter, in bounded memory, and no formulas."""

import csv
import io
import zipfile
from typing import Any

import pytest

from libs.kit import exports
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.ledger_books import TODAY, customer, item, payment

CSV, XLSX = "text/csv", exports.XLSX


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


async def rows(ledger: Any, path: str, **params: Any) -> list[dict[str, str]]:
    response = await ledger.get(path, params=params, headers={"Accept": CSV})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(CSV)
    assert response.headers["content-disposition"] == f'attachment; filename="{path.rsplit("/")[-1]}.csv"'
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_every_list_is_a_file_too(ledger: ServiceClient) -> None:
    lyon = ledger.add_business_unit("lyon")
    main = await customer(
        ledger, external_id="C-1", name="=HYPERLINK(1)", custom_fields={"region": "south"},
        company={"country": "FR", "registration_number": "732829320"},
        contacts=[{"name": "First"}, {"email": "ap@example.com", "role": "dunning"}],
    )  # fmt: skip
    other = await customer(ledger, external_id="C-2", business_unit_id=str(lyon))
    lines = [
        {
            "external_id": f"F-{n:04}", "kind": "invoice", "customer_external_id": "C-1", "issue_date": "2026-01-01",
            "due_date": "2026-02-01", "currency": "EUR", "amount": f"{n}.50",
        }
        for n in range(1, 1_202)
    ]  # fmt: skip
    pushed = await ledger.post("/v1/imports?kind=items&mode=delta", json={"data": lines})
    assert pushed.json()["counts"]["created"] == 1_201
    await item(ledger, other["id"], "7.00", currency="CHF", number="L")
    await payment(ledger, main["id"], "2.00", external_id="P-1", allocate="exact")
    order = {"external_id": "O-1", "customer_id": main["id"], "currency": "EUR", "amount": "9.00"}
    assert (await ledger.post("/v1/orders", json=order)).status_code == 201

    found = await rows(ledger, "/v1/items", kind="invoice", sort="-open_amount", limit=1)
    assert len(found) == 1_202  # every page, whatever the limit
    assert [float(row["open_amount"]) for row in found] == sorted(
        (float(row["open_amount"]) for row in found), reverse=True
    )
    assert (found[0]["external_id"], found[0]["customer_name"]) == ("F-1201", "'=HYPERLINK(1)")
    assert [row["number"] for row in await rows(ledger, "/v1/items", currency="CHF")] == ["L"]
    (account,) = await rows(ledger, "/v1/customers", q="C-1")
    assert (account["registration_number"], account["contact_email"]) == ("732829320", "ap@example.com")
    assert account["custom_fields"] == '{"region": "south"}'
    assert [row["name"] for row in await rows(ledger, "/v1/companies", country="FR")] == ["'=HYPERLINK(1)"]
    (paid,) = await rows(ledger, "/v1/payments")
    assert (paid["amount"], paid["unallocated_amount"], paid["paid_on"]) == ("2.00", "2.00", "2026-03-20")
    assert [row["external_id"] for row in await rows(ledger, "/v1/orders")] == ["O-1"]
    assert await rows(ledger, "/v1/orders", status="closed") == []

    narrow = ledger.acting("ledger:read", perimeter=[lyon])
    assert [row["number"] for row in await rows(narrow, "/v1/items")] == ["L"]
    assert [row["external_id"] for row in await rows(narrow, "/v1/customers")] == ["C-2"]
    assert await rows(narrow, "/v1/payments") == []
    refused = await ledger.get("/v1/items?sort=colour", headers={"Accept": CSV})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "sort_unknown")

    book = await ledger.get("/v1/items?kind=invoice", headers={"Accept": XLSX})
    assert book.headers["content-type"] == XLSX
    sheet = zipfile.ZipFile(io.BytesIO(book.content)).read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 1_203
    assert "<f>" not in sheet


async def test_no_more_than_may_be(ledger: ServiceClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await customer(ledger)
    monkeypatch.setattr(exports, "MOST_XLSX_ROWS", 0)
    refused = await ledger.get("/v1/customers", headers={"Accept": XLSX})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_rows")
    assert len(await rows(ledger, "/v1/customers")) == 1  # CSV goes on; and the refused one left its place
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 0)
    busy = await ledger.get("/v1/customers", headers={"Accept": CSV})
    assert (busy.status_code, busy.json()["code"]) == (503, "exports_busy")
    assert busy.headers["retry-after"] == "5"
    assert (await ledger.get("/v1/customers")).status_code == 200
