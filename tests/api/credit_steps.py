"""What tests of credit share: buyers as the ledger tells of them, people as the gateway does, and requests."""

from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject

NO_COMMENT: dict[str, Any] = {}


def company(name: str = "Fonderie des Alpes") -> dict[str, Any]:
    return {
        "name": name, "country": "FR", "registration_number": None, "vat_number": None, "lei": None, "private": True,
        "parent_id": None, "group_id": new_id(), "merged_into_id": None,
    }  # fmt: skip


def owing(client, company_id: UUID, customer_id: UUID, version: int = 1, **amounts: int) -> None:
    """Let the ledger say what a customer owes, in minor units by currency."""
    rows = [
        {
            "currency": code,
            "outstanding": amount,
            "overdue": 0,
            "credits": 0,
            "order_book": 0,
            "items_count": 1,
        }
        for code, amount in amounts.items()
    ]
    unit = client.main_business_unit_id
    state = {"company_id": company_id, "business_unit_id": unit, "day": "2026-03-31", "rows": rows}
    client.publish("ledger", "balance.changed", Subject(customer_id, version, state))


async def make_buyer(client, name: str = "Fonderie des Alpes", owed: int = 7_500_00) -> UUID:
    company_id, customer_id = new_id(), new_id()
    client.publish("ledger", "company.changed", Subject(company_id, 1, company(name)))
    customer = {"company_id": company_id, "business_unit_id": client.main_business_unit_id}
    client.publish("ledger", "customer.changed", Subject(customer_id, 1, customer))
    owing(client, company_id, customer_id, EUR=owed)
    await client.settle()
    return company_id


async def ask(client, company_id: UUID, amount: str = "10000.00", **more: Any):
    body = {"company_id": str(company_id), "amount": amount, "currency": "EUR", **more}
    return await client.post("/v1/credit-limit-requests", json=body)


def person(client, identifier: UUID, name: str, *roles: str, language: str | None = None) -> None:
    """Let the gateway tell of a user."""
    state = {
        "name": name, "email": f"{name.lower()}@example.com", "roles": list(roles), "perimeter": None, "active": True,
    }  # fmt: skip
    if language:
        state["language"] = language
    client.publish("gateway", "user.changed", Subject(identifier, 1, state))


async def limit(client, company_id: UUID) -> dict[str, Any]:
    """The company's limit as the API shows it."""
    return (await client.get(f"/v1/companies/{company_id}/credit-limit")).json()


async def decide(
    client, request: dict[str, Any], user_id: UUID, verb: str = "approve", comment: str | None = None
):
    """Somebody's decision on a request."""
    somebody = client.acting(user_id=user_id)
    return await somebody.post(f"/v1/credit-limit-requests/{request['id']}/{verb}", json={"comment": comment})


async def policy(client, **members: Any) -> None:
    """Set the approval policy."""
    answer = await client.put("/v1/approval-policy", json=members)
    assert answer.status_code == 200, answer.text


def level(name: str, amount: str | None, *users: UUID) -> dict[str, Any]:
    """A level of the policy, in euros."""
    return {"name": name, "max_amount": amount, "currency": "EUR", "user_ids": [str(user) for user in users]}


def told(client, kind: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The states of one type among events."""
    return [subject["data"] for event in events if event["type"] == kind for subject in event["subjects"]]


async def with_limit(client, company_id: UUID, amount: str, *, by: UUID | None = None, **more: Any) -> None:
    """Give a company a limit: asked by the client's user, approved by another."""
    asked = await ask(client, company_id, amount, **more)
    assert asked.status_code == 201, asked.text
    agreed = await decide(client, asked.json(), by or new_id())
    assert agreed.json()["state"] == "approved", agreed.text


async def check(client, company_id: UUID, amount: str, **more: Any) -> dict[str, Any]:
    """A credit check in euros unless told otherwise."""
    body = {"company_id": str(company_id), "amount": amount, "currency": "EUR", **more}
    answer = await client.post("/v1/credit-checks", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def failed(shown: dict[str, Any]) -> list[str]:
    """The rules of a check that did not pass."""
    return [rule["code"] for rule in shown["rules"] if not rule["passed"]]
