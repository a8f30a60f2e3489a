"""May this order go on? Checks and the exposure they reserve; peers' cases CRL, or why we decide otherwise."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.db import Tx
from libs.kit.feed.events import Subject
from services.credit.usecases.credit_checks import Order, check_order
from tests.api.credit_steps import (
    ask,
    check,
    decide,
    failed,
    limit,
    make_buyer,
    owing,
    person,
    policy,
    with_limit,
)

ERP_USER, BOSS = new_id(), new_id()


@pytest.fixture
async def client(service_client):
    return await service_client(
        "credit", now="2026-03-31", user_id=ERP_USER, settings={"front_url": "https://desk.example/"}
    )


async def owing_buyer(client, owed: int, ordered: int = 0) -> tuple[UUID, UUID]:
    """A company with one account; minor units of EUR owed and on order."""
    company_id = await make_buyer(client, owed=owed)
    row = await client.stack.sql(
        "credit",
        "SELECT id FROM customers WHERE tenant_id = $1 AND company_id = $2",
        client.tenant_id,
        company_id,
    )
    customer_id = UUID(str(row[0]["id"]))
    if ordered:
        balance(client, company_id, customer_id, 2, owed, ordered)
        await client.settle()
    return company_id, customer_id


def balance(client, company_id: UUID, customer_id: UUID, version: int, owed: int, ordered: int) -> None:
    rows = [
        {
            "currency": "EUR",
            "outstanding": owed,
            "overdue": 0,
            "credits": 0,
            "order_book": ordered,
            "items_count": 1,
        }
    ]
    state = {
        "company_id": company_id, "business_unit_id": client.main_business_unit_id, "day": "2026-03-31", "rows": rows,
    }  # fmt: skip
    client.publish("ledger", "balance.changed", Subject(customer_id, version, state))


def ordered(client, company_id: UUID, key: str, amount: int, version: int = 1, **more: Any) -> None:
    """Let the ledger tell of an order, in minor units of EUR."""
    state = {
        "business_unit_id": client.main_business_unit_id, "customer_id": new_id(), "company_id": company_id,
        "external_id": key, "currency": "EUR", "amount": amount, "tax_included": True, "invoiced_amount": 0,
        "expected_on": None, "status": "open", **more,
    }  # fmt: skip
    client.publish("ledger", "order.changed", Subject(UUID(int=hash(key) % 2**64), version, state))


async def test_every_rule_is_shown_with_what_it_found(client) -> None:
    company_id, customer_id = await owing_buyer(client, 6_000_00, 1_500_00)
    await with_limit(client, company_id, "10000.00", by=BOSS)
    shown = await check(client, company_id, "2500.01", order_external_id="SO-1", expected_date="2026-05-01")
    assert (shown["decision"], shown["headroom"], failed(shown)) == ("hold", "2500.00", ["limit_exceeded"])
    rule = next(rule for rule in shown["rules"] if rule["code"] == "limit_exceeded")
    assert (rule["threshold"], rule["value"], rule["effect"]) == ("2500.00", "2500.01", "hold")
    facts = ("limit", "limit_source", "outstanding", "order_book", "reserved", "limit_state")
    assert [shown[name] for name in facts] == ["10000.00", "limit", "6000.00", "1500.00", "0.00", "approved"]
    body = {"customer_id": str(customer_id), "amount": "2500.00", "currency": "EUR"}
    fits = (await client.post("/v1/credit-checks", json=body)).json()
    assert (fits["decision"], fits["company_id"], fits["reservation"]) == ("allow", str(company_id), None)
    listed = (await client.get("/v1/credit-checks", params={"decision": "hold"})).json()["data"]
    assert [one["id"] for one in listed] == [shown["id"]]
    assert (await client.get(f"/v1/credit-checks/{shown['id']}")).json() == shown
    both = await client.post("/v1/credit-checks", json={**body, "company_id": str(company_id)})
    assert both.json()["errors"][0]["code"] == "company_or_customer"
    elsewhere = client.acting(perimeter=[new_id()])
    assert (await elsewhere.get(f"/v1/credit-checks/{shown['id']}")).status_code == 404
    hidden = await elsewhere.post("/v1/credit-checks", json=body)
    assert hidden.status_code == 404
    assert (await elsewhere.get("/v1/credit-checks")).json()["data"] == []


async def test_what_is_no_limit_holds_zero_holds_and_a_hold_refuses(client) -> None:
    company_id, _ = await owing_buyer(client, 0)
    assert failed(await check(client, company_id, "1.00")) == ["limit_missing"]
    await with_limit(client, company_id, "0.00")
    zero = await check(client, company_id, "0.00")
    assert (zero["decision"], failed(zero)) == ("hold", ["limit_zero"])
    await with_limit(client, company_id, "100.00", valid_until="2026-04-01")
    assert (await check(client, company_id, "100.00"))["decision"] == "allow"
    await client.live_until(date(2026, 4, 2))
    assert failed(await check(client, company_id, "1.00")) == ["limit_expired"]
    await client.post(f"/v1/companies/{company_id}/credit-limit/block", json={"reason": "Cheque returned"})
    refused = await check(client, company_id, "1.00")
    assert (refused["decision"], refused["rules"][0]["value"]) == ("refuse", "Cheque returned")
    assert (await client.post(f"/v1/credit-checks/{refused['id']}/release", json={})).status_code == 409


async def test_a_default_limit_stands_in_where_nobody_decided(service_client) -> None:
    client = await service_client(
        "credit", now="2026-03-31", user_id=ERP_USER, settings={"default_limit": "500.00"}
    )
    company_id = await make_buyer(client, owed=100_00)
    shown = await check(client, company_id, "400.00")
    assert (shown["decision"], shown["limit"], shown["limit_source"]) == ("allow", "500.00", "default_limit")
    assert (await check(client, company_id, "400.01"))["decision"] == "hold"
    await decide(client, (await ask(client, company_id, "50.00")).json(), BOSS, "reject")
    assert failed(await check(client, company_id, "1.00")) == ["limit_not_validated"], (
        "a refusal is an answer"
    )


async def test_fifty_at_once_never_overshoot(client) -> None:
    company_id, _ = await owing_buyer(client, 1_000_00)
    await with_limit(client, company_id, "2000.00")
    shown = await asyncio.gather(
        *[check(client, company_id, "90.00", reserve=True, order_external_id=f"SO-{n}") for n in range(50)]
    )
    allowed = [one for one in shown if one["decision"] == "allow"]
    assert len(allowed) == 11, "990 of 1,000 fit, 1,080 would not"
    assert {one["decision"] for one in shown} == {"allow", "hold"}
    held = sum(Decimal(one["reservation"]["amount"]) for one in allowed)
    assert held == Decimal("990.00")
    after = await check(client, company_id, "10.00")
    assert (after["decision"], after["reserved"], after["headroom"]) == ("allow", "990.00", "10.00")


async def test_checks_of_one_company_wait_for_each_other(client) -> None:
    """Of several processes: without the reading of the feed, which lets one process do one after the other."""
    company_id, _ = await owing_buyer(client, 0)
    await with_limit(client, company_id, "1000.00")
    runtime = await client.stack.worker_runtime("credit")
    order = Order(company_id, None, 300_00, "EUR", None, "order", None, 3600)

    async def reserve(tx: Tx) -> str:
        row, _ = await check_order(tx, order)
        await asyncio.sleep(0.02)  # the others have the time to look at what is not committed yet
        return str(row["decision"])

    decided = await asyncio.gather(*[runtime.db.run(client.caller.tenant, reserve) for _ in range(8)])
    assert sorted(decided) == ["allow"] * 3 + ["hold"] * 5


async def test_a_reservation_ends_once_by_its_order_its_time_or_a_word(client) -> None:
    company_id, customer_id = await owing_buyer(client, 0)
    await with_limit(client, company_id, "1000.00")
    first = await check(client, company_id, "600.00", reserve=True, order_external_id="SO-1")
    again = await check(client, company_id, "700.00", reserve=True, order_external_id="SO-1")
    assert (again["decision"], again["reserved"]) == ("allow", "0.00"), "the same order replaces what it held"
    states = (await client.get("/v1/credit-reservations", params={"order_external_id": "SO-1"})).json()[
        "data"
    ]
    assert [one["state"] for one in states] == ["live", "released"]
    assert (await check(client, company_id, "400.00", reserve=True))["decision"] == "hold"

    # The order is booked: the order book counts it, the reservation no longer does.
    ordered(client, company_id, "SO-1", 700_00)
    balance(client, company_id, customer_id, 2, 0, 700_00)
    booked = await check(client, company_id, "300.00", reserve=True, ttl=3600)
    assert (booked["decision"], booked["order_book"], booked["reserved"]) == ("allow", "700.00", "0.00")
    spent = await client.post(f"/v1/credit-reservations/{again['reservation']['id']}/consume")
    assert (spent.status_code, spent.json()["code"]) == (409, "invalid_state")
    assert (await client.get(f"/v1/credit-reservations/{first['reservation']['id']}")).json()[
        "state"
    ] == "released"

    given_back = await client.post(f"/v1/credit-reservations/{booked['reservation']['id']}/release")
    assert given_back.json()["state"] == "released"
    timed = await check(client, company_id, "300.00", reserve=True, ttl=3600)
    assert (await check(client, company_id, "1.00"))["decision"] == "hold"
    await client.live_until(date(2026, 4, 1))
    assert (await client.get(f"/v1/credit-reservations/{timed['reservation']['id']}")).json()[
        "state"
    ] == "expired"
    assert (await check(client, company_id, "300.00"))["decision"] == "allow"


async def test_a_person_lets_an_order_go_on_for_some_days(client) -> None:
    company_id, _ = await owing_buyer(client, 900_00)
    await with_limit(client, company_id, "1000.00")
    held = await check(client, company_id, "300.00", order_external_id="SO-9", reserve=True)
    nobody = client.acting("credit:approve")
    assert (await nobody.post(f"/v1/credit-checks/{held['id']}/release", json={})).json()[
        "code"
    ] == "user_required"
    seller = client.acting("credit:request", user_id=BOSS)
    assert (await seller.post(f"/v1/credit-checks/{held['id']}/release", json={})).status_code == 403
    boss = client.acting(user_id=BOSS)
    word = {"grace_days": 2, "comment": "Paid tomorrow"}
    released = (await boss.post(f"/v1/credit-checks/{held['id']}/release", json=word)).json()
    assert (released["released_by"], released["released_until"]) == (str(BOSS), "2026-04-02")
    assert released["reservation"]["amount"] == "300.00"
    assert (await boss.post(f"/v1/credit-checks/{held['id']}/release", json=word)).status_code == 409
    at_delivery = await check(client, company_id, "300.00", order_external_id="SO-9", checkpoint="delivery")
    assert at_delivery["decision"] == "allow"
    assert [rule["code"] for rule in at_delivery["rules"] if rule["waived"]] == ["limit_exceeded"]
    larger = await check(client, company_id, "300.01", order_external_id="SO-9")
    other = await check(client, company_id, "300.00", order_external_id="SO-10")
    assert (larger["decision"], other["decision"]) == ("hold", "hold")
    await client.live_until(date(2026, 4, 2))
    assert (await check(client, company_id, "300.00", order_external_id="SO-9"))["decision"] == "allow"
    await client.live_until(date(2026, 4, 3))
    assert (await check(client, company_id, "300.00", order_external_id="SO-9"))["decision"] == "hold"


async def test_without_the_ledgers_latest_word_nothing_is_decided(client) -> None:
    company_id, _ = await owing_buyer(client, 0)
    client.publish("ledger", "customer.changed", Subject(new_id(), 1, {"nonsense": True}))
    body = {"company_id": str(company_id), "amount": "1.00", "currency": "EUR"}
    answer = await client.post("/v1/credit-checks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger_behind")
    assert answer.headers["retry-after"] == "2"


# -- peers' cases (data/cases, CRL): reproduced, or decided otherwise on purpose ------------------------------------------


async def decisions(client, company_id: UUID, *amounts: str, **more: Any) -> list[str]:
    return [(await check(client, company_id, amount, **more))["decision"] for amount in amounts]


async def test_crl_limits_and_orders(client) -> None:
    # CRL-01 (Tryton: no limit is no bound). Here nobody having decided is not a yes: a person looks, or a default limit counts.
    company_id, customer_id = await owing_buyer(client, 100_00)
    assert await decisions(client, company_id, "0.00", "100.00") == ["hold", "hold"]
    # CRL-03: +0 and +1 pass, +150 does not; "may be overridden" is a release with a name under it.
    await with_limit(client, company_id, "200.00")
    assert await decisions(client, company_id, "0.00", "1.00", "150.00") == ["allow", "allow", "hold"]
    # CRL-05: orders count in the exposure.
    ordered(client, company_id, "SO-1", 50_00)
    balance(client, company_id, customer_id, 2, 100_00, 50_00)
    shown = await check(client, company_id, "50.00")
    assert (shown["headroom"], shown["decision"]) == ("50.00", "allow")
    # CRL-06 (Tryton: an order under way is not looked at again). Here the ERP asks when it wants to; asked again, the order
    # itself is counted once, and a limit lowered meanwhile holds it.
    assert (await check(client, company_id, "50.00", order_external_id="SO-1"))["headroom"] == "100.00"
    await with_limit(client, company_id, "100.00")
    assert await decisions(client, company_id, "50.00", order_external_id="SO-1") == ["hold"]


async def test_crl_what_counts(client) -> None:
    # CRL-11: what is past due counts like everything owed. CRL-14, CRL-16: sub-limits by kind of debt and a margin before a debt
    # is "unpaid" are not kept: one limit holds for all that is owed, due or not.
    company_id, customer_id = await owing_buyer(client, 550_00)
    await with_limit(client, company_id, "100.00")
    assert (await limit(client, company_id))["exceeded_by"] == "450.00"
    await with_limit(client, company_id, "1100.00")
    assert (await limit(client, company_id))["exceeded_by"] == "0.00"
    # CRL-13: what another account of the same legal entity owes counts too.
    child = {"company_id": company_id, "business_unit_id": client.main_business_unit_id}
    child_id = new_id()
    client.publish("ledger", "customer.changed", Subject(child_id, 1, child))
    owing(client, company_id, child_id, EUR=550_00)
    await client.settle()
    assert await decisions(client, company_id, "0.00", "0.01") == ["allow", "hold"]
    # CRL-21: ordered, invoiced, credited: the exposure moves and is never counted twice.
    for version, owed, on_order in ((2, 550_00, 100_00), (3, 650_00, 0), (4, 550_00, 100_00)):
        balance(client, company_id, customer_id, version, owed, on_order)
        assert (await check(client, company_id, "0.00"))["headroom"] == "-100.00"


@pytest.mark.parametrize(("rate", "decision"), [("0.5", "allow"), ("2.0", "hold")])
async def test_crl_22_an_order_in_another_currency(client, rate: str, decision: str) -> None:
    company_id, _ = await owing_buyer(client, 0)
    await with_limit(client, company_id, "99.00")
    missing = await check(client, company_id, "100.00", currency="USD")
    assert (missing["decision"], failed(missing), missing["unconverted"]) == (
        "hold",
        ["rate_missing"],
        ["USD"],
    )
    client.publish(
        "ledger", "rate.changed",
        Subject(new_id(), 1, {"base": "USD", "quote": "EUR", "valid_on": "2026-03-01", "rate": rate}),
    )  # fmt: skip
    assert (await check(client, company_id, "100.00", currency="USD"))["decision"] == decision


async def test_crl_orders_that_grow_and_customers_that_are_frozen(client) -> None:
    # CRL-31: 100 more than is owed is allowed and accepted; the same order raised to 200 is not.
    company_id, customer_id = await owing_buyer(client, 400_00)
    await with_limit(client, company_id, "500.00")
    assert await decisions(client, company_id, "100.00", order_external_id="SO-1", reserve=True) == ["allow"]
    ordered(client, company_id, "SO-1", 100_00)
    balance(client, company_id, customer_id, 2, 400_00, 100_00)
    assert await decisions(client, company_id, "100.00", "200.00", order_external_id="SO-1") == [
        "allow",
        "hold",
    ]
    # CRL-33: a frozen customer is refused with an error of its own.
    await client.post(f"/v1/companies/{company_id}/credit-limit/block", json={"reason": "frozen"})
    frozen = await check(client, company_id, "0.00")
    assert (frozen["decision"], failed(frozen)[0]) == ("refuse", "blocked")
    # CRL-34 (ERPNext: a group's limit is inherited). Here limits stand on legal entities; who has none gets the default limit.


async def test_alerts_begin_and_end_with_what_they_tell_of(client) -> None:
    company_id, customer_id = await owing_buyer(client, 500_00)
    await policy(client, usage_alert_percent=80)
    await with_limit(client, company_id, "1000.00", valid_until="2026-04-01")

    async def told() -> list[tuple[str, bool]]:
        rows = await client.stack.sql(
            "credit",
            "SELECT s->'data'->>'kind' AS kind, s->'data'->>'raised' AS raised FROM events,"
            " json_array_elements(subjects) AS s WHERE tenant_id = $1 AND type = 'alert_condition.changed' ORDER BY id",
            client.tenant_id,
        )
        return [(row["kind"], row["raised"] == "true") for row in rows]

    assert await told() == []
    for version, owed in ((2, 800_00), (3, 900_00), (4, 1_100_00), (5, 850_00), (6, 100_00)):
        balance(client, company_id, customer_id, version, owed, 0)
        await client.settle()
    used = ("limit_usage", True), ("limit_usage", False)
    assert await told() == [*used, *used], (
        "80 % raises it, beyond the limit it is another alert, and below it ends"
    )
    await client.live_until(date(2026, 4, 2))
    assert (await told())[4:] == [("limit_expired", True)]
    await with_limit(client, company_id, "1000.00")
    assert (await told())[5:] == [("limit_expired", False)]


async def test_approvers_and_requesters_are_written_to_once(client) -> None:
    person(client, BOSS, "Anne", "approver", language="fr")
    person(client, ERP_USER, "Paul", "salesperson", language="de")
    company_id, _ = await owing_buyer(client, 0)
    request = (await ask(client, company_id, "1000.00", reason="Spring")).json()
    await client.settle()
    await decide(client, request, BOSS, comment="good payer")
    await client.settle()
    mails = await client.stack.sql(
        "credit", "SELECT purpose, recipients, subject, text, language, state FROM mails WHERE tenant_id = $1 ORDER BY id",
        client.tenant_id,
    )  # fmt: skip
    assert [mail["purpose"] for mail in mails] == ["limit_request_to_decide", "limit_request_approved"]
    assert mails[0]["subject"] == "Limite de crédit à valider : Fonderie des Alpes, 1000.00 EUR"
    assert f"https://desk.example/credit-limit-requests/{request['id']}" in mails[0]["text"]
    assert "Paul demande" in mails[0]["text"] and "Spring" in mails[0]["text"]
    assert (mails[1]["language"], "approved by Anne" in mails[1]["text"]) == ("en", True)
    assert "good payer" in mails[1]["text"]
