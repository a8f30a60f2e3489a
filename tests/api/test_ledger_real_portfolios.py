"""Real receivables replayed through the API, against figures computed apart from it."""

import csv
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.api.import_steps import push

pytestmark = pytest.mark.data
_BATCH = 1_000


def rows_of(data_dir: Path, name: str) -> list[dict[str, str]]:
    with (data_dir / "ar" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def answers(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data_dir / "ar" / "ANSWERS.json").read_text())
    return found


def american(text: str) -> str:
    return datetime.strptime(text, "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 - a date without a time


@pytest.mark.feature("F10", "F12", "F29", "L22")
async def test_every_month_end_of_a_real_ledger_comes_out_to_the_cent(service_client, data_dir: Path) -> None:
    client = await service_client("ledger", now="2014-12-31", currency="USD")
    found = rows_of(data_dir, "ibm_accounts_receivable.csv")
    invoices = [
        {
            "kind": "invoice", "external_id": one["invoiceNumber"], "customer_external_id": one["customerID"],
            "issue_date": american(one["InvoiceDate"]), "due_date": american(one["DueDate"]), "currency": "USD",
            "amount": one["InvoiceAmount"], "custom_fields": {"disputed": one["Disputed"] == "Yes"},
        }
        for one in found
    ]  # fmt: skip
    payments = [
        {
            "external_id": f"P-{one['invoiceNumber']}", "customer_external_id": one["customerID"], "currency": "USD",
            "amount": one["InvoiceAmount"], "paid_on": american(one["SettledDate"]),
            "allocations": [{"item_external_id": one["invoiceNumber"], "amount": one["InvoiceAmount"]}],
        }
        for one in found
    ]  # fmt: skip
    for start in range(0, len(found), _BATCH):
        made = await push(client, *invoices[start : start + _BATCH])
        assert made["counts"]["rejected"] == 0, made["errors"][:3]
    for start in range(0, len(found), _BATCH):
        made = await push(client, *payments[start : start + _BATCH], kind="payments")
        assert made["counts"]["rejected"] == 0, made["errors"][:3]

    for month in answers(data_dir)["ibm"]["monthly"]:
        query = {"as_of": month["as_of"], "buckets": "30,60,90", "by": "total", "currency": "USD"}
        totals = (await client.get("/v1/reports/ageing", params=query)).json()["totals"]
        assert (totals["items_count"], Decimal(totals["outstanding"])) == (
            month["open_count"],
            Decimal(month["open_sum"]),
        )
        names = {"current": "not_due", "90+": ">90"}
        for label, expected in month["buckets"].items():
            bucket = names.get(label, label)
            assert totals["counts"][bucket] == expected["count"], (month["as_of"], label)
            assert Decimal(totals["amounts"][bucket]) == Decimal(expected["sum"]), (month["as_of"], label)
        dso = (
            await client.get(
                "/v1/reports/dso", params={"as_of": month["as_of"], "months": 60, "currency": "USD"}
            )
        ).json()
        assert abs(Decimal(dso["value"]) - Decimal(str(month["dso_countback"]))) < Decimal("0.0001"), month[
            "as_of"
        ]


@pytest.mark.feature("F9", "F10")
async def test_open_items_of_two_currencies_age_as_computed_apart(service_client, data_dir: Path) -> None:
    client = await service_client("ledger", now="2020-05-22", currency="USD")
    expected = answers(data_dir)["highradius"]["by_currency"]
    rows, seen = [], set()
    for place, one in enumerate(rows_of(data_dir, "highradius_open_items.csv")):
        due = one["due_in_date"].split(".")[0]
        due = f"{due[:4]}-{due[4:6]}-{due[6:]}" if "-" not in due else due
        number = one["doc_id"].split(".")[0]
        key = number if number not in seen else f"{number}-{place}"
        seen.add(key)
        rows.append(
            {
                "kind": "invoice", "external_id": key, "customer_external_id": one["cust_number"],
                "issue_date": min(one["posting_date"], "2020-05-22"), "due_date": due,
                "currency": one["invoice_currency"], "amount": one["total_open_amount"],
            }
        )  # fmt: skip
    for start in range(0, len(rows), 5_000):
        made = await push(client, *rows[start : start + 5_000])
        assert made["counts"]["rejected"] == 0, made["errors"][:3]
    for currency, figures in expected.items():
        query = {"buckets": "30,60,90", "by": "total", "currency": currency}
        totals = (await client.get("/v1/reports/ageing", params=query)).json()["totals"]
        assert (totals["items_count"], Decimal(totals["outstanding"])) == (
            figures["count"],
            Decimal(str(figures["sum"])),
        )
        for label, bucket in (
            ("current", "not_due"),
            ("1-30", "1-30"),
            ("31-60", "31-60"),
            ("61-90", "61-90"),
            ("90+", ">90"),
        ):
            assert totals["counts"][bucket] == figures["buckets"][label]["count"]
            assert Decimal(totals["amounts"][bucket]) == Decimal(str(figures["buckets"][label]["sum"]))
