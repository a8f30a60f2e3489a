"""Identifiers of legal entities with the right shape and a right check digit, drawn at random.

They are numbers no register was asked about: a SIREN that passes its check may by chance be somebody's.
"""

from random import Random

from stdnum import luhn
from stdnum.ch import uid as swiss_uid
from stdnum.iso7064 import mod_11_10

__all__ = ["registration_number", "siren", "vat_number"]

#: Register courts of the German buyers: an HRB number means something only beside its court.
_GERMAN_COURTS = ("München", "Stuttgart", "Mannheim", "Freiburg", "Köln", "Düsseldorf")


def siren(rng: Random, public: bool = False) -> str:
    """Nine digits that pass Luhn's check. French public bodies are registered under numbers that begin with
    1 or 2."""
    lead = rng.choice("12") if public else rng.choice("345789")
    body = lead + _digits(rng, 7)
    return body + luhn.calc_check_digit(body)


def registration_number(country: str, rng: Random, public: bool = False) -> str:
    """The number the country's own register gives a company. Raises KeyError for a country without a
    generator."""
    if country == "FR":
        return siren(rng, public)
    return {"DE": _german_register, "CH": _swiss_uid, "BE": _belgian_enterprise, "GB": _british_company}[
        country
    ](rng)


def vat_number(country: str, registration: str, rng: Random) -> str:
    """The VAT number of a company: derived from its registration where the country does so (FR, BE, CH)."""
    if country == "FR":
        return f"FR{(12 + 3 * (int(registration) % 97)) % 97:02d}{registration}"
    if country == "BE":
        return f"BE{registration}"
    if country == "CH":
        return f"{registration} TVA"
    if country == "DE":
        body = rng.choice("123456789") + _digits(rng, 7)
        return f"DE{body}{mod_11_10.calc_check_digit(body)}"
    if country == "GB":
        return f"GB{_british_vat(rng)}"
    raise KeyError(country)


def _digits(rng: Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _german_register(rng: Random) -> str:
    return f"{rng.choice(_GERMAN_COURTS)} HRB {rng.randint(10_000, 289_999)}"


def _swiss_uid(rng: Random) -> str:
    while True:
        body = rng.choice("1234") + _digits(rng, 7)
        check = swiss_uid.calc_check_digit(body)
        if len(check) == 1:  # a remainder of 10 has no digit: the register never gives such a number
            number = body + check
            return f"CHE-{number[:3]}.{number[3:6]}.{number[6:]}"


def _belgian_enterprise(rng: Random) -> str:
    body = "0" + rng.choice("4567") + _digits(rng, 6)
    return f"{body}{97 - int(body) % 97:02d}"


def _british_company(rng: Random) -> str:
    return "0" + rng.choice("23456789") + _digits(rng, 6)


def _british_vat(rng: Random) -> str:
    body = rng.choice("3456789") + _digits(rng, 6)
    weighted = sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), body, strict=True))
    return f"{body}{97 - weighted % 97:02d}"
