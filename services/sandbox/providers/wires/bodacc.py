"""BODACC: the Explore API v2.1 of the open data portal; objects inside strings, registers written twice."""

import json
import re
from typing import Any

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import Asked, House

_PATH = "api/explore/v2.1/catalog/datasets/annonces-commerciales/records"
_NATURES = {
    "safeguard": "Jugement d'ouverture d'une procédure de sauvegarde",
    "receivership": "Jugement d'ouverture d'une procédure de redressement judiciaire",
    "liquidation": "Jugement d'ouverture de liquidation judiciaire",
    "closed_insolvency": "Jugement de clôture pour insuffisance d'actif",
    "conciliation": "Jugement d'homologation de l'accord",
}


async def answer(asked: Asked, house: House) -> Told:
    """One query."""
    if asked.path != _PATH:
        return Told(404, b'{"error_code":"UnknownDataset"}')
    where = asked.query.get("where", "")
    if re.search(r"\bsiren\b\s*=", where):
        return Told(400, b'{"error_code":"ODSQLError","message":"Unknown field: siren"}')
    limit, offset = int(asked.query.get("limit", 10)), int(asked.query.get("offset", 0))
    if limit > 100 or offset + limit > 10_000:
        return Told(400, b'{"error_code":"InvalidRESTParameterError"}')
    siren = re.search(r'registre="(\d{9})"', where)
    since = re.search(r"dateparution >= date'([0-9-]{10})'", where)
    if siren:
        company = await house.company(siren[1])
        found = records(company) if company else []
    else:
        found = [record for company in await house.told_companies() for record in records(company)]
    families = re.search(r"familleavis in \(([^)]*)\)", where)
    if families:
        wanted = set(re.findall(r'"(\w+)"', families[1]))
        found = [record for record in found if record["familleavis"] in wanted]
    if since:
        found = [record for record in found if record["dateparution"] >= since[1]]
    descending = asked.query.get("order_by", "").startswith("dateparution desc")
    found.sort(key=lambda record: (record["dateparution"], record["id"]), reverse=descending)
    body = {"total_count": len(found), "results": found[offset : offset + limit]}
    return Told(200, json.dumps(body, ensure_ascii=False).encode(), "application/json")


def records(company: Company) -> list[dict[str, Any]]:
    """The notices told, filled up with what each record has; or one made up from the legal status told."""
    told = company["notices"] or []
    if not told and company["legal_status"] in _NATURES:
        since = company["legal_status_since"] or company.today.isoformat()
        told = [{"nature": _NATURES[company["legal_status"]], "judged_on": since, "published_on": since}]
    if not told and company["legal_status"] == "ceased":
        told = [{"family": "radiation", "published_on": company.today.isoformat()}]
    return [_record(company, one, position) for position, one in enumerate(told)]


def _record(company: Company, told: dict[str, Any], position: int) -> dict[str, Any]:
    published = str(told.get("published_on") or company.today)
    spaced = f"{company.number[:3]} {company.number[3:6]} {company.number[6:]}"
    family = told.get("family", "collective")
    record: dict[str, Any] = {
        "id": told.get("id") or f"A{published.replace('-', '')}{company.number[-4:]}{position}",
        "publicationavis": "A",
        "parution": published.replace("-", ""),
        "dateparution": published,
        "numeroannonce": position,
        "typeavis": told.get("type", "annonce"),
        "typeavis_lib": "Avis initial",
        "familleavis": family,
        "tribunal": told.get("court", "Greffe du Tribunal de Commerce de Paris"),
        "commercant": company["name"],
        "registre": [company.number, spaced, *told.get("others", [])],
        "cp": "75008",
        "ville": "Paris",
        "listepersonnes": json.dumps({"personne": {"typePersonne": "pm", "denomination": company["name"]}}),
        "url_complete": "https://www.bodacc.fr/pages/annonces-commerciales-detail/",
    }
    if family != "radiation" and told.get("nature"):
        judgment = {
            "type": "initial",
            "famille": told.get("judgment_family", "Jugement d'ouverture"),
            "nature": told["nature"],
            "date": told.get("judged_on", published),
            "complementJugement": told.get("text"),
        }
        record["jugement"] = json.dumps(judgment, ensure_ascii=False)
    if told.get("replaces"):
        letter, issue, number = re.match(r"([A-C])(\d{8})(\d+)\Z", told["replaces"]).groups()  # type: ignore[union-attr]
        record["parutionavisprecedent"] = json.dumps(
            {"nomPublication": f"BODACC {letter}", "numeroParution": issue, "numeroAnnonce": number}
        )
    return record
