"""A morning with Encours: the demo's ERP pushes a small portfolio, and the report it prints is what the API says."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from libs.testkit.stack import BOOTSTRAP_KEY, Stack
from services.sandbox.demo import DemoState, run
from services.sandbox.erp import Erp, connection
from services.sandbox.portfolio import Portfolio, UnitBook, generate

CUSTOMERS_A_UNIT = 12
_MONEY = r"(-?[\d,]+\.\d\d)"
_HALF_A_CENT = Decimal("0.005")


def small(today: date) -> Portfolio:
    """The customers of two units, one of each currency, who owe most, with all that hangs on them."""
    whole = generate(today)
    wanted = [wish for wish in whole.limit_wishes if wish["unit"] != "lille"]
    books = [
        some(book, {w["customer_external_id"] for w in wanted})
        for book in whole.books
        if book.unit.code != "lille"
    ]
    kept = {(book.unit.code, row["external_id"]) for book in books for row in book.customers}
    wishes = [wish for wish in wanted if (wish["unit"], wish["customer_external_id"]) in kept]
    parents = [link for link in whole.parents if {link["child"], link["parent"]} <= kept]
    return replace(whole, books=books, limit_wishes=wishes, parents=parents)


def some(book: UnitBook, first: set[str]) -> UnitBook:
    customers = sorted(book.customers, key=lambda row: row["external_id"] not in first)[:CUSTOMERS_A_UNIT]
    kept = {row["external_id"] for row in customers}
    return replace(
        book,
        customers=customers,
        items=[row for row in book.items if row["customer_external_id"] in kept],
        payments=[row for row in book.payments if row["customer_external_id"] in kept],
        orders=[row for row in book.orders if row["customer_external_id"] in kept],
    )


class Said(list[str]):
    """What the demo told the terminal."""

    def __call__(self, text: str) -> None:
        self.append(text)


@pytest.fixture
async def erp(stack: Stack) -> AsyncIterator[Erp]:
    async with connection(stack.url("gateway")) as client:
        yield Erp(client, "")


@pytest.mark.slow
@pytest.mark.feature(
    "L4", "L5", "L6", "L11", "L12", "L13", "L21", "L22", "C1", "C3", "C6", "C18", "C19", "D1", "D23",
    "F3", "F5", "F6", "F8", "F9", "F10", "F12", "F13", "F46", "F53", "F86", "G5", "G20",
)  # fmt: skip
async def test_an_erp_pushes_its_books_and_the_morning_report_tells_what_the_api_says(
    stack: Stack, erp: Erp, tmp_path: Path
) -> None:
    path, url = tmp_path / "demo.env", stack.url("gateway")
    first, second = Said(), Said()
    assert await run(erp, DemoState.read(path, url), path, BOOTSTRAP_KEY, first, small), "\n".join(first)
    state = DemoState.read(path, url)
    manager = erp.with_key(state.api_key)
    me = await manager.get("/v1/me")
    await stack.settle(UUID(me["tenant_id"]))
    mails = [mail async for mail in manager.pages("/v1/sandbox/mails")]

    assert await run(erp, state, path, BOOTSTRAP_KEY, second, small)
    (report,) = second
    assert len([mail async for mail in manager.pages("/v1/sandbox/mails")]) == len(mails), "nothing twice"
    longer = [line for line in report.splitlines() if len(line) > 80]
    assert all("enc_" in line or str(path) in line for line in longer), longer

    outstanding, overdue = await owed_in_euros(manager, small(date.fromisoformat(me["today"])))
    line = re.search(rf"EUR\s+{_MONEY}\s+{_MONEY}\s+[\d.]+%", report)
    assert line is not None, report
    shown, shown_overdue = (Decimal(text.replace(",", "")) for text in line.groups())
    rounding = _HALF_A_CENT * 2 * CUSTOMERS_A_UNIT  # each customer's francs may be rounded for themselves
    assert shown > shown_overdue > 0
    assert abs(shown - outstanding) <= rounding
    assert abs(shown_overdue - overdue) <= rounding

    risk = await manager.get("/v1/reports/risk", sort="-overdue", limit=8)
    assert abs(Decimal(risk["totals"]["outstanding"]) - shown) <= rounding
    assert Decimal(risk["totals"]["order_book"]) > 0
    for row in risk["data"]:
        figures = rf"{row['currency']}\s+{whole(row['overdue'])}\s+{whole(row['outstanding'])}"
        assert re.search(rf"{re.escape(row['company']['name'][:24])}.*{figures}", report), row["company"][
            "name"
        ]
    assert any(row["limit_state"] == "approved" and row["limit"] for row in risk["data"])

    dso = await manager.get("/v1/reports/dso", method="count_back")
    assert Decimal(dso["inputs"]["receivables"]) == shown
    assert f"DSO  {Decimal(dso['value']):.0f} days, count-back" in report
    assert f"overdue {Decimal(dso['overdue']):.0f}" in report

    done = await manager.get(f"/v1/dunning-runs/{state.run_id}")
    staff = {user["email"] async for user in manager.pages("/v1/users")}
    reminders = [mail for mail in mails if not staff.intersection(mail["to"])]  # staff are told of limits
    assert done["counts"]["sent"] == len(reminders) > 0
    assert f"TODAY'S ACTIONS  {len(reminders)} reminders sent" in report
    waiting = await manager.get("/v1/credit-limit-requests", state="pending")
    assert report.count("approve a limit") == min(len(waiting["data"]), 5) > 0


async def owed_in_euros(manager: Erp, portfolio: Portfolio) -> tuple[Decimal, Decimal]:
    """Outstanding and overdue of all customers by `/v1/balances`, francs at the newest rate that was pushed."""
    worth = {"EUR": Decimal(1), "CHF": Decimal(portfolio.rates[-1]["rate"])}
    rows = [row async for row in manager.pages("/v1/balances", by="customer")]
    assert {row["currency"] for row in rows} == worth.keys()
    outstanding = sum((Decimal(row["outstanding"]) * worth[row["currency"]] for row in rows), Decimal(0))
    overdue = sum((Decimal(row["overdue"]) * worth[row["currency"]] for row in rows), Decimal(0))
    return outstanding, overdue


def whole(amount: str) -> str:
    return re.escape(f"{Decimal(amount):,.0f}")
