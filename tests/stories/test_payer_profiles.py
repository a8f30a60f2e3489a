"""Half a year of payments, and what they say of those who made them."""

from typing import Any

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.api.import_steps import counts, push
from tests.api.import_steps import invoice as row
from tests.stories.credit_desk import account, invoice, read, rows


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def invoiced_and_paid(house: TestTenant, *months: tuple[str, str, str, str]) -> None:
    """Invoices of 1,000 euros: customer, issue date, due date and the day they were paid."""
    items, payments = [], []
    for place, (number, issued, due, paid) in enumerate(months):
        key = f"{number}-{place}"
        dates = {"issue_date": issued, "due_date": due}
        items.append(row(place, external_id=key, customer_external_id=number, amount="1000.00", **dates))
        payments.append(
            {"external_id": f"PAY-{key}", "item_external_id": key, "amount": "1000.00", "currency": "EUR", "paid_on": paid}
        )  # fmt: skip
    assert counts(await push(house.client, *items)) == {"received": len(months), "created": len(months)}
    made = await push(house.client, *payments, kind="payments")
    assert counts(made) == {"received": len(months), "created": len(months)}


async def profile(house: TestTenant, customer: dict[str, Any]) -> dict[str, Any]:
    (found,) = await rows(house.client, "/v1/reports/payment-behaviour", customer_id=customer["id"])
    return found


@pytest.mark.feature("L7", "L8", "L9", "F16", "F17")
async def test_who_pays_how_and_where_it_shows(house: TestTenant) -> None:
    erp = house.client
    punctual = await account(erp, "P", "Ponctuel SA")
    slow = await account(erp, "S", "Tardif SARL")
    new = await account(erp, "N", "Nouveau SAS")
    # The half-year before counts for the trend only: Tardif was ten days late then, and is twenty on average now.
    await invoiced_and_paid(
        house,
        ("P", "2025-12-01", "2025-12-31", "2025-12-31"),
        ("P", "2026-01-01", "2026-01-31", "2026-01-29"),
        ("P", "2026-02-01", "2026-03-03", "2026-03-03"),
        ("S", "2025-06-01", "2025-07-01", "2025-07-11"),
        ("S", "2025-07-01", "2025-07-31", "2025-08-10"),
        ("S", "2025-08-01", "2025-08-31", "2025-09-10"),
        ("S", "2025-12-01", "2025-12-31", "2026-01-10"),
        ("S", "2026-01-01", "2026-01-31", "2026-02-20"),
        ("S", "2026-01-15", "2026-02-14", "2026-03-16"),
        ("N", "2026-02-01", "2026-03-03", "2026-03-20"),
    )
    good, late, unknown = (
        await profile(house, punctual),
        await profile(house, slow),
        await profile(house, new),
    )
    assert (good["class"], good["paid_only"]["average_delay"]) == ("very_good", "-0.67")
    assert late["paid_only"] == {
        "average_delay": "20.00", "average_duration": "50.00", "invoices": 3, "class": "bad",
    }  # fmt: skip
    assert (late["class"], late["trend"]) == ("bad", "10.00")
    assert (unknown["class"], unknown["paid_only"]["invoices"]) == ("unknown", 1)

    # A credit note settles an invoice without anybody having paid: it says nothing of the payer.
    await invoice(erp, "P", "P-9", "1000.00", "2025-12-01", "2025-12-31")
    note = await invoice(erp, "P", "P-A", "1000.00", "2026-03-01", "2026-03-01", kind="credit_note")
    against = {"allocations": [{"item_external_id": "P-9", "amount": "1000.00"}]}
    assert (await erp.post(f"/v1/items/{note['id']}/allocations", json=against)).status_code == 200
    assert await profile(house, punctual) == good

    # Who stops paying does not keep the class of better days.
    await invoice(erp, "P", "P-10", "9000.00", "2026-01-01", "2026-01-31")
    silent = await profile(house, punctual)
    assert (silent["paid_only"]["class"], silent["class"]) == ("very_good", "very_bad")

    # Over night the profiles are kept, and stand in the risk report and on the customer card.
    await house.advance(days=1)
    risk = await read(erp, "/v1/reports/risk", sort="name")
    assert {each["company"]["name"]: each["payer_class"] for each in risk["data"]} == {
        "Nouveau SAS": "unknown", "Ponctuel SA": "very_bad", "Tardif SARL": "bad",
    }  # fmt: skip
    card = await read(erp, f"/v1/customers/{slow['id']}/overview")
    assert card["payment_behaviour"]["class"] == "bad"
    assert card["payment_behaviour"]["paid_only"]["average_delay"] == "20.00"
    assert card["provider_fields"] == []


@pytest.mark.feature("L9", "F16")
async def test_the_thresholds_are_the_houses_own(house: TestTenant) -> None:
    customer = await account(house.client, "S", "Tardif SARL")
    await invoiced_and_paid(house, ("S", "2026-01-01", "2026-01-31", "2026-02-20"))
    assert (await profile(house, customer))["class"] == "unknown", "one invoice says nothing by default"
    lenient = {"very_good": "0", "good": "10", "average": "25", "bad": "40", "minimum_invoices": 1}
    changed = await house.client.patch("/v1/settings", json={"payer_thresholds": lenient})
    assert changed.status_code == 200, changed.text
    await house.settle()
    assert (await profile(house, customer))["class"] == "average"
