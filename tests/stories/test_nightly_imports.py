"""What an ERP pushes at night, and what the credit desk finds in the morning."""

import gzip
from typing import Any

import pytest

from libs.testkit.plugin import MakeTenant
from libs.testkit.tenant import TestTenant
from tests.api.import_steps import counts, invoice, listed, ndjson, push, send
from tests.stories.credit_desk import read, rows

CSV = "text/csv"
FRENCH = {
    "dialect": {"separator": ";", "decimal": ",", "encoding": "cp1252", "date_formats": ["DD.MM.YYYY"]},
    "mapping": {
        "columns": {
            "TYP": {"to": "kind", "values": {"FAC": "invoice", "AV": "credit_note"}}, "DOC": "external_id",
            "CLI": "customer_external_id", "NOM": "customer_name", "DATE": "issue_date", "ECH": "due_date", "TTC": "amount",
        },
        "constants": {"currency": "EUR"},
    },
}  # fmt: skip
NIGHT = (
    "TYP;DOC;CLI;NOM;DATE;ECH;TTC\r\n"
    "FAC;F-1;C-1;Scierie du Nord-Été;05.03.2026;04.04.2026;1200,50\r\n"
    "FAC;F-2;C-2;Négoce Bâti;31.02.2026;30.04.2026;10,00\r\n"
    "FAC;F-3;C-2;Négoce Bâti;10.03.2026;09.04.2026;-5,00\r\n"
    "AV;A-1;C-1;Scierie du Nord-Été;12.03.2026;12.03.2026;200,00\r\n"
).encode("cp1252")


@pytest.fixture
async def house(make_tenant: MakeTenant) -> TestTenant:
    return await make_tenant(now="2026-03-31T09:00:00+02:00", name="Tuilerie de Bourgogne")


async def main_unit(house: TestTenant) -> str:
    (unit,) = (await read(house.client, "/v1/business-units"))["data"]
    return str(unit["id"])


def taken(unit: str, day: str, **other: Any) -> dict[str, Any]:
    """A snapshot of the business unit, as sap had it in the evening of a day."""
    return {
        "mode": "snapshot", "source": "sap", "business_unit_id": unit, "taken_at": f"{day}T20:00:00Z", **other,
    }  # fmt: skip


@pytest.mark.feature("F3", "F4")
async def test_a_french_file_lands_row_by_row_and_only_once(house: TestTenant) -> None:
    erp = house.client
    saved = await erp.put("/v1/import-sources/sage/items", json=FRENCH)
    assert saved.status_code == 200, saved.text

    night: dict[str, Any] = {"source": "sage", "control_count": 4}
    packed = {"content-encoding": "gzip"}
    answer = await send(erp, gzip.compress(NIGHT), media_type=CSV, headers=packed, **night)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert counts(made) == {"received": 4, "created": 2, "rejected": 2}
    assert [(each["row"], each["pointer"]) for each in made["errors"]] == [(2, "/issue_date"), (3, "/amount")]
    items = await listed(erp)
    assert {key: item["open_amount"] for key, item in items.items()} == {"F-1": "1200.50", "A-1": "-200.00"}
    assert (items["F-1"]["customer_name"], items["F-1"]["due_date"]) == ("Scierie du Nord-Été", "2026-04-04")
    listing = await erp.get(f"/v1/imports/{made['id']}/errors", headers={"accept": CSV})
    assert listing.text.splitlines()[0] == "row,pointer,code,detail"
    assert len(listing.text.splitlines()) == 3

    again = (await send(erp, NIGHT, media_type=CSV, **night)).json()
    assert counts(again) == {"received": 4, "unchanged": 2, "rejected": 2}
    assert await listed(erp) == items

    mended = NIGHT.replace(b"31.02.2026", b"28.02.2026").replace(b"-5,00", b"5,00")
    better = (await send(erp, mended, media_type=CSV, **night)).json()
    assert counts(better) == {"received": 4, "created": 2, "unchanged": 2}
    assert [row["outstanding"] for row in await rows(erp, "/v1/balances")] in (
        ["1000.50", "15.00"], ["15.00", "1000.50"],
    )  # fmt: skip


@pytest.mark.feature("F3")
async def test_a_push_that_is_retried_or_comes_late_does_no_harm(house: TestTenant) -> None:
    erp = house.client
    key = {"idempotency-key": "night-2026-03-30"}
    body = ndjson([invoice(1, source_version=7), invoice(2, source_version=7)])
    first = await send(erp, body, headers=key, source="sap")
    retried = await send(erp, body, headers=key, source="sap")
    assert retried.headers["idempotency-replayed"] == "true"
    assert retried.json() == first.json()
    other = await send(erp, ndjson([invoice(3)]), headers=key, source="sap")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")

    # The queue between the ERP and here overtook itself: version 8 came before version 6.
    newer = await push(erp, invoice(1, amount="130.00", source_version=8), source="sap")
    older = await push(erp, invoice(1, amount="90.00", source_version=6), source="sap")
    assert (counts(newer), counts(older)) == ({"received": 1, "updated": 1}, {"received": 1, "unchanged": 1})
    item = (await listed(erp))["INV-1"]
    assert (item["amount"], item["open_amount"], item["source_version"]) == ("130.00", "130.00", 8)

    # A delta says nothing about what it does not name.
    await push(erp, invoice(4), source="sap")
    assert {key: item["status"] for key, item in (await listed(erp)).items()} == {
        "INV-1": "open", "INV-2": "open", "INV-4": "open",
    }  # fmt: skip


