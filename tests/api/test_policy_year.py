"""A policy's year in credit alone: the clocks stop cover, an overdue is declared, claimed, indemnified; a late claim is lost."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.stories.credit_desk import make, read, refused, rows, tell

CLAUSES = [
    {"event": "stop_delivery", "days": 7, "base": "original_due_date"},
    {"event": "notification", "days": 5, "base": "stop"},
    {"event": "foreclosure", "days": 5, "base": "notification"},
]


async def desk(
    service_client: MakeClient, now: str, **terms: Any
) -> tuple[ServiceClient, dict[str, Any], UUID, UUID]:
    """A tenant with one company, one account and a manual policy that covers 120,000 from 2026 on."""
    client = await service_client("credit", now=now, user_id=new_id())
    company, customer = new_id(), new_id()
    client.publish(
        "ledger", "company.changed",
        Subject(company, 1, {"name": "Charpentes Morvan", "country": "FR", "registration_number": "732829320",
                             "merged_into_id": None}),
    )  # fmt: skip
    client.publish(
        "ledger", "customer.changed",
        Subject(customer, 1, {"company_id": company, "business_unit_id": client.main_business_unit_id,
                              "payer_profile": None, "buyer_kind": "private", "prepaid": False}),
    )  # fmt: skip
    await client.settle()
    connection = await make(client, "/v1/insurer-connections", insurer="manual", name="By mail")
    policy = await make(
        client, "/v1/insurance-policies", connection_id=connection["id"], number="P-1", currency="EUR",
        starts_on="2026-01-01", percent_by_layer={"permanent": "90"}, clauses=CLAUSES, **terms,
    )  # fmt: skip
    await make(client, "/v1/guarantees", policy_id=policy["id"], company_id=str(company), granted_amount="120000.00",
               effective_from="2026-01-01")  # fmt: skip
    return client, policy, company, customer


def item(
    client: ServiceClient,
    company: UUID,
    customer: UUID,
    number: str,
    amount: int,
    issued: str,
    due: str,
    **members: Any,
) -> Subject:
    state = {
        "business_unit_id": client.main_business_unit_id, "customer_id": customer, "company_id": company, "kind": "invoice",
        "direction": 1, "external_id": number, "number": number, "issue_date": issued, "delivery_date": None, "due_date": due,
        "original_due_date": due, "currency": "EUR", "amount": amount, "tax_amount": amount // 6, "open_amount": amount,
        "reference": None, "order_reference": None, "custom_fields": {}, "closed_on": None, "cancelled": False, **members,
    }  # fmt: skip
    version = state.pop("version", 1)
    return Subject(state.pop("id", None) or new_id(), version, state)


async def clocks(client: ServiceClient, **query: Any) -> dict[tuple[str, str], str]:
    found = await rows(client, "/v1/cover-clocks", **query)
    return {(one["kind"], one["item_number"]): f"{one['due_on']} {one['state']}" for one in found}


@pytest.mark.feature("C34", "C36", "F75", "F76")
async def test_from_the_overdue_to_the_indemnity(service_client: MakeClient) -> None:
    deductible = {"amount": "1000.00", "applied": "after"}
    client, policy, company, customer = await desk(
        service_client, "2026-02-16", deductible=deductible, waiting_months=3
    )
    body = {"policy_id": policy["id"], "company_id": str(company)}
    assert await refused(client, "/v1/overdue-declarations", **body) == (422, "nothing_overdue")
    first = item(client, company, customer, "F-1", 180_000_00, "2026-01-10", "2026-02-09")
    client.publish("ledger", "item.changed", first)
    await client.settle()
    assert await clocks(client) == {
        ("stop_delivery", "F-1"): "2026-02-16 running",
        ("notification", "F-1"): "2026-02-21 running",
        ("foreclosure", "F-1"): "2026-02-26 running",
    }
    await client.live_until(date(2026, 2, 18))
    shown = await read(client, f"/v1/companies/{company}/exposure")
    assert shown["cover_stopped_since"] == "2026-02-17"

    # Notified two days into the five: the claim date is counted from that day.
    told = await make(client, "/v1/overdue-declarations", **body)
    assert (told["amount"], told["late"], told["items"][0]["number"]) == ("180000.00", False, "F-1")
    assert (await tell(client, f"/v1/overdue-declarations/{told['id']}/submit"))[
        "declared_on"
    ] == "2026-02-18"
    assert await clocks(client) == {
        ("stop_delivery", "F-1"): "2026-02-16 stopped", ("foreclosure", "F-1"): "2026-02-23 running",
    }  # fmt: skip
    claim = await make(client, "/v1/claims", **body, item_ids=[str(first.id)])
    estimate = claim["estimate"]
    assert [estimate[name] for name in ("gross", "indemnity", "deductible", "retention", "above_cover", "tax")] == [
        "180000.00", "107000.00", "1000.00", "12000.00", "30000.00", "30000.00",
    ]  # fmt: skip
    address = f"/v1/claims/{claim['id']}"
    filed = await tell(client, f"{address}/file", insurer_reference="CLM-1")
    assert (filed["state"], filed["indemnity_due_on"]) == ("filed", "2026-05-18")
    assert await clocks(client) == {("stop_delivery", "F-1"): "2026-02-16 stopped"}
    assert await refused(client, f"{address}/file") == (409, "invalid_state")
    paid = await tell(client, f"{address}/settle", outcome="indemnified", amount="107000.00")
    assert (paid["state"], paid["indemnity"]) == ("indemnified", "107000.00")
    shared = await make(client, f"{address}/recoveries", amount="18000.00", received_on="2026-02-18")
    assert shared["recoveries"][0]["insurer_share"] == "10700.00"

    # A second debt, forgotten until its date has passed: lost, said once, and good for collection only.
    second = item(client, company, customer, "F-2", 6_000_00, "2026-01-05", "2026-02-05", tax_amount=0)
    client.publish("ledger", "item.changed", second)
    await client.settle()
    await client.live_until(date(2026, 2, 23))
    lost = await rows(client, "/v1/cover-clocks", state="foreclosed")
    assert [(one["item_number"], one["due_on"]) for one in lost] == [("F-2", "2026-02-22")]
    assert await refused(client, "/v1/claims", **body, item_ids=[str(second.id)]) == (409, "foreclosed")
    collected = await make(client, "/v1/claims", **body, kind="collection_only", item_ids=[str(second.id)])
    assert collected["estimate"]["standing"] == "nothing_insured"
    handed = await tell(client, f"/v1/claims/{collected['id']}/file")
    assert handed["indemnity_due_on"] is None
    assert (
        await refused(client, f"/v1/claims/{collected['id']}/settle", outcome="indemnified", amount="1.00")
    )[0] == 422


@pytest.mark.feature("C35", "C37")
async def test_paying_the_arrears_brings_cover_back_for_later_deliveries_only(
    service_client: MakeClient,
) -> None:
    client, _, company, customer = await desk(service_client, "2026-02-16")
    late = item(
        client, company, customer, "F-1", 60_000_00, "2026-01-10", "2026-02-09", due_date="2026-06-30"
    )
    client.publish("ledger", "item.changed", late)
    await client.settle()
    assert (await clocks(client))["stop_delivery", "F-1"] == "2026-02-16 running", (
        "a due date pushed back moves nothing"
    )
    await client.live_until(date(2026, 2, 18))
    after = item(client, company, customer, "F-2", 12_000_00, "2026-02-17", "2026-03-20")
    client.publish("ledger", "item.changed", after)
    await client.settle()
    path = f"/v1/companies/{company}/exposure"
    split = (await read(client, path))["insured_split"]
    assert (split["gross"], split["insured"], split["above_cover"]) == ("72000.00", "50000.00", "10000.00")

    paid = item(
        client,
        company,
        customer,
        "F-1",
        60_000_00,
        "2026-01-10",
        "2026-02-09",
        id=late.id,
        open_amount=0,
        version=2,
    )
    client.publish("ledger", "item.changed", paid)
    await client.settle()
    assert await clocks(client) == {}, "nothing that is covered is unpaid"
    shown = await read(client, path)
    assert (shown["cover_stopped_since"], shown["insured_split"]["insured"]) == (None, "0.00")
    await client.live_until(date(2026, 2, 20))
    fresh = item(client, company, customer, "F-3", 6_000_00, "2026-02-20", "2026-03-22")
    client.publish("ledger", "item.changed", fresh)
    await client.settle()
    assert (await read(client, path))["insured_split"]["insured"] == "5000.00"

    # Collective proceedings: the debt is to be declared, cover stops with the judgment.
    client.publish("risk", "legal_status.changed", Subject(company, 1, {
        "status": "receivership", "kind": None, "judged_on": "2026-02-20", "published_on": "2026-02-20"}))  # fmt: skip
    await client.settle()
    (proof,) = await rows(client, "/v1/cover-clocks", kind="proof_of_debt")
    assert (proof["due_on"], proof["amount_at_stake"]) == ("2026-04-20", "12000.00")
    assert (proof["detail"]["due"], proof["detail"]["not_due"]) == ("0.00", "12000.00")
