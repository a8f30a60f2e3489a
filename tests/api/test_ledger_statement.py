"""The account statement over HTTP: running balance, totals, past days, pages, CSV, XLSX, PDF."""

import csv
import io
import re
import zipfile

import httpx
import pypdf
import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.ledger_books import TODAY, customer, item, payment


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


@pytest.fixture
async def account(ledger: ServiceClient) -> str:
    """Three invoices and a credit note in EUR, one of them paid; one invoice in CHF."""
    made = (await customer(ledger))["id"]
    await item(ledger, made, "100.00", number="A", issue_date="2026-01-10", due_date="2026-02-10")
    await item(
        ledger, made, "200.00", number="B", issue_date="2026-02-10", due_date="2026-03-10", reference="=1+1"
    )
    await item(ledger, made, "30.00", number="C", issue_date="2026-02-20", kind="credit_note")
    await item(ledger, made, "400.00", number="D", issue_date="2026-03-20", due_date="2026-04-20")
    await item(
        ledger, made, "7.00", number="E", issue_date="2026-03-01", currency="CHF", due_date="2026-05-01"
    )
    await payment(ledger, made, "150.00", paid_on="2026-03-15", allocate="oldest")
    return made


async def read(ledger: ServiceClient, account: str, **params: object) -> dict:
    response = await ledger.get(f"/v1/customers/{account}/statement", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def lines(statement: dict) -> list[tuple[str, str, str]]:
    return [(each["number"], each["open_amount"], each["balance"]) for each in statement["data"]]


async def test_open_items_with_running_balance_and_totals(ledger: ServiceClient, account: str) -> None:
    statement = await read(ledger, account)
    assert statement["as_of"] == TODAY
    assert lines(statement) == [
        ("E", "7.00", "7.00"),
        ("B", "150.00", "150.00"),
        ("C", "-30.00", "120.00"),
        ("D", "400.00", "520.00"),
    ]
    assert statement["data"][1]["days_late"] == 21
    assert statement["totals"] == [
        {"currency": "CHF", "outstanding": "7.00", "not_due": "7.00", "overdue": "0.00", "credits": "0.00", "items_count": 1},
        {
            "currency": "EUR", "outstanding": "520.00", "not_due": "400.00", "overdue": "150.00", "credits": "-30.00",
            "items_count": 3,
        },
    ]  # fmt: skip
    assert lines(await read(ledger, account, currency="CHF")) == [("E", "7.00", "7.00")]


async def test_closed_items_too(ledger: ServiceClient, account: str) -> None:
    every = [
        (number, left) for number, left, _ in lines(await read(ledger, account, items="all", currency="EUR"))
    ]
    assert every == [("A", "0.00"), ("B", "150.00"), ("C", "-30.00"), (None, "0.00"), ("D", "400.00")]


async def test_as_of_a_past_day(ledger: ServiceClient, account: str) -> None:
    before = await read(ledger, account, as_of="2026-03-14", currency="EUR")
    assert lines(before) == [("A", "100.00", "100.00"), ("B", "200.00", "300.00"), ("C", "-30.00", "270.00")]
    assert before["data"][0]["days_late"] == 32
    assert before["totals"][0]["overdue"] == "300.00"
    assert lines(await read(ledger, account, as_of="2026-01-09")) == []
    refused = await ledger.get(f"/v1/customers/{account}/statement", params={"as_of": "2026-04-01"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "date_in_future")


async def test_pages_go_on_with_the_balance(ledger: ServiceClient, account: str) -> None:
    whole, cursor = [], None
    while True:
        page = await read(ledger, account, limit=1, **({"cursor": cursor} if cursor else {}))
        assert page["totals"][1]["outstanding"] == "520.00"  # over all, whatever the page
        whole += lines(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert whole == lines(await read(ledger, account))


async def test_as_csv_without_formulas(ledger: ServiceClient, account: str) -> None:
    response = await ledger.get(f"/v1/customers/{account}/statement?limit=1", headers={"Accept": "text/csv"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["number"], row["open_amount"], row["balance"]) for row in rows] == [
        ("E", "7.00", "7.00"), ("B", "150.00", "150.00"), ("C", "-30.00", "120.00"), ("D", "400.00", "520.00"),
    ]  # fmt: skip
    assert rows[1]["reference"] == "'=1+1"


def printed(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(response.content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


@pytest.mark.feature("L3")
async def test_printed_in_the_customers_language(ledger: ServiceClient, account: str) -> None:
    path = f"/v1/customers/{account}/statement"
    await ledger.patch(f"/v1/customers/{account}", json={"language": "fr", "address": {"city": "Lyon"}})
    first = await ledger.get(path, headers={"Accept": "application/pdf"})
    shown = printed(first)
    for expected in (
        "Relevé de compte", "Arrêté au 31 mars 2026", "Lyon", "CHF", "7,00 CHF", "10/03/2026", "150,00 €", "-30,00 €",
        "520,00 €", "Avoirs et acomptes", "1 / 1",
    ):  # fmt: skip
        assert expected in shown, shown
    again = await ledger.get(path, headers={"Accept": "application/pdf"})
    assert again.content == first.content

    await ledger.patch(f"/v1/customers/{account}", json={"language": "en"})
    english = printed(await ledger.get(path, headers={"Accept": "application/pdf"}))
    assert "Statement of account As of 31 March 2026" in english
    assert "€520.00" in english

    nobody = (await customer(ledger, language="tr"))["id"]
    empty = await ledger.get(f"/v1/customers/{nobody}/statement", headers={"Accept": "application/pdf"})
    assert "Nothing is open." in printed(empty)


async def test_as_a_spreadsheet(ledger: ServiceClient, account: str) -> None:
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = await ledger.get(f"/v1/customers/{account}/statement", headers={"Accept": media})
    assert response.headers["content-type"] == media
    sheet = zipfile.ZipFile(io.BytesIO(response.content)).read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 5
    assert "<v>520</v>" in sheet or "<v>520.00</v>" in sheet  # a number to compute with
    assert "<f>" not in sheet


async def test_an_unknown_customer(ledger: ServiceClient, account: str, service_client: MakeClient) -> None:
    other = await service_client("ledger", now=TODAY)
    assert (await other.get(f"/v1/customers/{account}/statement")).status_code == 404