@pytest.mark.feature("F5", "N8")
async def test_a_file_that_does_not_add_up_changes_nothing(house: TestTenant) -> None:
    erp = house.client
    file = [invoice(1), invoice(2, amount="50.00"), invoice(3, kind="credit_note", amount="30.00")]
    whole: dict[str, Any] = {"control_count": "3", "control_sum": "120.00"}
    cut_short = await send(erp, ndjson(file[:2]), **whole)
    assert (cut_short.status_code, cut_short.json()["code"]) == (422, "control_count_mismatch")
    wrong_sum = await send(erp, ndjson([*file[:2], {**file[2], "amount": "3.00"}]), **whole)
    assert (wrong_sum.status_code, wrong_sum.json()["code"]) == (422, "control_sum_mismatch")
    assert await listed(erp) == {}
    failed = await rows(erp, "/v1/imports", status="failed")
    assert {each["error"]["code"] for each in failed} == {"control_count_mismatch", "control_sum_mismatch"}

    made = await push(erp, *file, **whole)
    assert counts(made) == {"received": 3, "created": 3}
    assert made["totals"] == [
        {"currency": "EUR", "received": "120.00", "accepted": "120.00", "rejected": "0.00"}
    ]


@pytest.mark.feature("F4", "F5", "N8")
async def test_the_brake_holds_a_truncated_snapshot(house: TestTenant) -> None:
    erp, unit = house.client, await main_unit(house)
    stock = [invoice(place) for place in range(10)]
    await push(erp, *stock, **taken(unit, "2026-03-26"))
    await push(erp, invoice(50), source="sage")  # another system's: no snapshot of sap closes it

    # One invoice was paid: a snapshot does not name it any more, and it is closed as of the file.
    paid = await push(erp, *stock[1:], **taken(unit, "2026-03-27"))
    assert counts(paid) == {"received": 9, "unchanged": 9, "closed": 1}
    gone = (await listed(erp))["INV-0"]
    assert (gone["status"], gone["closed_on"]) == ("closed", "2026-03-27")

    # The disk was full: four of nine are missing. A look first, then the real push.
    before = await listed(erp)
    look = await push(erp, *stock[5:], invoice(60), **taken(unit, "2026-03-28", dry_run=True))
    assert {name: look["diff"]["counts"][name] for name in ("created", "closed")} == {
        "created": 1,
        "closed": 4,
    }
    assert look["diff"]["held"]["reason"] == "brake_count"
    assert [(each["change"], each["external_id"]) for each in look["diff"]["changes"]] == [
        ("created", "INV-60"), ("closed", "INV-1"), ("closed", "INV-2"), ("closed", "INV-3"), ("closed", "INV-4"),
    ]  # fmt: skip
    held = await push(erp, *stock[5:], **taken(unit, "2026-03-28"))
    assert (held["status"], held["held"]["closing_count"]) == ("held", 4)
    assert held["held"]["closing_amounts"] == [{"currency": "EUR", "amount": "400.00"}]
    assert await listed(erp) == before

    # The file was bad: given up. The whole file comes again, and nothing is closed.
    given_up = await erp.post(f"/v1/imports/{held['id']}/cancel")
    assert given_up.json()["status"] == "cancelled"
    assert counts(await push(erp, *stock[1:], **taken(unit, "2026-03-28"))) == {"received": 9, "unchanged": 9}
    stale = await send(erp, ndjson(stock), **taken(unit, "2026-03-25"))
    assert (stale.status_code, stale.json()["code"]) == (409, "snapshot_superseded")

    # A month's end: most is paid indeed, and a person says so.
    end = await push(erp, *stock[7:], **taken(unit, "2026-03-30"))
    assert end["status"] == "held"
    confirm = f"/v1/imports/{end['id']}/confirm"
    unread = await erp.post(confirm, json={"diff_hash": "0" * 64})
    assert (unread.status_code, unread.json()["code"]) == (409, "snapshot_changed")
    agreed = await erp.post(confirm, json={"diff_hash": end["held"]["diff_hash"]})
    assert agreed.status_code == 200, agreed.text
    assert counts(agreed.json()) == {"received": 3, "unchanged": 3, "closed": 6}
    still_open = await listed(erp, status="open")
    assert set(still_open) == {"INV-7", "INV-8", "INV-9", "INV-50"}
    (balance,) = (await read(erp, "/v1/balances"))["data"]
    assert (balance["outstanding"], balance["items_count"]) == ("400.00", 4)
