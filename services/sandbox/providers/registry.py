"""Which wire formats the stand-ins speak, by adapter key."""

from collections.abc import Mapping

from services.sandbox.providers.house import Wire
from services.sandbox.providers.wires import (
    altares,
    bodacc,
    companies_house,
    creditsafe,
    dnb,
    ellisphere,
    generic,
    infolegale,
    sirene,
)

WIRES: Mapping[str, Wire] = {
    "altares": altares.answer,
    "bodacc": bodacc.answer,
    "companies_house": companies_house.answer,
    "creditsafe": creditsafe.answer,
    "dnb": dnb.answer,
    "ellisphere": ellisphere.answer,
    "infolegale": infolegale.answer,
    "sirene": sirene.answer,
    "scores_decisions": generic.answer,
    "declarative": generic.answer,
}
