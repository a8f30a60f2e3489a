"""Companies House → canonical: profile and insolvency cases. Pure.

Case types and company statuses: companieshouse/api-enumerations. A members' voluntary liquidation is a solvent winding-up: it
is a proceeding, but not a liquidation that creditors lose by.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.risk.domain.legal.notices import Effect, LegalNotice, LegalStatus, Ruling
from services.risk.domain.legal.standing import legal_standing
from services.risk.providers.bodacc.mapper import legal_value
from services.risk.providers.capabilities import Capabilities
from services.risk.providers.errors import GarbageAnswer
from services.risk.providers.facts import CanonicalValue, Snapshot
from services.risk.providers.reading import at, dated, integer, listed, text
from services.risk.providers.values import activity, known, legal, portal, snapshot

SOURCE = "companies_house"
CASES = {
    "compulsory-liquidation": LegalStatus.LIQUIDATION,
    "creditors-voluntary-liquidation": LegalStatus.LIQUIDATION,
    "members-voluntary-liquidation": LegalStatus.OTHER_PROCEEDING,
    "in-administration": LegalStatus.RECEIVERSHIP,
    "administration-order": LegalStatus.RECEIVERSHIP,
    "receiver-manager": LegalStatus.RECEIVERSHIP,
    "administrative-receiver": LegalStatus.RECEIVERSHIP,
    "receivership": LegalStatus.RECEIVERSHIP,
    "corporate-voluntary-arrangement": LegalStatus.SAFEGUARD,
    "corporate-voluntary-arrangement-moratorium": LegalStatus.SAFEGUARD,
    "moratorium": LegalStatus.SAFEGUARD,
    "foreign-insolvency": LegalStatus.OTHER_PROCEEDING,
}
STATUSES = {
    "active": LegalStatus.NONE,
    "open": LegalStatus.NONE,
    "registered": LegalStatus.NONE,
    "dissolved": LegalStatus.CEASED,
    "closed": LegalStatus.CEASED,
    "removed": LegalStatus.CEASED,
    "converted-closed": LegalStatus.CEASED,
    "liquidation": LegalStatus.LIQUIDATION,
    "receivership": LegalStatus.RECEIVERSHIP,
    "administration": LegalStatus.RECEIVERSHIP,
    "voluntary-arrangement": LegalStatus.SAFEGUARD,
    "insolvency-proceedings": LegalStatus.OTHER_PROCEEDING,
}
#: The dates that begin a case, the surest first.
_BEGINS = (
    "wound-up-on", "administration-started-on", "instrumented-on", "voluntary-arrangement-started-on",
    "moratorium-started-on", "petitioned-on", "case-started-on", "declaration-solvent-on",
)  # fmt: skip
#: The dates that end it.
_ENDS = (
    "concluded-winding-up-on", "administration-ended-on", "administration-discharged-on",
    "voluntary-arrangement-ended-on", "moratorium-ended-on", "receiver-ceased-on",
    "case-ended-on", "dissolved-on",
)  # fmt: skip
_INSOLVENT_END = frozenset(("compulsory-liquidation", "creditors-voluntary-liquidation"))


def map_company(
    profile: Mapping[str, Any] | None,
    insolvency: Mapping[str, Any] | None,
    *,
    product: str,
    version: int,
    capabilities: Capabilities,
    failed: Sequence[str] = (),
    read_on: date,
) -> Snapshot:
    """A company's snapshot. `insolvency` is None when it could not be read (then the profile's status alone speaks, and a
    company called active is not known to be free of proceedings); an empty object when there is none."""
    if profile is None:
        raise GarbageAnswer("no company profile")
    status = text(profile.get("company_status"))
    number = text(profile.get("company_number"))
    values: dict[str, CanonicalValue] = {
        "name": known(text(profile.get("company_name"))),
        "activity": activity(text(at(profile, "sic_codes", 0)), nomenclature="UKSIC2007"),
        "legal_form": known(text(profile.get("type")), scheme="companies_house"),
        "created_on": known(dated(profile.get("date_of_creation"))),
        "portal_url": portal(
            f"https://find-and-update.company-information.service.gov.uk/company/{number}"
            if number
            else None,
            ("company-information.service.gov.uk",),
        ),
    }
    if status is not None and status in STATUSES:
        values["company_active"] = known(STATUSES[status] is not LegalStatus.CEASED, raw=status)
    notices = None if insolvency is None else cases(insolvency, number or "", read_on)
    values |= _legal(status, dated(profile.get("date_of_cessation")), notices)
    return snapshot(
        "companies_house", product, version, capabilities, values, provider_reference=number, notices=notices,
        failed=failed, warnings=[f"status {status!r} is not understood"] if status not in STATUSES else [],
    )  # fmt: skip


def _legal(
    status: str | None, ceased_on: date | None, notices: tuple[LegalNotice, ...] | None
) -> dict[str, CanonicalValue]:
    """The profile says what holds now, the cases say since when."""
    now = STATUSES.get(status or "", LegalStatus.UNKNOWN)
    if notices:
        standing = legal_standing(notices)
        if standing.status is not LegalStatus.NONE or now in (LegalStatus.NONE, LegalStatus.UNKNOWN):
            return {"legal_status": legal_value(standing)}
    if now is LegalStatus.NONE and notices is None:
        return {}  # left to `failed`: active, but nobody could say whether there are proceedings
    judged_on = ceased_on.isoformat() if ceased_on and now is LegalStatus.CEASED else None
    return {"legal_status": legal(now, raw=status, judged_on=judged_on)}


def cases(insolvency: Mapping[str, Any], number: str, read_on: date) -> tuple[LegalNotice, ...]:
    """Insolvency cases as notices: one for the beginning, one for the end where there is one. A case without a date counts
    from the day it was read. Raises GarbageAnswer for a case without a type."""
    found: list[LegalNotice] = []
    for position, case in enumerate(listed(insolvency.get("cases"))):
        kind = text(at(case, "type"))
        if kind is None:
            raise GarbageAnswer("an insolvency case without a type")
        dates = {text(at(one, "type")) or "": dated(at(one, "date")) for one in listed(at(case, "dates"))}
        case_id = f"{number}:{integer(at(case, 'number')) or position + 1}"
        target = CASES.get(kind, LegalStatus.OTHER_PROCEEDING)
        began = next((dates[name] for name in _BEGINS if dates.get(name)), None) or min(
            (one for one in dates.values() if one), default=None
        )
        ended = next((dates[name] for name in _ENDS if dates.get(name)), None)
        ruling = Ruling(Effect.OPENS, target, review=kind not in CASES)
        found.append(_notice(f"{case_id}:begins", kind, began, read_on, ruling))
        if ended is not None:
            lost = Effect.CLOSES if kind in _INSOLVENT_END else Effect.ENDS
            found.append(_notice(f"{case_id}:ends", kind, ended, read_on, Ruling(lost)))
    return tuple(found)


def _notice(source_id: str, kind: str, on: date | None, read_on: date, ruling: Ruling) -> LegalNotice:
    return LegalNotice(
        source=SOURCE, source_id=source_id, published_on=on or read_on, judged_on=on, family="insolvency",
        nature=kind, ruling=ruling,
    )  # fmt: skip
