"""What collection says of items: kept from dunning's feed, newest only, shown and filtered, also before the item is known."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.ids import new_id
from libs.kit.feed.events import Subject
from libs.testkit.clients import ServiceClient
from libs.testkit.plugin import MakeClient
from tests.api.ledger_books import TODAY, customer, item, shown

OWNER = new_id()
FACTS = (
    "status_code",
    "follow_up_on",
    "resolution_owner",
    "excluded_by",
    "promise",
    "dispute",
    "next_action",
)


@pytest.fixture
async def ledger(service_client: MakeClient) -> ServiceClient:
    return await service_client("ledger", now=TODAY)


def qualified(item_id: Any, version: int, **data: Any) -> Subject:
    state = {
        "status_code": None,
        "category": None,
        "follow_up_on": None,
        "resolution_owner_id": None,
        "comment": None,
        "excluded_by": None,
    }
    return Subject(UUID(str(item_id)), version, {**state, **data})


def promised(promise_id: UUID, version: int, items: list[str], **data: Any) -> Subject:
    state = {"customer_id": new_id(), "item_ids": items, "amount": 10_000, "currency": "EUR", "state": "open"}
    return Subject(promise_id, version, {**state, "promised_on": "2026-04-10", **data})


def disputed(dispute_id: UUID, version: int, items: list[str], state: str) -> Subject:
    return Subject(
        dispute_id, version, {"customer_id": new_id(), "item_ids": items, "kind": "price", "state": state}
    )


def action(action_id: UUID, version: int, items: list[str], due_on: str, state: str = "due") -> Subject:
    data = {"customer_id": new_id(), "kind": "specific", "channel": "call", "state": state, "due_on": due_on}
    return Subject(action_id, version, {**data, "leader_item_id": None, "item_ids": items})


async def listed(ledger: ServiceClient, **params: Any) -> list[str]:
    response = await ledger.get("/v1/items", params=params)
    assert response.status_code == 200, response.text
    return [each["number"] for each in response.json()["data"]]


@pytest.mark.feature("F7", "L18")
async def test_an_item_shows_what_collection_says_of_it(ledger: ServiceClient) -> None:
    account = (await customer(ledger))["id"]
    a, b = [(await item(ledger, account, number=number))["id"] for number in "AB"]
    before = await shown(ledger, a)
    assert [before[name] for name in FACTS] == [None] * 7

    promise, early, late, dispute = new_id(), new_id(), new_id(), new_id()
    said = {"status_code": "promise", "follow_up_on": "2026-04-12", "resolution_owner_id": OWNER}
    ledger.publish("dunning", "qualification.changed", qualified(a, 2, **said, excluded_by="specific_action"))
    ledger.publish("dunning", "promise.changed", promised(promise, 1, [a, b]))
    ledger.publish(
        "dunning",
        "action.changed",
        action(late, 1, [a], "2026-04-20"),
        action(early, 1, [a, b], "2026-04-12"),
    )
    ledger.publish("dunning", "dispute.changed", disputed(dispute, 1, [b], "open"))
    await ledger.settle()
    of_a, of_b = await shown(ledger, a), await shown(ledger, b)
    assert {name: of_a[name] for name in FACTS} == {
        "status_code": "promise",
        "follow_up_on": "2026-04-12",
        "resolution_owner": str(OWNER),
        "excluded_by": "specific_action",
        "promise": {
            "id": str(promise), "promised_on": "2026-04-10", "amount": "100.00", "currency": "EUR", "state": "open",
        },
        "dispute": None,
        "next_action": {
            "id": str(early), "kind": "specific", "channel": "call", "state": "due", "due_on": "2026-04-12",
        },
    }  # fmt: skip
    assert of_b["dispute"] == {"id": str(dispute), "kind": "price", "state": "open"}
    assert of_a["updated_at"] == before["updated_at"]  # no change of the item

    for params, expected in (
        ({"status_code": "promise"}, ["A"]),
        ({"status_code": "nothing"}, []),
        ({"resolution_owner": OWNER}, ["A"]),
        ({"excluded_by": "specific_action"}, ["A"]),
        ({"excluded": False}, ["B"]),
        ({"disputed": True}, ["B"]),
        ({"disputed": False}, ["A"]),
        ({"promise_date_from": "2026-04-10", "promise_date_to": "2026-04-10"}, ["A", "B"]),
        ({"promise_date_from": "2026-04-11"}, []),
        ({"promise_date_to": "2026-04-09"}, []),
        ({"follow_up_from": "2026-04-12", "follow_up_to": "2026-04-12"}, ["A"]),
        ({"follow_up_to": "2026-04-11"}, []),
    ):
        assert await listed(ledger, **params) == expected, params

    statement = (await ledger.get(f"/v1/customers/{account}/statement")).json()
    assert [line["status_code"] for line in statement["data"]] == ["promise", None]
    file = await ledger.get("/v1/items", params={"status_code": "promise"}, headers={"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(file.text))
    assert (row["promised_on"], row["promise_amount"], row["next_action_on"]) == (
        "2026-04-10",
        "100.00",
        "2026-04-12",
    )

    # Older news is no news; a done action, a cancelled promise and an item taken out of a promise no longer count.
    ledger.publish("dunning", "qualification.changed", qualified(a, 1, status_code="stale"))
    ledger.publish("dunning", "action.changed", action(early, 2, [a, b], "2026-04-12", "done"))
    ledger.publish("dunning", "promise.changed", promised(promise, 2, [b]))
    ledger.publish("dunning", "dispute.changed", disputed(dispute, 2, [b], "resolved"))
    await ledger.settle()
    of_a, of_b = await shown(ledger, a), await shown(ledger, b)
    assert (of_a["status_code"], of_a["next_action"]["id"], of_a["promise"]) == ("promise", str(late), None)
    assert (of_b["next_action"], of_b["promise"]["id"]) == (None, str(promise))
    assert of_b["dispute"]["state"] == "resolved"
    assert await listed(ledger, disputed=True) == []
    ledger.publish("dunning", "promise.changed", promised(promise, 3, [b], state="cancelled"))
    await ledger.settle()
    assert (await shown(ledger, b))["promise"] is None


async def test_facts_wait_for_their_item_and_the_newest_open_promise_wins(ledger: ServiceClient) -> None:
    """A fact may be told before the ledger shows the item to anybody: it is kept under the id and found by it."""
    account = (await customer(ledger))["id"]
    kept, first, second = new_id(), new_id(), new_id()
    number = (await item(ledger, account, number="A"))["id"]
    stranger = str(new_id())
    ledger.publish("dunning", "qualification.changed", qualified(stranger, 1, status_code="ongoing"))
    ledger.publish(
        "dunning",
        "promise.changed",
        promised(kept, 1, [number], state="kept"),
        promised(first, 1, [number, stranger]),
        promised(second, 1, [number], promised_on="2026-05-01"),
    )
    await ledger.settle()
    assert (await shown(ledger, number))["promise"]["id"] == str(second)
    rows = await ledger.stack.sql(
        "ledger", "SELECT status_code, promised_on FROM item_facts WHERE item_id = $1", UUID(stranger)
    )
    assert [(row["status_code"], str(row["promised_on"])) for row in rows] == [("ongoing", "2026-04-10")]
    ledger.publish("dunning", "promise.changed", promised(second, 2, [number], state="broken"))
    await ledger.settle()
    assert (await shown(ledger, number))["promise"]["id"] == str(first)
