"""Real exports, pushed over HTTP by their saved mappings: what came in is what is in the ledger, plus what was rejected."""

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import counts, push, send
from tests.api.ledger_books import require_sound

pytestmark = pytest.mark.data
MAPPINGS = Path(__file__).parents[1] / "unit" / "ledger_intake" / "mappings"


async def pushed(ledger: ServiceClient, data_dir: Path, name: str) -> dict[str, Any]:
    """A file by its mapping, which is saved for its source first."""
    saved = json.loads((MAPPINGS / f"{name}.json").read_text())
    reading = {"dialect": saved["dialect"], "mapping": saved["mapping"]}
    response = await ledger.put(f"/v1/import-sources/erp/{saved['kind']}", json=reading)
    assert response.status_code == 200, response.text
    body = (data_dir / "ar" / saved["file"]).read_bytes()
    response = await send(ledger, body, kind=saved["kind"], media_type="text/csv", source="erp")
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    assert made["status"] == "completed"
    return made


async def settlements(ledger: ServiceClient, data_dir: Path) -> dict[str, Any]:
    """Every IBM invoice paid on its settlement date. The file numbers no payments: they take the invoice's number, marked, for
    items of all kinds share one namespace."""
    with (data_dir / "ar" / "ibm_accounts_receivable.csv").open(newline="") as file:
        rows = [
            {
                "external_id": f"PAY-{row['invoiceNumber']}",
                "item_external_id": row["invoiceNumber"],
                "paid_on": _iso(row["SettledDate"]),
                "amount": row["InvoiceAmount"],
                "currency": "USD",
            }
            for row in csv.DictReader(file)
        ]
    return await push(ledger, *rows, kind="payments")


async def booked(ledger: ServiceClient, table: str, column: str = "amount * direction") -> dict[str, Decimal]:
    """What the ledger holds by currency, in major units of two decimals."""
    rows = await ledger.stack.sql(
        "ledger",
        f"SELECT currency, sum({column}) AS total FROM {table} WHERE tenant_id = $1 GROUP BY currency",
        ledger.tenant_id,
    )
    return {row["currency"]: Decimal(row["total"]).scaleb(-2) for row in rows}


def figures(made: dict[str, Any], member: str) -> dict[str, Decimal]:
    return {total["currency"]: Decimal(total[member]) for total in made["totals"]}


def balanced(made: dict[str, Any]) -> None:
    """Counts and sums: in = out + rejected."""
    named = made["counts"]
    assert named["received"] == sum(count for name, count in named.items() if name != "received")
    for total in made["totals"]:
        assert Decimal(total["received"]) == Decimal(total["accepted"]) + Decimal(total["rejected"])


@pytest.mark.feature("F3", "L22")
async def test_ibm_invoices_and_their_payments(service_client: MakeClient, data_dir: Path) -> None:
    ledger = await service_client("ledger", now="2014-03-31", currency="USD")
    invoices = await pushed(ledger, data_dir, "ibm_invoices")
    payments = await settlements(ledger, data_dir)
    assert counts(invoices) == counts(payments) == {"received": 1377, "created": 1377}
    balanced(invoices)
    (currency,) = figures(invoices, "accepted")
    assert await booked(ledger, "items", "open_amount") == {currency: Decimal("0.00")}
    settled = await ledger.stack.sql(
        "ledger",
        "SELECT count(*) AS n, sum(closed_on - issue_date) AS days FROM items WHERE tenant_id = $1 AND kind = 'invoice'",
        ledger.tenant_id,
    )
    with (data_dir / "ar" / "ibm_accounts_receivable.csv").open(newline="") as file:
        days = sum(int(row["DaysToSettle"]) for row in csv.DictReader(file))
    assert dict(settled[0]) == {"n": 1377, "days": days}
    await require_sound(ledger)
    assert counts(await settlements(ledger, data_dir)) == {"received": 1377, "unchanged": 1377}
    assert counts(await pushed(ledger, data_dir, "ibm_invoices")) == {"received": 1377, "unchanged": 1377}


async def test_unicorn(service_client: MakeClient, data_dir: Path) -> None:
    ledger = await service_client("ledger", now="2025-09-30", currency="USD")
    made = await pushed(ledger, data_dir, "unicorn_invoices")
    assert counts(made) == {"received": 2153, "created": 2147, "rejected": 6}
    balanced(made)
    assert await booked(ledger, "items") == figures(made, "accepted")
    await require_sound(ledger)


async def test_order2cash(service_client: MakeClient, data_dir: Path) -> None:
    ledger = await service_client("ledger", now="2026-06-30", currency="USD")
    customers = await pushed(ledger, data_dir, "order2cash_customers")
    assert counts(customers) == {"received": 307, "created": 306, "unchanged": 1}
    invoices = await pushed(ledger, data_dir, "order2cash_invoices")
    assert (invoices["counts"]["received"], invoices["counts"]["rejected"]) == (4866, 5)
    balanced(invoices)
    assert sum((await booked(ledger, "items")).values()) <= sum(figures(invoices, "accepted").values())
    orders = await pushed(ledger, data_dir, "order2cash_orders")
    balanced(orders)
    assert await booked(ledger, "orders", "amount") == figures(orders, "accepted")
    payments = await pushed(ledger, data_dir, "order2cash_payments")
    balanced(payments)
    received = await ledger.stack.sql(
        "ledger",
        "SELECT sum(amount) AS total FROM items WHERE tenant_id = $1 AND kind = 'payment'",
        ledger.tenant_id,
    )
    assert Decimal(received[0]["total"]).scaleb(-2) == sum(figures(payments, "accepted").values())
    await require_sound(ledger)


async def test_highradius(service_client: MakeClient, data_dir: Path) -> None:
    ledger = await service_client("ledger", now="2020-05-22", currency="USD")
    made = await pushed(ledger, data_dir, "highradius_open_items")
    assert counts(made) == {"received": 6788, "created": 6788}
    answer = json.loads((data_dir / "ar" / "ANSWERS.json").read_text())["highradius"]
    sums = {currency: Decimal(found["sum"]) for currency, found in answer["by_currency"].items()}
    assert await booked(ledger, "items", "open_amount") == figures(made, "accepted") == sums
    await require_sound(ledger)


def _iso(american: str) -> str:
    month, day, year = map(int, american.split("/"))
    return date(year, month, day).isoformat()
