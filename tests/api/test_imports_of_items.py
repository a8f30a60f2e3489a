"""Item rows pushed in bulk: what lands, what is named, what a repeat does."""

from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, counts, invoice, listed, push
from tests.api.ledger_books import entries, require_sound


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


async def test_rows_become_items_customers_and_balances(ledger: ServiceClient) -> None:
    rows = [invoice(n, customer_external_id=f"C-{n % 3}", customer_name=f"Buyer {n % 3}") for n in range(250)]
    made = await push(ledger, *rows, source="sap")
    assert counts(made) == {"received": 250, "created": 250}
    assert made["totals"] == [
        {"currency": "EUR", "received": "25000.00", "accepted": "25000.00", "rejected": "0.00"}
    ]
    items = await listed(ledger)
    assert len(items) == 250
    assert items["INV-0"]["customer_name"] == "Buyer 0"
    await require_sound(ledger)


async def test_the_same_rows_again_write_nothing(ledger: ServiceClient) -> None:
    rows = [invoice(n) for n in range(20)]
    await push(ledger, *rows)
    before = await ledger.stack.sql("ledger", _STATE, ledger.tenant_id)
    again = await push(ledger, *rows)
    assert counts(again) == {"received": 20, "unchanged": 20}
    assert await ledger.stack.sql("ledger", _STATE, ledger.tenant_id) == before
    assert (await ledger.get(f"/v1/imports/{again['id']}")).status_code in (200, 404)


_STATE = """
    SELECT 'item' AS what, id, version, xmin::text AS written FROM items WHERE tenant_id = $1
    UNION ALL SELECT 'balance', customer_id, version, xmin::text FROM balances WHERE tenant_id = $1
    UNION ALL SELECT 'entry', id, 0, xmin::text FROM entries WHERE tenant_id = $1
    ORDER BY 1, 2
"""


async def test_changed_rows_follow_the_rules_of_the_journal(ledger: ServiceClient) -> None:
    await push(ledger, invoice(1), invoice(2), invoice(3), source="sap")
    made = await push(
        ledger,
        invoice(1, amount="120.00"),
        invoice(2, open_amount="30.00", settled_on="2026-03-15"),
        invoice(3, due_date="2026-04-15", reference="PO 7"),
        source="sap",
    )
    assert counts(made) == {"received": 3, "updated": 3}
    items = await listed(ledger)
    assert await entries(ledger, items["INV-1"]["id"]) == [
        ("issued", "100.00", "2026-03-01"),
        ("amended", "20.00", TODAY),
    ]
    assert await entries(ledger, items["INV-2"]["id"]) == [
        ("issued", "100.00", "2026-03-01"),
        ("settled_by_source", "-70.00", "2026-03-15"),
    ]
    third = items["INV-3"]
    assert (third["due_date"], third["original_due_date"], third["reference"]) == (
        "2026-04-15",
        "2026-03-31",
        "PO 7",
    )
    await require_sound(ledger)


@pytest.mark.parametrize(
    ("row", "pointer", "code"),
    [
        (invoice(2, customer_external_id="nobody"), "/customer_external_id", "customer_unknown"),
        (invoice(2, due_date=None), "/due_date", "due_date_unknown"),
        (invoice(2, amount="-1.00"), "/amount", "amount_not_positive"),
        (invoice(2, amount="1.005"), "/amount", "amount_too_precise"),
        (invoice(2, currency="EUX"), "/currency", "currency_unknown"),
        (invoice(2, business_unit_id="019a0000-0000-7000-8000-000000000000"), "/business_unit_id", "business_unit_unknown"),
        (invoice(1, currency="USD"), "/currency", "currency_changed"),
        (invoice(1, kind="credit_note"), "/kind", "kind_changed"),
    ],
)  # fmt: skip
async def test_a_bad_row_is_named_and_the_others_land(
    ledger: ServiceClient, row: dict[str, Any], pointer: str, code: str
) -> None:
    await push(ledger, invoice(1))
    made = await push(ledger, invoice(10), row, invoice(11), create_customers="false")
    assert counts(made) == {"received": 3, "created": 2, "rejected": 1}
    assert [(e["row"], e["pointer"], e["code"]) for e in made["errors"]] == [(2, pointer, code)]
    assert set(await listed(ledger)) == {"INV-1", "INV-10", "INV-11"}
    totals = {t["currency"]: t for t in made["totals"]}
    assert totals["EUR"]["accepted"] == "200.00"
    await require_sound(ledger)
