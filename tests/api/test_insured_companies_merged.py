"""Two insured companies become one: what insurers said, and what was lost and claimed, goes to the one that stays."""

from datetime import date
from typing import Any
from uuid import UUID

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.credit_steps import make_buyer, owing
from tests.api.test_insurer_webhook import decision, send
from tests.api.test_insurer_webhook import desk as webhook_desk
from tests.api.test_policy_year import desk, item
from tests.stories.credit_desk import make, read, rows, tell


async def covers_told(client: ServiceClient) -> dict[str, dict[str, Any]]:
    """What was last told of each cover."""
    query = f"/internal/feed?tenant_id={client.tenant_id}&types=cover.changed&limit=1000"
    page = (await client.stack.call("credit", "GET", query)).json()
    subjects = [subject for event in page["data"] for subject in event["subjects"]]
    return {one["id"]: one["data"] for one in sorted(subjects, key=lambda one: one["version"])}


async def test_everything_insured_follows_a_merger(service_client: MakeClient) -> None:
    client, policy, kept, account = await desk(service_client, "2026-03-02")
    ended = await make_buyer(client, "Charpentes (ancien)", owed=0)
    late, late_too = (new_id(), new_id())
    unit = client.main_business_unit_id
    for customer, company in ((late, ended), (late_too, ended)):
        client.publish(
            "ledger",
            "customer.changed",
            Subject(customer, 1, {"company_id": company, "business_unit_id": unit}),
        )
    for company, customer, number, amount in (
        (kept, account, "F-1", 70_000_00),
        (ended, late, "F-2", 30_000_00),
    ):
        client.publish(
            "ledger",
            "item.changed",
            item(client, company, customer, number, amount, "2026-01-10", "2026-02-09"),
        )
        owing(client, company, customer, EUR=amount)
    await client.settle()
    own = {"policy_id": policy["id"], "company_id": str(ended)}
    theirs = {"policy_id": policy["id"], "company_id": str(kept)}
    lower = await make(
        client, "/v1/guarantees", **own, granted_amount="50000.00", effective_from="2026-01-01"
    )
    seasonal = await make(client, "/v1/guarantees", **own, product="temporary", granted_amount="9000.00",
                          effective_from="2026-01-01", expires_at="2026-12-31")  # fmt: skip
    refused_now = await make(
        client, "/v1/guarantee-requests", **own, product="topup", amount="5000.00", submit=True
    )
    draft = await make(client, "/v1/guarantee-requests", **theirs, product="topup", amount="7000.00")
    alone = await make(
        client, "/v1/guarantee-requests", **own, product="permanent", amount="80000.00", submit=True
    )
    declared = await make(client, "/v1/overdue-declarations", **own)
    claim = await make(client, "/v1/claims", **own, kind="collection_only",
                       item_ids=[declared["items"][0]["item_id"]])  # fmt: skip
    before = await rows(client, "/v1/cover-clocks", company_id=str(ended))
    assert {one["kind"] for one in before} >= {"stop_delivery", "foreclosure"}
    (standing,) = await rows(client, f"/v1/companies/{kept}/guarantees")

    client.publish("ledger", "company.merged", Subject(ended, 2, {"into_id": kept}))
    await client.settle()

    # The old id holds nothing any more, in any list.
    for path in ("guarantee-requests", "cover-clocks", "overdue-declarations", "claims"):
        assert await rows(client, f"/v1/{path}", company_id=str(ended)) == [], path
    left = await client.stack.sql(
        "credit",
        " UNION ALL ".join(
            f"SELECT '{table}' AS name FROM {table} WHERE tenant_id = $1 AND company_id = $2"
            for table in ("covers", "guarantee_decisions", "guarantee_requests", "insurer_buyers", "cover_stops", "cover_clocks",
                          "overdue_declarations", "claims", "insistences", "customers")
        ),
        client.tenant_id, ended,
    )  # fmt: skip
    assert left == []

    # Two covers of one layer are one: the lower holds, a person looks; a layer of its own comes along under its id.
    covers = {one["layer"]: one for one in await rows(client, f"/v1/companies/{kept}/guarantees")}
    permanent = covers["permanent"]
    assert (permanent["id"], permanent["amount"]) == (standing["id"], "50000.00")
    assert (permanent["needs_review"], permanent["review_reason"]) == (True, "decisions_tied")
    assert (covers["temporary"]["id"], covers["temporary"]["amount"]) == (seasonal["id"], "9000.00")
    assert (await client.get(f"/v1/guarantees/{lower['id']}")).status_code == 404
    assert len(await rows(client, f"/v1/guarantees/{permanent['id']}/decisions")) >= 2

    # Of two open requests the one that has left stays; what was asked alone follows.
    asked = {one["id"]: one for one in await rows(client, "/v1/guarantee-requests", company_id=str(kept))}
    assert {asked[one["id"]]["state"] for one in (refused_now, alone)} == {"pending"}
    assert asked[draft["id"]]["state"] == "cancelled"
    assert [one["id"] for one in await rows(client, "/v1/claims", company_id=str(kept))] == [claim["id"]]

    exposure = await read(client, f"/v1/companies/{kept}/exposure")
    assert (exposure["outstanding"], exposure["guarantee"]) == ("100000.00", "59000.00")
    running = [
        one for one in await rows(client, "/v1/cover-clocks", company_id=str(kept)) if one["state"] != "ended"
    ]
    assert [one["kind"] for one in running].count("stop_delivery") == 1
    assert {one["item_number"] for one in running} == {"F-1", "F-2"}

    # Whoever keeps covers hears of it: one ended, two belong to the company that stayed.
    heard = await covers_told(client)
    assert {name: (one["company_id"], one["amount"], one["expires_at"]) for name, one in heard.items()} == {
        lower["id"]: (str(kept), 0, "2026-03-01"),
        standing["id"]: (str(kept), 50_000_00, None),
        seasonal["id"]: (str(kept), 9_000_00, "2026-12-31"),
        asked[refused_now["id"]]["guarantee_id"]: (str(kept), 0, None),
    }

    # A new decision counts for the one company there is now.
    await client.live_until(date(2026, 3, 3))
    await tell(client, f"/v1/guarantees/{permanent['id']}/review", comment="One buyer, asked anew")
    await make(
        client, f"/v1/guarantees/{permanent['id']}/decisions", status="approved", granted_amount="90000.00"
    )
    (after,) = [
        one for one in await rows(client, f"/v1/companies/{kept}/guarantees") if one["layer"] == "permanent"
    ]
    assert (after["amount"], after["needs_review"]) == ("90000.00", False)


