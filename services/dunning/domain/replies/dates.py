"""Days as people write them in an answer: 15/03/2026, 15 March, le 15, next Friday, tomorrow, 3月15日."""

import calendar
import re
from datetime import date, timedelta
from functools import cache

from libs.contracts.formats import locale_of

__all__ = ["first_date"]

_LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt", "pl", "ro", "hr", "sv", "tr")
_ISO = re.compile(r"\b(20\d\d)-(\d{1,2})-(\d{1,2})\b")
_EASTERN = re.compile(r"(?:(20\d\d)\s*年)?\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]")
_NUMERIC = re.compile(r"\b(\d{1,2})([./-])(\d{1,2})(?:\2(20\d\d|\d\d)|\.)?(?!\d|[./-]\d)")
_TOMORROW = re.compile(
    r"\b(tomorrow|demain|morgen (?!früh)|mañana|domani|morgen|amanhã|jutro|mâine|sutra|i morgon|yarın)\b|明日|明天"
)
_TODAY = re.compile(
    r"\b(today|aujourd'hui|heute|hoy|oggi|vandaag|hoje|dzisiaj|dziś|astăzi|azi|danas|i dag|idag|bugün)\b|本日|今日|今天"
)
_MONTH_END = re.compile(
    r"\b(end of (the |this )?month|fin (du|de) mois|monatsende|ende des monats|fin(al)? de(l)? mes|fine (del )?mese"
    r"|eind(e)? van de maand"
    r"|fi(m|nal) do mês|końca? miesiąca|sfârșitul lunii|kraj(em|a)? mjeseca|slutet av månaden|ay sonu)|月末|月底"
)


def first_date(folded: str, today: date) -> date | None:
    """The first day a lower-case text names, None without one. Without a year it is the nearest one that is not more than half a
    year back; day comes before month, as nearly everywhere; a weekday is the next one."""
    found: list[tuple[int, date]] = []
    for place, day in _named(folded, today):
        if day is not None:
            found.append((place, day))
    return min(found, default=(0, None), key=lambda one: one[0])[1]


def _named(text: str, today: date) -> list[tuple[int, date | None]]:
    named: list[tuple[int, date | None]] = [
        (m.start(), _day(int(m[1]), int(m[2]), int(m[3]))) for m in _ISO.finditer(text)
    ]
    named += [(m.start(), _near(today, int(m[3]), int(m[2]), m[1])) for m in _EASTERN.finditer(text)]
    named += [
        (m.start(), _near(today, int(m[1]), int(m[3]), m[4]))
        for m in _NUMERIC.finditer(_ISO.sub(_blank, text))
    ]
    months, weekdays = _names()
    for m in re.finditer(
        rf"\b(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?\s+(?:de |of )?({_any(months)})\.?(?:\s+(?:de |of )?(20\d\d))?",
        text,
    ):
        named.append((m.start(), _near(today, int(m[1]), months[m[2]], m[3])))
    for m in re.finditer(
        rf"\b({_any(months)})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(20\d\d))?", text
    ):
        named.append((m.start(), _near(today, int(m[2]), months[m[1]], m[3])))
    for m in re.finditer(rf"\b({_any(weekdays)})\b", text):
        ahead = (weekdays[m[1]] - today.weekday()) % 7 or 7
        named.append((m.start(), today + timedelta(days=ahead)))
    for pattern, day in ((_TOMORROW, today + timedelta(days=1)), (_TODAY, today)):
        named += [(m.start(), day) for m in pattern.finditer(text)]
    last = calendar.monthrange(today.year, today.month)[1]
    named += [(m.start(), today.replace(day=last)) for m in _MONTH_END.finditer(text)]
    return named


def _near(today: date, day: int, month: int, year: str | None) -> date | None:
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day)
    options = [
        one for one in (_day(today.year + offset, month, day) for offset in (-1, 0, 1)) if one is not None
    ]
    ahead = [one for one in options if one >= today - timedelta(days=182)]
    return min(ahead, default=None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _any(names: dict[str, int]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@cache
def _names() -> tuple[dict[str, int], dict[str, int]]:
    """Months (1 to 12) and weekdays (Monday is 0) by their names, long and short, in the languages that write them in letters."""
    months: dict[str, int] = {}
    weekdays: dict[str, int] = {}
    for language in _LANGUAGES:
        locale = locale_of(language)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[context][width].items():
                    if len(name.rstrip(".")) > 2 and not name.isdigit():
                        months.setdefault(name.lower().rstrip("."), number)
            for number, name in locale.days[context]["wide"].items():
                weekdays.setdefault(name.lower(), number)
    return months, weekdays
