"""D&B Direct+: client credentials for a token, data blocks by DUNS, empty objects where nothing is known, codes 21113 and 21012
for what was added and what was there already."""

import base64
import json
import re

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    if asked.path == "v3/token":
        scheme, _, given = asked.headers.get("authorization", "").partition(" ")
        key, _, secret = (
            base64.b64decode(given).decode().partition(":") if scheme == "Basic" else ("", "", "")
        )
        if not key or secret in ("", WRONG):
            return _told(
                401, {"error": {"errorCode": "00041", "errorMessage": "Your subscriber ID is not recognised"}}
            )
        return _told(200, {"access_token": f"dnb-token-{key}-0123456789", "expiresIn": 86400})
    if not asked.headers.get("authorization", "").startswith("Bearer dnb-token-"):
        return _told(401, {"error": {"errorCode": "00040"}})
    if asked.path == "v1/match/cleanseMatch":
        return await _match(asked, house)
    data = re.fullmatch(r"v1/data/duns/(\d{9})", asked.path)
    if data:
        company = await house.company(data[1])
        return _told(200, {"organization": _organization(company)}) if company else _missing()
    member = re.fullmatch(r"v1/monitoring/registrations/([\w-]+)/duns/(\d{9})", asked.path)
    if member:
        if asked.method == "POST":
            code = "21113" if await house.add(member[2]) else "21012"
            return _told(200, {"information": {"code": code}})
        gone = await house.remove(member[2])
        return _told(200, {"information": {"code": "21114"}}) if gone else _missing()
    if re.fullmatch(r"v1/monitoring/registrations/[\w-]+/notifications", asked.path):
        size = int(asked.query.get("maxNotifications", 100))
        found = (await house.happenings(unread=True))[:size]
        for one in found:  # what was pulled is not sent again
            await house.mark_read(one.number)
        return _told(200, {"notifications": [
            {"type": "UPDATE", "organization": {"duns": one.registration_number}, "deliveryTimeStamp": f"{one.on}T08:00:00Z",
             "elements": [{"element": "organization.dnbAssessment", "previous": one.old, "current": one.new,
                           "kind": one.kind, "id": str(one.number)}]}
            for one in found
        ]})  # fmt: skip
    return _missing()


async def _match(asked: Asked, house: House) -> Told:
    number = re.sub(r"\D", "", asked.query.get("registrationNumber", asked.query.get("duns", "")))
    company = await house.company(number) if number else None
    found = [company] if company else [
        one for one in await house.told_companies()
        if asked.query.get("name", "\x00").lower() in str(one["name"]).lower()
    ]  # fmt: skip
    return _told(200, {"matchCandidates": [
        {"organization": {"duns": one.number[:9], "primaryName": one["name"],
                          "registrationNumbers": [{"registrationNumber": one.number, "isPreferredRegistrationNumber": True}],
                          "primaryAddress": {"addressCountry": {"isoAlpha2Code": "FR"}, "addressLocality": {"name": "Paris"}}},
         "matchQualityInformation": {"confidenceCode": 10 if number else 7}}
        for one in found
    ]})  # fmt: skip


def _organization(company: Company) -> dict[str, object]:
    score, limit = company.score(100), company.amount("recommended_credit")
    status = company["legal_status"]
    insolvent = status in (
        "safeguard",
        "receivership",
        "liquidation",
        "closed_insolvency",
        "other_proceeding",
    )
    percentile = max(1, int(float(score))) if score is not None else None
    return {
        "duns": company.number[:9], "primaryName": company["name"], "countryISOAlpha2Code": "FR",
        "registrationNumbers": [{"registrationNumber": company.number, "isPreferredRegistrationNumber": True}],
        "primaryIndustryCode": {"usSicV4": "7371"},
        "legalEvents": {"hasOpenLiens": bool(int(float(company["privileges_count"] or 0))), "hasOpenJudgments": False,
                        "hasOpenBankruptcy": insolvent},
        "dnbAssessment": {
            "failureScore": {} if percentile is None else {
                "nationalPercentile": percentile, "classScore": 5 - min(4, percentile // 21), "scoreDate": str(company.today)},
            "delinquencyScore": {} if company["delinquency_score"] is None else {
                "nationalPercentile": int(company["delinquency_score"]), "classScore": 2},
            "standardRating": {"financialStrength": "3A", "rating": company["grade"] or "3A2", "riskSegment": "2",
                               "scoreDate": str(company.today)},
            "creditLimitRecommendation": {} if limit is None else {
                "maximumRecommendedLimit": {"value": float(limit[0]), "currency": limit[1]},
                "assessmentDate": str(company.today)},
            "paydexScore": {} if company["paydex"] is None else {"value": company["paydex"]},
        },
    }  # fmt: skip


def _missing() -> Told:
    return _told(404, {"error": {"errorCode": "10001", "errorMessage": "Requested product not available"}})


def _told(status: int, body: dict[str, object]) -> Told:
    return Told(status, json.dumps(body).encode())
