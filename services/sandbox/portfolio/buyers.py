"""Who buys: legal entities, the accounts that share them, the groups above them, and how each one trades."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from services.sandbox.portfolio.behaviours import BEHAVIOURS, Behaviour
from services.sandbox.portfolio.names import LANGUAGES, NameBook, address, contacts
from services.sandbox.portfolio.registrations import registration_number, vat_number
from services.sandbox.portfolio.rows import CompanyRow, CustomerRow, TermsRow

__all__ = ["UNITS", "Account", "Unit", "accounts"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A business unit: one of the seller's own companies. `buyers` weighs the countries it sells to."""

    code: str
    name: str
    country: str
    currency: str
    prefix: str
    accounts: int
    buyers: tuple[tuple[str, int], ...]


UNITS = (
    Unit("lyon", "Encours Démo Lyon", "FR", "EUR", "LY", 140, (("FR", 88), ("DE", 5), ("BE", 3), ("GB", 4))),
    Unit("lille", "Encours Démo Lille", "FR", "EUR", "LI", 95, (("FR", 80), ("BE", 14), ("GB", 6))),
    Unit("geneve", "Encours Démo Genève", "CH", "CHF", "GE", 65, (("CH", 76), ("FR", 16), ("DE", 8))),
)

#: Accounts opened for a company that another account already stands for.
_SHARED_COMPANY = 0.07
_SEGMENTS = ("industry", "construction", "retail", "services")

#: Days, end of month, share. French law caps terms at 60 days, or 45 days end of month (L441-10 C.com).
_TERMS: dict[str, tuple[tuple[int, bool, float], ...]] = {
    "FR": (
        (30, False, 0.14),
        (45, False, 0.21),
        (30, True, 0.08),
        (45, True, 0.12),
        (60, False, 0.44),
        (0, False, 0.01),
    ),
    "CH": ((30, False, 0.55), (10, False, 0.03), (45, False, 0.42)),
    "DE": ((14, False, 0.20), (30, False, 0.80)),
    "BE": ((30, False, 0.80), (30, True, 0.20)),
    "GB": ((30, False, 0.75), (30, True, 0.25)),
}


@dataclass(frozen=True, slots=True)
class Account:
    """A customer account of one business unit and how it trades.

    `invoices_a_month` is an average, `typical_net` the median net amount of an invoice in minor units,
    `tax_rate` a percentage with one decimal in tenths (200 = 20.0 %), `run_days` the days of the month on
    which the customer pays.
    """

    unit: Unit
    row: CustomerRow
    behaviour: Behaviour
    invoices_a_month: float
    typical_net: int
    tax_rate: int
    run_days: tuple[int, ...]


def accounts(rng: Random) -> list[Account]:
    """Every account of the portfolio, unit by unit, biggest buyers spread over all of them."""
    names = NameBook(rng)
    shareable: list[tuple[CompanyRow, str]] = []
    made: list[Account] = []
    for unit in UNITS:
        for number in range(1, unit.accounts + 1):
            account = _account(unit, number, names, shareable, rng)
            made.append(account)
            if account.row["buyer_kind"] == "private" and "registration_number" in account.row["company"]:
                shareable.append((account.row["company"], account.row["segment"]))
    return made


def _account(
    unit: Unit, number: int, names: NameBook, shareable: list[tuple[CompanyRow, str]], rng: Random
) -> Account:
    kind = _buyer_kind(unit, rng)
    if kind == "private" and shareable and rng.random() < _SHARED_COMPANY:
        company, segment = rng.choice(shareable)
    else:
        company, segment = _company(unit, kind, names, rng), _segment(unit, kind, rng)
    country = company["country"]
    language = rng.choice(LANGUAGES[country])
    prepaid = kind == "private" and rng.random() < 0.02
    row: CustomerRow = {
        "external_id": f"{unit.prefix}{number:05d}",
        "name": company["name"],
        "company": company,
        "language": language,
        "currency": _currency(unit, country),
        "payment_terms": _terms(country, kind, prepaid, rng),
        "segment": segment,
        "buyer_kind": kind,
        "prepaid": prepaid,
        "contacts": contacts(company["name"], country, language, rng),
        "address": address(country, rng),
        "custom_fields": {"sales_area": unit.code, "erp_group": segment[:3].upper()},
    }
    size = min(4.0, rng.lognormvariate(0, 0.7))
    return Account(
        unit=unit,
        row=row,
        behaviour=_behaviour(kind, rng),
        invoices_a_month=0.14 + 0.30 * size,
        typical_net=round(260_000 * size * rng.uniform(0.6, 1.5)),
        tax_rate=_tax_rate(unit, country),
        run_days=rng.choice(((), (), (), (), (), (), (10, 25), (5, 15, 25))),
    )


def _buyer_kind(unit: Unit, rng: Random) -> str:
    if unit.country != "FR":
        return "private"
    return rng.choices(("private", "public", "individual", "related"), weights=(91, 5, 3, 1))[0]


def _company(unit: Unit, kind: str, names: NameBook, rng: Random) -> CompanyRow:
    if kind == "individual":
        return {
            "country": "FR",
            "name": names.company("FR").rsplit(" ", 1)[0],
        }  # a sole trader: no register number
    public = kind == "public"
    country = "FR" if public else rng.choices(*_countries(unit))[0]
    registration = registration_number(country, rng, public)
    return {
        "country": country,
        "name": names.public_body() if public else names.company(country),
        "registration_number": registration,
        "vat_number": vat_number(country, registration, rng),
    }


def _countries(unit: Unit) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return tuple(country for country, _ in unit.buyers), tuple(weight for _, weight in unit.buyers)


def _segment(unit: Unit, kind: str, rng: Random) -> str:
    return "public_sector" if kind == "public" else rng.choice(_SEGMENTS)


def _currency(unit: Unit, country: str) -> str:
    """The Geneva unit bills its Swiss buyers in francs and the others in euros."""
    return unit.currency if unit.currency == "EUR" or country == "CH" else "EUR"


def _terms(country: str, kind: str, prepaid: bool, rng: Random) -> TermsRow:
    if prepaid:
        return {"days": 0, "end_of_month": False}
    if kind == "public":
        return {"days": 30, "end_of_month": False}
    choices = _TERMS[country]
    days, end_of_month, _ = rng.choices(choices, weights=[share for *_, share in choices])[0]
    return {"days": days, "end_of_month": end_of_month}


def _behaviour(kind: str, rng: Random) -> Behaviour:
    if kind == "public":
        return BEHAVIOURS[rng.choice((1, 2))]
    return rng.choices(BEHAVIOURS, weights=[behaviour.share for behaviour in BEHAVIOURS])[0]


def _tax_rate(unit: Unit, country: str) -> int:
    """Domestic sales bear the seller's VAT (20 % in France, 8.1 % in Switzerland); sales abroad bear none."""
    if country != unit.country:
        return 0
    return 200 if country == "FR" else 81


def of_unit(made: list[Account], unit: Unit) -> Iterator[Account]:
    """The accounts of one business unit, in the order of their numbers."""
    return (account for account in made if account.unit is unit)
