"""Payment terms: from an issue date to a due date, and from the words on an invoice to terms.

Order of application, always the same: **days, then end of month, then day of month**. "30 days end of month
the 10th" for an invoice of 17 January is 16 February -> 28 February -> 10 March. French law (L441-10 C.com)
also allows "end of month, then 45 days"; a contract that counts so says it with due dates, which the caller
may always push.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from services.ledger.domain.errors import InvalidRequest
from services.ledger.domain.months import add_months, days_in_month, end_of_month, first_of_month

MAX_DAYS = 3650


class TermsInvalid(InvalidRequest):
    code = "payment_terms_invalid"


class TermsUnreadable(InvalidRequest):
    code = "payment_terms_unreadable"


class DueDateUnknown(InvalidRequest):
    code = "due_date_unknown"


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """`days` after the issue date; then, if `end_of_month`, the end of that month; then, if `day_of_month`,
    the first such day on or after (31 means the last day of a shorter month). Raises TermsInvalid outside
    0..3650 and 1..31."""

    days: int = 0
    end_of_month: bool = False
    day_of_month: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.days <= MAX_DAYS:
            raise TermsInvalid(f"days must lie between 0 and {MAX_DAYS}")
        if self.day_of_month is not None and not 1 <= self.day_of_month <= 31:
            raise TermsInvalid("day_of_month must lie between 1 and 31")


def due_date(issued_on: date, terms: PaymentTerms | None) -> date:
    """The day a document issued on `issued_on` falls due. Raises DueDateUnknown without terms.

    No terms is not "at once": an invoice shown late because a field was empty would be reminded wrongly.
    """
    if terms is None:
        raise DueDateUnknown("no due_date was given and the customer has no payment terms")
    due = issued_on + timedelta(days=terms.days)
    if terms.end_of_month:
        due = end_of_month(due)
    if terms.day_of_month is not None:
        due = _first_on_or_after(due, terms.day_of_month)
    return due


def _first_on_or_after(day: date, day_of_month: int) -> date:
    first = first_of_month(day)
    candidate = _on_day(first, day_of_month)
    return candidate if candidate >= day else _on_day(add_months(first, 1), day_of_month)


def _on_day(first: date, day_of_month: int) -> date:
    return first.replace(day=min(day_of_month, days_in_month(first)))


_AT_ONCE = re.compile(
    r"(due (up)?on receipt|on receipt|upon receipt|immediate(ly)?|cash|cod|cash on delivery|payable at once"
    r"|comptant|(paiement )?(a|à) (la )?r[ée]ception( de (la )?facture)?|sofort( f[äa]llig)?|prepaid)\Z"
)
_DISCOUNT = re.compile(r"\d+([.,]\d+)?\s*%?\s*/\s*\d+,?\s*")
_END_OF_MONTH = re.compile(
    r"\b(end of (the )?month|e\.?o\.?m\.?|month end|fin de mois|fdm|fin du mois|monatsende)(?=\W|\d|\Z)"
)
_DAY_OF_MONTH = re.compile(r"(?:\ble|\b(?:on )?the|\bon|\bam|,)\s*(\d{1,2})(?:st|nd|rd|th|er|ème|eme|\.)?\Z")
_DAYS = re.compile(r"(?:net\s*)?(\d{1,4})\s*(?:days?|d|jours?|j|tagen?|tage)?\s*(?:net|netto|nets)?\Z")


def parse_terms(text: str) -> PaymentTerms:
    """Read terms written for people: "Net 30", "2/10 net 30", "30 days EOM", "45 jours fin de mois le 10",
    "Due on receipt", "30 Tage netto". An early-payment discount is read over: it moves no due date.

    Raises TermsUnreadable for anything else (an ERP's private code such as NAH4 says nothing by itself: map
    it).
    """
    rest = " ".join(text.casefold().split()).strip(" .;")
    if _AT_ONCE.match(rest):
        return PaymentTerms()
    rest = _DISCOUNT.sub("", rest, count=1)
    rest, day_of_month = _take_day_of_month(rest)
    rest, end_of_month_hits = _END_OF_MONTH.subn(" ", rest)
    rest = " ".join(rest.split()).strip(" ,")
    days = _DAYS.match(rest)
    if days is None and not (end_of_month_hits and rest in ("", "net")):
        raise TermsUnreadable(
            f'expected terms such as "Net 30" or "30 days end of month the 10th", not {text[:60]!r}'
        )
    return PaymentTerms(int(days[1]) if days else 0, end_of_month_hits > 0, day_of_month)


def _take_day_of_month(text: str) -> tuple[str, int | None]:
    found = _DAY_OF_MONTH.search(text)
    if found is None:
        return text, None
    return text[: found.start()], int(found[1])
