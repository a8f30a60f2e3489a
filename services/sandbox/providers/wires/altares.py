"""Altares Intuiz (IWS): SOAP 1.1, the log-in inside the body, lists of one sent as their one member.

Operations whose names are public carry them; those that are only known by their bodies are told apart by what they bring
(see PROVIDERS in the README of the adapters): `getScore`, `getBilans`, `ajouterSurveillance`, `supprimerSurveillance`,
`listerAlertes` and `marquerAlerte` are names of ours.
"""

import re
from datetime import date

from services.sandbox.domain.companies import Company, Happening
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House, text, xml_of

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    '<soapenv:Body><ns:{operation}Response xmlns:ns="http://service.callisto.newsys.altares.fr">'
    '<ns:return xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ax="http://vo.callisto.newsys.altares.fr/xsd">'
    "{inside}</ns:return></ns:{operation}Response></soapenv:Body></soapenv:Envelope>"
)
_CODES = {
    "score": "ALTA_SCO", "accounts": "ALTA_BIL", "identity": "ALTA_RS", "address": "ALTA_ADR", "capital": "ALTA_CAP",
    "activity": "ALTA_ACT", "state": "ALTA_ETA", "legal": "ALTA_ETA",
}  # fmt: skip
_PROCEEDINGS = {
    "none": "NEANT", "safeguard": "SAUVEGARDE", "receivership": "REDRESSEMENT JUDICIAIRE",
    "liquidation": "LIQUIDATION JUDICIAIRE", "closed_insolvency": "LIQUIDATION JUDICIAIRE CLOTUREE POUR INSUFFISANCE",
    "conciliation": "CONCILIATION", "other_proceeding": "AUTRE PROCEDURE", "ceased": "NEANT",
}  # fmt: skip


async def answer(asked: Asked, house: House) -> Told:
    """One SOAP call."""
    root = xml_of(asked.body)
    call = None if root is None else root.find("{http://schemas.xmlsoap.org/soap/envelope/}Body/*")
    if call is None:
        return Told(500, b"<fault/>", "text/xml")
    operation = str(call.tag).rpartition("}")[2]
    given = {str(child.tag).rpartition("}")[2]: (child.text or "").strip() for child in call.iter()}
    login, _, digest = given.get("identification", "").partition("|")
    if not login or not re.fullmatch(r"[0-9a-f]{40}", digest) or login == WRONG:
        return _exception(operation, "10", "Identification incorrecte")
    siren = given.get("sirenRna") or given.get("siren") or given.get("sirenSiret") or ""
    match operation:
        case "listerAlertes":
            return _ok(operation, _alerts(await house.happenings(unread=given.get("etatLu") == "2"), given))
        case "marquerAlerte":
            await house.mark_read(int(given.get("alerteId") or 0))
            return _ok(operation, "<ax:fait>true</ax:fait>")
        case "doRechercheSimple":
            return await _search(operation, given, house)
    if not re.fullmatch(r"\d{9}", siren):
        return _exception(operation, "101", "SIREN invalide")
    company = await house.company(siren)
    if company is None:
        return _exception(operation, "102", "SIREN inconnu")
    return await _about(operation, company, house)


async def _about(operation: str, company: Company, house: House) -> Told:
    match operation:
        case "getIdentiteAltaN3Entreprise":
            return _ok(operation, _identity(company))
        case "getScore":
            return _score(operation, company)
        case "getHistoriqueScore":
            rows = "".join(
                f"<ax:scoreList><ax:dateValeur>{text(one['as_of'])}</ax:dateValeur><ax:scoreCent>{text(one['score'])}"
                f"</ax:scoreCent><ax:scoreVingt>{int(one['score']) // 5}</ax:scoreVingt></ax:scoreList>"
                for one in company["history"] or []
            )
            return _ok(operation, rows or "<ax:scoreList xsi:nil='true'/>")
        case "ajouterSurveillance":
            return (
                _ok(operation, "<ax:fait>true</ax:fait>")
                if await house.add(company.number)
                else _exception(operation, "503", "Entreprise deja presente en portefeuille")
            )
        case "supprimerSurveillance":
            return (
                _ok(operation, "<ax:fait>true</ax:fait>")
                if await house.remove(company.number)
                else _exception(operation, "504", "Entreprise absente du portefeuille")
            )
    return _exception(operation, "1", "Operation inconnue")


