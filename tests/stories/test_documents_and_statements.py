"""What a credit manager sends and receives on paper: an e-invoice goes in, a statement comes out, lists go to a spreadsheet."""

import csv
import io

import pypdf
import pytest

from libs.testkit.plugin import MakeTenant
from tests.unit.ledger_einvoice.documents import buyer, cii, ubl
from tests.unit.ledger_einvoice.test_einvoices import pdf_with


@pytest.mark.feature("L2", "L3", "F4")
async def test_documents_in_and_out(make_tenant: MakeTenant) -> None:
    tenant = await make_tenant(now="2026-04-15T09:00:00+02:00")
    erp = tenant.client

    async def push(body: bytes, media_type: str, query: str) -> dict[str, object]:
        answer = await erp.post(
            f"/v1/imports?kind=items{query}", content=body, headers={"content-type": media_type}
        )
        assert answer.status_code == 200, answer.text
        made: dict[str, object] = answer.json()
        assert made["errors"] == []
        return made

    await push(ubl(buyer=buyer("C-7")), "application/xml", "&create_customers=true")
    factur_x = pdf_with(("factur-x.xml", cii(number="AV-1", type_code="381")))
    await push(factur_x, "application/pdf", "")

    (customer,) = (await erp.get("/v1/customers?q=acieries")).json()["data"]
    assert (customer["external_id"], customer["company"]["registration_number"]) == ("C-7", "732829320")
    assert (await erp.patch(f"/v1/customers/{customer['id']}", json={"language": "fr"})).status_code == 200

    path = f"/v1/customers/{customer['id']}/statement"
    printed = await erp.get(path, headers={"accept": "application/pdf"})
    assert printed.headers["content-type"] == "application/pdf"
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed.content)).pages)
    for expected in ("Relevé de compte", "15 avril 2026", "F-1", "AV-1", "120,00", "-120,00", "1 / 1"):
        assert expected in text.replace("\u00a0", " "), text
    lines = (await erp.get(path)).json()["data"]
    assert [(line["kind"], line["balance"]) for line in lines] == [
        ("invoice", "120.00"),
        ("credit_note", "0.00"),
    ]

    file = await erp.get("/v1/items?kind=invoice", headers={"accept": "text/csv"})
    assert file.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(file.text))
    assert (row["external_id"], row["open_amount"], row["days_late"]) == ("F-1", "120.00", "15")

    refused = await erp.post(
        "/v1/imports?kind=items",
        content=b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        headers={"content-type": "application/xml"},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "doctype_refused")
