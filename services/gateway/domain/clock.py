"""How a sandbox tenant's clock passes the days between two instants."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MAX_DAYS = 400
_NOON = time(12)


def days_between(start: datetime, end: datetime, time_zone: str) -> Iterator[tuple[date, datetime]]:
    """Each local day after start's, up to end's, with the instant at which its work is done.

    Work is done at noon, inside everybody's working hours, so that what a day should send leaves on that day; on the last
    day at the end itself when that comes before noon.
    """
    zone = ZoneInfo(time_zone)
    day = start.astimezone(zone).date() + timedelta(days=1)
    last = end.astimezone(zone).date()
    while day <= last:
        noon = datetime.combine(day, _NOON, zone).astimezone(start.tzinfo)
        yield day, min(noon, end) if day == last else noon
        day += timedelta(days=1)


def target(now: datetime, time_zone: str, days: int | None, to: date | datetime | None) -> datetime:
    """Where an advance ends: some days on at the same time of day, on a date at the same time of day, or at an instant."""
    if isinstance(to, datetime):
        return to
    local = now.astimezone(ZoneInfo(time_zone))
    wanted = to if to is not None else local.date() + timedelta(days=days or 0)
    return datetime.combine(wanted, local.time(), local.tzinfo).astimezone(now.tzinfo)