def _identity(company: Company) -> str:
    ceased = company["company_active"] is False
    turnover = company.amount("turnover")
    fields = {
        "raisonSociale": company["name"],
        "siren": company.number,
        "siret": f"{company.number}00017",
        "formeJuridiqueCode": company["legal_form"],
        "formeJuridique": "SAS",
        "capital": "37000.0",
        # Doubles of this size come in scientific notation.
        "chiffreAffaire": None if turnover is None else f"{float(turnover[0]):.7E}".replace("E+0", "E"),
        "dateDernierBilan": company["fiscal_year_end"],
        "dureeDernierBilan": "12",
        "effectif": company["headcount"],
        "etat": "7" if ceased else "1",
        "etatLabel": "Radiee" if ceased else "Active",
        "dateCreation": company["created_on"],
        "naf5EntreCode": company["activity"],
        "naf5EntreLibelle": "Activite",
        "procedureCollective": _PROCEEDINGS.get(str(company["legal_status"]), str(company["legal_status"])),
        **{name: value for name, value in company.told.items() if name.startswith("wire_")},
    }
    known = "".join(_field(name.removeprefix("wire_"), value) for name, value in fields.items())
    # Where a contract's documentation names them; the adapter finds them by its field map.
    extra = {
        "creditConseille": company.amount("recommended_credit"),
        "montantPrivileges": company.amount("privileges_amount"),
    }
    return (
        known
        + "".join(_field(name, value and value[0]) for name, value in extra.items())
        + _field("paydex", company["paydex"])
    )


def _score(operation: str, company: Company) -> Told:
    score = company.score(100)
    if score is None:
        return _exception(operation, "118", "Pas de donnees financieres")
    return _ok(
        operation,
        _field("dateValeur", (company["score_as_of"] or company.today.isoformat()))
        + _field("scoreCent", score)
        + _field("scoreVingt", int(float(score)) // 5)
        + _field("scoreSectorielCent", company["sector_score"] or "52")
        + _field("niveauRisque", company["grade"] or "Risque modere"),
    )


def _alerts(happenings: list[Happening], given: dict[str, str]) -> str:
    size, page = int(given.get("taillePage") or 20), int(given.get("page") or 1)
    since, until = (date.fromisoformat(given[name]) if given.get(name) else None for name in ("du", "au"))
    wanted = [
        one for one in happenings if (since is None or one.on >= since) and (until is None or one.on <= until)
    ]
    shown = "".join(
        f"<ax:alerteList><ax:id>{one.number}</ax:id><ax:siren>{one.registration_number}</ax:siren>"
        f"<ax:dateCreation>{one.on}</ax:dateCreation><ax:etatIhm>1</ax:etatIhm>"
        f"<ax:evenementList><ax:dateEvenement>{one.on}</ax:dateEvenement>"
        f"<ax:nomEvenementCode>{_CODES.get(one.kind, 'ALTA_EIRL')}</ax:nomEvenementCode>"
        f"<ax:nomEvenementLabel>{text(one.kind)}</ax:nomEvenementLabel></ax:evenementList></ax:alerteList>"
        for one in wanted[(page - 1) * size : page * size]
    )
    unread = sum(not one.read for one in happenings)
    return f"{shown}<ax:nbAlerteNonLuesGlobal>{unread}</ax:nbAlerteNonLuesGlobal>" + _field(
        "nbTotalAlerteList", len(wanted)
    )


async def _search(operation: str, given: dict[str, str], house: House) -> Told:
    qui = re.sub(r"\s", "", given.get("qui", ""))
    if re.fullmatch(r"\d{9}(\d{5})?", qui):
        found = [one] if (one := await house.company(qui[:9])) else []
    else:
        found = [
            one
            for one in await house.told_companies()
            if given.get("qui", "").lower() in str(one["name"]).lower()
        ]
    rows = "".join(
        f"<ax:etablissements><ax:identifiantInterne>{one.number}1</ax:identifiantInterne><ax:siret>{one.number}00017"
        f"</ax:siret><ax:raisonSociale>{text(one['name'])}</ax:raisonSociale><ax:codePostal>75008</ax:codePostal>"
        f"<ax:ville>PARIS</ax:ville><ax:siege>true</ax:siege><ax:actif>{str(bool(one['company_active'])).lower()}"
        "</ax:actif></ax:etablissements>"
        for one in found
    )
    return _ok(operation, f"{rows}<ax:nbResultats>{len(found)}</ax:nbResultats>")


def _field(name: str, value: object) -> str:
    return f"<ax:{name} xsi:nil='true'/>" if value is None else f"<ax:{name}>{text(value)}</ax:{name}>"


def _ok(operation: str, info: str) -> Told:
    inside = f"<ax:correct>true</ax:correct><ax:exception xsi:nil='true'/><ax:myInfo>{info}</ax:myInfo>"
    return _told(operation, inside)


def _exception(operation: str, code: str, description: str) -> Told:
    inside = (
        f"<ax:correct>false</ax:correct><ax:exception><ax:code>{code}</ax:code><ax:description>{text(description)}</ax:description>"
        f"<ax:erreur>{text(description)}</ax:erreur></ax:exception><ax:myInfo xsi:nil='true'/>"
    )
    return _told(operation, inside)


def _told(operation: str, inside: str) -> Told:
    # Errors come inside HTTP 200.
    return Told(200, _ENVELOPE.format(operation=operation, inside=inside).encode(), "text/xml")
