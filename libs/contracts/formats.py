"""Money and dates as a reader of a language writes them."""

from copy import copy
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, format_decimal

from libs.contracts.currencies import exponent

__all__ = ["day", "locale_of", "money", "number", "short_day"]

#: Where a language alone would give another country's habits: English dates read day first in most of its
#: countries.
_HABITS = {"en": "en_GB", "pt": "pt_PT", "zh": "zh_Hans", "zh-CN": "zh_Hans_CN"}


@lru_cache
def locale_of(language: str) -> Locale:
    """The locale of a language tag ("fr", "pt-BR"). Raises ValueError for a tag no locale is known for."""
    try:
        return Locale.parse(_HABITS.get(language, language.replace("-", "_")))
    except UnknownLocaleError as unknown:
        raise ValueError(f"no locale for language {language!r}") from unknown


def money(minor: int, currency: str, language: str) -> str:
    """An amount in minor units with its currency, in the language's own order: "1 234,56 €", "CHF 1,234.56".

    The decimals are the currency's own by ISO 4217: the display tables of CLDR differ for a dozen currencies.
    """
    shown: str = _money_pattern(language, exponent(currency)).apply(
        Decimal(minor).scaleb(-exponent(currency)),
        locale_of(language),
        currency=currency,
        currency_digits=False,
    )
    return shown


@lru_cache
def _money_pattern(language: str, digits: int) -> NumberPattern:
    """The locale's own currency pattern, copied (Babel shares it) and given exactly `digits` decimals."""
    pattern: NumberPattern = copy(locale_of(language).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern


def number(value: int, language: str) -> str:
    """A whole number with the language's grouping."""
    return format_decimal(value, locale=locale_of(language))


def day(value: date, language: str) -> str:
    """A date in words: "20 November 2026", "20 novembre 2026"."""
    return format_date(value, format="long", locale=locale_of(language))


def short_day(value: date, language: str) -> str:
    """A date for a table's cell: day, month and four digits of the year, as numbers."""
    return format_date(value, format=_numeric_pattern(language), locale=locale_of(language))


@lru_cache
def _numeric_pattern(language: str) -> str:
    """The locale's own short pattern, with a year nobody can misread."""
    pattern: str = locale_of(language).date_formats["short"].pattern
    return pattern if "yyyy" in pattern else pattern.replace("yy", "y")
