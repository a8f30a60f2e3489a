"""Credit limits as a file: what was decided elsewhere is told to credit, row by row."""

import pytest

from tests.api.import_steps import counts, push

ROW = {"customer_external_id": "C-1", "amount": "500.00", "currency": "EUR"}


@pytest.fixture
async def client(service_client):
    client = await service_client("ledger", now="2026-03-31")
    for key in ("C-1", "C-2"):
        await client.post("/v1/customers", json={"external_id": key, "name": key})
    return client


async def told(client) -> list[tuple[int, str | None]]:
    rows = await client.stack.sql(
        "ledger",
        "SELECT (s->'data'->>'amount')::bigint AS amount, s->'data'->>'valid_until' AS ends FROM events,"
        " json_array_elements(subjects) AS s WHERE tenant_id = $1 AND type = 'limit.stated' ORDER BY id",
        client.tenant_id,
    )
    return [(row["amount"], row["ends"]) for row in rows]


async def test_only_what_is_new_is_told(client) -> None:
    asked = {"kind": "credit_limits", "create_customers": "false"}
    twice = {**ROW, "customer_external_id": None, "customer_id": None}
    rows = [
        ROW,
        {**ROW, "customer_external_id": "C-2", "valid_until": "2026-12-31"},
        {**ROW, "customer_external_id": "C-9"},
    ]
    assert counts(await push(client, *rows, **asked, dry_run=True)) == {
        "received": 3,
        "created": 2,
        "rejected": 1,
    }
    assert await told(client) == []
    assert counts(await push(client, *rows, **asked)) == {"received": 3, "created": 2, "rejected": 1}
    assert sorted(await told(client), key=str) == [(500_00, "2026-12-31"), (500_00, None)]
    assert counts(await push(client, *rows, **asked)) == {"received": 3, "unchanged": 2, "rejected": 1}
    assert counts(await push(client, {**ROW, "amount": "600.00"}, **asked)) == {"received": 1, "updated": 1}
    assert (await told(client))[2:] == [(600_00, None)]
    bad = await push(client, {**ROW, "valid_until": "2026-03-30"}, {**ROW, "amount": "-1"}, twice, **asked)
    assert sorted((one["pointer"], one["code"]) for one in bad["errors"]) == [
        ("/amount", "amount_out_of_range"), ("/customer_external_id", "required"), ("/valid_until", "in_the_past"),
    ]  # fmt: skip


async def test_it_takes_more_than_the_right_to_push_invoices(client) -> None:
    clerk = client.acting("ledger:write")
    answer = await clerk.post(
        "/v1/imports",
        params={"kind": "credit_limits"},
        content=b"",
        headers={"content-type": "application/x-ndjson"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
