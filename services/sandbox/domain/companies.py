"""What a stand-in knows of a company: made up from its number, unless it was told otherwise. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

_TRADES = ("6201Z", "4671Z", "4120A", "4941A", "1071C", "2562B", "7022Z", "8121Z")
_NAMES = (
    "Ateliers",
    "Comptoir",
    "Maison",
    "Établissements",
    "Transports",
    "Menuiserie",
    "Imprimerie",
    "Laboratoires",
)
_PLACES = (
    "du Port",
    "des Halles",
    "du Canal",
    "de la Gare",
    "du Moulin",
    "des Tilleuls",
    "du Vieux Pont",
    "de l'Ouest",
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that changed in a company under watch. `number` identifies it and grows with time."""

    number: int
    registration_number: str
    kind: str
    on: date
    old: str | None
    new: str | None
    read: bool


@dataclass(frozen=True, slots=True)
class Company:
    """A company as a stand-in sees it. `told` holds what the stand-in was told, by canonical names; a name told to be None
    is a fact the stand-in has not got."""

    number: str
    told: Mapping[str, Any]
    today: date

    def __getitem__(self, name: str) -> Any:
        """A fact: the one told, else the one made up, else None."""
        return self.told[name] if name in self.told else self._invented(name)

    def score(self, top: int) -> str | None:
        """The score on the provider's scale: as told, or a share of its top."""
        told = self["score"]
        if "score" in self.told:
            return None if told is None else str(told)
        return str(round(self._random("score").betavariate(4, 2.5) * top))

    def amount(self, name: str) -> tuple[str, str] | None:
        """An amount in major units and its currency; told as a decimal, or as an object with `amount` and `currency`."""
        value = self[name]
        if value is None:
            return None
        if isinstance(value, Mapping):
            return str(value.get("amount")), str(value.get("currency", "EUR"))
        return str(value), "EUR"

    def _random(self, name: str) -> Random:
        seed = hashlib.sha256(f"{self.number}:{name}".encode()).digest()
        return Random(seed)  # noqa: S311 - made-up companies, not secrets

    def _invented(self, name: str) -> Any:
        chance = self._random(name)
        match name:
            case "name":
                return f"{chance.choice(_NAMES)} {chance.choice(_PLACES)} {self.number[-3:]}"
            case "activity":
                return chance.choice(_TRADES)
            case "paydex":
                return round(55 + chance.random() * 27)
            case "recommended_credit":
                return str(Decimal(chance.randint(5, 250)) * 1000)
            case "turnover":
                return str(Decimal(chance.randint(300, 60_000)) * 1000)
            case "privileges_amount":
                return "0"
            case "privileges_count" | "privileges_social_count" | "privileges_tax_count":
                return 0
            case "legal_status":
                return "none"
            case "company_active":
                return self["legal_status"] not in ("ceased", "closed_insolvency")
            case "trend":
                return "stable"
            case "legal_form":
                return "5710"
            case "headcount":
                return chance.randint(1, 240)
            case "created_on":
                return (date(1985, 1, 1) + timedelta(days=chance.randint(0, 12_000))).isoformat()
            case "fiscal_year_end":
                return date(self.today.year - 1, 12, 31).isoformat()
            case "notices" | "history" | "candidates" | "privileges_list":
                return []
        return None
