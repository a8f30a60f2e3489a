"""What a risk desk does all day: the steps its stories share, each a call of the public API."""

from typing import Any

from libs.testkit.tenant import TestTenant
from tests.stories.credit_desk import account, make, read, rows

#: Where a contract's documentation names what is not public: here, where the stand-in puts it.
ALTARES = {
    "field_map": {
        "recommended_credit": {"pointer": "/creditConseille", "currency": "EUR"},
        "paydex": {"pointer": "/paydex"},
        "privileges_amount": {"pointer": "/montantPrivileges", "currency": "EUR"},
    }
}
CREDENTIALS = {
    "altares": {"login": "desk", "password": "hush-hush-altares"},
    "scores_decisions": {"token": "hush-hush-token"},
    "infolegale": {"token": "hush-hush-infolegale"},
}


async def connect(house: TestTenant, provider: str, **members: Any) -> dict[str, Any]:
    """A connection to a provider's stand-in."""
    options = ALTARES if provider == "altares" else {}
    return await make(
        house.client, "/v1/provider-connections", provider=provider, credentials=CREDENTIALS.get(provider, {}),
        options=options, rate={"calls": 1000, "seconds": 1}, **members,
    )  # fmt: skip


async def company(house: TestTenant, number: str, name: str, registration_number: str) -> dict[str, Any]:
    """A customer of a company with a number; the customer."""
    return await account(
        house.client,
        number,
        name,
        company={"country": "FR", "registration_number": registration_number, "name": name},
    )


async def steer(house: TestTenant, connection: dict[str, Any], number: str, **facts: Any) -> None:
    """Tell the stand-in what to know of a company."""
    answer = await house.client.post(
        f"/v1/sandbox/provider/{connection['id']}/companies/{number}", json=facts
    )
    assert answer.status_code == 200, answer.text


async def behave(house: TestTenant, connection: dict[str, Any], mode: str, **how: Any) -> None:
    """Let the stand-in misbehave."""
    body = {"mode": mode, **how}
    answer = await house.client.post(f"/v1/sandbox/provider/{connection['id']}/behaviour", json=body)
    assert answer.status_code == 204, answer.text


async def watch(house: TestTenant, connection: dict[str, Any], **chosen: Any) -> dict[str, Any]:
    """Watch companies, named or found, and wait until the provider has them."""
    body = {"provider_connection_id": connection["id"], **chosen}
    answer = await house.client.post("/v1/monitorings/bulk", json=body)
    assert answer.status_code == 200, answer.text
    await house.settle()
    counted: dict[str, Any] = answer.json()
    return counted


async def sync(house: TestTenant, connection: dict[str, Any]) -> dict[str, Any]:
    """Read everybody now; the counts."""
    answer = await house.client.post(f"/v1/provider-connections/{connection['id']}/sync")
    assert answer.status_code == 202, answer.text
    counts: dict[str, Any] = (await house.finished(answer))["result"]
    await house.settle()
    return counts


async def risk_row(house: TestTenant, name: str) -> dict[str, Any]:
    """A company's row of the risk report."""
    await house.settle()
    report = await read(house.client, "/v1/reports/risk", q=name)
    row: dict[str, Any] = report["data"][0]
    return row


async def open_alerts(house: TestTenant) -> dict[str, dict[str, Any]]:
    """Open alerts by kind."""
    return {alert["kind"]: alert for alert in await rows(house.client, "/v1/alerts", state="open")}
