"""A REST provider of nobody's: what the declarative adapter, and the Scores & Decisions profile, are tried against.

The format is ours (Scores & Decisions publishes none). JSON below `/json`, the same as XML below `/xml`; the credential as a
Bearer token, an `X-Api-Key`, Basic, or `token=` in the query. Dates come in the shape that the query's `dates` names: iso, us,
fr, compact, or number (20240917 as an integer), because one provider was seen to use all five.
"""

import base64
import json
import re
from datetime import date
from typing import Any

from services.sandbox.domain.companies import Company
from services.sandbox.providers.behaviour import Told
from services.sandbox.providers.house import WRONG, Asked, House, text

_TRENDS = {"up": "hausse", "down": "baisse", "stable": "stable"}
_STATUSES = {"none": "IN_BONIS", "safeguard": "SVG", "receivership": "RJ", "liquidation": "LJ", "closed_insolvency": "CLOT",
             "ceased": "RAD", "other_proceeding": "PC"}  # fmt: skip


async def answer(asked: Asked, house: House) -> Told:
    """One call."""
    if asked.path == "oauth/token":
        form = asked.form()
        good = form.get("grant_type") == "client_credentials" and form.get("client_secret") not in (
            None,
            "",
            WRONG,
        )
        body = {"access_token": "generic-token-0123456789", "expires_in": 3600}
        return _json(200, body) if good else _json(401, {"error": "invalid_client"})
    if not _welcome(asked):
        return _json(401, {"error": "who are you?"})
    notation, _, path = asked.path.partition("/")
    write = _xml if notation == "xml" else _json
    dates = asked.query.get("dates", "iso")
    if path == "companies":
        number, name = asked.query.get("siren", ""), asked.query.get("name", "").lower()
        one = await house.company(number) if number else None
        found = (
            [one]
            if one
            else [c for c in await house.told_companies() if name and name in str(c["name"]).lower()]
        )
        return write(
            200,
            {
                "companies": [
                    {"id": f"G{c.number}", "siren": c.number, "label": c["name"], "town": "Paris"}
                    for c in found
                ]
            },
        )
    data = re.fullmatch(r"companies/G?(\d{9})(/portfolio)?", path)
    if data and data[2]:
        done = await (house.add(data[1]) if asked.method in ("PUT", "POST") else house.remove(data[1]))
        return write(200 if done else 409, {"done": done})
    if data:
        company = await house.company(data[1])
        return write(200, _company(company, dates)) if company else write(404, {"error": {"code": "UNKNOWN"}})
    if path == "portfolio":
        return write(200, {"members": [{"siren": one} for one in await house.members()]})
    if path == "changes":
        since = asked.query.get("since")
        found_events = await house.happenings(
            unread=False, since=date.fromisoformat(since) if since else None
        )
        return write(200, {"changes": [
            {"id": str(one.number), "siren": one.registration_number, "kind": one.kind, "on": one.on.isoformat()}
            for one in found_events
        ]})  # fmt: skip
    return write(404, {"error": {"code": "NO_SUCH_PATH"}})


def _welcome(asked: Asked) -> bool:
    scheme, _, given = asked.headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        given = base64.b64decode(given).decode().partition(":")[2]
    secret = given or asked.headers.get("x-api-key") or asked.query.get("token")
    return bool(secret) and secret != WRONG


def _company(company: Company, dates: str) -> dict[str, Any]:
    advised, turnover = company.amount("recommended_credit"), company.amount("turnover")
    score = company.score(20)
    return {
        "siren": company.number,
        "denomination": company["name"],
        "indiscore": None
        if score is None
        else {"note": score.replace(".", ","), "evolution": _TRENDS.get(company["trend"])},
        "encoursConseille": None
        if advised is None
        else {"montant": advised[0].replace(".", ","), "devise": advised[1]},
        "statutJuridique": _STATUSES.get(str(company["legal_status"]), str(company["legal_status"])),
        "naf": company["activity"],
        "chiffreAffaires": None
        if turnover is None
        else {"montant": turnover[0], "cloture": company["fiscal_year_end"]},
        "dateNote": _shape(company["score_as_of"] or company.today.isoformat(), dates),
        "lien": company["portal_url"] or f"https://portail.example/entreprises/{company.number}",
        "incidents": company["incidents"] or [],
    }


def _shape(iso: str, dates: str) -> str | int:
    day = date.fromisoformat(str(iso))
    shapes: dict[str, str | int] = {
        "us": f"{day.month}/{day.day}/{day.year}",
        "fr": f"{day:%d/%m/%Y}",
        "compact": f"{day:%Y%m%d}",
        "number": int(f"{day:%Y%m%d}"),
    }
    return shapes.get(dates, day.isoformat())


def _json(status: int, body: Any) -> Told:
    return Told(status, json.dumps(body, ensure_ascii=False).encode())


def _xml(status: int, body: Any) -> Told:
    return Told(
        status,
        f'<?xml version="1.0" encoding="UTF-8"?><answer>{_nodes(body)}</answer>'.encode(),
        "application/xml",
    )


def _nodes(value: Any) -> str:
    if not isinstance(value, dict):
        return text(value)
    members = [
        (name, one) for name, what in value.items() for one in (what if isinstance(what, list) else [what])
    ]
    return "".join(f"<{name}>{_nodes(one)}</{name}>" for name, one in members)
