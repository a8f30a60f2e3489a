"""When messages may leave: office hours, holidays, and the two days a year on which clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dunning.domain.sending_window import SendingWindow, WindowNeverOpensError

PARIS = SendingWindow("Europe/Paris", "FR")


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2026-11-18T09:30", "2026-11-18T09:30"),
        ("2026-11-18T07:59:59", "2026-11-18T08:00"),
        ("2026-11-18T08:00", "2026-11-18T08:00"),
        ("2026-11-18T17:59:59", "2026-11-18T17:59:59"),
        ("2026-11-18T18:00", "2026-11-19T08:00"),
        ("2026-11-20T18:00", "2026-11-23T08:00"),
        ("2026-11-21T12:00", "2026-11-23T08:00"),
        ("2026-11-11T10:00", "2026-11-12T08:00"),
        ("2026-05-13T19:00", "2026-05-15T08:00"),
        ("2026-12-24T18:00", "2026-12-28T08:00"),
        ("2026-12-31T20:00", "2027-01-04T08:00"),
        ("2026-03-27T18:30", "2026-03-30T08:00"),
        ("2026-10-23T18:30", "2026-10-26T08:00"),
    ],
    ids=[
        "within",
        "before",
        "at opening",
        "last second",
        "at closing",
        "friday evening",
        "saturday",
        "armistice day",
        "ascension thursday",
        "christmas",
        "new year",
        "clocks forward at the weekend",
        "clocks back at the weekend",
    ],
)
def test_the_next_opening_in_paris(asked: str, expected: str) -> None:
    assert PARIS.next_opening(paris(asked)) == paris(expected)


def test_eight_in_the_morning_is_another_instant_after_the_clocks_changed() -> None:
    winter = PARIS.next_opening(paris("2026-03-27T06:00"))
    summer = PARIS.next_opening(paris("2026-03-30T06:00"))
    assert (winter.hour, summer.hour) == (7, 6)
    assert winter.tzinfo is UTC


def test_the_window_is_the_customers_and_not_ours() -> None:
    tokyo = SendingWindow("Asia/Tokyo", "JP")
    assert tokyo.next_opening(paris("2026-11-18T10:30")) == datetime(2026, 11, 18, 23, tzinfo=UTC)


def test_holidays_are_the_countrys_own() -> None:
    national_day = paris("2026-07-14T10:00")
    assert not PARIS.is_open(national_day)
    assert SendingWindow("Europe/Zurich", "CH").is_open(national_day)
    assert SendingWindow("Europe/Paris").is_open(national_day)


def test_a_window_in_the_hour_that_is_skipped_waits_for_another_day() -> None:
    night = SendingWindow("Europe/Paris", weekdays=frozenset(range(7)), opens=time(2, 10), closes=time(2, 50))
    assert night.next_opening(paris("2026-03-29T00:00")) == paris("2026-03-30T02:10")


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": "Europe/Paris", "country": "ZZ"},
        {"time_zone": "Europe/Paris", "opens": time(18), "closes": time(8)},
        {"time_zone": "Europe/Paris", "opens": time(8), "closes": time(8)},
    ],
)
def test_a_window_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown|known|opens"):
        SendingWindow(**wrong)  # type: ignore[arg-type]


def test_a_window_without_days_never_opens() -> None:
    with pytest.raises(WindowNeverOpensError):
        SendingWindow("Europe/Paris", weekdays=frozenset()).next_opening(paris("2026-11-18T09:30"))


zones = st.sampled_from(
    [
        "Europe/Paris",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Pacific/Apia",
        "America/St_Johns",
        "UTC",
    ]
)
countries = st.sampled_from([None, "FR", "US", "AU", "IN"])
instants = st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
hours = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda pair: time(*pair))


@given(zones, countries, instants, st.tuples(hours, hours).map(sorted).filter(lambda pair: pair[0] < pair[1]))
def test_the_next_opening_is_open_not_before_the_question_and_the_first_such_instant(
    zone: str, country: str | None, asked: datetime, window: list[time]
) -> None:
    sending = SendingWindow(zone, country, opens=window[0], closes=window[1])
    opening = sending.next_opening(asked)
    assert opening >= asked
    assert sending.is_open(opening)
    local = opening.astimezone(ZoneInfo(zone))
    assert local.weekday() < 5
    assert window[0] <= local.time() < window[1]
    assert sending.next_opening(opening) == opening
    probe = asked
    while probe < opening:
        assert not sending.is_open(probe), "an earlier instant was open"
        probe += timedelta(minutes=17)
