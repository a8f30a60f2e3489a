"""Creditsafe Connect: a token for an hour, companies paged from 1, monitoring from 0 with `last` -1 when empty, 409 for a company
that is watched already (with two blanks in its message), amounts as text in one place and as numbers in another."""

import json
import re
import secrets
from datetime import date

from services.sandbox.domain.companies import Company, Happening
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House

_RULES = {"score": 101, "address": 105, "legal": 107, "limit": 102, "state": 1802}
_BANDS = ((71, "A"), (51, "B"), (30, "C"), (1, "D"))


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    if asked.path == "authenticate":
        try:
            given = json.loads(asked.body)
        except ValueError:
            given = {}
        if not given.get("username") or given.get("password") in (None, "", WRONG):
            return _told(401, {"error": "Invalid credentials"})
        return _told(200, {"token": f"jwt-for-{given['username']}-{secrets.token_hex(12)}"})
    if not asked.headers.get("authorization", "").startswith("Bearer jwt-for-"):
        return _told(401, {"error": "Unauthorized"})
    if asked.path == "companies":
        return await _companies(asked, house)
    report = re.fullmatch(r"companies/([A-Z]{2}-0-(\w+))", asked.path)
    if report:
        company = await house.company(report[2])
        return (
            _told(200, {"report": _report(company)})
            if company
            else _told(404, {"message": "Company not found"})
        )
    member = re.fullmatch(r"monitoring/portfolios/(\w+)/companies(?:/([A-Z]{2}-0-(\w+)))?", asked.path)
    if member:
        return await _portfolio(asked, house, member[3])
    if re.fullmatch(r"monitoring/portfolios/\w+/notificationEvents", asked.path):
        return await _events(asked, house)
    event = re.fullmatch(r"monitoring/notificationEvents/(\d+)", asked.path)
    if event and asked.method == "PATCH":
        read = await house.mark_read(int(event[1]))
        return _told(200, {"message": "ok"}) if read else _told(404, {"message": "Not found"})
    return _told(404, {"message": "No such path"})


async def _companies(asked: Asked, house: House) -> Told:
    number, name = asked.query.get("regNo"), asked.query.get("name", "").lower()
    if number:
        one = await house.company(number)
        found = [one] if one else []
    else:
        found = [one for one in await house.told_companies() if name and name in str(one["name"]).lower()]
    page, size = int(asked.query.get("page", 1)), int(asked.query.get("pageSize", 10))
    if page < 1:
        return _told(400, {"message": "page starts at 1"})
    return _told(200, {"totalSize": len(found), "companies": [
        {"id": f"FR-0-{one.number}", "country": "FR", "regNo": one.number, "name": one["name"],
         "status": "Active" if one["company_active"] else "NonActive",
         "address": {"city": "Paris", "postCode": "75008", "simpleValue": "1 rue du Port, 75008 Paris"}}
        for one in found[(page - 1) * size : page * size]
    ]})  # fmt: skip


def _report(company: Company) -> dict[str, object]:
    score = company.score(100)
    band = next(
        (letter for floor, letter in _BANDS if score and score.isdigit() and int(score) >= floor), "E"
    )
    limit, turnover = company.amount("recommended_credit"), company.amount("turnover")
    limit_text = company["credit_limit_text"] or (limit[0] if limit else None)
    return {
        "companyId": f"FR-0-{company.number}",
        "companySummary": {
            "businessName": company["name"], "country": "FR", "companyNumber": f"FR{company.number}",
            "companyRegistrationNumber": company.number,
            "mainActivity": {"code": company["activity"], "description": "Activity", "classification": "FR NAF Rev 2"},
            "companyStatus": {"status": company["company_status"] or ("Active" if company["company_active"] else "NonActive"),
                              "description": "…"},
            "latestTurnoverFigure": {"currency": turnover[1], "value": float(turnover[0])} if turnover else None,
        },
        "creditScore": {
            "currentCreditRating": {
                "commonValue": company["risk_class"] or band, "commonDescription": "Low Risk",
                "creditLimit": {"currency": limit[1] if limit else "EUR", "value": limit_text},
                "providerValue": {"maxValue": "100", "minValue": "0", "value": score if score is not None else "Not rated"},
                "pod": company["pd_12m"],
            },
            "previousCreditRating": {"commonValue": "B", "providerValue": {"maxValue": "100", "minValue": "0", "value": "60"}},
            "latestRatingChangeDate": f"{company['score_as_of'] or company.today}T00:00:00Z",
        },
        "negativeInformation": {},
    }  # fmt: skip


async def _portfolio(asked: Asked, house: House, number: str | None) -> Told:
    if asked.method == "POST":
        given = json.loads(asked.body)
        number = str(given["id"]).split("-")[-1]
        if await house.add(number):
            return _told(200, {"correlationId": "c", "message": "Company Added"})
        return _told(409, {"correlationId": "c", "message": f"Company  {given['id']} already in portfolio"})
    if asked.method == "DELETE" and number:
        return _told(204, {}) if await house.remove(number) else _told(404, {"message": "Not in portfolio"})
    members = await house.members()
    page, size = int(asked.query.get("page", 0)), int(asked.query.get("pageSize", 50))
    rows = [{"id": f"FR-0-{one}", "regNo": one} for one in members[page * size : (page + 1) * size]]
    return _told(
        200, {"portfolioTotal": len(members), "data": rows, "paging": _paging(page, size, len(members))}
    )


async def _events(asked: Asked, house: House) -> Told:
    since = asked.query.get("startDate")
    found = await house.happenings(unread=False, since=date.fromisoformat(since[:10]) if since else None)
    page, size = int(asked.query.get("page", 0)), int(asked.query.get("pageSize", 50))
    rows = [_event(one) for one in found[page * size : (page + 1) * size]]
    body = {
        "totalCount": len(found),
        "correlationId": "c",
        "data": rows,
        "paging": _paging(page, size, len(found)),
    }
    return _told(200, body)


def _event(one: Happening) -> dict[str, object]:
    return {
        "company": {"id": f"FR-0-{one.registration_number}", "countryCode": "FR", "portfolioId": 1},
        "eventId": one.number // 2, "notificationEventId": one.number, "eventDate": f"{one.on}T00:00:00",
        "oldValue": one.old, "newValue": one.new, "ruleCode": _RULES.get(one.kind, 1), "ruleName": one.kind,
        "isProcessed": one.read,
    }  # fmt: skip


def _paging(page: int, size: int, total: int) -> dict[str, int | None]:
    last = (total - 1) // size if total else -1
    return {
        "size": size,
        "prev": page - 1 if page else None,
        "next": page + 1 if page < last else None,
        "last": last,
    }


def _told(status: int, body: dict[str, object]) -> Told:
    return Told(status, b"" if status == 204 else json.dumps(body).encode())
