"""What peers' tests of insured risk expect, and what is decided here: the same, or something else for a reason."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from services.credit.domain.insurance.clocks import Facts, stop_of
from services.credit.domain.insurance.cover import Line
from services.credit.domain.insurance.insured import Item, Share, shares
from services.credit.domain.insurance.policy_terms import Terms
from services.credit.domain.security import Considered, Guarantee, unsecured

DAY = date(2026, 3, 1)
UNIT = UUID(int=1)


def counted(amount: int) -> Considered:
    return Considered(
        Guarantee("cover", UUID(int=2), "permanent", amount, "EUR", DAY, None), amount, "counted"
    )


@pytest.mark.parametrize(
    ("case", "limit", "cover", "own_part"),
    [
        # INS-01: nothing is insured, the house bears all of the limit.
        ("INS-01", 100_00, 0, 100_00),
        # INS-03 raises the limit to the cover. Here a limit is a decision with a name under it: cover of 100 leaves the limit
        # of 50 where it is, with nothing of it borne by the house. What is secured goes through without a validator when asked.
        ("INS-03", 50_00, 100_00, 0),
        ("above the cover", 150_00, 100_00, 50_00),
    ],
)  # fmt: skip
def test_the_house_s_own_part_of_a_limit(case: str, limit: int, cover: int, own_part: int) -> None:
    assert unsecured(limit, [counted(cover)] if cover else []) == own_part, case


def shared(
    terms: Terms | None, starts_on: date, *, kind: str = "invoice", open_amount: int = 500_00
) -> list[Share]:
    """The shares of one item delivered on DAY under a policy that covers all of it from a day on."""
    item = Item(UUID(int=3), "F-1", UNIT, kind, DAY, None, DAY, DAY, "EUR", 500_00, 0, open_amount)
    line = Line(UUID(int=2), "permanent", 900_00, 900_00, "EUR", Decimal(90), None)
    return shares(
        [item],
        lambda day: [line] if day >= starts_on else [],
        lambda day: terms if day >= starts_on else None,
        None,
        [],
        lambda amount, currency: amount,
    )


def test_an_item_from_before_the_policy_is_never_insured_afterwards() -> None:
    # INS-05 refuses a person's wish to insure it. Here nobody marks items: whether one is insured follows from the terms and
    # the cover on the day it was delivered, so that a policy of later changes nothing about it.
    (before,) = shared(Terms(), DAY + timedelta(days=1))
    assert (before.covered, before.findings) == (False, ("outside_policy", "no_cover_at_delivery"))
    (after,) = shared(Terms(), DAY)
    assert (after.insured, after.indemnity) == (500_00, 450_00)
    # What is owed to the buyer is no receivable: credits lessen insured items and are never insured themselves.
    for kind in ("credit_note", "payment"):
        assert shared(Terms(), DAY, kind=kind, open_amount=-500_00) == [], kind


def test_a_payment_returned_is_owed_again_and_stops_cover() -> None:
    # INS-06 keeps the risk of returned payments apart: 0, 500, 0. Here it is the item's own open amount that comes back, in the
    # same figure as every other receivable, and while the return stands deliveries are not covered.
    def stop(found: list[Share], bounced_on: date | None) -> tuple[date, str, UUID | None] | None:
        facts = Facts(DAY, "EUR", lambda day: (Terms(), 1), lambda day: 0, bounced_on=bounced_on)
        return stop_of(found, facts)

    paid, returned = shared(Terms(), DAY, open_amount=0), shared(Terms(), DAY)
    assert [sum(share.gross for share in found) for found in (paid, returned, paid)] == [0, 500_00, 0]
    assert stop(paid, None) is None
    assert stop(returned, DAY) == (DAY, "bounced_payment", None)
    assert stop(paid, None) is None
