"""Ellisphere: XML over POST, credentials inside, a legend of scores before the company's own, decimals with a comma, and HTTP 401
with minorCode 3201 for a company that is watched already."""

import re

from lxml import etree

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House, text, xml_of

_LEGEND = (
    '<scoreLegend><score type="standard"><value type="score" scale="0 - 10">10</value>'
    '<value type="riskclass">A</value><comment type="riskclass">Risque tres faible</comment></score></scoreLegend>'
)
_EVENTS = {
    "safeguard": "Ouverture d'une procédure de sauvegarde", "receivership": "Ouverture d'un redressement judiciaire",
    "liquidation": "Ouverture d'une liquidation judiciaire",
}  # fmt: skip


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    service = asked.path.rpartition("/")[2]
    root = xml_of(asked.body)
    if root is None:
        return _error(service, "1001", "Invalid XML", 400)
    if not root.findtext("admin/client/contractId") or root.findtext("admin/client/password") in (
        None,
        "",
        WRONG,
    ):
        return _error(service, "2001", "Unknown user or wrong password", 401)
    number = _number(root)
    match service:
        case "svcSearchById" | "svcSearchByName":
            return await _search(service, root, number, house)
        case "svcOnlineOrder":
            company = await house.company(number.removeprefix("ELL"))
            return _ok(service, _report(company)) if company else _error(service, "3104", "No company", 200)
        case "svcStartMonitoring":
            if await house.add(number):
                return _ok(service, "<monitoringId>1</monitoringId>")
            return _error(service, "3201", "Company already monitored", 401)
        case "svcConsultList":
            nested = root.findtext("request/listCriteria/id")
            members = await house.members()
            wanted = [one for one in members if nested is None or one == nested]
            rows = "".join(
                f'<listItem><id type="register">{one}</id><score>7</score></listItem>' for one in wanted
            )
            return _ok(service, f'<list count="{len(wanted)}">{rows}</list>')
    return _error(service, "1002", "Unknown service", 404)


def _number(root: etree._Element) -> str:
    found = root.find(".//request//id")
    return re.sub(r"\s", "", (found.text or "") if found is not None else "")


async def _search(service: str, root: etree._Element, number: str, house: House) -> Told:
    if service == "svcSearchById":
        found = [one] if (one := await house.company(number)) else []
    else:
        name = (root.findtext(".//request//name") or "\x00").lower()
        found = [one for one in await house.told_companies() if name in str(one["name"]).lower()]
    rows = "".join(
        f'<establishment><name type="businessname">{text(one["name"])}</name><id type="src">ELL{one.number}</id>'
        f'<id type="register">{one.number}</id><address><addressLine>1 rue du Port</addressLine><cityCode>75008</cityCode>'
        f'<cityName>PARIS</cityName></address><activity code="{text(one["activity"])}"/></establishment>'
        for one in found
    )
    return _ok(service, f'<establishments count="{len(found)}">{rows}</establishments>')


def _report(company: Company) -> str:
    score = company.score(10)
    advised, ceiling = company.amount("recommended_credit"), company.amount("recommended_credit_ceiling")
    event = _EVENTS.get(company["legal_status"])
    since = company["legal_status_since"] or company.today.isoformat()
    history = "".join(
        f'<history><value type="score" scale="0 - 10">{text(one["score"])}</value>'
        f'<date type="effective">{text(one["as_of"])}</date></history>'
        for one in company["history"] or []
    )
    assessment = "" if score is None else (
        f'<assessmentData><score type="standard"><value type="score" scale="0 - 10">{text(score.replace(".", ","))}</value>'
        f'<value type="riskclass">{text(company["risk_class"] or "B")}</value>'
        f'<comment type="riskclass">Risque faible</comment><date type="lastupdate">{company.today}</date>{history}</score>'
        f'<score type="sector"><value type="score" scale="0 - 10">{text(company["sector_score"] or "5,5")}</value></score>'
        f'</assessmentData>'
    )  # fmt: skip
    opinion = (
        ""
        if advised is None
        else (
            f"<creditOpinion><limit>{text((ceiling or advised)[0].replace('.', ','))}</limit>"
            f"<upTo>{text(advised[0].replace('.', ','))}</upTo>"
            f'<history><upTo>1000</upTo><date type="effective">2020-01-01</date></history></creditOpinion>'
        )
    )
    defaults = (
        f'<defaultsModule><socialSecurityPrivileges count="{company["privileges_social_count"]}"/>'
        f'<treasuryTaxPrivileges count="{company["privileges_tax_count"]}"/></defaultsModule>'
    )
    events = (
        ""
        if event is None
        else (
            f"<event><description>{text(event)}</description><severity>RED</severity>"
            f'<date type="effective">{since}</date></event>'
        )
    )
    status = "active" if company["company_active"] else "ceased"
    about = (
        f'<company><id type="register">{company.number}</id><name type="businessname">{text(company["name"])}</name>'
        f'<currentStatus type="{status}"/><activity code="{text(company["activity"])}"/>'
        f'<foundation><date type="creation">{text(company["created_on"])}</date></foundation>'
        f"<numberOfEmployees>{text(company['headcount'])}</numberOfEmployees></company>"
    )
    return f"<report>{_LEGEND}{about}{assessment}{opinion}{defaults}{events}</report>"


def _ok(service: str, inside: str) -> Told:
    return _told(
        200,
        f'<{service}Response version="2.2"><result code="OK"/><response>{inside}</response></{service}Response>',
    )


def _error(service: str, minor: str, message: str, status: int) -> Told:
    return _told(status, (
        f'<{service}Response version="2.2"><result code="ERR"><majorMessage>Error</majorMessage><minorCode>{minor}</minorCode>'
        f"<minorMessage>{text(message)}</minorMessage></result></{service}Response>"
    ))  # fmt: skip


def _told(status: int, document: str) -> Told:
    return Told(status, f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode(), "application/xml")
