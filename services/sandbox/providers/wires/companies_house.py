"""Companies House: the key as Basic user name, insolvency on a page of its own that is missing when there is none."""

import base64
import json
import re

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House

_STATUSES = {
    "none": "active", "ceased": "dissolved", "liquidation": "liquidation", "receivership": "administration",
    "safeguard": "voluntary-arrangement", "other_proceeding": "insolvency-proceedings",
    "closed_insolvency": "dissolved",
}  # fmt: skip
_CASES = {
    "liquidation": "compulsory-liquidation", "closed_insolvency": "compulsory-liquidation",
    "receivership": "in-administration", "safeguard": "corporate-voluntary-arrangement",
    "other_proceeding": "foreign-insolvency",
}  # fmt: skip


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    try:
        key = base64.b64decode(token).decode().partition(":")[0] if scheme == "Basic" else ""
    except ValueError:
        key = ""
    if not key or key == WRONG:
        return Told(401, b'{"error":"Invalid Authorization","type":"ch:service"}')
    if asked.path == "search/companies":
        return await _search(asked, house)
    match = re.fullmatch(r"company/(\w{8})(/insolvency)?", asked.path)
    company = await house.company(match[1]) if match else None
    if match is None or company is None:
        return _told(404, {"errors": [{"error": "company-profile-not-found", "type": "ch:service"}]})
    if not match[2]:
        return _told(200, _profile(company))
    cases = _cases(company)
    return (
        _told(200, {"etag": "1", "cases": cases})
        if cases
        else _told(404, {"errors": [{"error": "no-insolvency"}]})
    )


async def _search(asked: Asked, house: House) -> Told:
    wanted = asked.query.get("q", "")
    found = await house.told_companies()
    if re.fullmatch(r"[A-Z0-9]{8}", wanted):
        exact = await house.company(wanted)
        found = [exact] if exact else []
    else:
        found = [one for one in found if wanted.lower() in str(one["name"]).lower()]
    items = [
        {
            "company_number": one.number,
            "title": one["name"],
            "company_status": _STATUSES.get(one["legal_status"]),
        }
        for one in found
    ]
    return _told(200, {"items": items, "total_results": len(items)})


def _profile(company: Company) -> dict[str, object]:
    return {
        "company_number": company.number,
        "company_name": company["name"],
        "company_status": company["company_status"] or _STATUSES.get(company["legal_status"], "active"),
        "date_of_creation": company["created_on"],
        "type": "ltd",
        "sic_codes": ["62012"],
        "has_insolvency_history": bool(_cases(company)),
    }


def _cases(company: Company) -> list[dict[str, object]]:
    told = company["cases"]
    if told is not None:
        return list(told)
    kind = _CASES.get(company["legal_status"])
    since = company["legal_status_since"] or company.today.isoformat()
    return [{"number": "1", "type": kind, "dates": [{"type": "wound-up-on", "date": since}]}] if kind else []


def _told(status: int, body: dict[str, object]) -> Told:
    return Told(status, json.dumps(body).encode())
