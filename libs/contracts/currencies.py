"""ISO 4217: which currencies exist and how many decimals each has.

CLDR (Babel) gives *display* decimals, which differ from ISO 4217 for a dozen currencies (HUF, IQD, ISK …),
so the exponents are stated here and never taken from a formatting library.
"""

from functools import cache

import pycountry

_ZERO = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_FOUR = frozenset("CLF UYW".split())
#: Codes of ISO 4217 that no invoice can bear: metals, bond units, testing, "no currency".
_NOT_MONEY = frozenset("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split())


@cache
def currency_codes() -> frozenset[str]:
    """Every alphabetic ISO 4217 code in which a debt can be expressed."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies) - _NOT_MONEY


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency (EUR 2, JPY 0, TND 3). Raises KeyError for a code that is not ISO 4217 money."""
    if currency not in currency_codes():
        raise KeyError(currency)
    if currency in _ZERO:
        return 0
    if currency in _THREE:
        return 3
    return 4 if currency in _FOUR else 2
