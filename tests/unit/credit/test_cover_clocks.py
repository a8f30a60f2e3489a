"""The dates on which cover is lost, and what a claim would bring (DOMAIN §1, §3.6, §3.7)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from services.credit.domain.insurance.clocks import Facts, clocks, dates_of, proof_of_debt_by, stop_of
from services.credit.domain.insurance.cover import Line
from services.credit.domain.insurance.insured import Item, Share, Stop, oldest_first, shares
from services.credit.domain.insurance.policy_terms import Terms

UNIT = UUID(int=1)
ISSUED, DUE = date(2026, 1, 10), date(2026, 2, 9)


def item(number: int = 1, **members: object) -> Item:
    facts = {
        "id": UUID(int=number), "number": f"F-{number}", "business_unit_id": UNIT, "kind": "invoice", "issue_date": ISSUED,
        "delivery_date": None, "due_date": DUE, "original_due_date": DUE, "currency": "EUR", "amount": 180_000_00,
        "tax_amount": 30_000_00, "open_amount": 180_000_00, **members,
    }  # fmt: skip
    return Item(**facts)  # type: ignore[arg-type]


def insured(
    items: list[Item], cover: int = 120_000_00, terms: Terms | None = None, stops: tuple[Stop, ...] = ()
) -> list[Share]:
    lines = [Line(UUID(int=5), "permanent", cover, cover, "EUR", Decimal(90), None)]
    chosen = terms or Terms()
    return shares(items, lambda day: lines, lambda day: chosen, None, stops, lambda amount, currency: amount)


FRENCH = Terms.model_validate(
    {"clauses": [
        {"event": "stop", "days": 120, "base": "invoice_date", "threshold": "1000.00"},
        {"event": "notification", "days": 30, "base": "stop"},
        {"event": "claim", "days": 60, "base": "notification"},
    ]}
)  # fmt: skip


def facts(today: date, terms: Terms = FRENCH, late: int = 10_000_00, **members: object) -> Facts:
    return Facts(today, "EUR", lambda day: (terms, 1), lambda day: late, **members)  # type: ignore[arg-type]


def test_the_split_of_the_golden_claim() -> None:
    (share,) = insured([item()])
    assert (share.gross, share.tax, share.insured) == (180_000_00, 30_000_00, 120_000_00)
    assert (share.indemnity, share.retention, share.above_cover) == (108_000_00, 12_000_00, 30_000_00)
    assert share.gross == share.indemnity + share.retention + share.above_cover + (share.tax or 0)


def test_vat_follows_the_open_amount_and_no_tax_is_never_taken_as_net() -> None:
    (half,) = insured([item(open_amount=90_000_00)])
    assert (half.tax, half.insured) == (15_000_00, 75_000_00)
    (unknown,) = insured([item(tax_amount=None)])
    assert (unknown.insured, unknown.findings) == (0, ("tax_unknown",))


def test_cover_is_used_up_in_the_order_of_delivery() -> None:
    first = item(1, delivery_date=date(2026, 1, 2))
    second = item(2, delivery_date=date(2026, 1, 3), amount=60_000_00, tax_amount=0, open_amount=60_000_00)
    found = {share.item.id.int: share.insured for share in insured([second, first], cover=170_000_00)}
    assert found == {1: 150_000_00, 2: 20_000_00}
    credit = item(3, kind="credit_note", open_amount=-80_000_00)
    netted = insured([first, credit], cover=170_000_00)
    assert [share.gross for share in netted] == [100_000_00]


def test_receipts_go_to_the_oldest_item_when_the_policy_says_so() -> None:
    old = item(1, amount=100_00, open_amount=100_00, tax_amount=0)
    paid = item(2, amount=60_00, open_amount=0, tax_amount=0, original_due_date=DUE + timedelta(days=30))
    assert [(one.id.int, one.open_amount) for one in oldest_first([old, paid])] == [(1, 40_00), (2, 60_00)]


def test_findings_that_lose_cover() -> None:
    terms = Terms(max_terms=20, invoicing_days=3)
    (long,) = insured([item()], terms=terms)
    assert (long.insured, long.findings) == (0, ("term_too_long",))
    (late,) = insured([item(delivery_date=date(2026, 1, 5))], terms=Terms(invoicing_days=3))
    assert (late.insured > 0, late.findings) == (True, ("invoiced_late",))
    (public,) = insured([item(buyer_kind="public")])
    assert (public.insured, public.findings) == (0, ("public_buyer",))
    stopped = Stop(ISSUED, date(2026, 1, 20))
    (after,) = insured([item()], stops=(stopped,))
    assert (after.insured, after.findings) == (0, ("delivered_after_stop",))
    (again,) = insured([item()], terms=Terms(regularisation="reinstates"), stops=(stopped,))
    assert again.insured > 0


def test_a_french_policy_runs_from_the_invoice() -> None:
    dates = dates_of(item(), facts(date(2026, 3, 1)))
    assert dates is not None and dates.stop and dates.notification and dates.foreclosure
    stop = ISSUED + timedelta(days=120)
    assert (dates.stop[0], dates.notification[0]) == (stop, stop + timedelta(days=30))
    assert dates.foreclosure[0] == stop + timedelta(days=90)
    assert dates_of(item(), facts(date(2026, 3, 1), late=999_99)) is not None
    small = clocks(insured([item()]), facts(date(2026, 3, 1), late=999_99))
    assert small == [], "nothing runs under the threshold"


def test_a_due_date_pushed_back_moves_nothing_and_a_notification_moves_the_claim() -> None:
    terms = Terms.model_validate({"clauses": [
        {"event": "stop_delivery", "days": 60, "base": "original_due_date"},
        {"event": "notification", "days": 30, "base": "original_due_date"},
        {"event": "foreclosure", "days": 60, "base": "notification"},
    ]})  # fmt: skip
    pushed = item(due_date=DUE + timedelta(days=90))
    (share,) = insured([pushed], terms=terms)
    assert share.findings == ("due_date_moved",)
    told = {one.kind: one.due_on for one in clocks([share], facts(DUE, terms))}
    assert told == {
        "stop_delivery": DUE + timedelta(days=60),
        "notification": DUE + timedelta(days=30),
        "foreclosure": DUE + timedelta(days=90),
    }
    notified = facts(DUE, terms, notified={pushed.id: DUE + timedelta(days=5)})
    assert {one.kind: one.due_on for one in clocks([share], notified)} == {
        "stop_delivery": DUE + timedelta(days=60),
        "foreclosure": DUE + timedelta(days=65),
    }


def test_a_missed_claim_date_is_lost_and_shown_by_item() -> None:
    found = clocks(insured([item()]), facts(ISSUED + timedelta(days=211)))
    assert [(one.kind, one.state) for one in found] == [
        ("stop_delivery", "stopped"), ("notification", "missed"), ("foreclosure", "foreclosed"),
    ]  # fmt: skip


def test_a_bounced_debit_or_a_judgment_stops_cover_at_once() -> None:
    owed = insured([item()])
    assert stop_of(owed, facts(DUE)) == (ISSUED + timedelta(days=121), "overdue", UUID(int=1))
    assert stop_of(owed, facts(DUE, bounced_on=DUE)) == (DUE, "bounced_payment", None)
    judged = facts(DUE, judged_on=date(2026, 2, 1), bounced_on=DUE)
    assert stop_of(owed, judged) == (date(2026, 2, 1), "insolvency", None)
    assert stop_of([replace(owed[0], insured=0)], facts(DUE)) is None, "what was never covered stops nothing"


def test_the_last_day_to_declare_a_debt() -> None:
    assert proof_of_debt_by(date(2026, 3, 17), mainland_france=True) == date(2026, 5, 17)
    assert proof_of_debt_by(date(2026, 12, 31), mainland_france=True) == date(2027, 2, 28)
    assert proof_of_debt_by(date(2026, 10, 31), mainland_france=False) == date(2027, 2, 28)
