"""What an answer may mean, by rules anybody can read: words of fifteen languages, a date, an amount of nothing else.

Every proposal says the words it rests on. Words that deny ("not paid", "no dispute") do not count. Nothing is decided here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.dunning.domain.replies.dates import first_date
from services.dunning.domain.replies.words import DENIALS, DENIALS_WITHOUT_BLANKS, WORDS

__all__ = ["Kind", "Proposal", "mentioned", "propose"]


class Kind(StrEnum):
    """What an answer may mean, in the order in which proposals are shown."""

    DISPUTE = "dispute"
    ALREADY_PAID = "already_paid"
    PROMISE = "promise"
    DOCUMENT_REQUEST = "document_request"
    WRONG_PERSON = "wrong_person"
    OUT_OF_OFFICE = "out_of_office"
    OTHER = "other"


#: The category of status a proposal stands for; None where there is nothing to say about the items.
CATEGORIES = {
    Kind.DISPUTE: "dispute",
    Kind.ALREADY_PAID: "ongoing",
    Kind.PROMISE: "promise",
    Kind.DOCUMENT_REQUEST: "ongoing",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A meaning, the words it rests on, and the day a payment is announced for or was made on."""

    kind: Kind
    because: str
    on: date | None = None

    @property
    def category(self) -> str | None:
        return CATEGORIES.get(self.kind)


def propose(subject: str, text: str, today: date, *, automatic: bool = False) -> list[Proposal]:
    """What an answer may mean, the most telling first; `other` when no rule knows. `today` is the tenant's day, from which
    "tomorrow" and "the 15th" count."""
    said = f"{subject}\n{text}" if automatic or not text.strip() else text
    folded = " ".join(said.lower().replace("’", "'").split())
    found = {}
    for kind in Kind:
        words = _first(kind, folded)
        if words is not None:
            found[kind] = words
    if automatic:
        return [Proposal(Kind.OUT_OF_OFFICE, found.get(Kind.OUT_OF_OFFICE, "automatic reply"))]
    named = first_date(folded, today)
    if Kind.ALREADY_PAID in found and Kind.PROMISE in found and named is not None and named > today:
        del found[
            Kind.ALREADY_PAID
        ]  # "the transfer was ordered, you will have it on the 15th": it has not come yet
    proposals = [
        Proposal(kind, words, _day(kind, named, today))
        for kind, words in found.items()
        if kind is not Kind.OTHER
    ]
    return proposals or [Proposal(Kind.OTHER, "no rule knows these words")]


def mentioned(text: str, numbers: Sequence[str]) -> list[str]:
    """The document numbers that an answer names, in their given order. Numbers of one or two characters are not looked for."""
    folded = text.lower()
    return [
        number
        for number in numbers
        if len(number) > 2 and re.search(rf"(?<![\w]){re.escape(number.lower())}(?![\w])", folded)
    ]


def _first(kind: Kind, folded: str) -> str | None:
    for phrase in WORDS.get(kind.value, ()):
        for match in re.finditer(phrase, folded):
            before = folded[max(0, match.start() - 18) : match.start()]
            if not _denied(before):
                return match[0].strip()
    return None


def _denied(before: str) -> bool:
    """Whether the words before a phrase turn it round: a denial, and one word between at the most."""
    return before.endswith(DENIALS_WITHOUT_BLANKS) or any(
        re.search(rf"(?:^|\W){denial}(?:\W+(?:\w+\W+)?)?$", before) for denial in DENIALS
    )


def _day(kind: Kind, named: date | None, today: date) -> date | None:
    if named is None or kind not in (Kind.PROMISE, Kind.ALREADY_PAID):
        return None
    return named if (named >= today) == (kind is Kind.PROMISE) or named == today else None
