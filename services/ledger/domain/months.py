"""Arithmetic on calendar months."""

from calendar import monthrange
from datetime import date, timedelta


def days_in_month(day: date) -> int:
    """Number of days of the month `day` lies in."""
    return monthrange(day.year, day.month)[1]


def first_of_month(day: date) -> date:
    """First day of the month `day` lies in."""
    return day.replace(day=1)


def end_of_month(day: date) -> date:
    """Last day of the month `day` lies in."""
    return day.replace(day=days_in_month(day))


def previous_month(day: date) -> date:
    """First day of the month before the one `day` lies in."""
    return first_of_month(first_of_month(day) - timedelta(days=1))


def add_months(day: date, months: int) -> date:
    """The same day `months` later (earlier when negative); the last day where that month is shorter: 31
    August - 6 -> 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    return first.replace(day=min(day.day, days_in_month(first)))
