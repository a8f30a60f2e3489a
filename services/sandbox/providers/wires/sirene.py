"""INSEE Sirene 3.11: the key in a header, periods newest first, codes with dots."""

import json
import re

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    key = asked.headers.get("x-insee-api-key-integration")
    if not key or key == WRONG:
        return Told(401, b'{"message":"Unauthorized"}')
    if asked.path == "informations":
        return _told(200, {"etatService": "UP"})
    one = re.fullmatch(r"siren/(\d{9})", asked.path)
    if one:
        company = await house.company(one[1])
        if company is None:
            return _told(
                404, {"header": {"statut": 404, "message": f"Aucun élément trouvé pour le siren {one[1]}"}}
            )
        return _told(200, {"header": {"statut": 200, "message": "OK"}, "uniteLegale": _unit(company)})
    if asked.path == "siren":
        wanted = re.search(r'"([^"]*)"', asked.query.get("q", ""))
        name = wanted[1].lower() if wanted else ""
        found = [_unit(one) for one in await house.told_companies() if name in str(one["name"]).lower()]
        status = 200 if found else 404
        return _told(status, {"header": {"statut": status, "total": len(found)}, "unitesLegales": found})
    return _told(404, {"header": {"statut": 404, "message": "unknown path"}})


def _unit(company: Company) -> dict[str, object]:
    code = company["activity"]
    ceased = company["company_active"] is False
    period = {
        "dateDebut": "2019-01-01",
        "dateFin": None,
        "etatAdministratifUniteLegale": "C" if ceased else "A",
        "changementEtatAdministratifUniteLegale": ceased,
        "denominationUniteLegale": company["name"],
        "categorieJuridiqueUniteLegale": company["legal_form"],
        "activitePrincipaleUniteLegale": f"{code[:2]}.{code[2:]}" if code else None,
        "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
        "nicSiegeUniteLegale": "00017",
    }
    return {
        "siren": company.number,
        "dateCreationUniteLegale": company["created_on"],
        "trancheEffectifsUniteLegale": company["headcount_band"] or "12",
        "categorieEntreprise": "PME",
        "dateDernierTraitementUniteLegale": f"{company.today}T09:36:11.281",
        "periodesUniteLegale": [period],
    }


def _told(status: int, body: dict[str, object]) -> Told:
    return Told(status, json.dumps(body, ensure_ascii=False).encode())
