"""What the sender says the file holds, against what was received."""

import json
from typing import Any

import pytest

from services.ledger.domain.intake.control import Control, control_of
from services.ledger.domain.intake.errors import ImportFailed
from tests.unit.ledger_intake.reading import JSON, invoice, read, read_rows


def check(rows: list[dict[str, Any]], count: object, sums: object, kind: str = "items") -> None:
    read_rows(*rows, kind=kind).intake.check_totals(control_of(count, sums))


ROWS = [
    invoice(1, amount="100.10"),
    invoice(2, amount="0.20", kind="credit_note"),
    invoice(3, amount="7", currency="JPY"),
]


@pytest.mark.parametrize(
    ("count", "sums"),
    [
        (3, {"EUR": "99.90", "JPY": "7"}),
        ("3", "EUR:99.90,JPY:7"),
        (3, None),
        (None, {"EUR": "99.9", "JPY": 7}),
        (None, None),
    ],
)
def test_totals_that_agree(count: object, sums: object) -> None:
    check(ROWS, count, sums)


def test_one_currency_needs_no_name() -> None:
    check(ROWS[:2], 2, "99.90")
    check(ROWS[:2], "2", "+99.9")
    check([], 0, "0.00")


@pytest.mark.parametrize(
    ("count", "sums", "code"),
    [
        (2, None, "control_count_mismatch"),
        (4, {"EUR": "99.90", "JPY": "7"}, "control_count_mismatch"),
        (3, {"EUR": "99.91", "JPY": "7"}, "control_sum_mismatch"),
        (3, {"EUR": "99.90"}, "control_sum_mismatch"),
        (3, {"EUR": "99.90", "JPY": "7", "USD": "1"}, "control_sum_mismatch"),
        (3, "106.90", "control_invalid"),
    ],
)
def test_totals_that_do_not_agree_fail_the_file(count: object, sums: object, code: str) -> None:
    with pytest.raises(ImportFailed) as caught:
        check(ROWS, count, sums)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("count", "sums"),
    [
        ("x", None),
        (-1, None),
        (True, None),
        (1.5, None),
        (1, "1,5"),
        (1, {"EURO": "1"}),
        (1, [1]),
        (1, True),
        (1, "1e5"),
        (1, "NaN"),
        (1, "EUR:"),
    ],
)
def test_totals_that_make_no_sense(count: object, sums: object) -> None:
    with pytest.raises(ImportFailed, match="control_invalid"):
        control_of(count, sums)


def test_refused_rows_were_received_too() -> None:
    rows = [
        invoice(1, amount="10.00"),
        invoice(2, amount="5.005"),
        invoice(3, amount="3.00", issue_date="2026-02-30", kind="credit_note"),
        invoice(4, amount="-1.00"),
        invoice(4, amount="2.00"),
        invoice(4, amount="4.00"),
    ]
    outcome = read_rows(*rows)
    assert outcome.counts == (6, 2, 4, 0)
    assert outcome.sums == {"EUR": "17.005"}
    assert {currency: str(amount) for currency, amount in outcome.intake.received.refused_sums().items()} == {
        "EUR": "5.005"
    }
    outcome.intake.check_totals(control_of(6, "17.005"))


def test_an_amount_nobody_can_read_is_said_in_the_mismatch() -> None:
    outcome = read_rows(invoice(1, amount="10.00"), invoice(2, amount="ten"))
    assert outcome.intake.received.unread == 1
    with pytest.raises(ImportFailed, match="1 refused rows state no readable amount"):
        outcome.intake.check_totals(control_of(2, "20.00"))


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("total", "agrees"), [("1234.56", True), (1234.56, True), ("1234.57", False)])
def test_totals_inside_the_file(before: bool, total: object, agrees: bool) -> None:
    control = {"control": {"count": 1, "sum": total}}
    document = control | {"data": [invoice()]} if before else {"data": [invoice()]} | control
    outcome = read(json.dumps(document).encode(), media_type=JSON)
    if agrees:
        outcome.intake.check_totals()
    else:
        with pytest.raises(ImportFailed, match="control_sum_mismatch"):
            outcome.intake.check_totals()


@pytest.mark.parametrize("control", [{"count": 1, "total": 5}, [], "x", {"count": "one"}])
def test_totals_inside_the_file_that_make_no_sense(control: object) -> None:
    outcome = read(json.dumps({"data": [invoice()], "control": control}).encode(), media_type=JSON)
    with pytest.raises(ImportFailed, match="control_invalid"):
        outcome.intake.check_totals()


def test_customers_have_nothing_to_sum() -> None:
    rows = [{"external_id": "1", "name": "A"}]
    check(rows, 1, None, kind="customers")
    with pytest.raises(ImportFailed, match="control_invalid"):
        check(rows, 1, "0.00", kind="customers")


def test_nothing_said_is_nothing_to_check() -> None:
    assert control_of(None, None) == Control()
