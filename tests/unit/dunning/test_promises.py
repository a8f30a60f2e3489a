"""Promises judged by the ledger's facts, and what a word is worth."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.dunning.domain.promise import (
    GRACE_DAYS,
    Judgement,
    PromiseFacts,
    PromiseState,
    deadline,
    judge,
    reliability,
)
from services.dunning.domain.scenario import Channel, Mode
from services.dunning.domain.sending_window import SendingRules, window_at
from services.dunning.domain.statuses import LANGUAGES, NATIVE_LABELS, Category, Status, follow_up_on
from services.dunning.domain.time_zones import zone_of
from tests.unit.dunning.books import D0, day

PROMISED = day(10)


def facts(amount: int = 1_000, owed: int = 1_000, **more: int) -> PromiseFacts:
    given = {"paid": 0, "paid_in_time": 0} | more
    return PromiseFacts(amount, PROMISED, owed, **given)


@pytest.mark.parametrize(
    ("found", "on", "expected"),
    [
        (facts(), PROMISED + timedelta(days=GRACE_DAYS), Judgement(PromiseState.OPEN, 0, 0)),
        (facts(), PROMISED + timedelta(days=GRACE_DAYS + 1), Judgement(PromiseState.BROKEN, 0, 0)),
        (facts(paid=1_000, paid_in_time=1_000), day(3), Judgement(PromiseState.KEPT, 1_000, 0)),
        (facts(paid=400, paid_in_time=400), day(11), Judgement(PromiseState.OPEN, 400, 0)),
        (facts(paid=400, paid_in_time=400), day(13), Judgement(PromiseState.PARTLY, 400, 0)),
        (facts(paid=1_000, paid_in_time=0), day(40), Judgement(PromiseState.BROKEN, 0, 0)),
        (facts(credited=300, paid=700, paid_in_time=700), day(13), Judgement(PromiseState.KEPT, 700, 300)),
        (facts(credited=1_000), day(13), Judgement(PromiseState.CANCELLED, 0, 1_000)),
        (facts(600, paid=600, paid_in_time=600), day(13), Judgement(PromiseState.KEPT, 600, 0)),
        (facts(600, credited=200), day(13), Judgement(PromiseState.BROKEN, 0, 0)),
        (facts(settled_in_time=1_000), day(13), Judgement(PromiseState.KEPT, 1_000, 0)),
        (facts(400, paid=500, paid_in_time=500, before=600), day(13), Judgement(PromiseState.BROKEN, 0, 0)),
        (facts(400, paid=800, paid_in_time=800, before=600), day(13), Judgement(PromiseState.PARTLY, 200, 0)),
    ],
    ids=[
        "the last day of grace is still in time",
        "then it is broken",
        "kept as soon as it is paid",
        "partly paid before the day is open",
        "partly paid after it is partly kept",
        "paid too late by value date",
        "what is credited leaves the promise",
        "nothing of it is owed any more",
        "a part of what is owed was promised",
        "a credit on the other part leaves the promise alone",
        "settled by its source without naming a payment",
        "earlier instalments are paid first",
        "then this one, in part",
    ],
)
def test_a_promise_is_judged_by_what_was_paid_in_time(
    found: PromiseFacts, on: object, expected: Judgement
) -> None:
    assert judge(found, on) == expected  # type: ignore[arg-type]


def test_reliability_is_what_came_of_what_was_promised() -> None:
    judged = [
        (PromiseState.KEPT, 1_000, 1_000),
        (PromiseState.PARTLY, 500, 250),
        (PromiseState.BROKEN, 500, 0),
        (PromiseState.OPEN, 9_000, 0),
        (PromiseState.CANCELLED, 9_000, 0),
    ]
    found = reliability(judged)
    assert (found.kept, found.partly, found.broken, found.rate) == (1, 1, 1, Decimal("0.6250"))
    assert reliability([(PromiseState.OPEN, 5, 0)]).rate is None
    assert deadline(PROMISED) == day(12)


def test_the_promised_day_beats_the_delay_and_a_wish_beats_both() -> None:
    promise = Status("p", Category.PROMISE, default_days=7, mode=Mode.MANUAL, action_channel=Channel.CALL)
    ongoing = Status("o", Category.ONGOING, default_days=4)
    assert follow_up_on(promise, D0, day(20), None) == day(20)
    assert follow_up_on(promise, D0, day(20), day(3)) == day(3)
    assert follow_up_on(ongoing, D0, day(-2), None) == day(4)


def test_native_statuses_speak_every_language_in_words_of_their_own() -> None:
    for labels in NATIVE_LABELS.values():
        assert tuple(labels) == LANGUAGES
        assert all(labels.values())
    for language in LANGUAGES:
        said = [labels[language] for labels in NATIVE_LABELS.values()]
        assert len(set(said)) == len(Category), f"two statuses read alike in {language}"


@pytest.mark.parametrize(
    ("country", "named", "zone"),
    [
        ("FR", None, "Europe/Paris"),
        ("US", None, "America/New_York"),
        ("JP", None, "Asia/Tokyo"),
        ("FR", "America/Cayenne", "America/Cayenne"),
        ("FR", "Mars/Olympus", "Europe/Paris"),
        (None, None, None),
        ("XX", None, None),
    ],
)
def test_customers_are_where_their_country_is_unless_their_record_says(
    country: str | None, named: str | None, zone: str | None
) -> None:
    assert zone_of(country, named) == zone


def test_sending_rules_take_the_customers_hours_and_holidays() -> None:
    rules = SendingRules()
    tokyo = window_at(rules, zone="Asia/Tokyo", country="JP", house_zone="Europe/Paris", house_country="FR")
    assert (tokyo.time_zone, tokyo.country) == ("Asia/Tokyo", "JP")
    house = window_at(
        SendingRules(calendar="house"),
        zone="Asia/Tokyo",
        country="JP",
        house_zone="Europe/Paris",
        house_country="FR",
    )
    assert house.country == "FR"
    unknown = window_at(rules, zone=None, country=None, house_zone="Europe/Paris", house_country="FR")
    assert (unknown.time_zone, unknown.country) == ("Europe/Paris", "FR")
    none = window_at(
        SendingRules(calendar="none"), zone=None, country="FR", house_zone="UTC", house_country="FR"
    )
    assert none.works_on(day(0).replace(month=5, day=1))
