"""When a message may leave: working days and hours where the customer is, public holidays left out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

__all__ = ["OFFICE_DAYS", "SendingRules", "SendingWindow", "WindowNeverOpensError", "window_at"]

#: Monday to Friday, as datetime.weekday() counts.
OFFICE_DAYS = frozenset(range(5))
_YEAR_AND_A_BIT = 400


class WindowNeverOpensError(ValueError):
    """No instant of the coming year lies in the window."""


@dataclass(frozen=True, slots=True)
class SendingWindow:
    """Local hours on given weekdays. `opens` belongs to the window, `closes` does not.

    `time_zone` is an IANA name; `country` an ISO 3166 alpha-2 code whose public holidays are left out (None:
    none are). Raises ValueError for an unknown zone or country, or hours that are the wrong way round.
    """

    time_zone: str
    country: str | None = None
    weekdays: frozenset[int] = OFFICE_DAYS
    opens: time = time(8)
    closes: time = time(18)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError) as unknown:
            raise ValueError(f"unknown time zone {self.time_zone!r}") from unknown
        if self.country is not None and self.country not in _countries():
            raise ValueError(f"no public holidays are known for {self.country!r}")
        if not self.opens < self.closes:
            raise ValueError("a window opens before it closes")

    def works_on(self, day: date) -> bool:
        """Whether anything is sent on that local day."""
        return day.weekday() in self.weekdays and day not in _holidays(self.country, day.year)

    def is_open(self, at: datetime) -> bool:
        """Whether a message may leave at an instant (any aware datetime)."""
        local = at.astimezone(ZoneInfo(self.time_zone))
        return self.works_on(local.date()) and self.opens <= local.time() < self.closes

    def next_opening(self, at: datetime) -> datetime:
        """The first instant from `at` on at which a message may leave, in UTC. Raises
        WindowNeverOpensError."""
        zone = ZoneInfo(self.time_zone)
        start = at.astimezone(UTC)
        first_day = at.astimezone(zone).date()
        for offset in range(_YEAR_AND_A_BIT):
            opening = datetime.combine(first_day + timedelta(days=offset), self.opens, zone).astimezone(UTC)
            candidate = max(start, opening)
            # An hour that the clocks skip or repeat can push the candidate out of the window: then another
            # day serves.
            if self.is_open(candidate):
                return candidate
        raise WindowNeverOpensError(f"no working day within {_YEAR_AND_A_BIT} days")


@dataclass(frozen=True, slots=True)
class SendingRules:
    """When a scenario's messages may leave, told without saying where. `calendar`: whose public holidays are left out, those of
    the `customer`'s country, of the `house`'s, of a named country (ISO 3166 alpha-2), or of `none`."""

    weekdays: frozenset[int] = OFFICE_DAYS
    opens: time = time(8)
    closes: time = time(18)
    calendar: str = "customer"


def window_at(
    rules: SendingRules, *, zone: str | None, country: str | None, house_zone: str, house_country: str
) -> SendingWindow:
    """The window of one customer: its own zone and calendar, the house's where they are not known."""
    where = {"customer": country or house_country, "house": house_country, "none": None}
    wanted = where.get(rules.calendar, rules.calendar)
    known = wanted if wanted is not None and wanted in _countries() else None
    return SendingWindow(zone or house_zone, known, rules.weekdays, rules.opens, rules.closes)


@lru_cache
def _countries() -> Collection[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=512)
def _holidays(country: str | None, year: int) -> Collection[date]:
    return frozenset(holidays.country_holidays(country, years=year)) if country else frozenset()
