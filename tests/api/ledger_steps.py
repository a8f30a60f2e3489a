"""Steps that tests of the ledger share: make customers, read what was told to the other services."""

from itertools import count
from typing import Any

from stdnum import luhn

from libs.testkit.clients import ServiceClient

_numbers = count(10_000_000)


def new_siren() -> str:
    """A registration number of France that no other test uses."""
    digits = str(next(_numbers))
    return digits + luhn.calc_check_digit(digits)


def french(**members: str) -> dict[str, str]:
    """What is said of a French company under a number of its own."""
    return {"country": "FR", "registration_number": new_siren(), **members}


async def create_customer(client: ServiceClient, external_id: str = "C-1", **members: Any) -> dict[str, Any]:
    """A customer of the main business unit."""
    body = {"external_id": external_id, "name": "Aciéries du Rhône", **members}
    response = await client.post("/v1/customers", json=body)
    assert response.status_code == 201, response.text
    customer: dict[str, Any] = response.json()
    return customer


async def told(client: ServiceClient, event_type: str) -> list[dict[str, Any]]:
    """The subjects of one event type that the ledger told, in order."""
    query = f"/internal/feed?tenant_id={client.tenant_id}&types={event_type}&limit=1000"
    page = (await client.stack.call("ledger", "GET", query)).json()
    return [subject for event in page["data"] for subject in event["subjects"]]
