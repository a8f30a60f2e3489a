"""Names, addresses and contacts of buyers who do not exist.

Names are made of invented syllables; e-mail addresses lie under example.com (RFC 2606); French telephone
numbers come from the blocks the regulator keeps for fiction (ARCEP: 01 99 00, 02 61 91, 03 53 01, 04 65 71,
05 36 49).
"""

import re
import unicodedata
from dataclasses import dataclass
from random import Random

from services.sandbox.portfolio.rows import ContactRow

__all__ = ["LANGUAGES", "NameBook", "address", "contacts", "slug"]


@dataclass(frozen=True, slots=True)
class _Style:
    """How companies of a country are called, and where they are."""

    heads: str
    tails: str
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    trade_first: bool
    places: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]


_STYLES = {
    "FR": _Style(
        "Bru Val Cor Mar Tré Gal Lon Fer Bel Ver Sau Mon Cha Rou Del Arc Pel Vau Tor Gri",
        "venne tigny solle brac doire mance lande zelle ponne ville drian quières mure chelle tarde rive",
        (
            "Menuiserie", "Transports", "Ateliers", "Fonderie", "Emballages", "Mécanique", "Plasturgie",
            "Imprimerie", "Bâtiment",
            "Électricité", "Distribution", "Matériaux", "Peintures", "Outillage", "Agencement",
            "Chaudronnerie", "Textiles", "Logistique", "Négoce", "Équipements",
        ),
        ("SAS", "SARL", "SA", "SASU"),
        True,
        (
            ("69007", "Lyon"), ("59000", "Lille"), ("38000", "Grenoble"), ("42000", "Saint-Étienne"),
            ("62000", "Arras"), ("59100", "Roubaix"), ("21000", "Dijon"), ("63000", "Clermont-Ferrand"),
            ("74000", "Annecy"), ("80000", "Amiens"), ("51100", "Reims"), ("75011", "Paris"),
            ("44000", "Nantes"), ("31000", "Toulouse"), ("67000", "Strasbourg"), ("13002", "Marseille"),
        ),
        ("rue des Tilleuls", "avenue de l'Industrie", "rue du Moulin", "chemin des Prés", "allée des Fours"),
    ),
    "DE": _Style(
        "Brun Hal Ster Wen Kal Dor Roth Lin", "vald hausen brecht felde mark stein lohe",
        ("Maschinenbau", "Werkzeuge", "Handel", "Technik", "Bau"), ("GmbH", "AG", "GmbH & Co. KG"), False,
        (("80331", "München"), ("70173", "Stuttgart"), ("50667", "Köln"), ("79098", "Freiburg")),
        ("Industriestraße", "Gartenweg", "Lindenallee"),
    ),
    "CH": _Style(
        "Fal Mor Char Ver Gru Sal Bal Ney", "brin donne vaz lens ruz mont terre",
        ("Horlogerie", "Mécanique", "Négoce", "Précision", "Bâtiment"), ("SA", "Sàrl"), True,
        (("1201", "Genève"), ("1003", "Lausanne"), ("1700", "Fribourg"), ("2000", "Neuchâtel")),
        ("rue du Lac", "chemin des Vignes", "route de Meyrin"),
    ),
    "BE": _Style(
        "Ver Lon Hoe Brae Mol Stru", "lonck gaert velde broeck mans",
        ("Industries", "Bouw", "Logistics", "Packaging"), ("NV", "SRL", "BV"), False,
        (("1000", "Bruxelles"), ("9000", "Gent"), ("4000", "Liège")),
        ("rue de la Station", "Nieuwstraat", "Molenlaan"),
    ),
    "GB": _Style(
        "Har Wick Brad Ald Stan Thorn", "wicke combe ford leigh stow",
        ("Supplies", "Engineering", "Trading", "Components"), ("Ltd", "PLC"), False,
        (("LS1 4DY", "Leeds"), ("M2 5DB", "Manchester"), ("B1 1BB", "Birmingham")),
        ("Mill Lane", "Foundry Street", "Station Road"),
    ),
}  # fmt: skip

LANGUAGES = {"FR": ("fr",), "DE": ("de",), "CH": ("fr", "fr", "de"), "BE": ("fr", "nl"), "GB": ("en",)}

_PEOPLE = {
    "fr": ("Camille Roussel", "Hugo Marchand", "Inès Delmas", "Julien Perrot", "Sarah Vidal", "Nadia Colin"),
    "de": ("Anna Vogt", "Jonas Keller", "Petra Lang", "Lukas Brandt"),
    "nl": ("Lotte Maes", "Bram Claes", "Els Peeters"),
    "en": ("Emma Clarke", "Oliver Webb", "Grace Turner"),
}
_FICTION_PHONES = ("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49")


class NameBook:
    """Hands out company names, never the same twice. The same generator gives the same names in the same
    order."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def company(self, country: str) -> str:
        """A new company name of a country: "Menuiserie Bruvenne SAS"."""
        style = _STYLES[country]
        while True:
            stem = self._rng.choice(style.heads.split()) + self._rng.choice(style.tails.split())
            trade, form = self._rng.choice(style.trades), self._rng.choice(style.forms)
            name = f"{trade} {stem} {form}" if style.trade_first else f"{stem} {trade} {form}"
            if slug(name) not in self._taken:
                self._taken.add(slug(name))
                return name

    def public_body(self) -> str:
        """A new French public buyer: a town or an institution with an invented name."""
        style = _STYLES["FR"]
        while True:
            stem = self._rng.choice(style.heads.split()) + self._rng.choice(style.tails.split())
            name = self._rng.choice(
                (f"Commune de {stem}", f"Hôpital de {stem}", f"Syndicat des eaux de {stem}")
            )
            if slug(name) not in self._taken:
                self._taken.add(slug(name))
                return name


def slug(name: str) -> str:
    """A name as a host label: ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def address(country: str, rng: Random) -> dict[str, str]:
    style = _STYLES[country]
    postal_code, city = rng.choice(style.places)
    number, street = rng.randint(1, 120), rng.choice(style.streets)
    line = f"{street} {number}" if country in {"DE", "BE"} else f"{number} {street}"
    return {"line1": line, "postal_code": postal_code, "city": city, "country": country}


def contacts(name: str, country: str, language: str, rng: Random) -> list[ContactRow]:
    """Who answers at a company: mostly a contact for reminders, often the accounts department, now and then
    nobody."""
    domain = f"{slug(name)}.example.com"
    if rng.random() < 0.04:
        return []
    people = rng.sample(_PEOPLE[language], 2)
    rows = [_contact(people[0], domain, "dunning", language)]
    if rng.random() < 0.45:
        rows.append(_contact(people[1], domain, "accounting", language))
    if country == "FR":
        for row in rows:
            row["phone"] = (
                f"+33 {rng.choice(_FICTION_PHONES)} {rng.randint(0, 99):02d} {rng.randint(0, 99):02d}"
            )
    # Drawn by name: who can be written to decides nothing about what anybody buys or owes.
    return [] if Random(name).random() < 0.08 else rows  # noqa: S311 - repeatable on purpose


def _contact(person: str, domain: str, role: str, language: str) -> ContactRow:
    return {
        "name": person,
        "email": f"{slug(person).replace('-', '.')}@{domain}",
        "role": role,
        "language": language,
    }