async def test_what_the_insurer_says_of_the_old_buyer_reaches_the_company_that_stayed(
    service_client: MakeClient,
) -> None:
    client, connection, ended = await webhook_desk(service_client)
    kept, spare = (
        await make_buyer(client, "Charpentes Réunies"),
        await make_buyer(client, "Charpentes du Sud"),
    )
    known = {"connection_id": connection["id"]}
    await tell(client, f"/v1/companies/{ended}/insurer-buyers/confirm", **known, insurer_buyer_id="4711")
    client.publish("ledger", "company.merged", Subject(UUID(ended), 2, {"into_id": kept}))
    await client.settle()
    await send(client, connection, decision(1, "approved", "50000.00"), "m1")
    await client.settle()
    (cover,) = await rows(client, f"/v1/companies/{kept}/guarantees")
    assert (cover["amount"], cover["needs_review"]) == ("50000.00", False)

    # Known under two numbers: the survivor's stays; what is told of the other one waits for a person.
    await tell(client, f"/v1/companies/{spare}/insurer-buyers/confirm", **known, insurer_buyer_id="4712")
    await send(client, connection, decision(2, "approved", "20000.00", buyer_reference="4712"), "m2")
    await client.settle()
    client.publish("ledger", "company.merged", Subject(kept, 2, {"into_id": spare}))
    await client.settle()
    (cover,) = await rows(client, f"/v1/companies/{spare}/guarantees")
    assert (cover["amount"], cover["review_reason"]) == ("20000.00", "decisions_tied")
    await send(client, connection, decision(3, "approved", "70000.00"), "m3")
    await client.settle()
    (waiting,) = await rows(client, "/v1/insurer-messages", state="parked")
    assert waiting["message_id"].startswith("m3")
    assert (await rows(client, f"/v1/companies/{spare}/guarantees"))[0]["amount"] == "20000.00"
