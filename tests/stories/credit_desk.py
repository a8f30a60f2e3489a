"""What a credit desk does all day: the steps the stories share, each a call of the public API."""

from typing import Any

from libs.testkit.clients import CheckedClient
from libs.testkit.tenant import TestTenant


async def read(client: CheckedClient, path: str, **query: Any) -> dict[str, Any]:
    """What a GET answers."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def rows(client: CheckedClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """The one page a list has in a story."""
    page = await read(client, path, **{"limit": 200, **query})
    assert page["next_cursor"] is None
    data: list[dict[str, Any]] = page["data"]
    return data


async def make(client: CheckedClient, path: str, **body: Any) -> dict[str, Any]:
    """What a POST makes."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def tell(client: CheckedClient, path: str, **body: Any) -> dict[str, Any]:
    """What a verb leaves behind."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    left: dict[str, Any] = answer.json()
    return left


async def refused(client: CheckedClient, path: str, **body: Any) -> tuple[int, str]:
    """Status and code of a POST that must not work."""
    answer = await client.post(path, json=body)
    assert answer.status_code >= 400, answer.text
    return answer.status_code, str(answer.json()["code"])


async def account(client: CheckedClient, number: str, name: str, **members: Any) -> dict[str, Any]:
    """A customer with thirty days to pay."""
    terms = {"days": 30, "end_of_month": False}
    return await make(
        client, "/v1/customers", external_id=number, name=name, **{"payment_terms": terms, **members}
    )


async def invoice(
    client: CheckedClient, customer: str, number: str, amount: str, issued: str, due: str, **members: Any
) -> dict[str, Any]:
    """An item in euros, an invoice unless told otherwise, named by the caller's own keys."""
    body = {
        "kind": "invoice", "external_id": number, "number": number, "customer_external_id": customer,
        "issue_date": issued, "due_date": due, "currency": "EUR", "amount": amount, **members,
    }  # fmt: skip
    return await make(client, "/v1/items", **body)


async def receive(
    client: CheckedClient, customer: str, amount: str, paid_on: str, **members: Any
) -> dict[str, Any]:
    """Euros that came in."""
    body = {
        "customer_external_id": customer,
        "amount": amount,
        "currency": "EUR",
        "paid_on": paid_on,
        **members,
    }
    return await make(client, "/v1/payments", **body)


async def person(
    house: TestTenant, name: str, *roles: str, perimeter: list[str] | None = None
) -> tuple[str, CheckedClient]:
    """Somebody of the house: the id, and a client that speaks in their name."""
    address = f"{name.lower()}@example.com"
    user = await make(
        house.client, "/v1/users", name=name, email=address, roles=list(roles), perimeter=perimeter
    )
    key = await make(house.client, "/v1/api-keys", name=name, scopes=["admin"], user_id=user["id"])
    return user["id"], house.client_of(key["key"])
