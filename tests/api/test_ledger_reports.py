"""Balances, ageing, DSO, behaviour and turnover over HTTP: held to the pure rules, at any day."""

import io
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zipfile import ZipFile

import pytest

from libs.contracts.exchange import Conversion, convert
from services.ledger.domain.ageing import AgedItem, CreditMode, age
from services.ledger.storage.currency_factors import RATES, converted, rates_of
from tests.api.import_steps import invoice, push

TODAY = date(2026, 3, 31)
CENT = Decimal(100)
WAYS = {
    "CHF": Conversion(Decimal("0.5"), False, TODAY),
    "USD": Conversion(Decimal("8"), True, TODAY),
    "JPY": Conversion(Decimal("0.00625"), False, TODAY),
    "KWD": Conversion(Decimal("0.3337"), True, TODAY),
}


@pytest.fixture
async def client(service_client):
    return await service_client("ledger", now=TODAY.isoformat())


def row(place: int, customer: str = "C-1", **other: Any) -> dict[str, Any]:
    return invoice(place, customer_external_id=customer, **other)


async def get(client, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def euros(cents: int) -> str:
    return str((Decimal(cents) / CENT).quantize(Decimal("0.01")))


async def portfolio(client, seed: int, size: int = 60) -> list[dict[str, Any]]:
    """Invoices and credit notes of five customers, some settled in part on a past day."""
    random = Random(seed)
    rows = []
    for place in range(size):
        issued = TODAY - timedelta(days=random.randrange(1, 400))
        amount = random.randrange(1, 500_00)
        kind = random.choice(["invoice"] * 4 + ["credit_note"])
        sign = 1 if kind == "invoice" else -1
        left = random.choice([amount, amount, amount // 2, 0])
        rows.append(
            row(
                place, f"C-{random.randrange(5)}", kind=kind, issue_date=issued.isoformat(),
                due_date=(issued + timedelta(days=random.choice([0, 14, 30, 60]))).isoformat(), amount=euros(amount),
                open_amount=euros(sign * left),
                settled_on=None if left == amount
                else (issued + timedelta(days=random.randrange((TODAY - issued).days + 1))).isoformat(),
            )
        )  # fmt: skip
    made = await push(client, *rows)
    assert made["counts"]["created"] == size, made
    return rows


def open_at(rows: list[dict[str, Any]], day: date) -> dict[str, list[AgedItem]]:
    """The same portfolio by the rules, without the database."""
    found: dict[str, list[AgedItem]] = defaultdict(list)
    for one in rows:
        sign = 1 if one["kind"] == "invoice" else -1
        issued, due = date.fromisoformat(one["issue_date"]), date.fromisoformat(one["due_date"])
        if issued > day:
            continue
        amount = sign * int(Decimal(one["amount"]) * CENT)
        settled = one.get("settled_on")
        if settled is not None and date.fromisoformat(settled) <= day:
            amount = int(Decimal(one["open_amount"]) * CENT)
        if amount:
            customer = one["customer_external_id"]
            found[customer].append(AgedItem(amount, issued, due, netting_key=customer))
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.feature("F10", "L4", "L5", "N9")
async def test_ageing_at_any_day_and_in_every_mode_equals_the_rules(client, seed: int) -> None:
    rows = await portfolio(client, seed)
    for days_ago in (0, 1, 45, 200):
        day = TODAY - timedelta(days=days_ago)
        for mode in CreditMode:
            report = await get(client, "/v1/reports/ageing", as_of=day, credits=mode.value, limit=200)
            expected = {name: age(items, day, credit_mode=mode) for name, items in open_at(rows, day).items()}
            assert {one["name"] for one in report["data"]} == set(expected)
            for one in report["data"]:
                want = expected[one["name"]]
                assert one["amounts"] == {label: euros(amount) for label, amount in want.amounts.items()}
                assert one["counts"] == want.counts
                assert one["outstanding"] == euros(want.outstanding)
            assert report["totals"]["outstanding"] == euros(
                sum(want.outstanding for want in expected.values())
            )


@pytest.mark.feature("L4", "L12", "F1")
async def test_balances_agree_with_the_ageing_whatever_the_key_and_the_day(client) -> None:
    rows = await portfolio(client, 3)
    for day in (TODAY, TODAY - timedelta(days=60)):
        expected = open_at(rows, day)
        for by in ("customer", "company", "group"):
            balances = await get(client, "/v1/balances", by=by, as_of=day, limit=200)
            shown = {one["name"]: one for one in balances["data"]}
            assert set(shown) == set(expected)
            for name, items in expected.items():
                late = sum(i.open_amount for i in items if i.open_amount > 0 and i.due_on < day)
                credits_ = sum(i.open_amount for i in items if i.open_amount < 0)
                one = shown[name]
                assert one["outstanding"] == euros(sum(i.open_amount for i in items))
                assert (one["overdue"], one["credits"]) == (euros(late), euros(credits_))
                assert one["items_count"] == len(items)
                assert one["order_book"] == ("0.00" if day == TODAY else None)


async def test_pages_of_balances_and_ageing_hold_every_key_once(client) -> None:
    await push(client, *[row(place, f"C-{place}", amount=f"{place + 1}.00") for place in range(7)])
    for path in ("/v1/balances", "/v1/reports/ageing"):
        names, cursor = [], None
        while True:
            page = await get(client, path, limit=3, **({"cursor": cursor} if cursor else {}))
            names += [one["name"] for one in page["data"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(names) == [f"C-{place}" for place in range(7)]
    assert names[0] == "C-6"  # ageing: the largest first


@pytest.mark.feature("F9")
@pytest.mark.feature("F9")
async def test_a_total_is_the_sum_of_its_rows_to_the_cent(client) -> None:
    """Cents that end in exact halves, by rates quoted either way, in yen and dinars: each row rounds to even, on its own."""
    rates = [
        ("CHF", "EUR", "0.5"),
        ("EUR", "USD", "1.08"),
        ("JPY", "EUR", "0.00625"),
        ("EUR", "KWD", "0.3337"),
    ]
    told = [
        {"base": base, "quote": quote, "valid_on": "2026-03-01", "rate": rate} for base, quote, rate in rates
    ]
    assert (await client.post("/v1/exchange-rates", json={"data": told})).status_code in (200, 201)
    rows = []
    for n in range(240):
        currency, decimals = (("CHF", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("EUR", 2))[n % 5]
        amount = str(Decimal(7 * n + 1).scaleb(-decimals))
        due = f"2026-0{1 + n % 3}-15"
        rows.append(
            row(
                n,
                f"C-{n % 37}",
                currency=currency,
                amount=amount,
                due_date=due,
                issue_date="2026-01-01",
                kind="credit_note" if n % 11 == 0 else "invoice",
            )
        )
    await push(client, *rows)
    for by in ("customer", "company"):
        report = await get(client, "/v1/reports/ageing", by=by, limit=200)
        assert report["next_cursor"] is None and len(report["data"]) == 37
        for bucket, total in report["totals"]["amounts"].items():
            assert Decimal(total) == sum(Decimal(one["amounts"][bucket]) for one in report["data"]), bucket
        page = await get(client, "/v1/reports/ageing", by=by, limit=1)
        assert page["totals"] == report["totals"]  # over all rows, whatever the page
    amounts = await client.stack.sql(
        "ledger",
        f"SELECT a.minor, f.currency, ({converted('a.minor')})::bigint AS made"
        f"  FROM generate_series(-300::bigint, 300) AS a(minor), {RATES.format('$1', '$2', '$3', '$4')}",
        *rates_of("EUR", WAYS),
    )
    for one in amounts:
        assert one["made"] == convert(one["minor"], one["currency"], "EUR", WAYS[one["currency"]]), one


async def test_two_currencies_are_converted_and_what_has_no_rate_stands_apart(client) -> None:
    await push(client, row(1), row(2, currency="CHF"), row(3, currency="USD"))
    rate = {"base": "CHF", "quote": "EUR", "valid_on": "2026-03-01", "rate": "1.05"}
    assert (await client.post("/v1/exchange-rates", json={"data": [rate]})).status_code in (200, 201)
    report = await get(client, "/v1/reports/ageing", by="total")
    (total,) = report["data"]
    assert (total["outstanding"], report["rate_date"]) == ("205.00", "2026-03-01")
    assert total["unconverted"] == [{"currency": "USD", "amount": "100.00"}]
    dollars = await get(client, "/v1/reports/ageing", currency="USD")
    assert (dollars["currency"], dollars["totals"]["outstanding"]) == ("USD", "100.00")
    assert {one["currency"] for one in (await get(client, "/v1/balances"))["data"]} == {"EUR", "CHF", "USD"}


@pytest.mark.feature("L11", "F11", "F12", "F13")
async def test_the_golden_dso_with_its_inputs(client) -> None:
    """As of 31 March: receivables 250,000; March 90k, February 110k, January 120k: 71.92 days."""
    sold = [("2026-01-10", "120000.00"), ("2026-02-10", "110000.00"), ("2026-03-10", "90000.00")]
    rows = [row(n, issue_date=day, due_date=day, amount=amount) for n, (day, amount) in enumerate(sold)]
    paid = row(9, kind="payment", issue_date="2026-03-11", due_date="2026-03-11", amount="70000.00")
    await push(client, *rows, paid)
    report = await get(client, "/v1/reports/dso", as_of="2026-03-31")
    assert report["value"] == "71.9167"
    assert (report["exhausted"], report["unexplained"], report["holes"]) == (True, "0.00", [])
    assert report["inputs"]["receivables"] == "250000.00"
    assert [one["sales"] for one in report["inputs"]["sales"]] == ["90000.00", "110000.00", "120000.00"]
    simple = await get(client, "/v1/reports/dso", as_of="2026-03-31", method="simple", months=3)
    assert simple["value"] == "70.3125"
    nothing = await get(client, "/v1/reports/dso", as_of="2025-01-31")
    assert nothing["value"] == "0.0000" or nothing["reasons"]["value"] == "no_sales"


@pytest.mark.feature("L7", "L8", "L9", "F16", "F17")
async def test_the_golden_payer_profile(client) -> None:
    """10,000 five days late, 2,000 forty late, 500 three early: 10.28 days."""
    cases = [
        ("10000.00", "2026-03-05", "2026-03-10"),
        ("2000.00", "2026-01-20", "2026-03-01"),
        ("500.00", "2026-03-20", "2026-03-17"),
    ]
    for place, (amount, due, paid_on) in enumerate(cases):
        await push(client, row(place, issue_date="2026-01-01", due_date=due, amount=amount))
        payment = {
            "customer_external_id": "C-1", "amount": amount, "currency": "EUR", "paid_on": paid_on,
            "allocations": [{"item_external_id": f"INV-{place}", "amount": amount}],
        }  # fmt: skip
        answer = await client.post("/v1/payments", json=payment)
        assert answer.status_code == 201, answer.text
    (profile,) = (await get(client, "/v1/reports/payment-behaviour"))["data"]
    assert profile["paid_only"] == {
        "average_delay": "10.28", "average_duration": profile["paid_only"]["average_duration"], "invoices": 3, "class": "average",
    }  # fmt: skip
    await push(client, row(9, issue_date="2025-06-01", due_date="2025-07-01", amount="50000.00"))
    (profile,) = (await get(client, "/v1/reports/payment-behaviour"))["data"]
    assert (profile["paid_only"]["class"], profile["class"]) == ("average", "very_bad")


@pytest.mark.feature("L19")
async def test_turnover_by_month_and_country_less_credit_notes(client) -> None:
    await push(
        client,
        row(1, issue_date="2026-02-10", amount="120.00", tax_amount="20.00"),
        row(2, issue_date="2026-03-10", amount="60.00", tax_amount="10.00"),
        row(3, kind="credit_note", issue_date="2026-03-12", amount="12.00", tax_amount="2.00"),
        row(4, kind="other", direction="debit", issue_date="2026-03-12", amount="999.00"),
    )
    months = (await get(client, "/v1/reports/turnover", since="2026-01-01", until="2026-03-31"))["data"]
    assert [(one["key"], one["turnover"], one["net"]) for one in months] == [
        ("2026-02", "120.00", "100.00"), ("2026-03", "48.00", "40.00"),
    ]  # fmt: skip


async def test_a_day_that_has_not_come_and_bad_buckets_are_refused(client) -> None:
    for query, pointer in (
        ({"as_of": "2026-04-01"}, "?as_of"),
        ({"buckets": "30,20"}, "?buckets"),
        ({"buckets": "x"}, "?buckets"),
    ):
        answer = await client.get("/v1/reports/ageing", params=query)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_reports_obey_the_perimeter(client) -> None:
    lyon = client.add_business_unit("LYON")
    await client.settle()
    await push(client, row(1))
    await push(client, row(2, "L-1"), business_unit_id=lyon)
    seen = client.acting(perimeter=[lyon])
    assert [one["name"] for one in (await get(seen, "/v1/balances"))["data"]] == ["L-1"]
    assert (await get(seen, "/v1/reports/ageing"))["totals"]["outstanding"] == "100.00"
    assert (await get(seen, "/v1/reports/dso"))["inputs"]["receivables"] == "100.00"
    assert [one["name"] for one in (await get(seen, "/v1/reports/payment-behaviour"))["data"]] == ["L-1"]


async def test_files_for_spreadsheets_have_typed_cells_and_run_nothing(client) -> None:
    await push(client, row(1, "=cmd()"), row(2, kind="credit_note", amount="5.00"))
    text = (await client.get("/v1/balances", headers={"accept": "text/csv"})).text
    lines = text.split("\r\n")
    assert lines[0].startswith("Id,Name,Currency,Outstanding")
    assert any(",'=cmd()," in line for line in lines)
    assert any(",-5.00," in line for line in lines)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    book = await client.get("/v1/reports/ageing", headers={"accept": kind})
    assert book.headers["content-type"] == kind
    sheet = ZipFile(io.BytesIO(book.content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<v>100.00</v>" in sheet and "<f>" not in sheet


@pytest.mark.feature("F29")
async def test_what_was_known_then(client) -> None:
    await push(client, row(1, due_date="2026-03-10"))
    before = (await client.get("/v1/items")).json()["data"][0]["updated_at"]
    await client.live_until(date(2026, 4, 2))
    (item,) = (await client.get("/v1/items")).json()["data"]
    changed = await client.patch(f"/v1/items/{item['id']}", json={"due_date": "2026-05-31"})
    assert changed.status_code == 200, changed.text
    now = await get(client, "/v1/reports/ageing", by="total")
    then = await get(client, "/v1/reports/ageing", by="total", known_at=before)
    assert (now["totals"]["amounts"]["not_due"], then["totals"]["amounts"]["1-30"]) == ("100.00", "100.00")
