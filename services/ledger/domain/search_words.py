"""Words that customers and companies are found by, without case or accents.

"R-10442" is found as `r10442` and as `10442`: what stands between spaces is one word, and so is each part of it. Whoever searches
for "r-10442" means the one word.
"""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 64
#: More words than this narrow nothing further.
_MOST_SOUGHT = 6
#: Beyond every text that begins with a word.
_END = "\U0010ffff"


def words_of(*texts: str | None) -> frozenset[str]:
    """The words of some texts."""
    chunks = [chunk for text in texts if text for chunk in text.split()]
    parts = [_split(chunk) for chunk in chunks]
    return frozenset(word[:_LONGEST] for found in parts for word in (*found, "".join(found)) if word)


def number_word(number: str | None) -> str | None:
    """A registration number as the one word it is; None where there is none."""
    return "".join(_split(number))[:_LONGEST] or None if number else None


def sought(q: str) -> list[tuple[str, str]]:
    """What is searched for: of each word, between which texts lie those that begin with it."""
    words = ("".join(_split(chunk))[:_LONGEST] for chunk in q.split())
    return [(word, word + _END) for word in list(dict.fromkeys(filter(None, words)))[:_MOST_SOUGHT]]


def sought_number(q: str) -> tuple[str, str] | None:
    """The same for a registration number, whose groups may stand apart."""
    word = number_word(q)
    return (word, word + _END) if word else None


def _split(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _WORD.findall(plain.casefold())
