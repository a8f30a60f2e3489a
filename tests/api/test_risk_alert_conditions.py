"""What credit and dunning watch opens an alert in risk, once, and closes it."""

from typing import Any
from uuid import UUID

import pytest

from libs.contracts.events import INTERNAL
from libs.contracts.events.state import alert_condition_id
from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from tests.api.test_risk_report import add_company


@pytest.fixture
async def client(service_client):
    return await service_client("risk", now="2026-03-31", user_id=new_id())


def tell(client, producer: str, version: int, kind: str, company_id: UUID, **members: Any) -> None:
    """Let a service say that a condition holds, or not."""
    state = {
        "kind": kind, "company_id": str(company_id), "customer_id": None, "criticality": "warning", "raised": True,
        "since": "2026-03-30", "facts": {"amount": "12.00"}, **members,
    }  # fmt: skip
    INTERNAL["alert_condition.changed"].model_validate(state)
    subject = alert_condition_id(kind, UUID(state["customer_id"]) if state["customer_id"] else company_id)
    client.publish(producer, "alert_condition.changed", Subject(subject, version, state))


async def alerts(client, **query: Any) -> list[dict[str, Any]]:
    await client.settle()
    answer = await client.get("/v1/alerts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_condition_opens_one_alert_and_its_end_closes_it(client) -> None:
    company_id, customer_id = add_company(client, "Alpes")
    tell(client, "credit", 1, "cover_withdrawn", company_id, criticality="critical")
    tell(
        client, "credit", 2, "cover_withdrawn", company_id, criticality="critical", facts={"amount": "13.00"}
    )
    tell(client, "dunning", 1, "promise_broken", company_id, customer_id=str(customer_id))
    found = {alert["kind"]: alert for alert in await alerts(client, state="open")}
    assert set(found) == {"cover_withdrawn", "promise_broken"}
    assert (found["cover_withdrawn"]["type"], found["promise_broken"]["type"]) == ("risk", "collection")
    assert found["promise_broken"]["customer_id"] == str(customer_id)
    assert found["promise_broken"]["evidence"] == {"amount": "12.00", "since": "2026-03-30"}
    (critical,) = await alerts(client, criticality="critical")
    assert critical["kind"] == "cover_withdrawn"
    (row,) = (await client.get("/v1/reports/risk")).json()["data"]
    assert (row["open_alerts"], row["critical"]) == (2, True)

    tell(client, "credit", 3, "cover_withdrawn", company_id, raised=False)
    assert [alert["kind"] for alert in await alerts(client, state="open")] == ["promise_broken"]
    tell(client, "credit", 2, "cover_withdrawn", company_id)  # an older fact that comes late
    assert [alert["kind"] for alert in await alerts(client, state="open")] == ["promise_broken"]
    (row,) = (await client.get("/v1/reports/risk")).json()["data"]
    assert (row["open_alerts"], row["critical"]) == (1, False)

    await client.stack.call("risk", "POST", "/internal/feed/drain", {"tenant_id": str(client.tenant_id)})
    told = await client.stack.sql(
        "risk",
        "SELECT type FROM events WHERE tenant_id = $1 AND type LIKE 'alert.%' ORDER BY id",
        client.tenant_id,
    )
    assert [row["type"] for row in told] == ["alert.opened", "alert.opened", "alert.closed"]


async def test_one_condition_of_several_customers_is_several_alerts_each_in_its_perimeter(client) -> None:
    company_id, first = add_company(client, "Alpes")
    lyon, second = client.add_business_unit("LYON"), new_id()
    state = {"company_id": company_id, "business_unit_id": lyon, "external_id": "L", "name": "L", "segment": None,
             "collector_user_id": None, "payer_profile": None}  # fmt: skip
    client.publish("ledger", "customer.changed", Subject(second, 1, state))
    for customer in (first, second):
        tell(client, "dunning", 1, "promise_broken", company_id, customer_id=str(customer))
    assert {alert["customer_id"] for alert in await alerts(client)} == {str(first), str(second)}
    (seen,) = await alerts(client.acting(perimeter=[lyon]))
    assert seen["customer_id"] == str(second)
    assert [alert["customer_id"] for alert in await alerts(client, customer_id=str(first))] == [str(first)]


async def test_the_alert_of_a_company_unknown_yet_is_counted_when_it_comes(client) -> None:
    company_id = new_id()
    tell(client, "credit", 1, "cover_withdrawn", company_id)
    assert len(await alerts(client)) == 1
    company = {"name": "Late", "country": "FR", "registration_number": None, "group_id": company_id,
               "merged_into_id": None}  # fmt: skip
    client.publish("ledger", "company.changed", Subject(company_id, 1, company))
    await client.settle()
    (row,) = (await client.get("/v1/reports/risk")).json()["data"]
    assert row["open_alerts"] == 1
