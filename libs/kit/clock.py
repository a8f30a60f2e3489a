"""The only place where time is read.

Two clocks. The *wall* clock serves tokens, signatures, leases, rate limits, idempotency and audit. The *business* clock of
a tenant gives due dates, recorded_at, decided_at, sending windows: for an ordinary tenant it is the wall clock, for a
sandbox tenant it stands still between two advances, so that a whole quarter can be lived through in a test.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def wall() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def local_date(instant: datetime, time_zone: str) -> date:
    """The calendar date of an instant in an IANA time zone."""
    return instant.astimezone(ZoneInfo(time_zone)).date()
