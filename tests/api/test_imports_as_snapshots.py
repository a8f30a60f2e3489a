"""Snapshots: what is not named is closed, unless the brake holds it and a person must agree."""

from typing import Any

import pytest

from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.import_steps import TODAY, counts, invoice, listed, ndjson, push, send
from tests.api.ledger_books import entries, last_events, require_sound, states


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


def at(ledger: ServiceClient, day: str, **other: Any) -> dict[str, Any]:
    """A snapshot of the main business unit by sap, taken at six in the morning."""
    unit = str(ledger.main_business_unit_id)
    return {
        "mode": "snapshot",
        "source": "sap",
        "business_unit_id": unit,
        "taken_at": f"{day}T06:00:00Z",
        **other,
    }


def invoices(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [invoice(place) for place in range(start, start + count)]


async def test_what_is_not_named_is_closed_as_of_the_files_day(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    made = await push(ledger, *invoices(9, start=1), invoice(50), **at(ledger, "2026-03-25"))
    assert counts(made) == {"received": 10, "created": 1, "unchanged": 9, "closed": 1}
    items = await listed(ledger)
    gone = items.pop("INV-0")
    assert (gone["status"], gone["open_amount"], gone["closed_on"]) == ("closed", "0.00", "2026-03-25")
    assert {item["status"] for item in items.values()} == {"open"}
    assert await entries(ledger, gone["id"]) == [
        ("issued", "100.00", "2026-03-01"),
        ("settled_by_source", "-100.00", "2026-03-25"),
    ]
    await require_sound(ledger)
    assert await states(ledger, "item.changed") == await last_events(ledger, "item.changed")
    assert await states(ledger, "balance.changed") == await last_events(ledger, "balance.changed")


async def test_other_sources_units_later_changes_and_receipts_are_left_alone(ledger: ServiceClient) -> None:
    lyon = ledger.add_business_unit("lyon")
    await ledger.settle()
    await push(ledger, *invoices(40), **at(ledger, "2026-03-20"))
    await push(ledger, invoice(100), source="sage")
    await push(ledger, invoice(101), source="sap", business_unit_id=str(lyon))
    await push(ledger, invoice(102), source="sap", taken_at="2026-03-26T00:00:00Z")
    paid = {"external_id": "P-1", "customer_external_id": "C-1", "amount": "5.00", "currency": "EUR",
            "paid_on": "2026-03-02", "source": "sap"}  # fmt: skip
    assert (await ledger.post("/v1/payments", json=paid)).status_code == 201
    await push(ledger, paid | {"external_id": "P-2"}, kind="payments", taken_at="2026-03-20T00:00:00Z")
    made = await push(ledger, *invoices(39), **at(ledger, "2026-03-25"))
    assert counts(made) == {"received": 39, "unchanged": 39, "closed": 1}
    assert {key for key, item in (await listed(ledger)).items() if item["status"] == "closed"} == {"INV-39"}


async def test_a_rejected_row_is_not_an_absent_row(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    spoilt = [invoice(0, amount="-1"), invoice(1, customer_external_id="nobody"), *invoices(8, start=2)]
    made = await push(ledger, *spoilt, **at(ledger, "2026-03-25", create_customers="false"))
    assert counts(made) == {"received": 10, "unchanged": 8, "rejected": 2}
    assert {item["status"] for item in (await listed(ledger)).values()} == {"open"}


async def test_a_row_without_a_readable_key_holds_what_would_close(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    body = ndjson(invoices(9)) + b'{"kind": "invoice", "amount"\n'
    made = (await send(ledger, body, **at(ledger, "2026-03-25"))).json()
    assert (made["status"], made["held"]["reason"]) == ("held", "unidentified_rows")


@pytest.mark.feature("F5", "N8")
async def test_the_brake_holds_a_truncated_file_until_somebody_agrees(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    made = await push(ledger, *invoices(7), invoice(77), **at(ledger, "2026-03-25"))
    held = made["held"]
    assert made["status"] == "held"
    assert (held["reason"], held["closing_count"]) == ("brake_count", 3)
    assert held["closing_amounts"] == [{"currency": "EUR", "amount": "300.00"}]
    assert "INV-77" not in await listed(ledger)  # nothing of it was applied

    wrong = await ledger.post(f"/v1/imports/{made['id']}/confirm", json={"diff_hash": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "snapshot_changed")
    assert wrong.json()["held"]["diff_hash"] == held["diff_hash"]

    done = await ledger.post(f"/v1/imports/{made['id']}/confirm", json={"diff_hash": held["diff_hash"]})
    assert done.status_code == 200, done.text
    assert counts(done.json()) == {"received": 8, "created": 1, "unchanged": 7, "closed": 3}
    assert (done.json()["status"], done.json()["held"]) == ("completed", None)
    await require_sound(ledger)
    again = await ledger.post(f"/v1/imports/{made['id']}/confirm", json={"diff_hash": held["diff_hash"]})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_state")
    left = await ledger.stack.sql(
        "ledger", "SELECT count(*) AS n FROM import_chunks WHERE tenant_id = $1", ledger.tenant_id
    )
    assert left[0]["n"] == 0


async def test_what_was_agreed_to_must_still_be_what_closes(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    made = await push(ledger, *invoices(7), **at(ledger, "2026-03-25"))
    await push(ledger, invoice(9, open_amount="40.00"), source="sap", taken_at="2026-03-21T00:00:00Z")
    path, agreed = f"/v1/imports/{made['id']}/confirm", made["held"]["diff_hash"]
    changed = await ledger.post(path, json={"diff_hash": agreed})
    assert (changed.status_code, changed.json()["code"]) == (409, "snapshot_changed")
    now = changed.json()["held"]
    assert now["closing_amounts"] == [{"currency": "EUR", "amount": "240.00"}]
    assert (await ledger.post(path, json={"diff_hash": now["diff_hash"]})).status_code == 200


async def test_a_held_snapshot_can_be_given_up(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    made = await push(ledger, invoice(1), **at(ledger, "2026-03-25"))
    gone = await ledger.post(f"/v1/imports/{made['id']}/cancel")
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    assert (await ledger.post(f"/v1/imports/{made['id']}/cancel")).status_code == 409
    assert {item["status"] for item in (await listed(ledger)).values()} == {"open"}


async def test_an_older_snapshot_is_superseded_and_the_same_changes_nothing(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(5), **at(ledger, "2026-03-25"))
    late = await send(ledger, ndjson(invoices(4)), **at(ledger, "2026-03-24"))
    assert (late.status_code, late.json()["code"]) == (409, "snapshot_superseded")
    same = await push(ledger, *invoices(5), **at(ledger, "2026-03-25"))
    assert counts(same) == {"received": 5, "unchanged": 5}


async def test_the_brake_is_a_setting(service_client: MakeClient) -> None:
    ledger = await service_client("ledger", now=TODAY, settings={"snapshot_brake": "0.50"})
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    made = await push(ledger, *invoices(5), **at(ledger, "2026-03-25"))
    assert counts(made) == {"received": 5, "unchanged": 5, "closed": 5}


async def test_a_dry_run_shows_the_diff_and_leaves_nothing(ledger: ServiceClient) -> None:
    await push(ledger, *invoices(10), **at(ledger, "2026-03-20"))
    before = await listed(ledger)
    rows = [invoice(0, amount="120.00"), *invoices(6, start=1), invoice(30, customer_external_id="new")]
    made = await push(ledger, *rows, **at(ledger, "2026-03-25", dry_run=True))
    assert made["status"] == "completed"
    assert made["diff"]["counts"] == {
        "received": 8, "created": 1, "updated": 1, "unchanged": 6, "closed": 3, "rejected": 0,
    }  # fmt: skip
    assert made["diff"]["held"]["reason"] == "brake_count"
    assert [(c["change"], c["external_id"]) for c in made["diff"]["changes"]] == [
        ("created", "INV-30"), ("updated", "INV-0"), ("closed", "INV-7"), ("closed", "INV-8"), ("closed", "INV-9"),
    ]  # fmt: skip
    changed = made["diff"]["changes"][1]
    assert (changed["before"], changed["after"]) == ({"amount": "100.00"}, {"amount": "120.00"})
    assert await listed(ledger) == before
    found = await ledger.get("/v1/customers", params={"external_id": "new"})
    assert found.json()["data"] == []
    assert counts(await push(ledger, *invoices(10), **at(ledger, "2026-03-25"))) == {
        "received": 10,
        "unchanged": 10,
    }


@pytest.mark.parametrize("missing", ["source", "business_unit_id", "taken_at"])
async def test_a_snapshot_says_what_it_is_of(ledger: ServiceClient, missing: str) -> None:
    query = {name: value for name, value in at(ledger, "2026-03-20").items() if name != missing}
    refused = await send(ledger, ndjson(invoices(1)), **query)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == f"?{missing}"
