"""Infolegale: the token in the query, XML with errors inside HTTP 200, an index of colours and numbered legal events."""

import re

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House, text

_COLOURS = {"none": "vert", "ceased": "noir", "closed_insolvency": "noir"}
_CODES = {"safeguard": (5000, "Ouverture sauvegarde"), "receivership": (5010, "Ouverture redressement judiciaire"),
          "liquidation": (5020, "Liquidation judiciaire"), "closed_insolvency": (5040, "Clôture pour insuffisance d'actif"),
          }  # fmt: skip


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    if asked.query.get("token") in (None, "", WRONG):
        return _told("<error><code>AUTH</code><message>Token invalide</message></error>", "")
    if asked.path == "searchCompany":
        return await _search(asked, house)
    siren = asked.query.get("siren", "")
    company = await house.company(siren) if re.fullmatch(r"\d{9}", siren) else None
    if company is None:
        return _told("<error><code>404</code><message>SIREN inconnu</message></error>", "")
    match asked.path:
        case "getScore":
            score, credit = company.score(20), company.amount("recommended_credit")
            inside = "" if score is None else f"<score>{score}</score>"
            return _told("", f"<scoreInfo>{inside}<credit>{text(credit and credit[0])}</credit></scoreInfo>")
        case "getIdentity":
            return _told("", _identity(company))
        case "getListAnnonceLegale":
            return _told("", _notices(company))
    return _told("<error><code>METHOD</code><message>Methode inconnue</message></error>", "")


async def _search(asked: Asked, house: House) -> Told:
    siren, name = asked.query.get("siren", ""), asked.query.get("raisonSociale", "").lower()
    if siren:
        found = [one] if (one := await house.company(siren)) else []
    else:
        found = [one for one in await house.told_companies() if name and name in str(one["name"]).lower()]
    rows = "".join(
        f"<company><siren>{one.number}</siren><raisonSociale>{text(one['name'])}</raisonSociale><ville>PARIS</ville>"
        "<codePostal>75008</codePostal></company>"
        for one in found
    )
    return _told("", f"<companies>{rows}</companies>")


def _identity(company: Company) -> str:
    turnover = company.amount("turnover")
    status = str(company["legal_status"])
    finances = (
        ""
        if turnover is None
        else (
            f"<finances><chiffreAffaires>{turnover[0]}</chiffreAffaires><dateCloture>{text(company['fiscal_year_end'])}"
            "</dateCloture></finances>"
        )
    )
    return (
        f"<identity><siren>{company.number}</siren><raisonSociale>{text(company['name'])}</raisonSociale>"
        f"<formeJuridique>SAS</formeJuridique><dateCreation>{text(company['created_on'])}</dateCreation>"
        f"<naf>{text(company['activity'])}</naf><activite>Activité</activite>{finances}"
        f"<indiceRisque><indice>{_COLOURS.get(status, 'rouge')}</indice></indiceRisque></identity>"
    )


def _notices(company: Company) -> str:
    code = _CODES.get(str(company["legal_status"]))
    since = company["legal_status_since"] or company.today.isoformat()
    if code is None:
        return "<annonces/>"
    return (
        f"<annonces><annonce><adID>{company.number}1</adID><source>BODACC</source><origine>A</origine><categorie>PCL</categorie>"
        f"<dateParution>{since}</dateParution><role>DM</role><evenement><codeEvenement>{code[0]}</codeEvenement>"
        f"<labelEvenement>{text(code[1])}</labelEvenement><dateDecision>{since}</dateDecision><dateEffet>{since}</dateEffet>"
        "</evenement></annonce></annonces>"
    )


def _told(errors: str, content: str) -> Told:
    return Told(200, (
        '<?xml version="1.0" encoding="UTF-8"?><service xmlns="Infolegale/Webservices/Main">'
        f"<errors>{errors}</errors><request/><content>{content}</content><response/></service>"
    ).encode(), "text/xml")  # fmt: skip
